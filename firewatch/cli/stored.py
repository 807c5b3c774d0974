"""What the commands that read stored history have in common."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta, tzinfo
from pathlib import Path
from typing import Any, TypeVar

import click
import psycopg
from psycopg.conninfo import make_conninfo

from firewatch.app.embedded import EmbeddedDatabase
from firewatch.backtest.period import period_in, read_time
from firewatch.backtest.result import DatabaseHistory, StoredFiles
from firewatch.backtest.run import NoHistoryError, opened
from firewatch.backtest.table import Language
from firewatch.config.settings import Settings
from firewatch.model.duration import parse_duration
from firewatch.storage.columns import Extent
from firewatch.storage.database import connect
from firewatch.storage.migrate import migrate

Command = TypeVar("Command", bound=Callable[..., Any])
Stored = DatabaseHistory | StoredFiles

_STEPS = 1000


class DurationOption(click.ParamType[timedelta]):
    """`12h`, `30d`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read what was written."""
        try:
            return value if isinstance(value, timedelta) else parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


confirmed_option = click.option(
    "--confirmed",
    type=click.Path(path_type=Path, exists=True),
    help='A list of what was real, a line each: "2026-05-03 14:05 sample/garage-smoke-1".',
)


def period_options(command: Command) -> Command:
    """`--from`, `--to` and `--last`: which part of the history."""
    for option in (
        click.option("--last", type=DurationOption(), help="The last of what is stored, such as 12h; else 30d."),
        click.option("--to", "until", help="Until when, at the site's time; the end of what is stored unless given."),
        click.option("--from", "since", help='From when, at the site\'s time: "2026-05-03" or "2026-05-03 14:05".'),
    ):
        command = option(command)
    return command


def history_options(command: Command) -> Command:
    """The period, `--history` and `--config`."""
    for option in (
        click.option(
            "--config", type=click.Path(path_type=Path), help="Settings file; config/firewatch.yaml unless given."
        ),
        click.option(
            "--history",
            type=click.Path(path_type=Path, exists=True),
            help="A history in files, as `firewatch history export` writes it; the settings' database unless given.",
        ),
    ):
        command = option(command)
    return period_options(command)


def extent_of(stored: Stored, since: str | None, until: str | None, last: timedelta | None, zone: tzinfo) -> Extent:
    """The time that is meant."""
    with opened(stored) as source:
        extent = source.extent()
    if extent is None:
        raise NoHistoryError("the history is empty; it fills while `firewatch run` takes readings")
    start, end = (read_time(text, zone) if text is not None else None for text in (since, until))
    return period_in(extent, start, end, last)


@contextmanager
def stored_history(settings: Settings, files: Path | None) -> Iterator[Stored]:
    """The history to read: the files named, the database named in the settings, or firewatch's own.

    Its own is read while the daemon runs, and else started for as long as it is needed.
    """
    if files is not None:
        yield StoredFiles(files)
    elif settings.database.dsn is not None:
        yield DatabaseHistory(_named_database(settings))
    else:
        yield from _own_database(settings.state_directory / "database")


def _named_database(settings: Settings) -> str:
    named = settings.database
    assert named.dsn is not None
    address = named.dsn.get_secret_value()
    if named.password_file is None:
        return address
    return make_conninfo(address, password=named.password_file.read_text().strip())


def _own_database(directory: Path) -> Iterator[Stored]:
    if not directory.exists():
        raise NoHistoryError(
            f"there is no history in {directory.parent}; it fills while `firewatch run` or `firewatch demo` runs. "
            "Another place is named by --history or the settings"
        )
    database = EmbeddedDatabase(directory)
    if _answers(database.address):
        yield DatabaseHistory(database.address)
        return
    with asyncio.Runner() as runner:
        address = runner.run(database.start())
        try:
            runner.run(_migrated(address))
            yield DatabaseHistory(address)
        finally:
            runner.run(database.stop())


async def _migrated(address: str) -> None:
    async with await connect(address, "firewatch migrations") as connection:
        await migrate(connection)


def _answers(address: str) -> bool:
    try:
        psycopg.connect(address, connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[float], None]]:
    """Shows how much is done, on a terminal; what is written to a file stays clean."""
    with click.progressbar(length=_STEPS, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:

        def show(share: float) -> None:
            bar.update(round(share * _STEPS) - bar.pos)

        yield show


def language() -> Language:
    """The reader's, as the environment tells it."""
    return "zh" if os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("zh") else "en"
