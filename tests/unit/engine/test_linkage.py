from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from firewatch.engine.engine import Engine
from firewatch.engine.linkage import Claim, Ending, Linkage, Urgency
from firewatch.engine.snapshot import Judged
from firewatch.model.alarm import Priority
from firewatch.model.command import Reset
from firewatch.rules.compile import Target
from firewatch.rules.spec import Mode
from tests.unit.engine.world import E_BIKE, INVENTORY, START, World, act, rule

DOOR = "s/door"


def claim(rule: str, urgency: Urgency, second: float = 0, release: str = "release_door") -> Claim:
    return Claim(
        device=DOOR,
        claimant=Judged(rule, "s/lift"),
        urgency=urgency,
        begun_time=START + timedelta(seconds=second),
        wish=(Target(DOOR, rule, {}),),
        release=(Target(DOOR, release, {}),) if release else (),
    )


FIRE = Urgency(is_alarm=True, is_fire=True, by_priority=-3)
HIGH = Urgency(is_alarm=True, is_fire=False, by_priority=-1)
LOW = Urgency(is_alarm=True, is_fire=False, by_priority=-3)
SUSPECTED_FIRE = Urgency(is_alarm=False, is_fire=True, by_priority=0)


@pytest.mark.parametrize(
    ("one", "other", "heeded"),
    [
        pytest.param(claim("one", LOW), claim("other", HIGH, 1), "other", id="the more urgent one"),
        pytest.param(claim("one", HIGH), claim("other", LOW, 1), "one", id="though another is newer"),
        pytest.param(claim("one", HIGH), claim("other", FIRE, 1), "other", id="a fire of the lowest priority"),
        pytest.param(claim("one", LOW), claim("other", SUSPECTED_FIRE, 1), "one", id="an alarm before a suspicion"),
        pytest.param(claim("one", HIGH), claim("other", HIGH, 1), "other", id="the newer of equals"),
        pytest.param(claim("b", HIGH), claim("a", HIGH), "b", id="one of those that begin at the same instant"),
    ],
)
def test_of_two_claims_one_is_heeded_whichever_is_made_first(one: Claim, other: Claim, heeded: str) -> None:
    for first, second in ((one, other), (other, one)):
        linkage = Linkage([first])
        risen = linkage.claim(second)
        assert linkage.claims(DOOR)[0] == linkage.heeded(DOOR)
        assert linkage.claims(DOOR)[0].claimant.rule == heeded
        assert risen == (second if second.claimant.rule == heeded else None)


def test_a_claim_that_becomes_less_urgent_lets_another_rise() -> None:
    linkage = Linkage([claim("one", HIGH), claim("other", LOW)])
    assert linkage.claim(claim("one", Urgency(True, False, -4))) == claim("other", LOW)
    assert linkage.claim(claim("one", LOW, 1)) == claim("one", LOW, 1)
    assert linkage.claim(claim("one", LOW, 1)) is None


def test_the_actuator_is_let_go_when_the_last_claim_ends() -> None:
    linkage = Linkage([claim("one", HIGH), claim("other", LOW)])
    assert linkage.end(DOOR, Judged("one", "s/lift")) == Ending(next=claim("other", LOW))
    assert linkage.end(DOOR, Judged("other", "s/lift")) == Ending(release=(Target(DOOR, "release_door", {}),))
    assert linkage.end(DOOR, Judged("other", "s/lift")) == Ending()
    assert linkage.heeded(DOOR) is None


def test_nothing_follows_from_the_end_of_a_claim_that_waits() -> None:
    linkage = Linkage([claim("one", HIGH), claim("other", LOW)])
    assert linkage.end(DOOR, Judged("other", "s/lift")) == Ending()
    assert linkage.heeded(DOOR) == claim("one", HIGH)


def test_one_that_does_not_say_how_to_let_go_does_so_as_the_one_before_it() -> None:
    linkage = Linkage([claim("one", HIGH, release="let_go"), claim("other", LOW, release="")])
    heir = claim("other", LOW, release="let_go")
    assert linkage.end(DOOR, Judged("one", "s/lift")) == Ending(next=heir, heir=heir)
    assert linkage.end(DOOR, Judged("other", "s/lift")) == Ending(release=(Target(DOOR, "let_go", {}),))


