"""Stories of an alarm, asserting its state and what was told after every step.

The stories follow what alarm servers learned in control rooms since 2010 (Phoebus, ISA-18.2): each line is what
happens, then the state, the condition, `hidden` if it is, and the effects: `!` people are told, a reason is recorded.
A line `90 due` waits until second 90; other lines are a second apart.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from firewatch.alarms.lifecycle import (
    Closed,
    ConditionSeen,
    Due,
    Eased,
    Event,
    Onset,
    Policy,
    Regraded,
    StandingAlarm,
    Suppression,
    TakenOut,
    next_due,
    step,
)
from firewatch.alarms.transitions import Move
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import (
    Alarm,
    AlarmClass,
    AlarmClock,
    AlarmState,
    ConditionState,
    Confirmation,
    Maintenance,
    Priority,
    Shelf,
    Verdict,
    alarm_id,
)
from firewatch.model.command import Acknowledge, Confirm, OutOfService, Reset, ReturnToService, Shelve, Unshelve
from firewatch.model.effect import Annunciate, Effect, RecordTransition
from firewatch.model.text import LocalText

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
WORDS = LocalText(zh="压力低", en="Pressure low")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def draft(onset: float, value: float = 0.05, picture: str | None = None) -> Alarm:
    return Alarm(
        alarm_id=alarm_id("low", "s/h", at(onset)),
        rule="low",
        site="s",
        subject="s/h",
        building="b",
        system="water",
        priority=Priority.HIGH,
        alarm_class=AlarmClass.SUPERVISORY,
        state=AlarmState.UNACKNOWLEDGED,
        condition=ConditionState.ACTIVE,
        text=LocalText(zh=f"压力 {value}", en=f"Pressure {value}"),
        advice=WORDS,
        place=WORDS,
        onset_time=at(onset),
        clock=AlarmClock(source_time=at(onset), receive_time=at(onset), decided_time=at(onset)),
        value=value,
        picture=picture,
    )


class Life:
    def __init__(self, policy: Policy = Policy()) -> None:  # noqa: B008 - a frozen value
        self.policy = policy
        self.standing: StandingAlarm | None = None
        self.effects: tuple[Effect, ...] = ()

    def do(self, now: float, what: str) -> str:
        try:
            self.standing, self.effects = step(self.standing, self._event(now, what), at(now), self.policy)
        except RefusedCommandError:
            return f"{self.shown()} refused"
        return " ".join([self.shown(), *map(_word, self.effects)])

    def _event(self, now: float, what: str) -> Event:
        identity = self.standing.alarm.alarm_id if self.standing else "none"
        events: dict[str, Event] = {
            "onset": Onset(draft(now)),
            "onset, explained": Onset(replace(draft(now), suppressed_by="cause")),
            "active": ConditionSeen(ConditionState.ACTIVE),
            "inactive": ConditionSeen(ConditionState.INACTIVE),
            "unknown": ConditionSeen(ConditionState.UNKNOWN),
            "milder": Eased(draft(now)),
            "more urgent": Regraded(Priority.HIGHEST, AlarmClass.SUPERVISORY),
            "removed": Closed(Move.REMOVED),
            "explained": Suppression("cause"),
            "unexplained": Suppression(None),
            "due": Due(),
            "ack": Acknowledge(identity, operator="li", comment="seen"),
            "ack the first": Acknowledge(identity, operator="li", seen=1),
            "confirm real": Confirm(identity, "wang", Verdict.REAL, "put out"),
            "confirm false": Confirm(identity, "wang", Verdict.FALSE, "dust"),
            "reset": Reset(identity, operator="li", comment="repaired"),
            "shelve 60s": Shelve(identity, operator="li", reason="nuisance", duration=timedelta(seconds=60)),
            "shelve 9h": Shelve(identity, operator="li", reason="nuisance", duration=timedelta(hours=9)),
            "shelve 0s": Shelve(identity, operator="li", reason="nuisance", duration=timedelta(0)),
            "shelve once": Shelve(identity, operator="li", reason="nuisance"),
            "shelve silently": Shelve(identity, operator="li", reason=" "),
            "unshelve": Unshelve(identity, operator="wang"),
            "take out": TakenOut(OutOfService("low", "s/h", "li", "work order 7"), blank(now)),
            "take out silently": TakenOut(OutOfService("low", "s/h", "li", ""), blank(now)),
            "take out 40min": TakenOut(maintenance(now, minutes=40), blank(now)),
            "take out 3h": TakenOut(maintenance(now, hours=3), blank(now)),
            "take out 0s": TakenOut(maintenance(now, hours=0), blank(now)),
            "take out 31d": TakenOut(maintenance(now, days=31), blank(now)),
            "take out longer": TakenOut(maintenance(now, days=31, microseconds=1), blank(now)),
            "return": ReturnToService(identity, operator="wang", reason="done"),
        }
        return events[what]

    def shown(self) -> str:
        if self.standing is None:
            return "normal"
        alarm = self.standing.alarm
        return f"{alarm.state} {alarm.condition}{' hidden' if alarm.hidden else ''}"


def blank(now: float) -> Alarm:
    return replace(draft(now), state=AlarmState.NORMAL, condition=ConditionState.INACTIVE, activations=0)


def maintenance(now: float, **length: float) -> OutOfService:
    return OutOfService("low", "s/h", "li", "dust", "WO-7", at(now) + timedelta(**length))


def _word(effect: Effect) -> str:
    if isinstance(effect, Annunciate):
        return "!"
    assert isinstance(effect, RecordTransition)
    return str(effect.transition.reason)


STORIES = {
    "active, acknowledged, returned": [
        ("onset", "unacknowledged active ! condition_active"),
        ("ack", "acknowledged active acknowledged"),
        ("inactive", "normal condition_inactive"),
    ],
    "active, returned, acknowledged": [
        ("onset", "unacknowledged active ! condition_active"),
        ("inactive", "rtn_unacknowledged inactive condition_inactive"),
        ("ack", "normal acknowledged"),
    ],
    "no news is told once": [
        ("onset", "unacknowledged active ! condition_active"),
        ("active", "unacknowledged active"),
        ("inactive", "rtn_unacknowledged inactive condition_inactive"),
        ("inactive", "rtn_unacknowledged inactive"),
    ],
    "back again before anyone saw it: the same alarm, told again": [
        ("onset", "unacknowledged active ! condition_active"),
        ("inactive", "rtn_unacknowledged inactive condition_inactive"),
        ("onset", "unacknowledged active ! condition_active"),
        ("ack", "acknowledged active acknowledged"),
    ],
    "a new onset while acknowledged is told again": [
        ("onset", "unacknowledged active ! condition_active"),
        ("ack", "acknowledged active acknowledged"),
        ("onset", "unacknowledged active ! condition_active"),
    ],
    "unknown keeps an unacknowledged alarm where it is": [
        ("onset", "unacknowledged active ! condition_active"),
        ("unknown", "unacknowledged unknown condition_unknown"),
        ("unknown", "unacknowledged unknown"),
        ("ack", "acknowledged unknown acknowledged"),
        ("active", "acknowledged active condition_known"),
    ],
    "unknown keeps an acknowledged alarm, and good news after it counts": [
        ("onset", "unacknowledged active ! condition_active"),
        ("ack", "acknowledged active acknowledged"),
        ("unknown", "acknowledged unknown condition_unknown"),
        ("inactive", "normal condition_inactive"),
    ],
    "unknown after the return waits for the operator all the same": [
        ("onset", "unacknowledged active ! condition_active"),
        ("inactive", "rtn_unacknowledged inactive condition_inactive"),
        ("unknown", "rtn_unacknowledged unknown condition_unknown"),
        ("inactive", "rtn_unacknowledged inactive condition_known"),
        ("unknown", "rtn_unacknowledged unknown condition_unknown"),
        ("onset", "unacknowledged active ! condition_active"),
    ],
    "acknowledging twice is refused": [
        ("onset", "unacknowledged active ! condition_active"),
        ("ack", "acknowledged active acknowledged"),
        ("ack", "acknowledged active refused"),
    ],
    "what was acknowledged as it was seen first does not hide what came since": [
        ("onset", "unacknowledged active ! condition_active"),
        ("ack the first", "acknowledged active acknowledged"),
        ("onset", "unacknowledged active ! condition_active"),
        ("ack the first", "unacknowledged active refused"),
        ("inactive", "rtn_unacknowledged inactive condition_inactive"),
        ("ack the first", "rtn_unacknowledged inactive refused"),
        ("ack", "normal acknowledged"),
    ],
    "acknowledging nothing is refused": [("ack", "normal refused")],
    "conditions without an alarm tell nothing": [("inactive", "normal"), ("unknown", "normal")],
    "resetting what is not latched is refused": [
        ("onset", "unacknowledged active ! condition_active"),
        ("inactive", "rtn_unacknowledged inactive condition_inactive"),
        ("reset", "rtn_unacknowledged inactive refused"),
    ],
    "shelved and back by time: told again, though acknowledged before": [
        ("onset", "unacknowledged active ! condition_active"),
        ("ack", "acknowledged active acknowledged"),
        ("shelve 60s", "acknowledged active hidden shelved"),
        ("61 due", "acknowledged active hidden"),
        ("62 due", "unacknowledged active ! shelf_ended"),
    ],
    "a shelf hides onsets, and their returns need nobody": [
        ("onset", "unacknowledged active ! condition_active"),
        ("ack", "acknowledged active acknowledged"),
        ("shelve 60s", "acknowledged active hidden shelved"),
        ("inactive", "normal inactive hidden condition_inactive"),
        ("onset", "unacknowledged active hidden condition_active"),
        ("inactive", "normal inactive hidden condition_inactive"),
        ("ack", "normal inactive hidden refused"),
        ("reset", "normal inactive hidden refused"),
        ("62 due", "normal shelf_ended"),
    ],
    "a shelf ends while nobody can tell: told, for it may still be active": [
        ("onset", "unacknowledged active ! condition_active"),
        ("shelve 60s", "unacknowledged active hidden shelved"),
        ("unknown", "unacknowledged unknown hidden condition_unknown"),
        ("61 due", "unacknowledged unknown ! shelf_ended"),
    ],
    "what people were told of before the shelf waits for them after it": [
        ("onset", "unacknowledged active ! condition_active"),
        ("shelve 60s", "unacknowledged active hidden shelved"),
        ("inactive", "rtn_unacknowledged inactive hidden condition_inactive"),
        ("onset", "unacknowledged active hidden condition_active"),
        ("inactive", "rtn_unacknowledged inactive hidden condition_inactive"),
        ("61 due", "rtn_unacknowledged inactive shelf_ended"),
        ("ack", "normal acknowledged"),
    ],
    "a one-shot shelf ends with the return": [
        ("onset", "unacknowledged active ! condition_active"),
        ("shelve once", "unacknowledged active hidden shelved"),
        ("unknown", "unacknowledged unknown hidden condition_unknown"),
        ("inactive", "rtn_unacknowledged inactive condition_inactive shelf_ended"),
        ("onset", "unacknowledged active ! condition_active"),
        ("ack", "acknowledged active acknowledged"),
        ("shelve once", "acknowledged active hidden shelved"),
        ("inactive", "normal condition_inactive shelf_ended"),
    ],
    "a one-shot shelf ends after eight hours all the same": [
        ("onset", "unacknowledged active ! condition_active"),
        ("shelve once", "unacknowledged active hidden shelved"),
        ("28800 due", "unacknowledged active hidden"),
        ("28801 due", "unacknowledged active ! shelf_ended"),
    ],
    "a one-shot shelf for what is over is refused, a timed one is not": [
        ("onset", "unacknowledged active ! condition_active"),
        ("inactive", "rtn_unacknowledged inactive condition_inactive"),
        ("shelve once", "rtn_unacknowledged inactive refused"),
        ("shelve 60s", "rtn_unacknowledged inactive hidden shelved"),
        ("ack", "normal inactive hidden acknowledged"),
        ("unshelve", "normal unshelved"),
    ],
    "unshelved by an operator": [
        ("onset", "unacknowledged active ! condition_active"),
        ("unshelve", "unacknowledged active refused"),
        ("shelve 60s", "unacknowledged active hidden shelved"),
        ("unshelve", "unacknowledged active ! unshelved"),
        ("unshelve", "unacknowledged active refused"),
        ("99 due", "unacknowledged active"),
    ],
    "no shelf without a reason, nor for longer than allowed, nor for no time, nor for no alarm": [
        ("shelve 60s", "normal refused"),
        ("onset", "unacknowledged active ! condition_active"),
        ("shelve silently", "unacknowledged active refused"),
        ("shelve 9h", "unacknowledged active refused"),
        ("shelve 0s", "unacknowledged active refused"),
    ],
    "an acknowledgement reaches a hidden alarm": [
        ("onset", "unacknowledged active ! condition_active"),
        ("shelve 60s", "unacknowledged active hidden shelved"),
        ("ack", "acknowledged active hidden acknowledged"),
    ],
    "explained from the beginning, and over before its cause: nobody is asked": [
        ("onset, explained", "unacknowledged active hidden condition_active"),
        ("inactive", "normal condition_inactive"),
    ],
    "explained from the beginning, and active when its cause is over: told at once": [
        ("onset, explained", "unacknowledged active hidden condition_active"),
        ("unexplained", "unacknowledged active ! unsuppressed"),
        ("inactive", "rtn_unacknowledged inactive condition_inactive"),
    ],
    "explained later": [
        ("onset", "unacknowledged active ! condition_active"),
        ("explained", "unacknowledged active hidden suppressed"),
        ("explained", "unacknowledged active hidden"),
        ("onset", "unacknowledged active hidden condition_active"),
        ("unexplained", "unacknowledged active ! unsuppressed"),
    ],
    "suppressions of nothing tell nothing": [("explained", "normal"), ("unexplained", "normal")],
    "hidden for two reasons: told when both are over": [
        ("onset", "unacknowledged active ! condition_active"),
        ("shelve 60s", "unacknowledged active hidden shelved"),
        ("explained", "unacknowledged active hidden suppressed"),
        ("61 due", "unacknowledged active hidden shelf_ended"),
        ("unexplained", "unacknowledged active ! unsuppressed"),
    ],
    "out of service before anything happened": [
        ("take out silently", "normal refused"),
        ("take out", "normal inactive hidden taken_out_of_service"),
        ("take out", "normal inactive hidden refused"),
        ("unknown", "normal unknown hidden condition_unknown"),
        ("inactive", "normal inactive hidden condition_known"),
        ("onset", "unacknowledged active hidden condition_active"),
        ("inactive", "normal inactive hidden condition_inactive"),
        ("return", "normal returned_to_service"),
    ],
    "out of service until its end, reminded half an hour before it, and told at once then": [
        ("onset", "unacknowledged active ! condition_active"),
        ("ack", "acknowledged active acknowledged"),
        ("take out 3h", "acknowledged active hidden taken_out_of_service"),
        ("9001 due", "acknowledged active hidden"),
        ("9002 due", "acknowledged active hidden maintenance_reminded"),
        ("9003 due", "acknowledged active hidden"),
        ("10801 due", "acknowledged active hidden"),
        ("10802 due", "unacknowledged active ! maintenance_ended"),
    ],
    "of a short maintenance people are reminded half way": [
        ("take out 40min", "normal inactive hidden taken_out_of_service"),
        ("1199 due", "normal inactive hidden"),
        ("1200 due", "normal inactive hidden maintenance_reminded"),
        ("2399 due", "normal inactive hidden"),
        ("2400 due", "normal maintenance_ended"),
    ],
    "a maintenance ends while nobody can tell: told, for it may be active": [
        ("take out 40min", "normal inactive hidden taken_out_of_service"),
        ("onset", "unacknowledged active hidden condition_active"),
        ("unknown", "unacknowledged unknown hidden condition_unknown"),
        ("1200 due", "unacknowledged unknown hidden maintenance_reminded"),
        ("2400 due", "unacknowledged unknown ! maintenance_ended"),
    ],
    "a maintenance is prolonged, with another reminder, and not made shorter": [
        ("take out 40min", "normal inactive hidden taken_out_of_service"),
        ("1200 due", "normal inactive hidden maintenance_reminded"),
        ("1201 take out 3h", "normal inactive hidden taken_out_of_service"),
        ("1202 take out 40min", "normal inactive hidden refused"),
        ("2400 due", "normal inactive hidden"),
        ("10201 due", "normal inactive hidden maintenance_reminded"),
        ("12001 due", "normal maintenance_ended"),
    ],
    "what is out of service without an end may be given one": [
        ("take out", "normal inactive hidden taken_out_of_service"),
        ("take out 40min", "normal inactive hidden taken_out_of_service"),
        ("take out", "normal inactive hidden refused"),
    ],
    "no maintenance for no time, nor for more than 31 days": [
        ("take out 0s", "normal refused"),
        ("take out longer", "normal refused"),
        ("take out 31d", "normal inactive hidden taken_out_of_service"),
    ],
    "a shelf and a maintenance end each at its time": [
        ("onset", "unacknowledged active ! condition_active"),
        ("take out 40min", "unacknowledged active hidden taken_out_of_service"),
        ("shelve 60s", "unacknowledged active hidden shelved"),
        ("62 due", "unacknowledged active hidden shelf_ended"),
        ("1201 due", "unacknowledged active hidden maintenance_reminded"),
        ("2401 due", "unacknowledged active ! maintenance_ended"),
    ],
    "confirmed after the acknowledgement, and once with each verdict": [
        ("confirm real", "normal refused"),
        ("onset", "unacknowledged active ! condition_active"),
        ("confirm real", "unacknowledged active refused"),
        ("ack", "acknowledged active acknowledged"),
        ("confirm false", "acknowledged active confirmed"),
        ("confirm false", "acknowledged active refused"),
        ("confirm real", "acknowledged active confirmed"),
        ("unknown", "acknowledged unknown condition_unknown"),
        ("confirm false", "acknowledged unknown confirmed"),
        ("inactive", "normal condition_inactive"),
    ],
    "what returned unseen is acknowledged before it is confirmed": [
        ("onset", "unacknowledged active ! condition_active"),
        ("inactive", "rtn_unacknowledged inactive condition_inactive"),
        ("confirm false", "rtn_unacknowledged inactive refused"),
    ],
    "confirmed on the shelf, after it returned": [
        ("onset", "unacknowledged active ! condition_active"),
        ("shelve 60s", "unacknowledged active hidden shelved"),
        ("ack", "acknowledged active hidden acknowledged"),
        ("inactive", "normal inactive hidden condition_inactive"),
        ("confirm false", "normal inactive hidden confirmed"),
        ("onset", "unacknowledged active hidden condition_active"),
        ("inactive", "normal inactive hidden condition_inactive"),
        ("confirm false", "normal inactive hidden refused"),
    ],
    "out of service without an end, as it was asked for in old times, does not end by itself": [
        ("onset", "unacknowledged active ! condition_active"),
        ("return", "unacknowledged active refused"),
        ("take out", "unacknowledged active hidden taken_out_of_service"),
        ("99999 due", "unacknowledged active hidden"),
        ("return", "unacknowledged active ! returned_to_service"),
    ],
    "made more urgent while hidden: told when it is shown": [
        ("onset", "unacknowledged active ! condition_active"),
        ("ack", "acknowledged active acknowledged"),
        ("shelve 60s", "acknowledged active hidden shelved"),
        ("more urgent", "unacknowledged active hidden rule_changed"),
        ("unshelve", "unacknowledged active ! unshelved"),
    ],
    "removed with its rule, whatever hides it": [
        ("onset", "unacknowledged active ! condition_active"),
        ("shelve 60s", "unacknowledged active hidden shelved"),
        ("take out", "unacknowledged active hidden taken_out_of_service"),
        ("removed", "normal rule_removed"),
    ],
    "milder while hidden": [
        ("onset", "unacknowledged active ! condition_active"),
        ("shelve 60s", "unacknowledged active hidden shelved"),
        ("milder", "unacknowledged active hidden stepped_down"),
    ],
}

LATCHED = {
    "acknowledged, returned, reset": [
        ("onset", "unacknowledged active ! condition_active"),
        ("ack", "acknowledged active acknowledged"),
        ("reset", "acknowledged active refused"),
        ("inactive", "latched_acknowledged inactive condition_inactive"),
        ("ack", "latched_acknowledged inactive refused"),
        ("confirm real", "latched_acknowledged inactive confirmed"),
        ("reset", "normal reset"),
    ],
    "returned, acknowledged, reset": [
        ("onset", "unacknowledged active ! condition_active"),
        ("inactive", "latched_unacknowledged inactive condition_inactive"),
        ("ack", "latched_acknowledged inactive acknowledged"),
        ("reset", "normal reset"),
    ],
    "returned, reset, acknowledged": [
        ("onset", "unacknowledged active ! condition_active"),
        ("inactive", "latched_unacknowledged inactive condition_inactive"),
        ("reset", "rtn_unacknowledged inactive reset"),
        ("ack", "normal acknowledged"),
    ],
    "no reset while nobody can tell": [
        ("onset", "unacknowledged active ! condition_active"),
        ("ack", "acknowledged active acknowledged"),
        ("inactive", "latched_acknowledged inactive condition_inactive"),
        ("unknown", "latched_acknowledged unknown condition_unknown"),
        ("reset", "latched_acknowledged unknown refused"),
        ("inactive", "latched_acknowledged inactive condition_known"),
        ("reset", "normal reset"),
    ],
    "active again before the reset": [
        ("onset", "unacknowledged active ! condition_active"),
        ("ack", "acknowledged active acknowledged"),
        ("inactive", "latched_acknowledged inactive condition_inactive"),
        ("onset", "unacknowledged active ! condition_active"),
        ("reset", "unacknowledged active refused"),
    ],
    "came and went while hidden: it stays, and is told when it is shown": [
        ("onset, explained", "unacknowledged active hidden condition_active"),
        ("inactive", "latched_unacknowledged inactive hidden condition_inactive"),
        ("unexplained", "latched_unacknowledged inactive ! unsuppressed"),
    ],
    "a one-shot shelf over a latched alarm": [
        ("onset", "unacknowledged active ! condition_active"),
        ("ack", "acknowledged active acknowledged"),
        ("shelve once", "acknowledged active hidden shelved"),
        ("inactive", "latched_acknowledged inactive condition_inactive shelf_ended"),
        ("reset", "normal reset"),
    ],
}

REALARMED = {
    "told again until somebody answers": [
        ("onset", "unacknowledged active ! condition_active"),
        ("29 due", "unacknowledged active"),
        ("30 due", "unacknowledged active ! realarmed"),
        ("31 unknown", "unacknowledged unknown condition_unknown"),
        ("60 due", "unacknowledged unknown ! realarmed"),
        ("ack", "acknowledged unknown acknowledged"),
        ("99 due", "acknowledged unknown"),
    ],
    "not told again of what is over": [
        ("onset", "unacknowledged active ! condition_active"),
        ("inactive", "rtn_unacknowledged inactive condition_inactive"),
        ("99 due", "rtn_unacknowledged inactive"),
    ],
    "not told again while it is hidden": [
        ("onset", "unacknowledged active ! condition_active"),
        ("explained", "unacknowledged active hidden suppressed"),
        ("99 due", "unacknowledged active hidden"),
        ("100 unexplained", "unacknowledged active ! unsuppressed"),
        ("129 due", "unacknowledged active"),
        ("130 due", "unacknowledged active ! realarmed"),
    ],
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_stories(story: list[tuple[str, str]]) -> None:
    _play(Life(), story)


@pytest.mark.parametrize("story", LATCHED.values(), ids=LATCHED)
def test_stories_of_latched_alarms(story: list[tuple[str, str]]) -> None:
    _play(Life(Policy(latched=True)), story)


@pytest.mark.parametrize("story", REALARMED.values(), ids=REALARMED)
def test_stories_of_alarms_told_again(story: list[tuple[str, str]]) -> None:
    _play(Life(Policy(realarm_after=timedelta(seconds=30))), story)


def _play(life: Life, story: list[tuple[str, str]]) -> None:
    now = -1
    for what, expected in story:
        second, _, named = what.partition(" ")
        now, what = (int(second), named) if second.isdigit() else (now + 1, what)
        assert life.do(now, what) == expected, f"second {now}: {what}"


def test_an_alarm_that_may_not_be_shelved_is_not() -> None:
    life = Life(Policy(shelved_at_most=None))
    life.do(0, "onset")
    assert life.do(1, "shelve 60s") == "unacknowledged active refused"


def test_a_shelf_says_who_why_and_until_when() -> None:
    life = Life()
    life.do(0, "onset")
    life.do(5, "shelve 60s")
    assert life.standing is not None
    assert life.standing.alarm.shelf == Shelf("li", at(5), "nuisance", at(65))
    assert next_due(life.standing, life.policy) == at(65)
    (record,) = life.effects
    assert isinstance(record, RecordTransition)
    assert (record.transition.by, record.transition.comment) == ("li", "nuisance")
    life.do(6, "shelve once")
    assert life.standing.alarm.shelf == Shelf("li", at(6), "nuisance", at(6) + timedelta(hours=8), one_shot=True)


def test_maintenance_says_who_and_why() -> None:
    life = Life()
    life.do(0, "take out")
    assert life.standing is not None
    assert life.standing.alarm.out_of_service == Maintenance("li", at(0), "work order 7")
    life.do(9, "return")
    (record,) = life.effects
    assert isinstance(record, RecordTransition)
    assert (record.transition.by, record.transition.comment) == ("wang", "done")
    assert record.transition.alarm.out_of_service is None


def test_maintenance_says_the_work_order_and_until_when() -> None:
    life = Life()
    life.do(0, "take out 40min")
    assert life.standing is not None
    out = life.standing.alarm.out_of_service
    assert out == Maintenance("li", at(0), "dust", "WO-7", at(2400))
    life.do(1200, "due")
    assert life.standing.alarm.out_of_service == replace(out, reminded=True)


def test_an_end_without_a_time_zone_is_refused() -> None:
    naive = OutOfService("low", "s/h", "li", "dust", until_time=datetime(2026, 3, 1, 9))  # noqa: DTZ001
    with pytest.raises(RefusedCommandError, match="with its time zone"):
        step(None, TakenOut(naive, blank(0)), at(0))


def test_a_confirmation_names_who_when_and_what_and_goes_with_the_acknowledgement() -> None:
    life = Life()
    for now, what in enumerate(["onset", "ack", "confirm real"]):
        life.do(now, what)
    assert life.standing is not None
    assert life.standing.alarm.confirmation == Confirmation("wang", at(2), Verdict.REAL, "put out")
    (record,) = life.effects
    assert isinstance(record, RecordTransition)
    assert (record.transition.by, record.transition.comment) == ("wang", "put out")
    for now, story in [(3, ["shelve 60s", "unshelve"]), (5, ["ack", "confirm real", "onset"])]:
        for place, what in enumerate(story):
            life.do(now + place, what)
        after: Alarm = life.standing.alarm
        assert (after.acknowledged_by, after.confirmation) == (None, None)


@pytest.mark.parametrize("alarm_class", AlarmClass)
@pytest.mark.parametrize("priority", Priority)
def test_of_fire_only_what_is_not_urgent_is_shelved(alarm_class: AlarmClass, priority: Priority) -> None:
    alarm = replace(draft(0), alarm_class=alarm_class, priority=priority)
    standing, _ = step(None, Onset(alarm), at(0))
    shelve = Shelve(alarm.alarm_id, "li", "nuisance", timedelta(seconds=60))
    if alarm_class is not AlarmClass.FIRE or priority is Priority.LOW:
        after, _ = step(standing, shelve, at(1))
        assert after is not None
        assert next_due(after, Policy()) == at(61)
    else:
        with pytest.raises(RefusedCommandError, match="nobody would see the fire"):
            step(standing, shelve, at(1))


@pytest.mark.parametrize(
    "event", [Onset(replace(draft(9), priority=Priority.MEDIUM)), Regraded(Priority.MEDIUM, AlarmClass.FIRE)]
)
def test_an_alarm_that_becomes_too_urgent_for_its_shelf_leaves_it_and_is_told_at_once(event: Event) -> None:
    alarm = replace(draft(0), alarm_class=AlarmClass.FIRE, priority=Priority.LOW)
    event = Onset(replace(event.alarm, alarm_class=AlarmClass.FIRE)) if isinstance(event, Onset) else event
    standing, _ = step(None, Onset(alarm), at(0))
    standing, _ = step(standing, Shelve(alarm.alarm_id, "li", "nuisance", timedelta(seconds=60)), at(1))
    standing, _ = step(standing, event, at(9))
    assert standing is not None
    due = next_due(standing, Policy())
    assert due is not None
    assert due <= at(9)
    standing, effects = step(standing, Due(), at(9))
    assert [_word(effect) for effect in effects] == ["!", "shelf_ended"]
    assert standing is not None
    assert (standing.alarm.shelf, standing.alarm.priority) == (None, Priority.MEDIUM)


def test_an_onset_in_a_record_kept_open_shows_its_own_beginning() -> None:
    life = Life()
    life.do(0, "take out")
    life.do(50, "onset")
    assert life.standing is not None
    alarm = life.standing.alarm
    assert (alarm.onset_time, alarm.clock.decided_time, alarm.activations) == (at(50), at(50), 1)


def test_what_is_over_names_nothing_that_hides_it() -> None:
    life = Life()
    life.do(0, "onset, explained")
    life.do(1, "inactive")
    (record,) = life.effects
    assert isinstance(record, RecordTransition)
    assert (record.transition.alarm.hidden, record.transition.alarm.suppressed_by) == (False, None)


@pytest.mark.parametrize("story", ["onset", "onset, explained"])
def test_a_shadow_is_not_told_again(story: str) -> None:
    life = Life(Policy(realarm_after=timedelta(seconds=30)))
    life.do(0, story)
    assert life.standing is not None
    shadow = replace(life.standing, alarm=replace(life.standing.alarm, shadow=True))
    assert next_due(shadow, life.policy) is None


def test_a_refused_command_changes_nothing() -> None:
    life = Life()
    life.do(0, "onset")
    life.do(1, "ack")
    before = life.standing
    with pytest.raises(RefusedCommandError, match="acknowledged and cannot be acknowledged: li did so already"):
        step(before, Acknowledge(before.alarm.alarm_id, "wang"), at(2))  # type: ignore[union-attr]
    assert life.standing is before


def test_an_alarm_resumed_keeps_its_identity_and_shows_what_is_new() -> None:
    life = Life()
    life.do(0, "onset")
    life.do(1, "inactive")
    assert life.standing is not None
    first = life.standing.alarm
    standing, _ = step(life.standing, Onset(draft(9, value=0.01, picture="new")), at(9))
    assert standing is not None
    alarm = standing.alarm
    assert (alarm.alarm_id, alarm.onset_time, alarm.clock) == (first.alarm_id, first.onset_time, first.clock)
    assert (alarm.activations, alarm.value, alarm.text.en, alarm.picture) == (2, 0.01, "Pressure 0.01", "new")
    assert alarm.cleared_time is None


def test_an_acknowledgement_names_who_and_when_and_a_new_onset_forgets_it() -> None:
    life = Life()
    life.do(0, "onset")
    life.do(3, "ack")
    assert life.standing is not None
    alarm = life.standing.alarm
    assert (alarm.acknowledged_by, alarm.acknowledged_time, alarm.acknowledge_comment) == ("li", at(3), "seen")
    life.do(5, "onset")
    assert (life.standing.alarm.acknowledged_by, life.standing.alarm.acknowledged_time) == (None, None)


def test_transitions_are_numbered_and_carry_the_alarm_after_them() -> None:
    life = Life()
    records = []
    for now, what in enumerate(["onset", "unknown", "active", "inactive", "ack"]):
        life.do(now, what)
        records += [effect.transition for effect in life.effects if isinstance(effect, RecordTransition)]
    assert [record.number for record in records] == [1, 2, 3, 4, 5]
    assert [record.previous_state for record in records[1:]] == [record.alarm.state for record in records[:-1]]
    assert (records[-1].by, records[-1].comment, records[0].by) == ("li", "seen", "firewatch")
