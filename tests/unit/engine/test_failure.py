from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from firewatch.model.alarm import Priority
from firewatch.model.command import OutOfService, Shelve
from firewatch.model.observation import Observation
from firewatch.rules.limit import LimitEvaluator
from firewatch.rules.spec import Mode
from tests.unit.engine.world import INVENTORY, LOW, SILENT, World, at, words


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits raise on a negative value, as no limit should."""
    judge = LimitEvaluator.observe

    def observe(self: LimitEvaluator, state: Any, observation: Observation, now: datetime) -> Any:
        if isinstance(observation.value, float) and observation.value < 0:
            raise ZeroDivisionError("negative pressure")
        return judge(self, state, observation, now)

    monkeypatch.setattr(LimitEvaluator, "observe", observe)


@pytest.mark.usefixtures("failing")
def test_a_rule_that_fails_is_taken_out_of_service_and_blocks_no_other() -> None:
    world = World(LOW, SILENT)
    world.hear(1, "hydrant-1/pressure", 0.05)
    assert world.hear(2, "hydrant-1/pressure", -1.0) == [
        "! rule-failed-low",
        "low unacknowledged (condition_unknown)",
        "rule-failed-low unacknowledged (condition_active)",
    ]
    (failure,) = world.engine.failures()
    assert (failure.rule, failure.subject, failure.failed_time) == ("low", "s/hydrant-1", at(2))
    assert failure.error == "ZeroDivisionError: negative pressure"
    assert world.hear(3, "hydrant-1/pressure", 0.5) == []
    assert world.standing() == ["low unacknowledged unknown", "rule-failed-low unacknowledged active"]
    assert world.hear(4, "hydrant-2/pressure", 0.05) == ["! low", "low unacknowledged (condition_active)"]
    assert "! silent" in world.advance(18)


@pytest.mark.usefixtures("failing")
def test_a_rule_that_failed_is_tried_again_after_a_restart() -> None:
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.hear(2, "hydrant-1/pressure", -1.0)
    again = world.restarted()
    assert again.engine.failures() == []
    assert again.hear(3, "hydrant-1/pressure", 0.5) == ["low rtn_unacknowledged (condition_inactive)"]
    assert words(again.engine.resume(at(4))) == ["rule-failed-low rtn_unacknowledged (condition_inactive)"]
    assert again.acknowledge(5, again.alarm("rule-failed-low").alarm_id) == ["rule-failed-low normal (acknowledged)"]


@pytest.mark.usefixtures("failing")
def test_people_are_told_which_rule_failed_with_what_and_what_to_do_in_both_languages() -> None:
    world = World(LOW)
    world.hear(2, "hydrant-1/pressure", -1.0)
    alarm = world.alarm("rule-failed-low")
    assert alarm.text.en == (
        "Tower A, roof hydrant: the rule low failed and is out of service: ZeroDivisionError: negative pressure"
    )
    assert alarm.text.zh == "A座·屋顶栓：规则low运行出错，已停用：ZeroDivisionError: negative pressure"
    assert (alarm.alarm_class, alarm.priority, alarm.subject) == ("trouble", "high", "s/hydrant-1")
    assert alarm.advice.zh
    assert alarm.advice.en


@pytest.mark.usefixtures("failing")
def test_a_rule_that_fails_for_several_subjects_has_one_trouble_alarm_told_again_for_each() -> None:
    world = World(LOW)
    world.hear(2, "hydrant-1/pressure", -1.0)
    world.acknowledge(3, world.alarm("rule-failed-low").alarm_id)
    assert "! rule-failed-low" in world.hear(4, "hydrant-2/pressure", -1.0)
    assert world.alarm("rule-failed-low").activations == 2
    assert "basement hydrant" in world.alarm("rule-failed-low").text.en


@pytest.mark.usefixtures("failing")
def test_a_rule_that_failed_is_in_service_again_after_a_reload() -> None:
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.hear(2, "hydrant-1/pressure", -1.0)
    effects, report = world.engine.reload([LOW], INVENTORY, at(3))
    assert words(effects) == ["rule-failed-low rtn_unacknowledged (condition_inactive)"]
    assert [(one.rule, one.difference, one.returned) for one in report.rules] == [("low", "adjusted", 1)]
    assert world.engine.failures() == []
    assert world.hear(4, "hydrant-1/pressure", 0.5) == ["low rtn_unacknowledged (condition_inactive)"]
    assert "! rule-failed-low" in world.hear(5, "hydrant-1/pressure", -1.0)


@pytest.mark.usefixtures("failing")
def test_a_trouble_alarm_is_as_urgent_as_its_rule_was_when_it_failed_last() -> None:
    world = World(LOW)
    world.hear(2, "hydrant-1/pressure", -1.0)
    urgent = LOW.model_copy(update={"priority": Priority.HIGHEST})
    world.reload(3, urgent)
    world.hear(4, "hydrant-1/pressure", -1.0)
    assert world.alarm("rule-failed-low").priority == "highest"
    assert world.reload(5, urgent) == ["rule-failed-low rtn_unacknowledged (condition_inactive)"]


@pytest.mark.usefixtures("failing")
def test_the_shelf_of_a_trouble_alarm_ends_after_a_reload() -> None:
    world = World(LOW)
    world.hear(2, "hydrant-1/pressure", -1.0)
    shelve = Shelve(world.alarm("rule-failed-low").alarm_id, "li", "known", timedelta(seconds=60))
    world.command(3, shelve)
    world.reload(4, LOW)
    assert world.advance(63) == ["rule-failed-low rtn_unacknowledged (shelf_ended)"]


@pytest.mark.usefixtures("failing")
def test_a_rule_that_failed_is_taken_out_of_service_by_an_operator_as_unknown() -> None:
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.5)
    world.hear(2, "hydrant-1/pressure", -1.0)
    world.command(3, OutOfService("low", "s/hydrant-1", "li", "work order 7"))
    assert world.alarm("low").condition == "unknown"


@pytest.mark.usefixtures("failing")
def test_a_shadow_rule_that_fails_troubles_nobody() -> None:
    world = World(LOW.model_copy(update={"mode": Mode.SHADOW}))
    assert world.hear(2, "hydrant-1/pressure", -1.0) == ["rule-failed-low unacknowledged (condition_active)"]
    assert world.standing() == []
    assert len(world.engine.failures()) == 1


@pytest.mark.usefixtures("failing")
def test_a_rule_that_failed_as_a_shadow_tells_people_when_it_fails_live() -> None:
    world = World(LOW.model_copy(update={"mode": Mode.SHADOW}))
    world.hear(1, "hydrant-1/pressure", -1.0)
    world.reload(2, LOW)
    assert world.hear(3, "hydrant-1/pressure", -1.0)[0] == "! rule-failed-low"
    assert world.standing() == ["rule-failed-low unacknowledged active"]
    again = world.restarted()
    again.resume(4)
    assert again.hear(5, "hydrant-1/pressure", -1.0)[0] == "! rule-failed-low"


def test_the_longest_rule_id_still_has_its_trouble_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(LOW.model_copy(update={"id": "a" * 64}))
    monkeypatch.setattr(world.engine._running[0], "observe", lambda *_: 1 / 0)
    assert "! rule-failed-" + "a" * 52 in world.hear(2, "hydrant-1/pressure", 0.5)


def test_a_rule_that_wants_to_be_woken_for_ever_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(LOW, SILENT)
    silent = type(world.engine._running[-1].evaluator)
    monkeypatch.setattr(silent, "wake", lambda self, state, now: (state, ()))
    world.advance(100)
    assert {failure.error.split(":")[0] for failure in world.engine.failures()} == {"NoProgressError"}
    assert world.hear(101, "hydrant-1/pressure", 0.05) == ["! low", "low unacknowledged (condition_active)"]
