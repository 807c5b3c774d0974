"""A drill beside the engine: what it does, what it leaves alone, and each way in which it ends."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from firewatch.alarms.deadline import Verdict
from firewatch.alarms.drill import DrillNews, DrillReport
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import Alarm
from firewatch.model.command import Acknowledge, Actuate
from firewatch.model.control_room import Drill
from firewatch.model.drill import DrillOutcome, Expectation, Withheld
from firewatch.model.effect import Annunciate
from firewatch.model.topic import Channel, parse
from firewatch.ports import AlarmFilter
from firewatch.testing.history import InMemoryHistory
from tests.unit.app.drill_world import World, plan

LEAK = Expectation(timedelta(seconds=5), rule="leak", subject="s/leak")
LATER = (40.0, "leak", True)
"""Keeps a drill going until it is ended."""
HOLD = Expectation(timedelta(seconds=5), device="s/door", action="hold")


async def ended(world: World) -> tuple[Drill, DrillReport]:
    """The newest drill, which is over, and its report."""
    drill = (await world.history.drills())[0]
    assert drill.ended_time is not None
    return drill, msgspec.json.decode(drill.report, type=DrillReport)


def topics(world: World) -> set[Channel]:
    return {topic.channel for each in world.source.messages if (topic := parse(each.topic)) is not None}


async def test_a_drill_runs_its_course_and_says_what_came_of_it() -> None:
    async with World(plan((0, "leak", False), (1, "leak", True), expect=[LEAK, HOLD])).running() as world:
        begun = await world.drills.start("plan", "Wang")
        await world.let_pass(15)
        drill, report = await ended(world)

    assert (drill.drill_id, drill.outcome, drill.by) == (begun.drill_id, DrillOutcome.COMPLETED, "Wang")
    assert report.passed
    assert [each.verdict for each in report.expected] == [Verdict.PASS, Verdict.PASS]
    assert all(each.received_time is not None for each in report.readings)
    [told] = report.alarms
    assert (told.alarm.rule, told.alarm.drill) == ("leak", begun.drill_id)
    assert told.way is not None
    assert [step.stage.value for step in told.way.steps] == [
        *("source", "received", "decided", "journalled", "annunciated"),
    ]
    assert all(step.reached_time is not None for step in told.way.steps)


async def test_nothing_of_it_is_where_alarms_are() -> None:
    async with World(plan((0, "leak", True), LATER)).running() as world:
        await world.drills.start("plan", "Wang")
        await world.let_pass(1)
        assert world.loop.alarms() == []
        assert world.loop.incidents() == []
        assert await world.history.alarms(AlarmFilter()) == []
        assert Channel.ALARM not in topics(world)
        assert not any(each.retain for each in world.source.messages)
        assert not any(isinstance(event, Alarm | Annunciate) for event in world.feed.events)
        present = world.drills.present()
        assert present is not None
        assert [alarm.rule for alarm in present.alarms] == ["leak"]


async def test_what_people_read_says_first_that_it_is_a_drill() -> None:
    async with World(plan((0, "leak", True))).running() as world:
        await world.drills.start("plan", "Wang")
        await world.let_pass(1)
        [shown] = [command for command in world.history._commands.values() if command.action == "show"]
        assert shown.parameters == {"text_zh": "演练。请勿进入"}
        assert shown.drill is not None


async def test_an_actuator_that_the_plan_does_not_name_is_never_asked_and_stands_in_the_report() -> None:
    async with World(plan((0, "leak", True), (2, "leak", False), may_ask=["s/door"])).running() as world:
        await world.drills.start("plan", "Wang")
        await world.let_pass(15)
        _, report = await ended(world)
    assert world.sent(drill=True) == ["door hold", "door release"]
    withheld = [(each.command.device, each.withheld) for each in report.commands if each.withheld is not None]
    assert withheld == [("s/board", Withheld.NOT_PLANNED)] * 2


async def test_an_actuator_that_a_real_rule_wants_is_left_to_it() -> None:
    async with World(plan((0, "smoke", True))).running() as world:
        await world.hear("leak", True)
        await world.drills.start("plan", "Wang")
        await world.let_pass(15)
        _, report = await ended(world)
    assert world.sent(drill=True) == []
    assert {each.withheld for each in report.commands} == {Withheld.REAL_COMMAND}


async def test_a_real_command_takes_the_actuator_and_the_drill_does_not_let_go_of_it() -> None:
    async with World(plan((0, "smoke", True), LATER)).running() as world:
        drill = await world.drills.start("plan", "Wang")
        await world.let_pass(1)
        await world.hear("leak", True)
        await world.drills.stop(drill.drill_id, "Wang")
        await world.settle()
    assert world.sent(drill=True) == ["door hold", "board show"]
    assert world.sent(drill=False) == ["door hold", "board show"]


async def test_an_operators_word_takes_the_actuator_too() -> None:
    async with World(plan((0, "smoke", True), LATER)).running() as world:
        drill = await world.drills.start("plan", "Wang")
        await world.let_pass(1)
        await world.loop.submit(Actuate("s/door", "hold", {}, "Li"))
        await world.drills.stop(drill.drill_id, "Wang")
        await world.settle()
    assert world.sent(drill=True) == ["door hold", "board show", "board clear"]


async def test_a_real_fire_is_told_first_and_then_ends_the_drill() -> None:
    async with World(plan((0, "leak", True), LATER)).running() as world:
        await world.drills.start("plan", "Wang")
        await world.let_pass(1)
        world.feed.events.clear()
        await world.hear("smoke", True)
        drill, report = await ended(world)
        [fire] = world.loop.alarms()

    assert drill.outcome == DrillOutcome.REAL_ALARM
    assert fire.alarm_id in report.detail
    assert fire.drill is None
    told = [type(event) for event in world.feed.events if isinstance(event, Annunciate | DrillNews)]
    assert told[0] is Annunciate
    assert told[-1] is DrillNews
    assert drill.ended_time == fire.clock.annunciated_time, "at once"


async def test_a_real_alarm_that_is_less_urgent_leaves_the_drill_going() -> None:
    async with World(plan((0, "smoke", True), (30, "smoke", False))).running() as world:
        await world.drills.start("plan", "Wang")
        await world.let_pass(1)
        await world.hear("leak", True)
        assert world.drills.present() is not None


async def test_no_drill_begins_while_a_real_fire_calls_for_somebody() -> None:
    async with World(plan((0, "leak", True))).running() as world:
        await world.hear("smoke", True)
        with pytest.raises(RefusedCommandError, match="real alarm"):
            await world.drills.start("plan", "Wang")
        await world.loop.submit(Acknowledge(world.loop.alarms()[0].alarm_id, "Li"))
        assert (await world.drills.start("plan", "Wang")).plan == "plan"


async def test_one_drill_goes_on_at_a_time() -> None:
    async with World(plan((0, "leak", True))).running() as world:
        await world.drills.start("plan", "Wang")
        with pytest.raises(RefusedCommandError, match="goes on"):
            await world.drills.start("plan", "Li")
        with pytest.raises(RefusedCommandError, match="does not go on"):
            await world.drills.stop("another", "Li")


async def test_at_its_longest_time_a_drill_is_over_and_what_did_not_come_is_late() -> None:
    never = Expectation(timedelta(seconds=3), rule="smoke", subject="s/smoke")
    async with World(plan((0, "leak", True), (30, "leak", False), expect=[never], longest=10)).running() as world:
        await world.drills.start("plan", "Wang")
        await world.let_pass(11)
        drill, report = await ended(world)
    assert drill.outcome == DrillOutcome.TIME_OVER
    assert [each.verdict for each in report.expected] == [Verdict.LATE]
    assert not report.passed
    assert world.sent(drill=True)[-2:] == ["door release", "board clear"], "what it held is let go"


async def test_a_drill_broken_off_by_a_crash_is_ended_at_the_next_start_and_lets_go() -> None:
    async with World(plan((0, "leak", True), LATER)).running() as world:
        await world.drills.start("plan", "Wang")
        await world.let_pass(1)
    async with World(plan((0, "leak", True), LATER), history=world.history).running() as again:
        await again.drills.resume(again.history)
        await again.settle()
        drill, report = await ended(again)
        assert sorted(again.sent(drill=True)) == ["board clear", "door release"]
        assert (drill.outcome, report.passed) == (DrillOutcome.INTERRUPTED, False)
        await again.drills.resume(again.history)
        assert len(again.sent(drill=True)) == 2, "once"


async def test_a_clean_stop_ends_the_drill_and_lets_go() -> None:
    async with World(plan((0, "leak", True), LATER)).running() as world:
        await world.drills.start("plan", "Wang")
        await world.let_pass(1)
        await world.drills.interrupt()
        drill, _ = await ended(world)
    assert drill.outcome == DrillOutcome.INTERRUPTED
    assert world.sent(drill=True)[-2:] == ["door release", "board clear"]


async def test_silence_is_no_part_of_a_drill() -> None:
    async with World(plan((0, "leak", False), (40, "leak", False))).running() as world:
        await world.drills.start("plan", "Wang")
        await world.let_pass(35)
        present = world.drills.present()
        assert present is not None
        assert present.alarms == ()


async def test_a_reading_of_another_drill_is_refused() -> None:
    async with World(plan((0, "leak", False), (30, "leak", False))).running() as world:
        await world.drills.start("plan", "Wang")
        await world.let_pass(1)
        [reading] = [each for each in world.source.messages if "/drill/" in each.topic]
        forged = reading.payload.replace(b'"drill":"', b'"drill":"0')
        assert world.decode(reading.topic, forged, False, world.clock.now()) != []
        assert world.decode(reading.topic, reading.payload, False, world.clock.now()) == []


async def test_a_fault_in_a_drill_ends_it_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    async with World(plan((0, "leak", True), (1, "leak", False))).running() as world:
        await world.drills.start("plan", "Wang")
        monkeypatch.setattr("firewatch.alarms.drill.Course.received", lambda *_: 1 / 0)
        monkeypatch.setattr("firewatch.alarms.drill.Course.due_readings", lambda *_: 1 / 0)
        await world.let_pass(1)
        drill, report = await ended(world)
        assert drill.outcome == DrillOutcome.FAILED
        assert "ZeroDivisionError" in report.detail
        await world.hear("leak", True)
        assert [alarm.rule for alarm in world.loop.alarms()] == ["leak"]


class SurvivingHistory(InMemoryHistory):
    """Remembers which commands would survive a kill -9."""

    def __init__(self) -> None:
        super().__init__()
        self.surviving: set[str] = set()

    def outlive(self) -> None:
        self.surviving |= self._commands.keys()


async def test_what_a_drill_asks_of_an_actuator_survives_a_kill_before_it_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history = SurvivingHistory()
    async with World(plan((0, "leak", True), LATER), history=history).running() as world:
        lost: list[str] = []
        publish = world.source.publish

        def checked(topic: str, payload: bytes, *, retain: bool = False, replaces: str | None = None) -> None:
            if "/command/" in topic and msgspec.json.decode(payload)["id"] not in history.surviving:
                lost.append(topic)
            publish(topic, payload, retain=retain, replaces=replaces)

        monkeypatch.setattr(world.source, "publish", checked)
        await world.drills.start("plan", "Wang")
        await world.let_pass(1)
        assert world.sent(drill=True) == ["door hold", "board show"]
        assert lost == []
