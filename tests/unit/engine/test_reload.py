"""A change of the rules while they run: what is judged as before goes on as if nothing had happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

import firewatch.engine.engine as engine_module
from firewatch.engine.engine import Engine
from firewatch.engine.reload import Tally
from firewatch.model.alarm import AlarmClass
from firewatch.model.command import OperatorCommand, OutOfService, Shelve
from firewatch.model.effect import RecordTransition
from firewatch.model.reload import ReloadReport, RuleDifference, RuleReload
from firewatch.model.site import Inventory
from firewatch.rules.spec import Mode, RuleSpec
from firewatch.rules.state import StateEvaluator
from tests.unit.engine.world import (
    ALL,
    E_BIKE,
    INVENTORY,
    LOW,
    SILENT,
    SITE,
    SLOW_LOW,
    SMOKE,
    World,
    at,
    reading,
    rule,
)

STRICTER = rule("low", {"device": "pressure_transmitter"}, {"low": {"signal": "pressure", "limit": 0.06}})


def written(spec: RuleSpec) -> dict[str, object]:
    return spec.model_dump(mode="json", by_alias=True, exclude_unset=True)


def difference(report: ReloadReport, rule_id: str) -> RuleReload:
    (one,) = [one for one in report.rules if one.rule == rule_id]
    return one


def test_the_same_rules_again_change_nothing() -> None:
    world = World(*ALL)
    world.hear(1, "hydrant-2/pressure", 0.05)
    world.hear(9, "cam/e_bike", 0.9)
    before = world.engine.snapshot()
    assert world.reload(9, *ALL) == []
    assert world.engine.snapshot() == before
    assert world.report == ReloadReport(now=at(9), rules=(), unchanged=len(ALL))


def test_a_delay_goes_on_across_a_reload() -> None:
    world = World(SLOW_LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.reload(6, SLOW_LOW, LOW)
    assert world.advance(11) == ["! slow-low", "slow-low unacknowledged (condition_active)"]


def test_a_silence_that_is_counted_goes_on_across_a_reload() -> None:
    world = World(SILENT)
    world.reload(14, SILENT, LOW)
    assert world.advance(15) == ["! silent"] * 2 + ["silent unacknowledged (condition_active)"] * 2


def test_an_added_rule_listens_from_then_on() -> None:
    world = World(LOW)
    world.reload(10, LOW, SILENT)
    assert world.report.named(RuleDifference.ADDED) == ("silent",)
    assert world.engine.next_wake() == at(25)


REWORDINGS = {
    "text": {"text": LOW.advice},
    "advice": {"advice": LOW.text},
    "actions": {"actions": E_BIKE.actions},
    "latched": {"latched": True},
}


@pytest.mark.parametrize("changed", REWORDINGS.values(), ids=REWORDINGS)
def test_what_is_not_judged_may_change_without_losing_an_acknowledgement(changed: dict[str, object]) -> None:
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.acknowledge(2, world.alarm("low").alarm_id)
    assert world.reload(3, LOW.model_copy(update=changed)) == []
    assert world.standing() == ["low acknowledged active"]
    assert world.report.named(RuleDifference.ADJUSTED) == ("low",)
    assert world.hear(4, "hydrant-1/pressure", 0.04) == []


def test_a_more_urgent_priority_is_told_at_once_and_asks_for_an_answer_again() -> None:
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.acknowledge(2, world.alarm("low").alarm_id)
    urgent = RuleSpec.model_validate({**written(LOW), "priority": "highest"})
    assert world.reload(3, urgent) == ["! low", "low unacknowledged (rule_changed)"]
    assert world.alarm("low").priority == "highest"
    assert difference(world.report, "low").regraded == (world.alarm("low").alarm_id,)


def test_a_less_urgent_priority_is_recorded_and_asks_nothing() -> None:
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.acknowledge(2, world.alarm("low").alarm_id)
    assert world.reload(3, RuleSpec.model_validate({**written(LOW), "priority": "low"})) == [
        "low acknowledged (rule_changed)"
    ]


def test_a_changed_rule_judges_its_alarms_anew_and_says_so() -> None:
    world = World(LOW, SLOW_LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.acknowledge(2, world.alarm("low").alarm_id)
    assert world.reload(3, STRICTER, SLOW_LOW) == ["low acknowledged (condition_unknown)"]
    low = difference(world.report, "low")
    assert (low.difference, low.changed, low.judged_anew) == ("changed", 2, (world.alarm("low").alarm_id,))
    assert world.hear(4, "hydrant-1/pressure", 0.05)[0] == "low acknowledged (condition_known)"
    assert world.hear(5, "hydrant-1/pressure", 0.065)[0] == "low normal (condition_inactive)"


def test_a_changed_rule_says_that_it_dropped_a_running_delay() -> None:
    world = World(SLOW_LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    slower = SLOW_LOW.model_copy(update={"on_delay": SLOW_LOW.on_delay * 2})
    world.reload(3, slower)
    assert difference(world.report, "slow-low").dropped_timers == 1
    assert world.advance(100) == []
    world.hear(101, "hydrant-1/pressure", 0.05)
    assert world.advance(121)[0] == "! slow-low"


def test_the_alarms_of_a_removed_rule_are_closed_with_that_reason() -> None:
    world = World(LOW, SMOKE)
    world.hear(1, "hydrant-1/pressure", 0.05)
    identity = world.alarm("low").alarm_id
    assert world.reload(3, SMOKE) == ["low normal (rule_removed)"]
    low = difference(world.report, "low")
    assert (low.difference, low.removed, low.closed) == ("removed", 2, (identity,))
    assert world.hear(4, "hydrant-1/pressure", 0.05) == []


@pytest.mark.parametrize("restart", [False, True])
def test_an_alarm_that_begins_again_after_its_rule_came_back_is_numbered_on(restart: bool) -> None:
    """A reading that is heard again gives the same id; a number that comes twice would be taken as recorded already."""
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.reload(2)
    if restart:
        snapshot = world.engine.snapshot()
        world.engine = Engine([], INVENTORY)
        assert world.engine.restore(snapshot).removed == ()
        world.engine.resume(at(2))
    world.reload(3, LOW)
    effects = world.engine.observe(reading("hydrant-1/pressure", 0.05, 4, event=1), at(4))
    assert [effect.transition.number for effect in effects if isinstance(effect, RecordTransition)] == [3]


def test_the_door_held_by_a_removed_rule_is_let_go() -> None:
    world = World(E_BIKE)
    world.hear(1, "cam/e_bike", 0.9)
    world.hear(1.2, "cam/e_bike", 0.9)
    assert world.reload(3, LOW) == ["> door release_door", "e-bike normal (rule_removed)"]


def test_the_door_held_on_a_suspicion_of_a_changed_rule_is_let_go() -> None:
    world = World(E_BIKE)
    world.hear(1, "cam/e_bike", 0.9)
    assert world.reload(3, E_BIKE.model_copy(update={"on_delay": SLOW_LOW.on_delay})) == ["> door release_door"]


def test_what_a_rule_held_is_let_go_though_it_no_longer_says_how() -> None:
    world = World(E_BIKE)
    world.hear(1, "cam/e_bike", 0.9)
    world.reload(2, E_BIKE.model_copy(update={"actions": LOW.actions}))
    assert world.advance(3.5) == ["> door release_door"]


def test_what_is_held_is_let_go_as_the_rule_said_last_though_it_went_while_firewatch_was_down() -> None:
    no_way_back = E_BIKE.model_copy(
        update={"actions": E_BIKE.actions.model_copy(update={"inactive": (), "rejected": ()})}
    )
    world = World(no_way_back)
    world.hear(1, "cam/e_bike", 0.9)
    world.hear(1.2, "cam/e_bike", 0.9)
    world.reload(2, E_BIKE)
    again = world.restarted(SILENT)
    assert "> door release_door" in again.resume(3)


def test_the_alarm_of_a_device_that_was_taken_away_is_closed_and_its_neighbours_go_on() -> None:
    world = World(LOW, SLOW_LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.hear(1, "hydrant-2/pressure", 0.05)
    fewer = msgspec.structs.replace(SITE, devices=tuple(one for one in SITE.devices if one.id != "hydrant-1"))
    told = world.reload(2, LOW, SLOW_LOW, inventory=Inventory(sites=(fewer,), kinds=INVENTORY.kinds))
    assert told == ["low normal (rule_removed)"]
    assert world.standing() == ["low unacknowledged active"]
    assert [(one.rule, one.difference, one.removed, one.unchanged) for one in world.report.rules] == [
        ("low", "changed", 1, 1),
        ("slow-low", "changed", 1, 1),
    ]
    assert world.advance(11) == ["! slow-low", "slow-low unacknowledged (condition_active)"]


def test_rules_that_cannot_be_compiled_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    before = world.engine.snapshot()
    monkeypatch.setattr("firewatch.engine.engine.compile_rules", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        world.reload(2, STRICTER)
    assert world.engine.snapshot() == before


def test_a_rule_that_reads_the_same_signals_in_another_way_is_judged_anew() -> None:
    """Which of them each part of a condition reads may depend on tags alone."""

    def tagged(*names: str) -> Inventory:
        devices = tuple(replace(one, tags=("near",) if one.id in names else ()) for one in SITE.devices)
        return replace(INVENTORY, sites=(replace(SITE, devices=devices),))

    parts = [{"state": {"signal": f"{kind}/alarm", "is": True}} for kind in ("smoke_detector.near", "smoke_detector")]
    world = World(rule("both", {"asset": "fire_zone"}, {"all": parts}))
    world.reload(1, *world.rules, inventory=tagged("smoke-1", "smoke-2", "smoke-3", "smoke-4"))
    assert world.reload(2, *world.rules, inventory=tagged("smoke-1")) == []
    assert difference(world.report, "both").changed == 1


def test_the_report_can_be_kept_as_json() -> None:
    world = World(LOW, SMOKE)
    world.reload(3, STRICTER, SILENT)
    kept = msgspec.json.decode(msgspec.json.encode(world.report), type=ReloadReport)
    assert kept == world.report
    assert [(one.rule, one.difference) for one in kept.rules] == [
        ("low", "changed"),
        ("silent", "added"),
        ("smoke", "removed"),
    ]


def supervisory(spec: RuleSpec) -> RuleSpec:
    """Fire alarms cannot be shelved."""
    return spec.model_copy(update={"alarm_class": AlarmClass.SUPERVISORY})


HELD: dict[str, Callable[[World], OperatorCommand]] = {
    "shelved": lambda world: Shelve(world.alarm("low").alarm_id, "li", "works", timedelta(hours=1)),
    "shelved until it is over": lambda world: Shelve(world.alarm("low").alarm_id, "li", "works"),
    "out of service": lambda world: OutOfService("low", "s/hydrant-1", "li", "work order 7"),
}
CHANGES: dict[str, tuple[RuleSpec, ...]] = {
    "changed": (supervisory(STRICTER),),
    "removed": (SMOKE,),
    "more urgent": (RuleSpec.model_validate({**written(supervisory(LOW)), "priority": "highest"}),),
    "demoted": (supervisory(LOW).model_copy(update={"mode": Mode.SHADOW}),),
}


def held(how: str, *, is_over: bool) -> World:
    world = World(supervisory(LOW))
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.command(2, HELD[how](world))
    if is_over and how != "shelved until it is over":
        world.acknowledge(3, world.alarm("low").alarm_id)
        world.hear(4, "hydrant-1/pressure", 0.5)
    return world


@pytest.mark.parametrize("is_over", [False, True])
@pytest.mark.parametrize("how", HELD)
def test_what_an_operator_hid_stays_hidden_across_a_reload(how: str, *, is_over: bool) -> None:
    world = held(how, is_over=is_over)
    before = world.engine.alarms()
    assert world.reload(5, supervisory(LOW), SMOKE) == []
    assert world.engine.alarms() == before


@pytest.mark.parametrize("is_over", [False, True])
@pytest.mark.parametrize("how", HELD)
@pytest.mark.parametrize("change", CHANGES)
def test_what_an_operator_hid_is_told_to_nobody_as_its_rule_changes(how: str, change: str, *, is_over: bool) -> None:
    world = held(how, is_over=is_over)
    told = world.reload(5, *CHANGES[change])
    assert [word for word in told if word.startswith("!")] == []
    is_gone = change in ("removed", "demoted")
    assert [alarm.is_held for alarm in world.engine.alarms()] == ([] if is_gone else [True])
    world.reload(6, supervisory(LOW))
    assert world.engine.failures() == []


class _GivesUp:
    """A function that works so often, and then does not."""

    def __init__(self, works: int, function: Callable[..., Any]) -> None:
        self.left = works
        self.function = function

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise ZeroDivisionError("nobody foresaw this")
        return self.function(*arguments, **named)


def _busy(monkeypatch: pytest.MonkeyPatch) -> World:
    """A rule that has failed, an alarm, a suspicion with its held door, and a delay that is over at 11 s."""
    world = World(E_BIKE, LOW, SLOW_LOW, SMOKE)
    with monkeypatch.context() as broken:
        broken.setattr(StateEvaluator, "judge", _GivesUp(0, StateEvaluator.judge))
        world.hear(1, "smoke-1/alarm", True)
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.hear(10, "cam/e_bike", 0.9)
    assert len(world.standing()) == len(world.commands()) + 1 == 2
    return world


@pytest.mark.parametrize("fails", ["step", "command_id", "replace", "next_due"])
def test_a_takeover_that_raises_half_way_leaves_everything_as_it_was(
    fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever fails (the life of an alarm, a command that undoes what was begun), and wherever it does."""
    works = 0
    while True:
        world, untouched = _busy(monkeypatch), _busy(monkeypatch)
        with monkeypatch.context() as broken:
            broken.setattr(engine_module, fails, _GivesUp(works, getattr(engine_module, fails)))
            if _takes_over(world.engine):
                break
        works += 1
        assert world.engine.snapshot() == untouched.engine.snapshot()
        assert world.engine.failures() == untouched.engine.failures()
        assert world.engine.next_wake() == untouched.engine.next_wake()
        assert world.advance(12) == untouched.advance(12) != []
        assert world.reload(12, STRICTER) == untouched.reload(12, STRICTER) != []
        assert world.engine.snapshot() == untouched.engine.snapshot()
    assert works, "the takeover needs it"


def _takes_over(engine: Engine) -> bool:
    try:
        engine.reload([STRICTER], INVENTORY, at(10))
    except ZeroDivisionError:
        return False
    return True


def test_what_fell_due_before_a_takeover_that_raised_is_told_by_the_next_call(monkeypatch: pytest.MonkeyPatch) -> None:
    world = _busy(monkeypatch)
    with monkeypatch.context() as broken:
        broken.setattr(Tally, "report", _GivesUp(0, Tally.report))
        with pytest.raises(ZeroDivisionError):
            world.engine.reload([STRICTER], INVENTORY, at(12))
    assert world.engine.next_wake() == at(12)
    assert world.advance(12) == _busy(monkeypatch).advance(12) != []
