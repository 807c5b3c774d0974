"""Composed conditions in the engine: who is woken, and what outlives a restart."""

from __future__ import annotations

from typing import Any

from firewatch.rules.spec import RuleSpec
from tests.unit.engine.world import World, at, rule

# The story begins at 16:00 in Shanghai.
NIGHT = {"schedule": {"windows": [{"from": "17:00", "to": "08:00"}]}}
LOW = {"low": {"signal": "pressure", "limit": 0.07}}
HIGH = {"high": {"signal": "pressure", "limit": 0.5}}


def hydrants(when: dict[str, Any], **fields: Any) -> RuleSpec:
    return rule("rule", {"device": "pressure_transmitter", "subjects": ["hydrant-1"]}, when, **fields)


def test_a_rule_that_listens_to_nothing_is_woken_by_the_clock() -> None:
    world = World(hydrants(NIGHT))
    assert world.advance(3599) == []
    assert world.advance(3600) == ["! rule", "rule unacknowledged (condition_active)"]


def test_what_was_low_before_a_window_opens_is_told_a_delay_after_it_does() -> None:
    world = World(hydrants({"all": [NIGHT, LOW]}, on_delay="10s"))
    world.hear(10, "hydrant-1/pressure", 0.01)
    assert world.advance(3609) == []
    world.advance(3610)
    assert world.alarm("rule").onset_time == at(3600)


def test_a_window_that_opened_while_firewatch_was_down_opened_at_its_time() -> None:
    world = World(hydrants({"all": [NIGHT, LOW]}))
    world.hear(10, "hydrant-1/pressure", 0.01)
    world = world.restarted()
    assert world.resume(5000) == ["! rule", "rule unacknowledged (condition_active)"]
    assert world.alarm("rule").onset_time == at(3600)


def test_what_has_to_follow_keeps_its_time_over_a_restart() -> None:
    world = World(hydrants({"sequence": {"first": LOW, "without": HIGH, "within": "60s"}}))
    world.hear(10, "hydrant-1/pressure", 0.01)
    world = world.restarted()
    assert world.resume(40) == []
    assert world.advance(69) == []
    world.advance(70)
    assert world.alarm("rule").onset_time == at(70)


def test_what_began_before_a_restart_still_counts_after_it() -> None:
    world = World(hydrants({"count": {"of": LOW, "at_least": 3, "within": "1h"}}))
    for now in (10, 30):
        world.hear(now, "hydrant-1/pressure", 0.01)
        world.hear(now + 1, "hydrant-1/pressure", 0.3)
    world = world.restarted()
    world.resume(40)
    assert world.hear(50, "hydrant-1/pressure", 0.01) == ["! rule", "rule unacknowledged (condition_active)"]
