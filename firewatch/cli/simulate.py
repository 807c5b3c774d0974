"""`firewatch simulate`: a compound's sensors and actuators without hardware, each system a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path
from types import FrameType

import click

from firewatch.app.clock import SystemClock
from firewatch.app.tether import tethered
from firewatch.config.project import ProblemsError, load_settings
from firewatch.config.settings import Settings
from simulators.commands import DEFAULT_SCENARIO, SIMULATORS, scenario_names, scenario_path, simulator_commands

__all__ = ["command", "simulator_commands"]

STOP_TIMEOUT_SECONDS = 5.0
_LOOK_INTERVAL_SECONDS = 0.2


@click.command(name="simulate")
@click.argument("names", nargs=-1, type=click.Choice(SIMULATORS))
@click.option("--broker", metavar="URL", help="The MQTT broker; mqtt.url of the settings unless given.")
@click.option(
    "--site",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=Path("config/sites/sample.yaml"),
    show_default=True,
    help="The site's YAML file.",
)
@click.option(
    "--scenario",
    default=DEFAULT_SCENARIO,
    show_default=True,
    help=f"The story to play: {', '.join(scenario_names())}, or a YAML file.",
)
@click.option(
    "--camera-port", type=click.IntRange(0, 65535), default=8090, show_default=True, help="The video server's port."
)
@click.option("--config", type=click.Path(path_type=Path), help="Settings file; config/firewatch.yaml unless given.")
def command(
    names: tuple[str, ...],
    broker: str | None,
    site: Path,
    scenario: str,
    camera_port: int,
    config: Path | None,
) -> None:
    """Run simulators until Ctrl-C: all, or only those named.

    They know nothing of firewatch but its MQTT contract, so they serve any broker that firewatch listens to.
    """
    try:
        settings = load_settings(config)
        story = scenario_path(scenario)
    except ProblemsError as error:
        raise click.ClickException(str(error)) from error
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    commands = simulator_commands(
        _broker_url(broker, settings), site, story, SystemClock().now(), camera_port, prefix=settings.mqtt.prefix
    )
    sys.exit(_run({name: commands[name] for name in names or SIMULATORS}))


def _broker_url(given: str | None, settings: Settings) -> str:
    url = given or settings.mqtt.url
    if url is None:
        raise click.UsageError("no broker: give --broker mqtt://HOST:PORT, or name one in the settings as mqtt.url")
    return url


def _run(commands: dict[str, list[str]]) -> int:
    """Run the processes until one ends by itself or a signal comes, and end them all; returns the exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    children: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, arguments in commands.items():
            children[name] = subprocess.Popen(tethered(arguments, signal.SIGTERM), start_new_session=True)
        while True:
            for name, child in children.items():
                if child.poll() is not None:
                    click.echo(f"The {name} simulator has ended by itself (exit code {child.returncode}).", err=True)
                    return 1
            time.sleep(_LOOK_INTERVAL_SECONDS)
    except KeyboardInterrupt:
        return 0
    finally:
        _stop(children.values())


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _stop(children: Collection[subprocess.Popen[bytes]]) -> None:
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
