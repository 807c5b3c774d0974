"""`firewatch report`: what a month was like, for whoever answers for the control room."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import click
import msgspec

from firewatch.app.clock import SystemClock
from firewatch.backtest.result import DatabaseHistory
from firewatch.cli.language import Language
from firewatch.cli.language import language as readers_language
from firewatch.cli.stored import progress_bar, stored_history
from firewatch.config.problem import ProblemsError, did_you_mean
from firewatch.config.project import load_project, load_settings
from firewatch.errors import FirewatchError
from firewatch.model.seat import ControlRoom, Seat
from firewatch.report.month import last_month, read_month
from firewatch.report.page import html_report
from firewatch.report.table import csv_report
from firewatch.report.text import Words
from firewatch.report.workload import WorkloadReport, WorkloadRequest, report_workload


@click.group("report", short_help="Say what a month was like.")
def command() -> None:
    """Say what a month was like."""


@command.command("workload", short_help="The work that alarms made a seat in a month.")
@click.option("--month", help="Which month, such as 2026-10; the last one that is over unless given.")
@click.option("--seat", help="Whose workload; the first seat's unless given.")
@click.option(
    "--format", "form", type=click.Choice(["html", "csv", "json"]), default="html", show_default=True, help="How."
)
@click.option(
    "--language", type=click.Choice(["zh", "en"]), help="The words; those of the terminal's language unless given."
)
@click.option("--config", type=click.Path(path_type=Path), help="Settings file; config/firewatch.yaml unless given.")
def workload(month: str | None, seat: str | None, form: str, language: Language | None, config: Path | None) -> None:
    """Write how many alarms a seat was told of in a month, how they came, whether in time, and what would have spared
    some of them, beside what ISA-18.2 and EEMUA 191 want: a page to be printed, a table or JSON.

    Advice comes from playing the month to the rules that alarm most; it never loses an alarm confirmed as real.

    \b
    firewatch report workload --month 2026-10 > workload.html
    """  # noqa: D301 - click wants the character itself
    try:
        settings = load_settings(config)
        project = load_project(settings)
        chosen = _seat(seat, project.control_room)
        now, zone = SystemClock().now(), ZoneInfo(chosen.time_zone)
        with stored_history(settings, None) as stored, progress_bar("advice") as show:
            assert isinstance(stored, DatabaseHistory)
            request = WorkloadRequest(
                history=stored,
                inventory=project.inventory,
                rules=project.effective,
                room=project.control_room,
                seat=chosen,
                month=read_month(month, zone) if month is not None else last_month(now, zone),
                now=now,
            )
            report = report_workload(request, show)
    except (FirewatchError, ProblemsError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(_written(report, form, Words(language or readers_language(), chosen.time_zone)), nl=False)


def _seat(name: str | None, room: ControlRoom) -> Seat:
    if name is None:
        return room.seats[0]
    seat = room.seat(name)
    if seat is None:
        hint = did_you_mean(name, sorted(one.id for one in room.seats))
        raise click.BadParameter(f'there is no seat "{name}"; {hint}'.rstrip("; "), param_hint="--seat")
    return seat


def _written(report: WorkloadReport, form: str, words: Words) -> str:
    if form == "json":
        return msgspec.json.format(msgspec.json.encode(report)).decode() + "\n"
    return csv_report(report, words) if form == "csv" else html_report(report, words)
