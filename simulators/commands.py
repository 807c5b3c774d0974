"""How the simulator processes are started: their names, command lines and the scenarios that come with them."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

SIMULATORS = ("water", "lift", "garage", "building", "camera", "actuators")
SCENARIOS = Path(__file__).parent / "scenarios"
"""Where the scenarios lie that come with firewatch."""
DEFAULT_SCENARIO = "e-bike"


def scenario_names() -> list[str]:
    """The scenarios that come with firewatch."""
    return sorted(path.stem for path in SCENARIOS.glob("*.yaml"))


def scenario_path(name: str) -> Path:
    """The file of a scenario that comes with firewatch, or of one named by its path.

    Raises:
        ValueError: there is no such scenario; the message names those there are.
    """
    shipped = SCENARIOS / f"{name}.yaml"
    if name in scenario_names():
        return shipped
    if Path(name).is_file():
        return Path(name)
    raise ValueError(f'no scenario "{name}"; there are {", ".join(scenario_names())}, or name a YAML file')


def simulator_commands(
    broker_url: str | None,
    site: Path,
    scenario: Path | None,
    start_time: datetime,
    camera_port: int,
    *,
    prefix: str | None = None,
) -> dict[str, list[str]]:
    """The command line of each simulator process, by its name. `start_time` is when the scenario starts.

    Without `broker_url` the processes take the broker from their environment (`simulators.device.Broker.environment`).
    """
    shared = ["--site", str(site), "--start-time", start_time.isoformat()]
    if broker_url is not None:
        shared += ["--broker", broker_url]
    if scenario is not None:
        shared += ["--scenario", str(scenario)]
    if prefix is not None:
        shared += ["--prefix", prefix]
    commands = {name: [sys.executable, "-m", f"simulators.{name}", *shared] for name in SIMULATORS}
    commands["camera"] += ["--port", str(camera_port)]
    return commands