# -- in the engine ---------------------------------------------------------------------------------------------------

SMOKE_HOLDS = rule(
    "fire",
    {"device": "lift_controller"},
    {"state": {"signal": "door", "is": "smoke"}},
    actions={
        "active": [act("door_controller", "hold_door", max_seconds=300.0)],
        "inactive": [act("door_controller", "release_door")],
    },
)
BLOCKED_CLOSES = rule(
    "blocked",
    {"device": "lift_camera"},
    {"high": {"signal": "e_bike", "limit": 2}},
    priority="low",
    actions={
        "active": [{**act("door_controller", "close_door"), "every": "60s"}],
        "inactive": [act("door_controller", "release_door")],
    },
    **{"class": "trouble"},
)
FIRE_IN, FIRE_OUT = ("controller/door", "smoke"), ("controller/door", "open")
BLOCKED, FREE = ("cam/e_bike", 3.0), ("cam/e_bike", 0.0)


def sent(words: list[str]) -> list[str]:
    return [word.removeprefix("> ") for word in words if word.startswith(">")]


def test_the_first_to_end_does_not_let_go_of_what_the_other_still_holds() -> None:
    world = World(SMOKE_HOLDS, BLOCKED_CLOSES)
    assert sent(world.hear(1, *BLOCKED)) == ["door close_door"]
    assert sent(world.hear(2, *FIRE_IN)) == ["door hold_door"]
    assert sent(world.hear(3, *FREE)) == []
    assert sent(world.hear(4, *FIRE_OUT)) == ["door release_door"]


def test_what_is_less_urgent_waits_and_is_asked_for_when_the_fire_is_over() -> None:
    world = World(SMOKE_HOLDS, BLOCKED_CLOSES)
    assert sent(world.hear(1, *FIRE_IN)) == ["door hold_door"]
    assert sent(world.hear(2, *BLOCKED)) == []
    assert sent(world.advance(65)) == []
    assert sent(world.hear(70, *FIRE_OUT)) == ["door close_door"]
    assert sent(world.advance(125)) == ["door close_door"]
    assert sent(world.hear(130, *FREE)) == ["door release_door"]


def test_what_is_asked_for_again_is_a_command_of_its_own() -> None:
    world = World(SMOKE_HOLDS, BLOCKED_CLOSES)
    world.hear(1, *BLOCKED)
    for second in range(10, 50, 4):
        assert sent(world.hear(second, *FIRE_IN)) == ["door hold_door"]
        assert sent(world.hear(second + 2, *FIRE_OUT)) == ["door close_door"]
    identities = [command.command_id for command in world.commands()]
    assert len(identities) == len(set(identities)) == 21


def test_a_false_suspicion_lets_go_at_once_where_nobody_else_holds() -> None:
    world = World(SMOKE_HOLDS, E_BIKE)
    world.hear(0, *FIRE_OUT)
    assert sent(world.hear(1, "cam/e_bike", 0.9)) == ["door hold_door"]
    assert sent(world.advance(3.4)) == ["door release_door"]


def test_a_false_suspicion_lets_go_of_nothing_that_a_fire_holds() -> None:
    world = World(SMOKE_HOLDS, E_BIKE)
    world.hear(0, *FIRE_OUT)
    world.hear(1, "cam/e_bike", 0.9)
    assert sent(world.hear(2, *FIRE_IN)) == ["door hold_door"]
    assert sent(world.advance(3.4)) == []
    assert sent(world.hear(4, *FIRE_OUT)) == ["door release_door"]


def test_who_holds_is_known_after_a_restart() -> None:
    world = World(SMOKE_HOLDS, BLOCKED_CLOSES)
    world.hear(1, *BLOCKED)
    world.hear(2, *FIRE_IN)
    again = world.restarted()
    assert sent(again.resume(3)) == []
    assert sent(again.hear(4, *FREE)) == []
    assert sent(again.hear(5, *FIRE_OUT)) == ["door release_door"]


def test_a_fire_rule_that_is_taken_away_leaves_the_actuator_to_the_other() -> None:
    world = World(SMOKE_HOLDS, BLOCKED_CLOSES)
    world.hear(1, *BLOCKED)
    world.hear(2, *FIRE_IN)
    assert sent(world.reload(3, BLOCKED_CLOSES)) == ["door close_door"]
    assert sent(world.hear(4, *FREE)) == ["door release_door"]


