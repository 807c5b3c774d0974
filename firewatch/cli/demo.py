"""`firewatch demo`: the whole product on one machine, with a simulated compound and a story."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import click

from firewatch.app.demo import Demo, scenario_names
from firewatch.config.project import ProblemsError, load_project, load_settings
from firewatch.errors import FirewatchError


@click.command(name="demo")
@click.option("--scenario", default="e-bike", show_default=True, help="Which story is played.")
@click.option("--list", "list_scenarios", is_flag=True, help="List the stories and end.")
@click.option("--config", type=click.Path(path_type=Path), help="Settings file; config/firewatch.yaml unless given.")
def command(scenario: str, list_scenarios: bool, config: Path | None) -> None:
    """Start broker, database, daemon, console and a simulated compound, and play a story.

    A broker or database named in the settings is used in place of the one firewatch brings along.
    Ctrl-C stops everything.
    """
    stories = scenario_names()
    if list_scenarios:
        for name, title in stories.items():
            click.echo(f"{name:<20}{title}")
        return
    if scenario not in stories:
        raise click.BadParameter(f"there is no story {scenario!r}; choose one of {', '.join(stories)}")
    try:
        settings = load_settings(config)
        load_project(settings)
    except ProblemsError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    chinese = os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("zh")
    try:
        asyncio.run(_run(Demo(settings, config, scenario, say=click.echo, chinese=chinese)))
    except FirewatchError as error:
        click.echo(f"\nThe demo cannot go on: {error}", err=True)
        sys.exit(1)


async def _run(demo: Demo) -> None:
    task = asyncio.current_task()
    assert task is not None
    for asked in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(asked, task.cancel)
    try:
        await demo.run()
    except asyncio.CancelledError:
        click.echo("\nEverything has stopped.")
