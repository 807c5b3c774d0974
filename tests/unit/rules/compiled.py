"""Conditions as rules have them, compiled for a room with two devices of kind `a`, one of kind `b` and one of `c`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from firewatch.model.site import Asset, Building, Device, DeviceKind, Inventory, Signal, SignalType, Site
from firewatch.model.text import LocalText
from firewatch.rules.compile import compile_rules
from firewatch.rules.evaluator import Evaluator
from firewatch.rules.spec import RuleSpec

_WORDS = LocalText(zh="字", en="word")
_SIGNALS = (
    Signal("on", SignalType.BOOLEAN, _WORDS),
    Signal("level", SignalType.NUMBER, _WORDS),
    Signal("mode", SignalType.STATE, _WORDS, states=("auto", "manual", "off")),
)
A1, A2, B, C = ("s/a1/on", "s/a2/on", "s/b/on", "s/c/on")
TEXT = {"zh": "字", "en": "word"}


def room(devices: Sequence[tuple[str, str]] = (("a1", "a"), ("a2", "a"), ("b", "b"), ("c", "c"))) -> Inventory:
    """A site with one room; `devices` are (id, kind)."""
    site = Site(
        id="s",
        label=_WORDS,
        district=_WORDS,
        street=_WORDS,
        community=_WORDS,
        time_zone="Asia/Shanghai",
        buildings=(Building("tower", _WORDS, _WORDS),),
        assets=(Asset("room", "room", _WORDS, "tower", "water"),),
        devices=tuple(Device(name, kind, _WORDS, "tower", "room") for name, kind in devices),
    )
    return Inventory((site,), {name: DeviceKind(name, _WORDS, "water", _SIGNALS) for name in ("a", "b", "c")})


def compiled(condition: dict[str, Any], inventory: Inventory | None = None) -> Evaluator[Any] | None:
    """The evaluator of a rule with that condition for the room; None if the room has not what it needs."""
    written = {
        "id": "rule",
        "scope": {"asset": "room"},
        "when": condition,
        "priority": "high",
        "class": "fire",
        "text": TEXT,
        "advice": TEXT,
    }
    instances = compile_rules([RuleSpec.model_validate(written)], inventory or room())
    return instances[0].evaluator if instances else None


def on(kind: str) -> dict[str, Any]:
    """The condition that a device of a kind is on."""
    return {"state": {"signal": f"{kind}/on", "is": True}}
