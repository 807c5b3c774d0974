"""Alarms as an operator meets them: each time that people were told, or would have been, is one.

An alarm's record counts how often its condition became active before somebody acknowledged it; for the work it makes
each of these counts. So the same data gives the same log whoever acknowledged what.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from firewatch.model.alarm import (
    AlarmClass,
    AlarmState,
    AlarmTransition,
    ConditionState,
    Priority,
    TransitionReason,
    Verdict,
)
from firewatch.model.observation import Value

CONFIRMATIONS = ("#confirmed", "#属实")
"""An acknowledgement whose comment has one of these words says that it was real; so it was said before there was a
verdict.
"""


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """One annunciation. `told_time` is when, `until_time` when the condition was over again (None: not by the end)."""

    rule: str
    site: str
    subject: str
    alarm_id: str
    priority: Priority
    alarm_class: AlarmClass
    told_time: datetime
    onset_time: datetime
    until_time: datetime | None = None
    value: Value | None = None
    unit: str = ""
    step: int = 0
    shadow: bool = False
    confirmed: bool = False


class _Entry:
    """An alarm's newest onset."""

    __slots__ = ("confirmed", "onset", "shown", "until_time")

    def __init__(self, onset: AlarmTransition) -> None:
        self.onset = onset
        self.shown = not onset.alarm.hidden
        self.until_time: datetime | None = None
        self.confirmed = False

    def told(self) -> Told:
        alarm = self.onset.alarm
        return Told(
            rule=alarm.rule,
            site=alarm.site,
            subject=alarm.subject,
            alarm_id=alarm.alarm_id,
            priority=alarm.priority,
            alarm_class=alarm.alarm_class,
            told_time=self.onset.transition_time,
            onset_time=alarm.onset_time,
            until_time=self.until_time,
            value=alarm.value,
            unit=alarm.unit,
            step=alarm.step,
            shadow=alarm.shadow,
            confirmed=self.confirmed,
        )


class AlarmLog:
    """Collects transitions in the order of time, those at start <= time < end, and what follows from them."""

    def __init__(self, start: datetime, end: datetime) -> None:
        self._start = start
        self._end = end
        self._newest: dict[str, _Entry] = {}
        self._entries: list[_Entry] = []

    def add(self, transition: AlarmTransition) -> None:
        """Take one transition."""
        alarm = transition.alarm
        if transition.reason is TransitionReason.CONDITION_ACTIVE:
            self._end_newest(transition)
            entry = self._newest[transition.alarm_id] = _Entry(transition)
            if self._start <= transition.transition_time < self._end:
                self._entries.append(entry)
            return
        known = self._newest.get(transition.alarm_id)
        if known is None:
            return
        is_over = alarm.condition is ConditionState.INACTIVE or alarm.state is AlarmState.NORMAL
        if known.until_time is None:
            known.shown = known.shown or (not alarm.hidden and not is_over)
            if is_over:
                self._end_newest(transition)
        if transition.reason is TransitionReason.ACKNOWLEDGED:
            known.confirmed = known.confirmed or is_confirmation(transition.comment)
        elif transition.reason is TransitionReason.CONFIRMED and alarm.confirmation is not None:
            known.confirmed = alarm.confirmation.verdict is Verdict.REAL

    def _end_newest(self, transition: AlarmTransition) -> None:
        known = self._newest.get(transition.alarm_id)
        if known is not None and known.until_time is None:
            known.until_time = transition.transition_time

    def told(self) -> list[Told]:
        """What people were told of, by time; an alarm that stayed hidden until it was over is not among it."""
        return [entry.told() for entry in self._entries if entry.shown]


def is_confirmation(comment: str) -> bool:
    """Whether the comment of an acknowledgement says that it was real."""
    return any(word in comment.casefold() for word in CONFIRMATIONS)


def told_of(transitions: Iterable[AlarmTransition], start: datetime, end: datetime) -> list[Told]:
    """What people were told of from start to before end."""
    log = AlarmLog(start, end)
    for transition in transitions:
        log.add(transition)
    return log.told()
