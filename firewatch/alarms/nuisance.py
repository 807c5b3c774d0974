"""Alarms that wear people out: chattering, fleeting and stale ones, found from the changes of their conditions.

What is judged is a rule on a subject, over all the alarms it raises: one that chatters may raise many. The figures are
those of domain.md 1 with their sources (SignalForge's digest of ISA-18.2-2016; the standard itself was not read).

    chattering  its condition changed more than `CHATTERING_CHANGES` times within `CHATTERING_WITHIN`
    fleeting    its condition was active for less than `FLEETING_UNDER`, and did not become so again within
                `FLEETING_ALONE` after that, so it is known only then
    stale       its condition has been active for longer than `STALE_AFTER`; while nobody can tell how it is, it goes on

A mark hides nothing and decides nothing.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from firewatch.model.alarm import Alarm, AlarmState, AlarmTransition, ConditionState

CHATTERING_CHANGES = 5
CHATTERING_WITHIN = timedelta(minutes=5)
FLEETING_UNDER = timedelta(seconds=10)
FLEETING_ALONE = timedelta(seconds=60)
STALE_AFTER = timedelta(hours=24)
LOOK_BACK = max(CHATTERING_WITHIN, FLEETING_UNDER + FLEETING_ALONE)
"""How much of the past marks need after a restart, beside all changes of the alarms that stand."""


class Mark(enum.StrEnum):
    """In which way it wears people out."""

    CHATTERING = "chattering"
    FLEETING = "fleeting"
    STALE = "stale"


class _Watched:
    """One rule on one subject. `changes` are the last times at which it became active or inactive, newest last."""

    __slots__ = ("alarm_id", "changes", "is_active", "number", "taken_time")

    def __init__(self) -> None:
        self.changes: deque[datetime] = deque(maxlen=CHATTERING_CHANGES + 1)
        self.is_active = False
        self.alarm_id, self.number, self.taken_time = "", 0, datetime.min.replace(tzinfo=UTC)

    def take(self, transition: AlarmTransition) -> None:
        if not self._is_news(transition):
            return
        self.alarm_id, self.number = transition.alarm_id, transition.number
        self.taken_time = transition.transition_time
        is_active = _is_active(transition.alarm, self.is_active)
        if is_active is not self.is_active:
            self.is_active = is_active
            self.changes.append(transition.transition_time)

    def marks(self, now: datetime) -> tuple[Mark, ...]:
        if not self.changes:
            return ()
        found = (
            (Mark.CHATTERING, len(self.changes) > CHATTERING_CHANGES and now - self.changes[0] <= CHATTERING_WITHIN),
            (Mark.FLEETING, self._is_fleeting(now)),
            (Mark.STALE, self.is_active and now - self.changes[-1] > STALE_AFTER),
        )
        return tuple(mark for mark, holds in found if holds)

    def _is_news(self, transition: AlarmTransition) -> bool:
        if transition.alarm_id == self.alarm_id:
            return transition.number > self.number
        return transition.transition_time >= self.taken_time

    def _is_fleeting(self, now: datetime) -> bool:
        if self.is_active or len(self.changes) < 2:
            return False
        active_time, inactive_time = self.changes[-2], self.changes[-1]
        return inactive_time - active_time < FLEETING_UNDER and now - inactive_time >= FLEETING_ALONE


class Nuisances:
    """Which alarms are marked. Give it every change in the order of time; one that is given again counts once, so a
    history may be taken in that goes further than what is given next.

    Who wants to know of a period asks for `marks` at each change: before taking it for what is stale or fleeting, after
    taking it for what chatters; and at the end for all.
    """

    def __init__(self) -> None:
        self._watched: dict[tuple[str, str], _Watched] = {}

    def take(self, transition: AlarmTransition) -> None:
        """An alarm changed. Shadow alarms and drills wear nobody out."""
        alarm = transition.alarm
        if not alarm.shadow and alarm.drill is None:
            self._watched.setdefault((alarm.rule, alarm.subject), _Watched()).take(transition)

    def marks(self, rule: str, subject: str, now: datetime) -> tuple[Mark, ...]:
        """What is to be said of a rule's alarms on a subject, at a time that is not before the last change taken."""
        watched = self._watched.get((rule, subject))
        return () if watched is None else watched.marks(now)

    def marked(self, alarms: Iterable[Alarm], now: datetime) -> dict[str, tuple[Mark, ...]]:
        """Those of some alarms that are marked, by id."""
        found = {alarm.alarm_id: self.marks(alarm.rule, alarm.subject, now) for alarm in alarms}
        return {alarm_id: marks for alarm_id, marks in found.items() if marks}


def _is_active(alarm: Alarm, before: bool) -> bool:
    if alarm.state is AlarmState.NORMAL or alarm.condition is ConditionState.INACTIVE:
        return False
    return before or alarm.condition is ConditionState.ACTIVE
