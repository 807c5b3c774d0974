"""The way of an alarm against the limits of domain.md 5."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from firewatch.alarms.deadline import Measured, Milestone, StageWay, Verdict, begins_way, measure
from firewatch.model.alarm import AlarmClass, AlarmClock, AlarmTransition
from firewatch.model.site import Action, Device, DeviceKind, Inventory, Proof, Site
from firewatch.model.text import LocalText

from .workloads import ACKNOWLEDGED, GROUPED, OWN, RTN, at, change

LIFT = "s/lift"
ANY = LocalText(zh="", en="")
KIND = DeviceKind(
    kind="lift",
    label=ANY,
    system="lift",
    signals=(),
    actions=(
        Action("hold_door", ANY, proof=Proof("door", "open", timedelta(seconds=5))),
        Action("light", ANY),
    ),
)


SITE = Site("s", ANY, ANY, ANY, ANY, "Asia/Shanghai", (), (), devices=(Device("lift", "lift", ANY, building="a"),))
INVENTORY = Inventory(sites=(SITE,), kinds={"lift": KIND})


def told(
    *,
    source: float = 0,
    received: float = 0.1,
    decided: float = 0.2,
    annunciated: float | None = 0.3,
    onset: float | None = None,
    alarm_class: AlarmClass = AlarmClass.FIRE,
) -> AlarmTransition:
    """An alarm whose stages came at these seconds."""
    one = change(decided, told=OWN, alarm_class=alarm_class, onset=source if onset is None else onset)
    shown = at(annunciated) if annunciated is not None else None
    clock = AlarmClock(at(source), at(received), at(decided), annunciated_time=shown)
    return replace(one, alarm=replace(one.alarm, clock=clock))


def way(stage: Milestone, reached: float | None, *, by: str = "x", since: float = 0.3, action: str = "") -> StageWay:
    came: datetime | None = at(reached) if reached is not None else None
    return StageWay("low@s/pump", stage, by, at(since), came, LIFT if action else "", action)


def delivery(reached: float | None, by: str = "centre", since: float = 0.3) -> StageWay:
    return way(Milestone.DELIVERED, reached, by=by, since=since)


def proof(reached: float | None, *, by: str = "c1", since: float = 0.2, action: str = "hold_door") -> StageWay:
    return way(Milestone.PROVEN, reached, by=by, since=since, action=action)


SHOWN = Milestone.ANNUNCIATED
CASES = [
    # what happened, the later stages, at which second it is asked, what it comes to, the slow stage
    ("all in time", told(), [delivery(1), proof(4)], 5, Verdict.PASS, None),
    ("no receivers and no actuators", told(), [], 500, Verdict.PASS, None),
    ("shown after just 3 s", told(annunciated=3.1), [], 5, Verdict.PASS, None),
    ("shown after more", told(decided=0.2, annunciated=3.2), [], 5, Verdict.LATE, SHOWN),
    ("decided late", told(decided=9, annunciated=9.1), [], 10, Verdict.LATE, Milestone.DECIDED),
    ("heard of late", told(received=11, decided=11, annunciated=11), [], 12, Verdict.LATE, Milestone.RECEIVED),
    ("a trouble has 100 s", told(annunciated=99, alarm_class=AlarmClass.TROUBLE), [], 99, Verdict.PASS, None),
    (
        "and no more",
        told(annunciated=101, alarm_class=AlarmClass.TROUBLE),
        [],
        101,
        Verdict.LATE,
        Milestone.ANNUNCIATED,
    ),
    ("not shown yet", told(annunciated=None), [], 2, Verdict.NOT_YET, None),
    ("not shown, and overdue", told(annunciated=None), [], 4, Verdict.LATE, SHOWN),
    ("not delivered yet", told(), [delivery(None)], 9, Verdict.NOT_YET, None),
    ("not delivered, and overdue", told(), [delivery(None)], 11, Verdict.LATE, Milestone.DELIVERED),
    ("delivered late", told(), [delivery(12)], 99, Verdict.LATE, Milestone.DELIVERED),
    ("one receiver hangs", told(), [delivery(None, "dead"), delivery(2)], 99, Verdict.PASS, None),
    (
        "whom an escalation tells later",
        told(),
        [delivery(1), delivery(None, "boss", since=300)],
        99,
        Verdict.PASS,
        None,
    ),
    ("not proven yet", told(), [proof(None)], 9, Verdict.NOT_YET, None),
    ("one of two not proven", told(), [proof(1), proof(None, by="c2")], 11, Verdict.LATE, Milestone.PROVEN),
    ("proven by nothing", told(), [proof(None, action="light")], 99, Verdict.PASS, None),
    ("undone later", told(), [proof(2), proof(None, by="c2", since=60)], 99, Verdict.PASS, None),
    ("late, whatever else is not known", told(annunciated=5), [delivery(None)], 6, Verdict.LATE, SHOWN),
]


@pytest.mark.parametrize(("case", "onset", "ways", "asked", "verdict", "slow"), CASES, ids=[case[0] for case in CASES])
def test_a_way_passes_or_is_late_and_names_the_slow_stage(
    case: str,
    onset: AlarmTransition,
    ways: list[StageWay],
    asked: float,
    verdict: Verdict,
    slow: Milestone | None,
) -> None:
    measured = measure(onset, ways, INVENTORY, at(asked))
    assert (measured.verdict, measured.slow_stage) == (verdict, slow)


def took(measured: Measured) -> dict[Milestone, float | None]:
    return {step.stage: step.took.total_seconds() if step.took is not None else None for step in measured.steps}


def test_each_stage_is_measured_from_the_one_before_it() -> None:
    ways = [way(Milestone.JOURNALLED, 7, by=""), delivery(2), proof(None)]
    measured = measure(told(), ways, INVENTORY, at(8), acknowledged_time=at(30))
    assert took(measured) == pytest.approx(
        {
            Milestone.SOURCE: None,
            Milestone.RECEIVED: 0.1,
            Milestone.DECIDED: 0.1,
            Milestone.JOURNALLED: 6.8,
            Milestone.ANNUNCIATED: 0.1,
            Milestone.DELIVERED: 1.7,
            Milestone.PROVEN: None,
        }
    )
    assert measured.acknowledged_time == at(30)


def test_every_limit_names_its_clause() -> None:
    for alarm_class in AlarmClass:
        measured = measure(told(alarm_class=alarm_class), [delivery(1), proof(1)], INVENTORY, at(5))
        assert {deadline.limit.stage for deadline in measured.deadlines} == {
            Milestone.ANNUNCIATED,
            Milestone.DELIVERED,
            Milestone.PROVEN,
        }
        assert all(deadline.limit.clause.startswith("GB ") for deadline in measured.deadlines)


@pytest.mark.parametrize(
    ("source", "onset"),
    [
        pytest.param(-1e9, 50, id="a clock that stands in another year"),
        pytest.param(60, 50, id="a clock that is ahead of what firewatch heard"),
    ],
)
def test_a_clock_that_is_not_believed_is_not_measured_by(source: float, onset: float) -> None:
    measured = measure(told(source=source, received=50, decided=51, annunciated=52, onset=onset), [], INVENTORY, at(53))
    assert measured.steps[0].reached_time == at(50)
    assert measured.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("transition", "begins"),
    [
        pytest.param(told(), True, id="an onset that people are told of"),
        pytest.param(replace(told(), annunciation=GROUPED), True, id="in an incident too"),
        pytest.param(replace(told(), annunciation=None), False, id="an onset that nobody is told of"),
        pytest.param(change(5, told=OWN, onset=0), True, id="told by the same decision"),
        pytest.param(replace(told(), transition_time=at(60)), False, id="active again before it was acknowledged"),
        pytest.param(change(5, state=RTN, told=OWN), False, id="a return"),
        pytest.param(change(5, state=ACKNOWLEDGED), False, id="an acknowledgement"),
        pytest.param(replace(told(), alarm=replace(told().alarm, shadow=True)), False, id="a shadow"),
    ],
)
def test_a_way_begins_with_the_onset_that_people_are_told_of(transition: AlarmTransition, begins: bool) -> None:
    assert begins_way(transition) is begins
