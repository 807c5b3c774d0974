"""A subject that is taken out of service and returned whole, with rules that explain each other, and one beside it.

Whatever is heard, asked and restarted in between: a command is carried out as a whole or not at all; nobody is told of
what is out of service; and when the last end has come nothing is out any more, and all that is active was told or is
explained by something that was.
"""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from firewatch.engine.engine import Engine
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import Alarm, ConditionState
from firewatch.model.command import OperatorCommand, OutOfService, ReturnSubjectToService, ReturnToService
from firewatch.model.effect import Annunciate, Effect
from tests.unit.engine import world

SUBJECTS = ("s/hydrant-1", "s/hydrant-2")
LIMITS = {"gone": 0.02, "low": 0.05, "lower": 0.07, "tried": 0.07}
DAY = 86_400


def rules() -> list[world.RuleSpec]:
    """Each explains the next one at the same hydrant; the last is a shadow."""
    explained_by = {"low": ["gone"], "lower": ["low", "gone"]}
    return [
        world.rule(
            name,
            {"device": "pressure_transmitter"},
            {"low": {"signal": "pressure", "limit": limit}},
            suppressed_by=[{"rule": cause, "same": "subject"} for cause in explained_by.get(name, [])],
            mode="shadow" if name == "tried" else "live",
            **{"class": "supervisory"},
        )
        for name, limit in LIMITS.items()
    ]


RULES = rules()
LIVE = [rule.id for rule in RULES if rule.id != "tried"]


@dataclass(frozen=True)
class Heard:
    subject: str
    value: float | str


@dataclass(frozen=True)
class TakenOut:
    subject: str
    rule: str | None
    seconds: int | None


@dataclass(frozen=True)
class Returned:
    subject: str
    rule: str | None


@dataclass(frozen=True)
class Restarted:
    seconds: int


subjects = st.sampled_from(SUBJECTS)
named = st.none() | st.sampled_from([*LIVE, "tried", "unheard-of"])
happenings = st.one_of(
    st.builds(Heard, subjects, st.sampled_from([0.01, 0.04, 0.06, 0.5, world.BAD])),
    st.builds(TakenOut, subjects, named, st.sampled_from([-1, 0, 5, 60, 3_600, 31 * DAY, 31 * DAY + 1])),
    st.builds(Returned, subjects, named),
    st.builds(Restarted, st.sampled_from([0, 30, 4_000])),
)


class Plant:
    def __init__(self) -> None:
        self.engine = Engine(RULES, world.INVENTORY)
        self.engine.start(world.at(0))
        self.now = 0
        self.told: set[str] = set()

    def alarms(self, subject: str, *, out: bool | None = None) -> list[Alarm]:
        of_it = [alarm for alarm in self.engine.alarms() if alarm.subject == subject]
        return [alarm for alarm in of_it if out is None or out is (alarm.out_of_service is not None)]

    def take(self, effects: list[Effect]) -> list[Alarm]:
        told = [effect.alarm for effect in effects if isinstance(effect, Annunciate)]
        assert not any(alarm.hidden for alarm in told)
        self.told.update(alarm.alarm_id for alarm in told)
        return told

    def does(self, what: Heard | TakenOut | Returned | Restarted, after: int) -> None:
        self.now += after
        self.take(self.engine.advance(world.at(self.now)))
        if isinstance(what, Heard):
            reading = world.reading(f"{what.subject.removeprefix('s/')}/pressure", what.value, self.now)
            self.take(self.engine.observe(reading, world.at(self.now)))
        elif isinstance(what, Restarted):
            again = Engine(RULES, world.INVENTORY)
            again.restore(self.engine.snapshot())
            self.engine, self.now = again, self.now + what.seconds
            self.take(again.resume(world.at(self.now)))
        elif isinstance(what, TakenOut):
            self.takes_out(what)
        else:
            self.returns(what)

    def takes_out(self, what: TakenOut) -> None:
        until = None if what.seconds is None else world.at(self.now + what.seconds)
        told = self.asked(OutOfService(what.rule, what.subject, "li", "new valve", "WO-7", until))
        if told is None:
            return
        assert all(alarm.subject != what.subject or what.rule is not None for alarm in told)
        out = {alarm.rule: alarm.out_of_service for alarm in self.alarms(what.subject, out=True)}
        for rule in LIVE if what.rule is None else [what.rule]:
            maintenance = out[rule]
            assert maintenance is not None
            assert maintenance.until_time is not None
            assert until is not None
            assert maintenance.until_time >= until

    def returns(self, what: Returned) -> None:
        if what.rule is None:
            told = self.asked(ReturnSubjectToService(what.subject, "wang", "done"))
            if told is not None:
                back = {alarm.alarm_id: alarm for alarm in self.alarms(what.subject)}
                assert all(alarm.out_of_service is None for alarm in back.values())
                assert all(not back[alarm.alarm_id].hidden for alarm in told)
        else:
            of_rule = [alarm.alarm_id for alarm in self.alarms(what.subject) if alarm.rule == what.rule]
            self.asked(ReturnToService(*of_rule[:1] or ["none"], "wang", "done"))

    def asked(self, command: OperatorCommand) -> list[Alarm] | None:
        """Who is told; None if it was refused, and then nothing may have changed."""
        before = self.engine.snapshot()
        try:
            return self.take(self.engine.command(command, world.at(self.now)))
        except RefusedCommandError:
            assert self.engine.snapshot() == before
            return None


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(happenings, st.sampled_from([0, 1, 40, 2_000])), max_size=25))
def test_what_is_out_of_service_comes_back_whole_and_is_told(
    story: list[tuple[Heard | TakenOut | Returned | Restarted, int]],
) -> None:
    plant = Plant()
    for what, after in story:
        plant.does(what, after)
    plant.does(Restarted(32 * DAY), 0)
    for subject in SUBJECTS:
        assert plant.alarms(subject, out=True) == []
        for alarm in plant.alarms(subject):
            if alarm.condition is not ConditionState.INACTIVE:
                assert alarm.hidden is (alarm.suppressed_by is not None)
                assert alarm.hidden or alarm.alarm_id in plant.told
                causes = [cause for cause in plant.alarms(subject) if cause.alarm_id == alarm.suppressed_by]
                assert alarm.suppressed_by is None or [cause.condition for cause in causes] == ["active"]