def test_a_rule_that_is_gone_after_a_restart_lets_go_of_nothing_that_is_held() -> None:
    world = World(SMOKE_HOLDS, BLOCKED_CLOSES)
    world.hear(1, *BLOCKED)
    world.hear(2, *FIRE_IN)
    again = world.restarted(SMOKE_HOLDS)
    assert sent(again.resume(3)) == []
    assert sent(again.hear(4, *FIRE_OUT)) == ["door release_door"]


def test_a_claim_becomes_more_urgent_with_a_reload() -> None:
    world = World(SMOKE_HOLDS, BLOCKED_CLOSES)
    world.hear(1, *FIRE_IN)
    world.hear(2, *BLOCKED)
    security = SMOKE_HOLDS.model_copy(update={"alarm_class": BLOCKED_CLOSES.alarm_class, "priority": Priority.LOW})
    assert sent(world.reload(3, security, BLOCKED_CLOSES)) == ["door close_door"]
    assert sent(world.reload(4, SMOKE_HOLDS, BLOCKED_CLOSES)) == ["door hold_door"]


def test_a_shadow_claims_nothing() -> None:
    world = World(SMOKE_HOLDS.model_copy(update={"mode": Mode.SHADOW}), BLOCKED_CLOSES)
    world.hear(1, *FIRE_IN)
    assert sent(world.hear(2, *BLOCKED)) == ["door close_door"]
    assert sent(world.reload(3, SMOKE_HOLDS, BLOCKED_CLOSES)) == ["door hold_door"]
    assert sent(world.reload(4, SMOKE_HOLDS.model_copy(update={"mode": Mode.SHADOW}), BLOCKED_CLOSES)) == [
        "door close_door"
    ]


def test_what_a_latched_alarm_asked_for_lasts_until_it_is_reset() -> None:
    world = World(SMOKE_HOLDS.model_copy(update={"latched": True}), BLOCKED_CLOSES)
    assert sent(world.hear(1, *FIRE_IN)) == ["door hold_door"]
    assert sent(world.hear(2, *FIRE_OUT)) == []
    assert sent(world.hear(3, *BLOCKED)) == []
    world.acknowledge(4, world.alarm("fire").alarm_id)
    again = world.restarted()
    assert sent(again.resume(5)) == []
    assert sent(again.command(6, Reset(again.alarm("fire").alarm_id, "li"))) == ["door close_door"]
    assert sent(again.hear(7, *FREE)) == ["door release_door"]


def test_a_latched_alarm_that_comes_again_asks_again() -> None:
    world = World(SMOKE_HOLDS.model_copy(update={"latched": True}))
    world.hear(1, *FIRE_IN)
    world.hear(2, *FIRE_OUT)
    assert sent(world.hear(3, *FIRE_IN)) == ["door hold_door"]


def test_what_was_begun_before_wishes_were_kept_is_held_and_let_go_as_ever() -> None:
    world = World(SMOKE_HOLDS, BLOCKED_CLOSES)
    world.hear(1, *FIRE_IN)
    kept = msgspec.json.decode(world.engine.snapshot())
    for instance in kept["instances"]:
        instance.get("engagement", {}).pop("wish", None)
    engine = Engine((SMOKE_HOLDS, BLOCKED_CLOSES), INVENTORY)
    engine.restore(msgspec.json.encode(kept))
    again = World(SMOKE_HOLDS, BLOCKED_CLOSES, engine=engine)
    assert sent(again.resume(2)) == []
    assert sent(again.hear(3, *BLOCKED)) == []
    assert sent(again.hear(4, *FIRE_OUT)) == ["door close_door"]


def test_a_device_that_a_changed_rule_names_no_more_is_let_go_at_the_end() -> None:
    world = World(SMOKE_HOLDS)
    world.hear(1, *FIRE_IN)
    speaks = {"active": [act("loudspeaker", "play")], "inactive": [act("loudspeaker", "stop")]}
    changed = rule("fire", {"device": "lift_controller"}, {"state": {"signal": "door", "is": "smoke"}}, actions=speaks)
    assert sent(world.reload(2, changed)) == []
    assert sent(world.hear(3, *FIRE_OUT)) == ["speaker stop", "door release_door"]
