"""`python -m tests.bench.engine`: what rules cost in the engine alone, without broker, database or daemon.

See docs/benchmarks.md. Nothing here passes or fails by a time: a figure is for comparing, on one machine.
"""

from __future__ import annotations

import gc
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec

from firewatch.config.project import load_settings
from firewatch.engine.engine import Engine
from firewatch.model.observation import Observation, Quality, signal_id
from firewatch.model.site import Building, Device, DeviceKind, Inventory, Signal, SignalType, Site
from firewatch.model.text import LocalText
from firewatch.rules.spec import RuleSpec
from tests.bench.report import Environment, environment

RULES = (10, 1_000, 10_000)
DEVICES = (1_000, 100_000)
STACKED_RULES = 10
"""How many rules judge the same signal where evaluations are counted."""

KIND = "pressure_transmitter"
START = datetime(2026, 3, 1, tzinfo=UTC)
LOW = {"low": {"signal": "pressure", "limit": 0.07}}
CONDITIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a limit": ({"low": {"signal": "pressure", "limit": 0.07, "deadband": 0.005}}, {}),
    "a limit with delays": ({"low": {"signal": "pressure", "limit": 0.07}}, {"on_delay": "5s", "off_delay": "10s"}),
    "silence": ({"absence": {"after": "15s"}}, {}),
    "all, with a not": ({"all": [LOW, {"not": {"low": {"signal": "pressure", "limit": 0.01}}}]}, {}),
    "a count": ({"count": {"of": LOW, "at_least": 12, "within": "1h"}}, {}),
    "a duty cycle": ({"duty_cycle": {"of": LOW, "share": 0.2, "within": "1h"}}, {}),
    "an expression": ({"expression": {"cel": "p < 0.07 || p > 2.5", "signals": {"p": "pressure"}}}, {}),
}


class Scaled(msgspec.Struct, frozen=True):
    """An engine with so many rules over so many devices, each judged by one rule: so many instances too."""

    rules: int
    devices: int
    compile_seconds: float
    bytes_an_instance: float
    observations_a_second: float
    cost_ratio: float
    """Seconds an observation, as a share of what the fewest rules cost with the same devices."""


class Evaluated(msgspec.Struct, frozen=True):
    """How many times a second one core judges a condition."""

    condition: str
    evaluations_a_second: float


class EngineReport(msgspec.Struct, frozen=True):
    """Everything one run found."""

    measured_time: datetime
    environment: Environment
    scaled: list[Scaled]
    evaluated: list[Evaluated]


def compound(devices: int, buildings: int) -> Inventory:
    """One site whose devices are spread evenly over the buildings."""
    label = LocalText(zh="压测", en="bench")
    kind = DeviceKind(KIND, label, "water", (Signal("pressure", SignalType.NUMBER, label, "MPa"),))
    site = Site(
        id="bench",
        label=label,
        district=label,
        street=label,
        community=label,
        time_zone="Asia/Shanghai",
        buildings=tuple(Building(f"b{number}", label, label) for number in range(buildings)),
        assets=(),
        devices=tuple(
            Device(f"d{number}", KIND, LocalText(f"变送器{number}", f"Transmitter {number}"), f"b{number % buildings}")
            for number in range(devices)
        ),
    )
    return Inventory(sites=(site,), kinds={KIND: kind})


def written(name: str, when: dict[str, Any], scope: dict[str, Any], **fields: Any) -> RuleSpec:
    """A rule."""
    words = {"zh": "{place}：{value}", "en": "{place}: {value}"}
    fixed = {"priority": "high", "class": "supervisory", "text": words, "advice": words}
    return RuleSpec.model_validate({"id": name, "scope": {"device": KIND, **scope}, "when": when, **fixed, **fields})


def rules_by_building(count: int) -> list[RuleSpec]:
    """One rule for each of so many buildings."""
    when, _ = CONDITIONS["a limit"]
    return [written(f"low-{number}", when, {"buildings": [f"b{number}"]}) for number in range(count)]


