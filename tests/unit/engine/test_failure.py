from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from firewatch.model.observation import Observation
from firewatch.rules.limit import LimitEvaluator
from tests.unit.engine.world import LOW, SILENT, World, at


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
    assert world.hear(2, "hydrant-1/pressure", -1.0) == ["low unacknowledged (condition_unknown)"]
    (failure,) = world.engine.failures()
    assert (failure.rule, failure.subject, failure.failed_time) == ("low", "s/hydrant-1", at(2))
    assert failure.error == "ZeroDivisionError: negative pressure"
    assert world.hear(3, "hydrant-1/pressure", 0.5) == []
    assert world.standing() == ["low unacknowledged unknown"]
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


def test_a_rule_that_wants_to_be_woken_for_ever_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(LOW, SILENT)
    silent = type(world.engine._running[-1].evaluator)
    monkeypatch.setattr(silent, "wake", lambda self, state, now: (state, ()))
    world.advance(100)
    assert {failure.error.split(":")[0] for failure in world.engine.failures()} == {"NoProgressError"}
    assert world.hear(101, "hydrant-1/pressure", 0.05) == ["! low", "low unacknowledged (condition_active)"]
