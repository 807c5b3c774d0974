"""Incidents: which alarms are one event, which of them was first, and which of them call for people anew.

An alarm joins the incident of the alarm that suppresses it, wherever that is; else the newest incident of its own place
and kind (site, building, system, class) if that had its last onset within `GAP`; else it begins one, is its first-out,
and gives it its name. It keeps its incident until its record is closed. An incident is remembered while one of its
alarms stands, and takes any number of them. Shadow alarms belong to none; hidden ones do, without being told.

To annunciate is *grouped* when it adds nothing to what calls for people already: one of the incident's alarms that is
at least as urgent was told, is neither hidden nor acknowledged, and the incident called at that urgency less than
`GAP` ago (`realarm_after`, where people are told again for want of an answer). Fire is more urgent than all else, then
goes the priority. So the first is never held back, something worse always calls, after everything was acknowledged
the next onset calls, and what goes on unanswered calls again.

Whatever happens to an alarm takes no longer with more of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from firewatch.alarms.lifecycle import StandingAlarm
from firewatch.alarms.transitions import TRANSITIONS, Move
from firewatch.model.alarm import Alarm, AlarmClass, Priority

GAP = timedelta(minutes=10)
"""How long it has to be quiet until the next alarm is another incident, and for how long a call is good for all that
is not more urgent. It is the interval in which ISA-18.2 counts alarms (domain.md 1): one call in 10 min is what an
operator can very likely deal with, more than 10 alarms in it are a flood, and a flood is one incident.
"""

_PRIORITIES = {priority: rank for rank, priority in enumerate(Priority)}
_RANKS = 2 * len(_PRIORITIES)
_UNACKNOWLEDGED = frozenset(state for state, moves in TRANSITIONS.items() if Move.ACKNOWLEDGE in moves)


class Kin(NamedTuple):
    """Where an incident is, and of what kind."""

    site: str
    building: str
    system: str
    alarm_class: AlarmClass


class Incident(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event. `incident` is the id of the alarm that began it, `first_out` that alarm as it was last seen.

    `count` is how many alarms joined, the first included, be they over or not. Times are the engine's. `called` is when
    it last called for people at each urgency, 0 the most urgent.
    """

    incident: str
    kin: Kin
    first_out: Alarm
    begun_time: datetime
    last_onset_time: datetime
    count: int = 0
    called: dict[int, datetime] = {}


class _Running:
    """An incident with those of its alarms that stand, and how many of them call for people at each urgency."""

    __slots__ = ("calling", "incident", "numbers", "urgencies")

    def __init__(self, incident: Incident) -> None:
        self.incident = incident
        self.numbers: dict[str, int] = {}
        self.urgencies: dict[str, int] = {}
        self.calling = [0] * _RANKS

    def __copy__(self) -> _Running:
        copied = _Running(self.incident)
        copied.numbers, copied.urgencies = self.numbers.copy(), self.urgencies.copy()
        copied.calling = self.calling.copy()
        return copied

    def note(self, alarm: Alarm, *, is_told: bool) -> None:
        if alarm.alarm_id == self.incident.incident:
            self.incident = replace(self.incident, first_out=alarm)
        before = self.urgencies.pop(alarm.alarm_id, None)
        if before is not None:
            self.calling[before] -= 1
        if not alarm.stands:
            del self.numbers[alarm.alarm_id]
        elif is_told and not alarm.hidden and alarm.state in _UNACKNOWLEDGED:
            urgency = self.urgencies[alarm.alarm_id] = urgency_of(alarm)
            self.calling[urgency] += 1


