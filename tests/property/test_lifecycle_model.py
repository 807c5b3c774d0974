"""The life of two alarms, of which one explains the other, against a model that keeps facts instead of states.

Whatever signals, operators, time and restarts do in whatever order: the alarms stand as the model says, people are told
exactly when it says, refused commands change nothing, no shelf is without an end and no maintenance goes past its own,
no verdict outlives the acknowledgement that it rests on, and no alarm that is active and not hidden is one that nobody
was told of.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from firewatch.engine.engine import Engine
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import Alarm, Verdict
from firewatch.model.command import (
    Acknowledge,
    Confirm,
    OperatorCommand,
    OutOfService,
    Reset,
    ReturnSubjectToService,
    ReturnToService,
    Shelve,
    Unshelve,
)
from firewatch.model.effect import Annunciate, Effect, RecordTransition
from tests.unit.engine import world

AT_MOST = 300
DAY = 86_400
LONGEST_MAINTENANCE = 31 * DAY
REMINDED_BEFORE = 1_800
SUBJECTS = {"cause": "hydrant-2", "effect": "hydrant-1"}
VALUES = {"active": 0.05, "inactive": 0.09, "unknown": world.BAD}


@dataclass
class Past:
    """An alarm that was acknowledged and is over."""

    over_at: float
    verdict: Verdict | None


@dataclass
class Facts:
    """What is true of one alarm. `told` is whether people were told of it since it was last acknowledged; `remind_at`
    is None once that was done, or where there is no end to remind of; `past` is the alarm before this one.
    """

    latched: bool
    realarm_after: int | None
    condition: str = "unknown"
    active: bool = False
    waits_for_reset: bool = False
    waits_for_acknowledgement: bool = False
    answered: bool = False
    told: bool = False
    told_at: float = 0
    away_until: float = 0
    shelf_until: float | None = None
    one_shot: bool = False
    out_of_service: bool = False
    out_until: float | None = None
    remind_at: float | None = None
    verdict: Verdict | None = None
    is_recorded: bool = False
    past: Past | None = None
    explained: bool = False
    times_told: int = 0

    @property
    def open(self) -> bool:
        return self.active or self.waits_for_reset or self.waits_for_acknowledgement or self.held

    @property
    def held(self) -> bool:
        return self.shelf_until is not None or self.out_of_service

    @property
    def hidden(self) -> bool:
        return self.held or self.explained

    @property
    def unanswered(self) -> bool:
        return (self.active or self.waits_for_reset) and not self.answered

    def begin_record(self) -> None:
        self.answered, self.verdict = False, None

    def close_record(self, now: float) -> None:
        if self.is_recorded and not self.open:
            self.past = Past(now, self.verdict) if self.answered else None
        self.is_recorded = self.open

    def tell(self, now: float) -> None:
        if not self.hidden:
            self.told, self.told_at = True, max(now, self.away_until)
            self.times_told += 1

    def hear(self, condition: str, now: float) -> None:
        self.condition = condition
        if condition == "active" and not self.active:
            self.active, self.waits_for_reset, self.waits_for_acknowledgement = True, False, False
            self.begin_record()
            self.tell(now)
        elif condition == "inactive" and self.active:
            self.active = False
            self.waits_for_reset = self.latched
            self.waits_for_acknowledgement = not self.latched and self.told and not self.answered
            if self.shelf_until is not None and self.one_shot:
                self.shelf_until = None
                self.is_shown(now)

    def is_shown(self, now: float) -> None:
        """One of what hid it is over."""
        if self.active:
            self.answered, self.verdict = False, None
        if self.unanswered:
            self.tell(now)

    def explain(self, explained: bool, now: float) -> None:
        was, self.explained = self.explained, explained
        if was and not explained and self.open:
            self.is_shown(now)

    def due(self) -> float | None:
        dues = [due for due in (self.shelf_until, self.remind_at, self.out_until) if due is not None]
        if self.realarm_after is not None and self.unanswered and self.told and not self.hidden:
            dues.append(self.told_at + self.realarm_after)
        return min(dues, default=None)

    def let_time_act(self, now: float) -> None:
        if self.shelf_until is not None and self.shelf_until <= now:
            self.shelf_until = None
            self.is_shown(now)
        elif self.remind_at is not None and self.remind_at <= now:
            self.remind_at = None
        elif self.out_until is not None and self.out_until <= now:
            self.return_to_service(now)
        else:
            self.tell(now)

    def return_to_service(self, now: float) -> None:
        self.out_of_service, self.out_until, self.remind_at = False, None, None
        self.is_shown(now)

    def take_out(self, until: float | None, now: float) -> bool:
        if until is not None and not 0 < until - now <= LONGEST_MAINTENANCE:
            return False
        if self.out_of_service and (until is None or (self.out_until is not None and until <= self.out_until)):
            return False
        if not self.open:
            self.begin_record()
        self.out_of_service, self.out_until = True, until
        self.remind_at = None if until is None else max(until - REMINDED_BEFORE, (now + until) / 2)
        return True

    def confirm(self, verdict: Verdict) -> bool:
        if not self.open or not self.answered or self.verdict is verdict:
            return False
        self.verdict = verdict
        return True

    def confirm_past(self, verdict: Verdict, now: float) -> bool:
        past = self.past
        if past is None or now - past.over_at > DAY or past.verdict is verdict:
            return False
        past.verdict = verdict
        return True

    def obey(self, command: OperatorCommand, now: float) -> bool:
        """Carry it out; False where it has to be refused."""
        match command:
            case Acknowledge():
                if not self.unanswered and not self.waits_for_acknowledgement:
                    return False
                self.answered, self.waits_for_acknowledgement, self.told = True, False, False
            case Reset():
                if not self.waits_for_reset or self.condition != "inactive":
                    return False
                self.waits_for_reset = False
                self.waits_for_acknowledgement = not self.answered
            case Shelve():
                seconds = AT_MOST if command.duration is None else round(command.duration.total_seconds())
                if not self.open or not command.reason or not 0 < seconds <= AT_MOST:
                    return False
                if command.duration is None and not self.active:
                    return False
                self.shelf_until, self.one_shot = now + seconds, command.duration is None
            case Unshelve():
                if self.shelf_until is None:
                    return False
                self.shelf_until = None
                self.is_shown(now)
            case Confirm():
                return self.confirm(command.verdict)
            case OutOfService():
                return bool(command.reason) and self.take_out(seconds_of(command.until_time), now)
            case ReturnToService() | ReturnSubjectToService():
                if not self.out_of_service:
                    return False
                self.return_to_service(now)
        return True

    def shown_as(self) -> tuple[str, bool, str] | None:
        """The state, whether it is hidden, and the condition, as the engine must show them; None if not at all."""
        if not self.open:
            return None
        if self.active:
            state = "acknowledged" if self.answered else "unacknowledged"
        elif self.waits_for_reset:
            state = "latched_acknowledged" if self.answered else "latched_unacknowledged"
        else:
            state = "rtn_unacknowledged" if self.waits_for_acknowledgement else "normal"
        return state, self.hidden, self.condition


def seconds_of(time: datetime | None) -> float | None:
    return None if time is None else (time - world.START).total_seconds()


@dataclass
class Model:
    alarms: dict[str, Facts]
    now: float = 0

    def be_down(self, seconds: float) -> None:
        """What people should have been told again meanwhile they are told once; what began they hear of now."""
        for facts in self.alarms.values():
            facts.away_until = self.now + seconds
            if facts.told and facts.realarm_after is not None:
                facts.told_at = max(facts.told_at, self.now + seconds - facts.realarm_after)
        self.settle(self.now + seconds)

    def settle(self, now: float) -> None:
        while dues := [(due, name) for name, facts in self.alarms.items() if (due := facts.due()) and due <= now]:
            due, name = min(dues)
            self.now = max(self.now, due)
            self.alarms[name].let_time_act(self.now)
            self.explain()
        self.now = now

    def explain(self) -> None:
        cause, effect = self.alarms["cause"], self.alarms["effect"]
        effect.explain(cause.active and cause.condition == "active" and not cause.held, self.now)
        for facts in self.alarms.values():
            facts.close_record(self.now)


class Machine(RuleBasedStateMachine):
    @initialize(latched=st.booleans(), realarm_after=st.sampled_from([None, 40]))
    def begin(self, latched: bool, realarm_after: int | None) -> None:
        fields = {
            "class": "supervisory",
            "latched": latched,
            "shelving": {"at_most": f"{AT_MOST}s"},
            **({} if realarm_after is None else {"realarm_after": f"{realarm_after}s"}),
        }
        self.rules = [
            world.rule(
                name,
                {"device": "pressure_transmitter", "subjects": [subject]},
                {"low": {"signal": "pressure", "limit": 0.07}},
                **fields,
                **({"suppressed_by": [{"rule": "cause", "same": "site"}]} if name == "effect" else {}),
            )
            for name, subject in SUBJECTS.items()
        ]
        self.engine = Engine(self.rules, world.INVENTORY)
        self.engine.start(world.at(0))
        self.model = Model({name: Facts(latched, realarm_after) for name in SUBJECTS})
        self.told = dict.fromkeys(SUBJECTS, 0)
        self.numbers: dict[str, tuple[int, str]] = {}
        self.over: dict[str, str] = {}

    @rule(
        seconds=st.integers(1, 50),
        name=st.sampled_from(["cause", "effect"]),
        condition=st.sampled_from(["active", "inactive", "unknown"]),
    )
    def hear(self, seconds: int, name: str, condition: str) -> None:
        now = self._advance_model(seconds)
        reading = world.reading(f"{SUBJECTS[name]}/pressure", VALUES[condition], now)
        self._took(self.engine.observe(reading, world.at(now)))
        self.model.alarms[name].hear(condition, now)
        self.model.explain()

    @rule(seconds=st.integers(1, 400))
    def wait(self, seconds: float) -> None:
        now = self._advance_model(seconds)
        self._took(self.engine.advance(world.at(now)))

    @rule(offset=st.sampled_from([-1, 0, 0, 1]))
    def wait_for_what_is_due(self, offset: int) -> None:
        due = min((due for facts in self.model.alarms.values() if (due := facts.due()) is not None), default=None)
        if due is not None and due + offset >= self.model.now:
            self.wait(due + offset - self.model.now)

    @rule(seconds=st.sampled_from([0, 0, 30, 700, 4000]))
    def restart(self, seconds: int) -> None:
        again = Engine(self.rules, world.INVENTORY)
        again.restore(self.engine.snapshot())
        assert again.snapshot() == self.engine.snapshot()
        self.engine = again
        self.model.be_down(seconds)
        self._took(again.resume(world.at(self.model.now)))

    @rule(
        seconds=st.integers(0, 5),
        name=st.sampled_from(["cause", "effect"]),
        verb=st.sampled_from([Acknowledge, Reset, Unshelve, ReturnToService, ReturnSubjectToService]),
    )
    def ask(self, seconds: int, name: str, verb: type) -> None:
        if verb is ReturnSubjectToService:
            self._command(seconds, name, ReturnSubjectToService(f"s/{SUBJECTS[name]}", "li", "done"))
        elif verb is ReturnToService:
            self._command(seconds, name, ReturnToService(self._identity(name), "li", "done"))
        else:
            self._command(seconds, name, verb(self._identity(name), "li"))

    @rule(
        seconds=st.integers(0, 5),
        name=st.sampled_from(["cause", "effect"]),
        whole=st.booleans(),
        length=st.sampled_from([None, 0, 2, 200, 3_000, 5_000, LONGEST_MAINTENANCE, LONGEST_MAINTENANCE + 1]),
        reason=st.sampled_from(["work order", "work order", " "]),
    )
    def take_out(self, seconds: int, name: str, whole: bool, length: int | None, reason: str) -> None:
        until = None if length is None else world.at(self.model.now + seconds + length)
        subject = f"s/{SUBJECTS[name]}"
        command = OutOfService(None if whole else name, subject, "li", reason.strip(), until_time=until)
        self._command(seconds, name, command)

    @rule(name=st.sampled_from(["cause", "effect"]), verdict=st.sampled_from(Verdict), again=st.booleans())
    def see_to(self, name: str, verdict: Verdict, again: bool) -> None:
        """What usually happens to an alarm, in this order."""
        self.hear(1, name, "active")
        self._command(1, name, Acknowledge(self._identity(name), "li"))
        self._command(1, name, Confirm(self._identity(name), "li", verdict))
        if again:
            self.hear(1, name, "inactive")

    @rule(
        seconds=st.sampled_from([0, 5, DAY]),
        name=st.sampled_from(["cause", "effect"]),
        verdict=st.sampled_from(Verdict),
        past=st.booleans(),
    )
    def confirm(self, seconds: int, name: str, verdict: Verdict, past: bool) -> None:
        if past and name in self.over and self.over[name] != self._identity(name):
            now = self._advance_model(seconds)
            self._took(self.engine.advance(world.at(now)))
            expected = self.model.alarms[name].confirm_past(verdict, now)
            self._try(Confirm(self.over[name], "li", verdict), now, expected=expected)
        else:
            self._command(min(seconds, 5), name, Confirm(self._identity(name), "li", verdict))

    @rule(
        seconds=st.integers(0, 5),
        name=st.sampled_from(["cause", "effect"]),
        duration=st.none() | st.integers(0, AT_MOST + 1),
        reason=st.sampled_from(["nuisance", "nuisance", ""]),
    )
    def shelve(self, seconds: int, name: str, duration: int | None, reason: str) -> None:
        length = None if duration is None else timedelta(seconds=duration)
        self._command(seconds, name, Shelve(self._identity(name), "li", reason, length))

    def _command(self, seconds: int, name: str, command: OperatorCommand) -> None:
        now = self._advance_model(seconds)
        self._took(self.engine.advance(world.at(now)))
        expected = self.model.alarms[name].obey(command, now)
        self.model.explain()
        self._try(command, now, expected=expected)

    def _try(self, command: OperatorCommand, now: float, *, expected: bool) -> None:
        before = self.engine.snapshot()
        try:
            effects = self.engine.command(command, world.at(now))
        except RefusedCommandError:
            assert not expected, f"refused {command}"
            assert self.engine.snapshot() == before
        else:
            assert expected, f"carried out {command}"
            self._took(effects)

    def _identity(self, name: str) -> str:
        alarm = self._alarm(name)
        return alarm.alarm_id if alarm is not None else "none"

    def _alarm(self, name: str) -> Alarm | None:
        return next((alarm for alarm in self.engine.alarms() if alarm.rule == name), None)

    def _advance_model(self, seconds: float) -> float:
        self.model.settle(self.model.now + seconds)
        return self.model.now

    def _took(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Annunciate):
                assert not effect.alarm.hidden
                self.told[effect.alarm.rule] += 1
            elif isinstance(effect, RecordTransition):
                record = effect.transition
                number, state = self.numbers.get(record.alarm_id, (0, "normal"))
                assert (record.number, record.previous_state) == (number + 1, state)
                self.numbers[record.alarm_id] = (record.number, record.alarm.state)
                if not record.alarm.stands:
                    self.over[record.alarm.rule] = record.alarm_id

    @invariant()
    def the_alarms_stand_as_the_model_says(self) -> None:
        if not hasattr(self, "model"):
            return
        for name, facts in self.model.alarms.items():
            alarm = self._alarm(name)
            shown = None if alarm is None else (alarm.state.value, alarm.hidden, alarm.condition.value)
            assert shown == facts.shown_as(), name
            assert self.told[name] == facts.times_told, name
            if alarm is not None:
                verdict = None if alarm.confirmation is None else alarm.confirmation.verdict
                assert verdict is facts.verdict, name
                out = alarm.out_of_service
                assert (out is not None) is facts.out_of_service
                assert seconds_of(None if out is None else out.until_time) == facts.out_until
                assert (out is not None and out.reminded) is (facts.out_until is not None and facts.remind_at is None)

    @invariant()
    def nothing_is_hidden_without_an_end_or_a_name(self) -> None:
        if not hasattr(self, "model"):
            return
        for alarm in self.engine.alarms():
            if alarm.shelf is not None:
                left = alarm.shelf.until_time - world.at(self.model.now)
                assert timedelta(0) < left <= timedelta(seconds=AT_MOST)
                assert alarm.shelf.by
                assert alarm.shelf.reason
            out = alarm.out_of_service
            if out is not None and out.until_time is not None:
                assert timedelta(0) < out.until_time - world.at(self.model.now) <= timedelta(days=31)
            if alarm.suppressed_by is not None:
                assert alarm.suppressed_by == self._identity("cause")
            assert alarm.hidden is bool(alarm.shelf or alarm.out_of_service or alarm.suppressed_by)


TestLifecycle = Machine.TestCase
TestLifecycle.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestLifecycle.pytestmark = [pytest.mark.slow]  # type: ignore[attr-defined]
