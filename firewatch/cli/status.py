"""`firewatch status`: how a running daemon is, asked over its own API."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from firewatch.cli.daemon import Daemon, RefusedRequestError, daemon_options


@click.command(name="status")
@daemon_options
def command(url: str | None, as_json: bool, config: Path | None) -> None:
    """Show how a running daemon is: its parts, standing alarms, and input it could not use.

    Exit code: 0 ready, 1 a vital part is not, 2 no daemon answers.
    """
    daemon = Daemon(url, config)
    try:
        status, alarms = daemon.get("status"), daemon.get("alarms", standing="true")
    except RefusedRequestError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps({"status": status, "alarms": alarms}, ensure_ascii=False, indent=2))
    else:
        _show(status, alarms)
    sys.exit(0 if status["ready"] else 1)


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
