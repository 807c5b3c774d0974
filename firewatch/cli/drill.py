"""`firewatch drill`: what can be rehearsed, rehearsing it, and what came of it, asked of a running daemon."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from firewatch.cli.daemon import Daemon, RefusedRequestError, daemon_options, login
from firewatch.cli.language import Language
from firewatch.cli.language import language as readers_language
from firewatch.model.drill import DrillOutcome

EXIT_NOT_PASSED = 1

_PATIENCE = timedelta(seconds=30)
"""Compiling ten thousand rules for a drill takes a while."""


@click.group("drill", short_help="Rehearse an emergency through the whole chain.")
def command() -> None:
    """Rehearse an emergency through the whole chain, marked as a drill everywhere; what is real breaks through."""


@command.command("plans", short_help="Say which drills can be run.")
@daemon_options
def plans(url: str | None, as_json: bool, config: Path | None) -> None:
    """Say which drills a running daemon can run."""
    found = _asked(lambda daemon: daemon.get("drill-plans"), url, config)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for plan in found["plans"]:
        click.echo(f"{plan['plan']:<24}{plan['label'][readers_language()]}")
    if not found["plans"]:
        click.echo("There are no drill plans: the settings name none (`drills: config/drills`).")


@command.command("start", short_help="Have a drill run.")
@click.argument("plan")
@click.option("--operator", help="Who asks, for the record; the name you are logged in with unless given.")
@daemon_options
def start(plan: str, operator: str | None, url: str | None, as_json: bool, config: Path | None) -> None:
    """Have a running daemon run the drill PLAN.

    Exit code: 0 it goes on, 1 it was refused, 2 no daemon answers.
    """
    body = {"plan": plan, "operator": operator or login()}
    drill = _asked(lambda daemon: daemon.post("drills", body, _PATIENCE), url, config)
    if as_json:
        click.echo(json.dumps(drill, ensure_ascii=False, indent=2))
    else:
        click.echo(f"The drill {plan} goes on: {drill['drill_id']}")


@command.command("stop", short_help="End a drill.")
@click.argument("drill_id", required=False)
@click.option("--operator", help="Who asks, for the record; the name you are logged in with unless given.")
@daemon_options
def stop(drill_id: str | None, operator: str | None, url: str | None, as_json: bool, config: Path | None) -> None:
    """End the drill DRILL_ID, the newest one unless given; what it held is let go at once.

    Exit code: 0 it has ended, 1 it did not go on, 2 no daemon answers.
    """

    def ask(daemon: Daemon) -> Any:
        path = f"drills/{quote(drill_id or _newest(daemon), safe='')}/stop"
        return daemon.post(path, {"operator": operator or login()}, _PATIENCE)

    drill = _asked(ask, url, config)
    if as_json:
        click.echo(json.dumps(drill, ensure_ascii=False, indent=2))
    else:
        click.echo(f"The drill {drill['plan']} has ended: firewatch drill report {drill['drill_id']}")


@command.command("report", short_help="Say what a drill showed.")
@click.argument("drill_id", required=False)
@daemon_options
def report(drill_id: str | None, url: str | None, as_json: bool, config: Path | None) -> None:
    """Say what the drill DRILL_ID, the newest one unless given, showed: what was expected and whether it came in time,
    each stage of every alarm's way against its limits, and what was really asked and told.

    Exit code: 0 everything expected came in time, 1 not so, or not yet, 2 no daemon answers.
    """
    path = "drills/{}".format
    found = _asked(lambda daemon: daemon.get(path(quote(drill_id or _newest(daemon), safe=""))), url, config)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        for line in _lines(found["drill"], found["report"], readers_language()):
            click.echo(line)
    sys.exit(0 if found["report"] is not None and found["report"]["passed"] else EXIT_NOT_PASSED)


def _asked(ask: Any, url: str | None, config: Path | None) -> Any:
    try:
        return ask(Daemon(url, config))
    except RefusedRequestError as error:
        raise click.ClickException(str(error)) from None


def _newest(daemon: Daemon) -> str:
    drills = daemon.get("drills", limit="1")["drills"]
    if not drills:
        raise click.ClickException("There was no drill yet; `firewatch drill plans` lists what can be run.")
    return str(drills[0]["drill_id"])


def _lines(drill: Any, report: Any, language: Language) -> Iterator[str]:
    label = report["label"][language] if report is not None else drill["plan"]
    outcome = getattr(DrillOutcome(drill["outcome"]).text, language) if drill["outcome"] else "goes on"
    yield f"{drill['drill_id']}  {label} ({drill['plan']}), by {drill['by']} at {drill['begun_time']}: {outcome}"
    if report is None:
        return
    if report["detail"]:
        yield f"  {report['detail']}"
    begun = datetime.fromisoformat(drill["begun_time"])
    yield "\nExpected"
    for each in report["expected"]:
        yield f"  {each['verdict']:<8} {_after(each['met_time'], begun):>8}  {_expectation(each['expectation'])}"
    yield "\nAlarms"
    for each in report["alarms"]:
        yield f"  {each['alarm']['priority']:<8} {each['alarm']['state']:<22} {each['alarm']['text'][language]}"
        way = each["way"]
        if way is not None:
            stages = ", ".join(f"{step['stage']} {_after(step['reached_time'], begun)}" for step in way["steps"])
            yield f"           {stages}"
            for limit in way["deadlines"]:
                clause = f"{limit['limit']['since']} to {limit['limit']['stage']}, {limit['limit']['clause']}"
                yield f"           {limit['verdict']:<8} {clause}"
    yield "\nCommands"
    for each in report["commands"]:
        asked = each["command"]
        state = each["state"] or f"withheld ({each['withheld']})"
        yield f"  {state:<26} {_after(asked['issued_time'], begun):>8}  {asked['device']} {asked['action']}"
    yield "\nMessages"
    for each in report["messages"]:
        yield f"  {each['state'] or 'withheld':<10} {_after(each['ended_time'], begun):>8}  {each['target']}"


def _after(time: str | None, begun: datetime) -> str:
    return "-" if time is None else f"{(datetime.fromisoformat(time) - begun).total_seconds():.2f} s"


def _expectation(expectation: Any) -> str:
    if expectation["rule"] is not None:
        return f"{expectation['rule']} about {expectation['subject']}"
    if expectation["device"] is not None:
        return f"{expectation['device']} {expectation['action']}{' proven' * expectation['proven']}"
    return f"{expectation['told']} told"
