"""Whatever is real is as it would have been without the drill that goes on beside it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firewatch.errors import RefusedCommandError
from firewatch.model.drill import DrillPlan
from tests.unit.app.drill_world import World, plan

LATER = (15.0, "leak", False)
"""Keeps a drill going."""
DEVICES = st.sampled_from(["leak", "smoke"])


@dataclass(frozen=True)
class Real:
    device: str
    value: bool


@dataclass(frozen=True)
class Wait:
    seconds: float


@dataclass(frozen=True)
class Start:
    pass


@dataclass(frozen=True)
class Stop:
    pass


Event = Real | Wait | Start | Stop

EVENTS = st.lists(
    st.one_of(
        st.builds(Real, DEVICES, st.booleans()),
        st.builds(Wait, st.sampled_from([0.5, 2.0, 11.0])),
        st.builds(Start),
        st.builds(Start),
        st.builds(Stop),
    ),
    max_size=14,
)
PLANS = st.builds(
    lambda readings, may_ask: plan(*sorted(readings), LATER, may_ask=may_ask, longest=20),
    st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0, 3.0]), DEVICES, st.booleans()), min_size=1, max_size=6),
    st.sampled_from([(), ("s/door",), ("s/door", "s/board")]),
)


async def play(events: list[Event], planned: DrillPlan, *, obeys: bool, with_drills: bool) -> World:
    async with World(planned, obeys=obeys).running() as world:
        for event in events:
            match event:
                case Real():
                    await world.hear(event.device, event.value)
                case Wait():
                    await world.let_pass(event.seconds)
                case Start() if with_drills:
                    with contextlib.suppress(RefusedCommandError):
                        await world.drills.start("plan", "Wang")
                    await world.settle()
                case Stop() if with_drills and (present := world.drills.present()) is not None:
                    await world.drills.stop(present.drill.drill_id, "Wang")
                    await world.settle()
        await world.settle()
        return world


@settings(max_examples=60)
@given(events=EVENTS, planned=PLANS, obeys=st.booleans())
@example(events=[Real("leak", True), Start(), Wait(11), Wait(2)], planned=plan((0, "leak", True), LATER), obeys=False)
@example(events=[Start(), Wait(2), Real("leak", True), Wait(11)], planned=plan((0, "leak", True), LATER), obeys=False)
@example(
    events=[Start(), Wait(2), Real("smoke", True), Real("smoke", False), Wait(2)],
    planned=plan((0, "leak", True), LATER),
    obeys=True,
)
@pytest.mark.slow
def test_what_is_real_is_the_same_with_and_without_a_drill(
    events: list[Event], planned: DrillPlan, obeys: bool
) -> None:
    with_drills = asyncio.run(play(events, planned, obeys=obeys, with_drills=True))
    without = asyncio.run(play(events, planned, obeys=obeys, with_drills=False))
    assert with_drills.real() == without.real()
    assert set(with_drills.sent(drill=False)) == set(without.sent(drill=False))


@settings(max_examples=60)
@given(events=EVENTS, planned=PLANS)
@pytest.mark.slow
def test_a_drill_that_is_over_holds_nothing_and_never_asked_for_more_than_it_might(
    events: list[Event], planned: DrillPlan
) -> None:
    world = asyncio.run(play([*events, Stop()], planned, obeys=True, with_drills=True))
    asked = world.sent(drill=True)
    assert {f"s/{command.split()[0]}" for command in asked} <= planned.may_ask
    last = {command.split()[0]: command for command in asked}
    real = set(world.sent(drill=False))
    for device, command in last.items():
        if not any(each.startswith(f"{device} ") for each in real):
            assert command in ("door release", "board clear")
