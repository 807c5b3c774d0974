"""`firewatch history`: what is stored, and a copy of it in files."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from firewatch.backtest.files import export
from firewatch.backtest.period import zone_of
from firewatch.backtest.result import DatabaseHistory
from firewatch.cli.stored import extent_of, period_options, stored_history
from firewatch.config.problem import ProblemsError
from firewatch.config.project import load_inventory, load_settings
from firewatch.errors import FirewatchError
from firewatch.storage.columns import ColumnReader


@click.group("history", short_help="Copy stored history into files.")
def command() -> None:
    """Copy stored history into files, for a backtest on another machine or for other programs."""


@command.command("export", short_help="Write stored history into a folder.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--format", "form", type=click.Choice(["parquet", "csv"]), default="parquet", show_default=True)
@period_options
@click.option("--config", type=click.Path(path_type=Path), help="Settings file; config/firewatch.yaml unless given.")
def export_history(
    folder: Path, form: str, since: str | None, until: str | None, last: timedelta | None, config: Path | None
) -> None:
    """Write what was taken in some time into FOLDER, which `--history FOLDER` reads again: observations.parquet (or
    .csv), and log.jsonl with what happened to alarms, what operators asked for and when firewatch began to listen.
    """
    try:
        settings = load_settings(config)
        zone = zone_of(load_inventory(settings))
        with stored_history(settings, None) as stored:
            assert isinstance(stored, DatabaseHistory)
            extent = extent_of(stored, since, until, last, zone)
            with ColumnReader(stored.dsn) as reader:
                export(reader, folder, extent.first, extent.last, parquet=form == "parquet")
    except (FirewatchError, ProblemsError) as error:
        raise click.ClickException(str(error)) from None
    first, until_time = (f"{time.astimezone(zone):%Y-%m-%d %H:%M:%S}" for time in extent)
    click.echo(f"{folder}: {first} to {until_time}")
