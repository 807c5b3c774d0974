"""Several rules that want something of one door, held against a model that knows only what was heard.

The model's actuator does a command once, however often it comes, and is where the last one put it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firewatch.engine.engine import Engine
from firewatch.model.effect import Effect, SendCommand
from firewatch.model.site import DeviceKind, Inventory, Signal, SignalType
from firewatch.model.text import LocalText
from firewatch.rules.spec import RuleSpec
from tests.unit.engine.world import BAD, SITE, START, act, at, reading, rule
from tests.unit.engine.world import INVENTORY as WORLD

pytestmark = pytest.mark.slow

OPEN_AGAIN = [act("door_controller", "release_door")]


def wants(name: str, signal: str, urgency: str, *, lets_go: bool = True) -> RuleSpec:
    alarm_class, priority = urgency.split()
    return rule(
        name,
        {"asset": "lift"},
        {"high": {"signal": signal, "limit": 0.5}},
        priority=priority,
        actions={
            "active": [{**act("door_controller", f"as_{name}_wants"), "every": "40s"}],
            "inactive": OPEN_AGAIN if lets_go else [],
        },
        **{"class": alarm_class},
    )


LADDER = rule(
    "ladder",
    {"asset": "lift"},
    None,
    ladder=[
        {"when": {"high": {"signal": "lift_controller/load", "limit": 0.3}}, "priority": "low"},
        {"when": {"high_high": {"signal": "lift_controller/load", "limit": 0.6}}, "priority": "highest"},
    ],
    actions={"active": [act("door_controller", "as_ladder_wants")], "inactive": OPEN_AGAIN},
    **{"class": "security"},
)
RULES = {
    each.id: each
    for each in (
        wants("fire", "lift_controller/heat", "fire low"),
        wants("security", "lift_controller/force", "security high", lets_go=False),
        wants("trouble", "lift_controller/noise", "trouble medium"),
        wants("another", "lift_controller/speed", "trouble medium"),
        LADDER,
    )
}
SIGNALS = {"fire": "heat", "security": "force", "trouble": "noise", "another": "speed", "ladder": "load"}
"""Which signal of the lift's controller each rule listens to."""

NAME = LocalText(zh="名", en="name")
NUMBERS = tuple(Signal(signal, SignalType.NUMBER, NAME) for signal in SIGNALS.values())
INVENTORY = Inventory((SITE,), WORLD.kinds | {"lift_controller": DeviceKind("lift_controller", NAME, "lift", NUMBERS)})
URGENCY = {"fire": 5, "ladder highest": 4, "security": 3, "another": 2, "trouble": 2, "ladder": 1}


@dataclass
class Model:
    """Who wants the door and since when, by what was heard; and where the door is."""

    known: set[str] = field(default_factory=lambda: set(RULES))
    since: dict[str, float] = field(default_factory=dict)
    is_highest: bool = False
    owes_release: bool = False
    door: str = ""
    done: set[str] = field(default_factory=set)
    expected: str = ""

    def hear(self, name: str, value: Any, now: float) -> None:
        if name not in self.known or value == BAD:
            return
        if value <= (0.3 if name == "ladder" else 0.5):
            self.since.pop(name, None)
            return
        rises = name == "ladder" and value > 0.6 and not self.is_highest
        if name not in self.since or rises:
            self.since[name] = now
        self.owes_release |= name != "security"
        if name == "ladder":
            self.is_highest = value > 0.6

    def keep(self, names: set[str]) -> None:
        self.since = {name: since for name, since in self.since.items() if name in names}
        self.known = names

    def obey(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, SendCommand) and effect.command.command_id not in self.done:
                self.done.add(effect.command.command_id)
                self.door = effect.command.action

    def check(self) -> None:
        if self.since:
            top = max(self.since, key=lambda name: (URGENCY[self._step(name)], self.since[name], name))
            self.expected = f"as_{top}_wants"
        else:
            self.is_highest = False
            if self.owes_release:
                self.expected = "release_door"
            self.owes_release = False
        if "ladder" not in self.since:
            self.is_highest = False
        assert self.door == self.expected

    def _step(self, name: str) -> str:
        return "ladder highest" if name == "ladder" and self.is_highest else name


heard = st.tuples(st.sampled_from(sorted(RULES)), st.sampled_from([0.0, 0.4, 0.9, 0.9, BAD]))
restart, taken_away = st.just("restart"), st.sets(st.sampled_from(sorted(RULES)))
stories = st.lists(
    st.tuples(st.sampled_from([0.0, 0.0, 1.0, 45.0]), st.one_of(heard, heard, heard, heard, restart, taken_away)),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(story=stories)
def test_the_door_is_where_the_most_urgent_wants_it_and_let_go_after_the_last(story: list[tuple[float, Any]]) -> None:
    engine, model, now = Engine(list(RULES.values()), INVENTORY), Model(), 0.0
    model.obey(engine.start(START))
    for after, what in story:
        now += after
        model.obey(engine.advance(at(now)))
        if what == "restart":
            snapshot = engine.snapshot()
            engine = Engine([RULES[name] for name in sorted(model.known)], INVENTORY)
            engine.restore(snapshot)
            model.obey(engine.resume(at(now)))
        elif isinstance(what, set):
            model.keep(what)
            model.obey(engine.reload([RULES[name] for name in sorted(what)], INVENTORY, at(now))[0])
        else:
            name, value = what
            model.hear(name, value, now)
            model.obey(engine.observe(reading(f"controller/{SIGNALS[name]}", value, now), at(now)))
        model.check()
