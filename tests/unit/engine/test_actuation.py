from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from firewatch.errors import RefusedCommandError
from firewatch.model.command import Actuate
from firewatch.model.effect import SendCommand
from firewatch.model.site import Action, DeviceKind, Inventory, Parameter, ParameterType
from tests.unit.engine.test_linkage import FIRE_IN, FIRE_OUT, SMOKE_HOLDS, sent
from tests.unit.engine.world import INVENTORY as WORLD
from tests.unit.engine.world import LOW, World, at, both

LABEL = both("x")
SPEAKER = DeviceKind(
    "loudspeaker",
    LABEL,
    "broadcast",
    (),
    actions=(
        Action(
            "play",
            LABEL,
            parameters=(
                Parameter("text_en", ParameterType.TEXT, LABEL, longest=20),
                Parameter("message", ParameterType.CHOICE, LABEL, choices=("evacuate", "drill")),
                Parameter("tone_seconds", ParameterType.NUMBER, LABEL, unit="s", range=(8, 20)),
                Parameter("repeat", ParameterType.NUMBER, LABEL, whole=True, range=(1, 10), default=1.0),
                Parameter("loud", ParameterType.BOOLEAN, LABEL),
            ),
        ),
        Action("evacuate", LABEL, parameters=(), linkage=True),
        Action("zone", LABEL, parameters=(Parameter("zone", ParameterType.TEXT, LABEL, required=True),)),
    ),
)
DETECTOR = DeviceKind("smoke_detector", LABEL, "garage", (), actions=(), certified=True)
KINDS = WORLD.kinds | {"loudspeaker": SPEAKER, "smoke_detector": DETECTOR}
INVENTORY = Inventory(WORLD.sites, KINDS)


def wish(device: str = "s/speaker", action: str = "play", reason: str = "", **parameters: Any) -> Actuate:
    return Actuate(device, action, parameters, "li", reason)


def world() -> World:
    made = World(SMOKE_HOLDS, LOW)
    made.reload(0, SMOKE_HOLDS, LOW, inventory=INVENTORY)
    return made


def test_what_an_operator_asks_for_is_asked_at_once_with_what_holds_by_default() -> None:
    (effect,) = world().engine.command(wish(text_en="Come out", tone_seconds=8), at(1))
    assert isinstance(effect, SendCommand)
    command = effect.command
    assert (command.device, command.action, command.cause, command.rule) == ("s/speaker", "play", "operator:li", "")
    assert command.parameters == {"text_en": "Come out", "tone_seconds": 8, "repeat": 1.0}
    assert command.issued_time == at(1)


def test_the_same_wish_has_the_same_identity_in_a_replay_and_another_one_later() -> None:
    one, other = world(), world()
    identities = [each.engine.command(wish(), at(1))[0].command.command_id for each in (one, other)]  # type: ignore[union-attr]
    later = one.engine.command(wish(), at(2))[0].command.command_id  # type: ignore[union-attr]
    assert identities[0] == identities[1] != later


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (wish("s/nowhere"), "There is no device s/nowhere; /api/v1/devices lists those there are."),
        (
            wish("s/smoke-1", "reset"),
            "s/smoke-1 is certified equipment: firewatch listens to it and never commands it. "
            "What is to be silenced, reset or switched there is done at its own panel.",
        ),
        (wish("s/hydrant-1"), 's/hydrant-1 does not answer the command "play"; it answers none.'),
        (wish(action="sing"), 's/speaker does not answer the command "sing"; it answers play, evacuate, zone.'),
        (wish(text_en="x" * 21), "the text has 21 characters, at most 20 are allowed"),
        (wish(text_en=True), "expected a text, found true"),
        (wish(message="hello"), 'expected one of evacuate, drill, found "hello"'),
        (wish(tone_seconds=7.9), "expected 8 to 20 s, found 7.9"),
        (wish(tone_seconds="8"), 'expected a number, found "8"'),
        (wish(tone_seconds=True), "expected a number, found true"),
        (wish(tone_seconds=float("nan")), "expected a finite number, found nan"),
        (wish(repeat=1.5), "expected a whole number, found 1.5"),
        (wish(loud=1), "expected true or false, found 1"),
        (wish(volume=1), 'volume: "play" has no such parameter; it takes text_en, message, tone_seconds, repeat, loud'),
        (wish(action="evacuate", reason="fire", tone=1), 'tone: "evacuate" has no such parameter; it takes none'),
        (wish(action="zone"), '"zone" needs the parameter "zone"'),
        (wish(action="evacuate", reason=" "), "Say why it is asked for."),
        (wish("s/door", "hold_door", text="x" * 2001), "the text has 2001 characters, at most 2000 are allowed"),
        (wish("s/door", "hold_door", **{f"p{n}": 1 for n in range(21)}), "21 parameters are too many"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_with_the_way_out_and_changes_nothing(asked: Actuate, why: str) -> None:
    before = world()
    snapshot = before.engine.snapshot()
    with pytest.raises(RefusedCommandError, match=re.escape(why)):
        before.engine.command(asked, at(0))
    assert before.engine.snapshot() == snapshot
    assert before.advance(0) == []


def test_linkage_is_asked_for_by_people_with_a_reason() -> None:
    assert sent(world().command(1, wish(action="evacuate", reason="smoke on the stairs"))) == ["speaker evacuate"]


def test_what_people_ask_for_changes_no_claim() -> None:
    story = world()
    story.hear(1, *FIRE_IN)
    assert sent(story.command(2, wish("s/door", "hold_door"))) == ["door hold_door"]
    assert sent(story.hear(3, *FIRE_OUT)) == ["door release_door"]


def test_a_wish_can_be_written_down_and_read_again() -> None:
    asked = wish(text_en="Come out", tone_seconds=8.0, loud=True)
    assert msgspec.json.decode(msgspec.json.encode(asked), type=Actuate) == asked