class Incidents:
    """The incidents that have an alarm standing. `Incidents(records, standing)` puts them back."""

    def __init__(self, records: Iterable[Incident] = (), standing: Iterable[StandingAlarm] = ()) -> None:
        self._all: dict[str, _Running] = {}
        self._of_kin: dict[Kin, dict[str, _Running]] = {}
        self._of_alarm: dict[str, _Running] = {}
        for record in records:
            self._add(_Running(record))
        for one in standing:
            alarm = one.alarm
            if (running := self._all.get(alarm.incident)) is not None:
                self._of_alarm[alarm.alarm_id] = running
                running.numbers[alarm.alarm_id] = alarm.incident_number
                running.note(alarm, is_told=one.told_time is not None)
        for running in [running for running in self._all.values() if not running.numbers]:
            self._forget(running)

    def __copy__(self) -> Incidents:
        copied = Incidents()
        for running in self._all.values():
            one = running.__copy__()
            copied._add(one)
            copied._of_alarm |= dict.fromkeys(one.numbers, one)
        return copied

    def join(self, alarm: Alarm, present: Alarm | None, now: datetime) -> Alarm:
        """The alarm whose condition became active, with its incident and its place in it. `present` is the alarm whose
        record is open already, None if there is none.
        """
        if alarm.shadow:
            return replace(alarm, incident="", incident_number=0)
        identity = alarm.alarm_id if present is None else present.alarm_id
        running = (
            self._of_alarm.get(identity)
            or self._of_alarm.get(alarm.suppressed_by or "")
            or self._newest(kin_of(alarm), now)
            or self._all.get(identity)
            or self._begin(identity, alarm, now)
        )
        self._of_alarm[identity] = running
        number = running.numbers.get(identity)
        before = running.incident
        if number is None:
            number = running.numbers[identity] = before.count + 1
        running.incident = replace(before, last_onset_time=now, count=max(before.count, number))
        self._make_newest(running)
        return replace(alarm, incident=before.incident, incident_number=number)

    def annunciate(self, alarm: Alarm, now: datetime, within: timedelta = GAP) -> bool:
        """People are to be told of the alarm: whether that is grouped. If it is not, the incident calls for them now.
        A call is good for all that is not more urgent and comes `within` that time.
        """
        running = self._of_alarm.get(alarm.alarm_id)
        if running is None or alarm.hidden:
            return False
        urgency = urgency_of(alarm)
        called = running.incident.called
        if any(running.calling[: urgency + 1]) and any(
            rank <= urgency and now - called_time < within for rank, called_time in called.items()
        ):
            return True
        running.incident = replace(running.incident, called={**called, urgency: now})
        return False

    def note(self, alarm: Alarm, *, is_told: bool) -> None:
        """The alarm stands like this now. `is_told`: people were told of it since it began or was acknowledged."""
        running = self._of_alarm.get(alarm.alarm_id)
        if running is None:
            return
        running.note(alarm, is_told=is_told)
        if not alarm.stands:
            del self._of_alarm[alarm.alarm_id]
        if not running.numbers:
            self._forget(running)

    def records(self) -> tuple[Incident, ...]:
        """What has to be kept of them, the one with the newest onset last."""
        return tuple(running.incident for running in self._all.values())

    def _newest(self, kin: Kin, now: datetime) -> _Running | None:
        of_kin = self._of_kin.get(kin)
        if of_kin is None:
            return None
        newest = next(reversed(of_kin.values()))
        return newest if now - newest.incident.last_onset_time <= GAP else None

    def _begin(self, identity: str, alarm: Alarm, now: datetime) -> _Running:
        running = _Running(Incident(identity, kin_of(alarm), alarm, begun_time=now, last_onset_time=now))
        self._add(running)
        return running

    def _add(self, running: _Running) -> None:
        incident = running.incident
        self._all[incident.incident] = running
        self._of_kin.setdefault(incident.kin, {})[incident.incident] = running

    def _make_newest(self, running: _Running) -> None:
        incident = running.incident
        of_kin = self._of_kin[incident.kin]
        self._all[incident.incident] = self._all.pop(incident.incident)
        of_kin[incident.incident] = of_kin.pop(incident.incident)

    def _forget(self, running: _Running) -> None:
        incident = running.incident
        del self._all[incident.incident]
        del self._of_kin[incident.kin][incident.incident]
        if not self._of_kin[incident.kin]:
            del self._of_kin[incident.kin]


def urgency_of(alarm: Alarm) -> int:
    """How urgently it calls for people, 0 the most: fire before all else, then by priority."""
    return _PRIORITIES[alarm.priority] + (0 if alarm.alarm_class is AlarmClass.FIRE else len(_PRIORITIES))


def kin_of(alarm: Alarm) -> Kin:
    """Where the incident would be that the alarm begins."""
    return Kin(alarm.site, alarm.building, alarm.system, alarm.alarm_class)
