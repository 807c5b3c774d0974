"""`firewatch status`: how a running daemon is, asked over its own API."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import click

from firewatch.app.address import console_address
from firewatch.config.project import ProblemsError, load_settings

_TIMEOUT_SECONDS = 5


@click.command(name="status")
@click.option("--url", help="The daemon's address; from the settings unless given.")
@click.option("--json", "as_json", is_flag=True, help="The whole answer as JSON.")
@click.option("--config", type=click.Path(path_type=Path), help="Settings file; config/firewatch.yaml unless given.")
def command(url: str | None, as_json: bool, config: Path | None) -> None:
    """Show how a running daemon is: its parts, standing alarms, and input it could not use.

    Exit code: 0 ready, 1 a vital part is not, 2 no daemon answers.
    """
    if url is None:
        try:
            url = console_address(load_settings(config))
        except ProblemsError as error:
            click.echo(str(error), err=True)
            sys.exit(2)
    try:
        status = _get(f"{url}/api/v1/status")
        alarms = _get(f"{url}/api/v1/alarms?standing=true")
    except (URLError, TimeoutError, ValueError) as error:
        click.echo(f"No firewatch answers at {url} ({error}); start one with `firewatch run`.", err=True)
        sys.exit(2)
    if as_json:
        click.echo(json.dumps({"status": status, "alarms": alarms}, ensure_ascii=False, indent=2))
    else:
        _show(status, alarms)
    sys.exit(0 if status["ready"] else 1)


def _get(url: str) -> Any:
    try:
        with urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:
            return json.load(answer)
    except HTTPError as error:
        raise ValueError(f"{error.code} {error.reason}") from error


def _show(status: Any, alarms: Any) -> None:
    click.echo("Parts")
    for part in status["parts"]:
        click.echo(f"  {'ok  ' if part['ready'] else 'NOT '}{part['name']:<36}{part['detail']}")
    hidden = sum(alarm["hidden"] for alarm in alarms["alarms"])
    click.echo(f"\nStanding alarms: {len(alarms['alarms'])}, {hidden} of them hidden")
    for alarm in alarms["alarms"]:
        mark = "hidden" if alarm["hidden"] else ""
        click.echo(f"  {alarm['state']:<24}{mark:<8}{alarm['priority']:<9}{alarm['text']['en']}")
    counts = status["rejection_counts"]
    click.echo(f"\nInput that could not be used: {sum(counts.values())}")
    for reason, count in sorted(counts.items(), key=lambda item: -item[1]):
        click.echo(f"  {count:>8}  {reason}")
    for rejection in status["rejections"][:5]:
        click.echo(f"  last: {rejection['source']}: {rejection['reason']}: {rejection['detail']}")
