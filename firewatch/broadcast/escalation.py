"""Who is told of an alarm, by which target, and how long unanswered before: decided from plans and roster alone.

Everything is worked out when an alarm is told. What comes later, for whoever is on duty then, stands at once in the
history with the time when it falls due, and is withdrawn if somebody answers before: so an escalation needs no timer
that a restart could lose.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from firewatch.config.notification_spec import (
    AlarmsSpec,
    NotificationFile,
    PlanSpec,
    PlanStepSpec,
)
from firewatch.model.alarm import Alarm, AlarmState, AlarmTransition, Annunciation, TransitionReason
from firewatch.model.delivery import Delivery, NotificationReason
from firewatch.rules.schedule import Timetable, timetable

UNANSWERED = (AlarmState.UNACKNOWLEDGED, AlarmState.RTN_UNACKNOWLEDGED, AlarmState.LATCHED_UNACKNOWLEDGED)
"""Nobody has said that they saw it."""


_Shift = tuple[Timetable | None, tuple[str, ...]]
"""When, None for always, and who."""


def is_unanswered(alarm: Alarm) -> bool:
    """Whether somebody still has to be found for the alarm."""
    return alarm.state in UNANSWERED and not alarm.hidden


def fits(wanted: AlarmsSpec, alarm: Alarm) -> bool:
    """Whether the alarm is one of those."""
    return (
        (not wanted.classes or alarm.alarm_class in wanted.classes)
        and (wanted.minimum_priority is None or not wanted.minimum_priority.is_more_urgent_than(alarm.priority))
        and (not wanted.sites or alarm.site in wanted.sites)
        and (not wanted.buildings or alarm.building in wanted.buildings)
        and (not wanted.systems or alarm.system in wanted.systems)
    )


def delivery_id(target: str, alarm_id: str, number: int, after: timedelta) -> str:
    """The identity of a delivery, the same wherever and however often it is worked out."""
    text = f"{target}|{alarm_id}|{number}|{after.total_seconds():.3f}"
    return hashlib.blake2s(text.encode(), digest_size=8).hexdigest()


class Book:
    """What the notifications' file says, ready to be asked. `time_zones` are those of the sites, by id."""

    def __init__(self, file: NotificationFile, time_zones: Mapping[str, str]) -> None:
        self.targets = {target.id: target for target in file.targets}
        self._people = {person.id: person for person in file.people}
        self._roles = {role.id: role for role in file.roles}
        self._plans = file.plans
        self._time_zones = time_zones
        self._rosters: dict[tuple[str, str], list[_Shift]] = {}

    def told(self, told: AlarmTransition) -> list[Delivery]:
        """Everything that the telling of an alarm leads to if nobody answers, first to last.

        A target is told once for each time that is waited, however many plans and people lead to it.
        """
        alarm = told.alarm
        again = told.reason is TransitionReason.REALARMED
        at_once = NotificationReason.REALARMED if again else NotificationReason.ONSET
        deliveries: dict[str, Delivery] = {}
        for plan, number, step in self._steps(alarm):
            due = told.transition_time + step.after
            for target, person in self._whom(step, due, alarm):
                if not self._takes(target, alarm):
                    continue
                name = delivery_id(target, alarm.alarm_id, told.number, step.after)
                delivery = Delivery(
                    delivery_id=name,
                    target=target,
                    alarm_id=alarm.alarm_id,
                    number=told.number,
                    reason=NotificationReason.ESCALATED if step.after else at_once,
                    created_time=told.transition_time,
                    due_time=due,
                    alarm_class=alarm.alarm_class,
                    plan=plan.id,
                    step=number,
                    person=person,
                    next_attempt_time=due,
                )
                deliveries.setdefault(name, delivery)
        return sorted(deliveries.values(), key=lambda delivery: delivery.due_time)

    def told_since(self, change: AlarmTransition, told: Iterable[str]) -> list[Delivery]:
        """What targets that were told of the alarm hear of its return, its acknowledgement, and any other change."""
        heard = {target: self._heard(change, target) for target in sorted(told)}
        return [
            Delivery(
                delivery_id=delivery_id(target, change.alarm_id, change.number, timedelta(0)),
                target=target,
                alarm_id=change.alarm_id,
                number=change.number,
                reason=reason,
                created_time=change.transition_time,
                due_time=change.transition_time,
                alarm_class=change.alarm.alarm_class,
                next_attempt_time=change.transition_time,
            )
            for target, reason in heard.items()
            if reason is not None
        ]

    def _heard(self, change: AlarmTransition, target: str) -> NotificationReason | None:
        """As what a target that was told of the alarm hears of a change; None if it does not."""
        spec = self.targets.get(target)
        reason = _AFTERWARDS.get(change.reason)
        if spec is None:
            return None
        if reason is not None and not change.alarm.hidden and getattr(spec, reason.value):
            return reason
        is_told = change.annunciation is Annunciation.OF_ITS_OWN
        return NotificationReason.CHANGED if spec.follows and not is_told else None

    def on_duty(self, role: str, instant: datetime, site: str) -> tuple[str, ...]:
        """Who holds a role then, by the clock on the site's wall; everybody who ever holds it where nobody does: a gap
        in the roster must not be a silence.
        """
        shifts = self._roster(role, self._time_zones.get(site, "UTC"))
        now = [people for times, people in shifts if times is None or times.is_open(instant)]
        return tuple(dict.fromkeys(itertools.chain.from_iterable(now or (people for _, people in shifts))))

    def _roster(self, role: str, zone: str) -> list[_Shift]:
        """The shifts of a role by the clock of a time zone."""
        key = (role, zone)
        if key not in self._rosters:
            self._rosters[key] = [
                (None if shift.schedule is None else timetable(shift.schedule, zone), shift.people)
                for shift in self._roles[role].shifts
            ]
        return self._rosters[key]

    def _steps(self, alarm: Alarm) -> Iterator[tuple[PlanSpec, int, PlanStepSpec]]:
        for plan in self._plans:
            if fits(plan.alarms, alarm):
                for number, step in enumerate(plan.steps, 1):
                    yield plan, number, step

    def _whom(self, step: PlanStepSpec, due: datetime, alarm: Alarm) -> Iterator[tuple[str, str | None]]:
        """The targets of a step, each with the person whom it is for."""
        for target in step.targets:
            yield target, None
        on_duty = [person for role in step.roles for person in self.on_duty(role, due, alarm.site)]
        for person in dict.fromkeys((*step.people, *on_duty)):
            for target in self._people[person].targets:
                yield target, person

    def _takes(self, target: str, alarm: Alarm) -> bool:
        spec = self.targets[target]
        return fits(spec.alarms, alarm) and (alarm.drill is None or spec.drills)


_AFTERWARDS = {
    TransitionReason.ACKNOWLEDGED: NotificationReason.ACKNOWLEDGED,
    TransitionReason.CONDITION_INACTIVE: NotificationReason.RETURNED,
}
