"""`firewatch run`: the daemon."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import click
import structlog

from firewatch.app.app import App
from firewatch.config.project import ProblemsError, Project, load_project, load_settings
from firewatch.config.settings import Settings
from firewatch.errors import FirewatchError
from firewatch.telemetry.logs import configure_logging

log = structlog.get_logger("firewatch")


@click.command(name="run")
@click.option("--config", type=click.Path(path_type=Path), help="Settings file; config/firewatch.yaml unless given.")
def command(config: Path | None) -> None:
    """Run the daemon until it is told to stop (Ctrl-C or SIGTERM).

    Everything is checked first; with a mistake in any file nothing is started and the exit code is 1.
    """
    try:
        settings = load_settings(config)
        project = load_project(settings)
    except ProblemsError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    configure_logging(log_format=settings.log.format, level=settings.log.level)
    try:
        asyncio.run(_run(settings, project))
    except FirewatchError as error:
        log.error("firewatch cannot start.", reason=str(error))
        sys.exit(1)


async def _start(settings: Settings, project: Project) -> tuple[App, str]:
    app = App(settings, project)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, app.reload_rules)
    return app, await app.start()


async def _run(settings: Settings, project: Project) -> None:
    running_loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    starting = running_loop.create_task(_start(settings, project))
    for asked in (signal.SIGINT, signal.SIGTERM):
        running_loop.add_signal_handler(asked, starting.cancel)
    try:
        app, address = await starting
    except asyncio.CancelledError:
        log.info("firewatch was stopped while it started.")
        return
    for asked in (signal.SIGINT, signal.SIGTERM):
        running_loop.add_signal_handler(asked, stop.set)
    log.info("firewatch is up.", console=address, rules=len(project.rules))
    await stop.wait()
    log.info("firewatch is stopping.")
    await app.stop()
    log.info("firewatch has stopped.")
