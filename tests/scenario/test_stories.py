"""The simulated stories, played through the shipped rules without a broker: what people are told, and nothing else.

Cameras see nothing here; what they see is for the acceptance tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from firewatch.config.project import load_project
from firewatch.config.settings import Settings
from firewatch.config.units import converter
from firewatch.engine.engine import Engine
from firewatch.model.contract import Reading
from firewatch.model.effect import Annunciate, Effect
from firewatch.model.observation import Observation, Quality, signal_id
from simulators.actuators import ActuatorSimulation
from simulators.building import BuildingSimulation
from simulators.camera import CameraSimulation
from simulators.commands import scenario_path
from simulators.fault import Faults
from simulators.garage import GarageSimulation
from simulators.lift import LiftSimulation
from simulators.process import Simulation
from simulators.scenario import Player, read_scenario
from simulators.site import SiteDevice, read_site
from simulators.water import WaterSimulation

pytestmark = pytest.mark.slow

SITE = read_site(Path("config/sites/sample.yaml"))
PROJECT = load_project(Settings())
START = datetime(2026, 3, 2, 4, tzinfo=UTC)
SEEN = {"lift_camera": {"e_bike": 0.0, "person": 0.0}, "lane_camera": {"vehicle": 0.0, "person": 0.0}}


class Compound:
    """The simulated compound, on whose devices a story's steps are played."""

    def __init__(self, story: str) -> None:
        kinds = (WaterSimulation, LiftSimulation, GarageSimulation, BuildingSimulation, CameraSimulation)
        self._simulations: list[Simulation] = [*(kind(SITE) for kind in kinds), ActuatorSimulation(SITE)]
        scenario = read_scenario(scenario_path(story))
        self._players = [
            Player(scenario, START, {device.id for device in simulation.models} | set(simulation.assets))
            for simulation in self._simulations
        ]
        self._faults: dict[str, Faults] = {}

    def observations(self, now: datetime) -> Iterator[Observation]:
        for simulation, player in zip(self._simulations, self._players, strict=True):
            for step in player.due(now):
                simulation.do(step, now)
                self._faults[step.who] = self._faults.get(step.who, Faults()).after(step)
            for device, model in simulation.models.items():
                faults = self._faults.get(device.id, Faults())
                if not faults.silent:
                    for reading in faults.report([*model.measure(now), *seen(device)]):
                        yield observation(device, reading, now)


def seen(device: SiteDevice) -> list[Reading]:
    return [Reading(signal=signal, value=score) for signal, score in SEEN.get(device.kind, {}).items()]


def observation(device: SiteDevice, reading: Reading, now: datetime) -> Observation:
    signal = PROJECT.inventory.kinds[device.kind].signal(reading.signal)
    assert signal is not None
    value = reading.value
    if isinstance(value, int | float) and not isinstance(value, bool):
        scale, offset = converter(reading.unit or signal.unit, signal.unit)
        value = value * scale + offset
    return Observation(
        signal=signal_id(SITE.id, device.id, reading.signal),
        value=value,
        quality=Quality.GOOD,
        source_time=now,
        receive_time=now,
        event_time=now,
    )


def told(story: str, lasts: timedelta, every: timedelta) -> set[tuple[str, str]]:
    """What was annunciated: rules and subjects."""
    compound, engine, now = Compound(story), Engine(PROJECT.rules, PROJECT.inventory), START
    effects: list[Effect] = engine.start(now)
    while now <= START + lasts:
        effects += engine.advance(now)
        for each in compound.observations(now):
            effects += engine.observe(each, now)
        now += every
    annunciated = [effect.alarm for effect in effects if isinstance(effect, Annunciate)]
    return {(alarm.rule, alarm.subject.partition("/")[2]) for alarm in annunciated}


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        (
            "e-bike",
            {
                ("hydrant-pressure-low", "hydrant-a-roof"),
                ("garage-smoke", "garage-smoke-2"),
                ("device-silent", "garage-co-1"),
            },
        ),
        (
            "water-loss",
            {
                ("pump-room-pressure-falls", "pump-room-pressure"),
                ("hydrant-pressure-low", "hydrant-a-roof"),
                ("hydrant-pressure-low", "hydrant-b-roof"),
                ("tank-level-low", "tank-1"),
                ("water-flow", "flow-a"),
                ("water-flow", "flow-b"),
                ("main-pump-running", "main-pump-1"),
                ("main-pump-running", "main-pump-2"),
                ("valve-closed", "valve-a-riser"),
            },
        ),
        (
            "garage-fire",
            {
                ("garage-smoke", "garage-smoke-1"),
                ("garage-smoke", "garage-smoke-2"),
                ("garage-flame", "garage-flame-1"),
                ("garage-heat-rises", "garage-heat-1"),
                ("garage-heat", "garage-heat-1"),
                ("garage-co", "garage-co-1"),
                ("garage-fire-confirmed", "garage-zone-1"),
            },
        ),
    ],
)
def test_a_story_tells_of_what_happens_in_it_and_of_nothing_else(story: str, expected: set[tuple[str, str]]) -> None:
    assert told(story, timedelta(minutes=4), timedelta(seconds=1)) == expected


def test_on_a_quiet_day_nobody_is_told_anything() -> None:
    assert told("quiet", timedelta(minutes=90), timedelta(seconds=5)) == set()
