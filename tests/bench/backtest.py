"""`python -m tests.bench.backtest`: how fast stored history goes through the shipped rules, on one core.

See docs/benchmarks.md. Nothing here passes or fails by a time: a figure is for comparing, on one machine.
"""

from __future__ import annotations

import time
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import msgspec
import numpy as np
from msgspec.structs import replace

from firewatch.backtest.replay import Player
from firewatch.config.project import Project, load_project
from firewatch.config.settings import Settings
from firewatch.model.alarm import AlarmTransition
from firewatch.model.site import Device, DeviceKind, Inventory, Signal, SignalType
from firewatch.rules.compile import compile_rules
from firewatch.storage.columns import FLAG, NUMBER, STATE, Columns
from tests.bench.report import Environment, environment

START = datetime(2026, 3, 1, tzinfo=UTC)
COPIES = 20
"""How often every device of the sample compound is there: a compound of about a thousand devices."""

REPORT_SECONDS = 5.0
FRAME_SECONDS = 0.2
USUAL = {"pressure": 0.30, "level": 2.0, "people": 2.0, "temperature": 21.0, "co": 3.0, "floor": 1.0}
"""Where a number hovers; 0 where it is not named."""


class Replayed(msgspec.Struct, frozen=True):
    """One way through the same history."""

    way: str
    observations_a_second: float
    judged: int
    transitions: int


class BacktestReport(msgspec.Struct, frozen=True):
    """Everything one run found. `ratio` is how many times faster the thinned way is."""

    measured_time: datetime
    environment: Environment
    devices: int
    rules: int
    observations: int
    replayed: list[Replayed]
    ratio: float


def copied(project: Project) -> Inventory:
    """The sample compound, every asset and device so many times."""
    (site,) = project.inventory.sites[:1]
    copies = range(COPIES)
    larger = replace(
        site,
        assets=tuple(replace(asset, id=f"{asset.id}-{number}") for number in copies for asset in site.assets),
        devices=tuple(
            replace(device, id=f"{device.id}-{number}", asset=device.asset and f"{device.asset}-{number}")
            for number in copies
            for device in site.devices
        ),
    )
    return replace(project.inventory, sites=(larger,))


def history(inventory: Inventory, signals: list[str], states: list[str], seconds: float) -> Columns:
    """A quiet time: every device reports every 5 s, cameras score five frames a second, nothing is wrong."""
    (site,) = inventory.sites
    chance = np.random.default_rng(1)
    codes = {signal: code for code, signal in enumerate(signals)}
    parts = [
        _readings(code, signal, kind, _offset(device, kind), seconds, states, chance)
        for device in site.devices
        for kind in (inventory.kinds[device.kind],)
        for signal in kind.signals
        if (code := codes.get(f"{site.id}/{device.id}/{signal.name}")) is not None
    ]
    code, offset, sort, number, state = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(offset, kind="stable")
    event = int(START.timestamp()) * 1_000_000 + (offset[order] * 1e6).astype("i8")
    return Columns(
        ordinal=np.arange(len(order)),
        taken=event + 2_000,
        signal=code[order].astype("i4"),
        kind=sort[order].astype("i2"),
        number=number[order],
        state=state[order].astype("i4"),
        quality=np.zeros(len(order), dtype="i2"),
        source=event,
        receive=event + 1_000,
        event=event,
    )


def _offset(device: Device, kind: DeviceKind) -> float:
    """Devices do not speak all at once; one device's signals come in one message."""
    return zlib.crc32(device.id.encode()) % 1000 / 1000 * (FRAME_SECONDS if kind.system == "camera" else REPORT_SECONDS)


def _readings(
    code: int,
    signal: Signal,
    kind: DeviceKind,
    offset: float,
    seconds: float,
    states: list[str],
    chance: np.random.Generator,
) -> tuple[np.ndarray, ...]:
    is_score = kind.system == "camera" and signal.type is SignalType.NUMBER
    times = np.arange(offset, seconds, FRAME_SECONDS if is_score else REPORT_SECONDS)
    size = len(times)
    sort = {SignalType.NUMBER: NUMBER, SignalType.BOOLEAN: FLAG, SignalType.STATE: STATE}[signal.type]
    number = np.zeros(size)
    if is_score:
        number = chance.random(size) * 0.05
    elif signal.name in ("people", "floor"):
        number[:] = USUAL[signal.name]
    elif sort == NUMBER:
        number = USUAL.get(signal.name, 0.0) + chance.random(size) * 0.02
    state = np.full(size, states.index(signal.states[0]) if signal.states else -1)
    return np.full(size, code), times, np.full(size, sort), number, state


def replayed(
    way: str, project: Project, inventory: Inventory, page: Columns, signals: list[str], states: list[str]
) -> Replayed:
    """Seconds are the processor's; reading the history and compiling the rules are left out."""
    told: list[AlarmTransition] = []
    player = Player(project.rules, inventory, signals, states, told.append, thinned=way == "thinned")
    player.start(START, [], [])
    begun = time.process_time()
    player.play(page)
    seconds = time.process_time() - begun
    return Replayed(way, len(page) / seconds, player.taken, len(told))


def table(report: BacktestReport) -> str:
    """The figures, line by line."""
    lines = [
        f"{report.devices:,} devices, {report.rules:,} rules, {report.observations:,} observations, load "
        f"{report.environment.load_average:.1f}",
        f"{'way':<10} {'observations/s':>15} {'judged':>12} {'transitions':>12}",
    ]
    lines += [
        f"{one.way:<10} {one.observations_a_second:>15,.0f} {one.judged:>12,} {one.transitions:>12,}"
        for one in report.replayed
    ]
    return "\n".join([*lines, f"{report.ratio:.1f} times as fast"])


@click.command()
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Where the figures go, if anywhere.")
@click.option("--minutes", default=20.0, show_default=True, help="How long the history is.")
def main(json_path: Path | None, minutes: float) -> None:
    """Measure how fast a backtest goes, and how fast it went without leaving anything out."""
    project = load_project(Settings())
    inventory = copied(project)
    (site,) = inventory.sites
    signals = sorted({s for one in compile_rules(project.rules, inventory) for s in one.evaluator.signals})
    states = sorted({state for kind in inventory.kinds.values() for one in kind.signals for state in one.states})
    page = history(inventory, signals, states, timedelta(minutes=minutes).total_seconds())
    ways = [replayed(way, project, inventory, page, signals, states) for way in ("thinned", "everything")]
    report = BacktestReport(
        measured_time=datetime.now(UTC),
        environment=environment("no database"),
        devices=len(site.devices),
        rules=len(project.rules),
        observations=len(page),
        replayed=ways,
        ratio=ways[0].observations_a_second / ways[1].observations_a_second,
    )
    if json_path is not None:
        json_path.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    click.echo(table(report))


if __name__ == "__main__":
    main()