def quiet_readings(devices: int, count: int, round_: int = 0) -> list[Observation]:
    """Readings of devices taken at random, a millisecond apart, none beyond a limit; each round's are newer."""
    chosen = random.Random(1)
    begun = START + round_ * timedelta(milliseconds=count)
    return [
        Observation(
            signal=signal_id("bench", f"d{chosen.randrange(devices)}", "pressure"),
            value=0.5 + number % 7 / 100,
            quality=Quality.GOOD,
            source_time=at,
            receive_time=at,
            event_time=at,
        )
        for number, at in ((number, begun + timedelta(milliseconds=number)) for number in range(count))
    ]


def scaled(devices: int, count: int, rounds: int) -> list[Scaled]:
    """The engines take turns, so that what else the machine does falls on all of them; the best round counts."""
    built = [_built(rules, devices) for rules in RULES]
    turns = []
    for round_ in range(rounds):
        readings = quiet_readings(devices, count, round_)
        turns.append([_cost(engine, readings) for engine, _, _ in built])
    best = [min(costs) for costs in zip(*turns, strict=True)]
    return [
        Scaled(rules, devices, seconds, size / devices, 1 / cost, cost / best[0])
        for rules, (_, seconds, size), cost in zip(RULES, built, best, strict=True)
    ]


def _built(rules: int, devices: int) -> tuple[Engine, float, int]:
    inventory, specs = compound(devices, rules), rules_by_building(rules)
    gc.collect()
    before, begun = _resident_bytes(), time.process_time()
    engine = Engine(specs, inventory)
    seconds = time.process_time() - begun
    gc.collect()
    engine.start(START)
    return engine, seconds, _resident_bytes() - before


def evaluated(condition: str, count: int, rounds: int) -> Evaluated:
    """All rules judge every reading of one building's devices."""
    when, delays = CONDITIONS[condition]
    rules = [written(f"rule-{number}", when, {}, **delays) for number in range(STACKED_RULES)]
    engine = Engine(rules, compound(100, 1))
    engine.start(START)
    best = min(_cost(engine, quiet_readings(100, count, round_)) for round_ in range(rounds))
    return Evaluated(condition, STACKED_RULES / best)


def _cost(engine: Engine, readings: list[Observation]) -> float:
    """Seconds of the processor an observation."""
    begun = time.process_time()
    for reading in readings:
        engine.observe(reading, reading.receive_time)
    return (time.process_time() - begun) / len(readings)


def _resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4096


def table(report: EngineReport) -> str:
    """The figures, line by line."""
    lines = [f"{'rules':>7} {'devices':>8} {'observations/s':>15} {'cost':>6} {'compile s':>10} {'bytes/instance':>15}"]
    lines += [
        f"{one.rules:>7,} {one.devices:>8,} {one.observations_a_second:>15,.0f} {one.cost_ratio:>6.2f}"
        f" {one.compile_seconds:>10.2f} {one.bytes_an_instance:>15,.0f}"
        for one in report.scaled
    ]
    lines += ["", f"{'condition':<22} {'evaluations/s':>14}"]
    lines += [f"{one.condition:<22} {one.evaluations_a_second:>14,.0f}" for one in report.evaluated]
    return "\n".join(lines)


@click.command()
@click.option(
    "--json",
    "json_path",
    type=click.Path(path_type=Path),
    help="Where the figures go; the state directory's bench/ unless given.",
)
@click.option("--observations", default=100_000, show_default=True, help="How many a round takes.")
@click.option("--rounds", default=5, show_default=True, help="How many rounds; the best counts.")
def main(json_path: Path | None, observations: int, rounds: int) -> None:
    """Measure what rules cost, print a table and write a JSON file."""
    report = EngineReport(
        measured_time=datetime.now(UTC),
        environment=environment("no database"),
        scaled=[one for devices in DEVICES for one in scaled(devices, observations, rounds)],
        evaluated=[evaluated(condition, observations, rounds) for condition in CONDITIONS],
    )
    path = json_path or load_settings().state_directory / "bench" / f"engine-{report.measured_time:%Y%m%dT%H%M%SZ}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    click.echo(table(report))
    click.echo(f"\n{path}")


if __name__ == "__main__":
    main()
