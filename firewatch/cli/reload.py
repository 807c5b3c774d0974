"""`firewatch reload`: have a running daemon take over the rules on disk, asked over its own API."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from firewatch.cli.daemon import Daemon, RefusedRequestError, daemon_options, login

_PATIENCE = timedelta(minutes=2)
"""Reading and checking ten thousand rules takes a while."""


@click.command(name="reload")
@click.option("--operator", help="Who asks, for the record; the name you are logged in with unless given.")
@daemon_options
def command(operator: str | None, url: str | None, as_json: bool, config: Path | None) -> None:
    """Have a running daemon take over the rules on disk, and show what that changed.

    It does so by itself when a file changes; this says at once whether all is well.

    Exit code: 0 they run now, 1 they are wrong and nothing was changed, 2 no daemon answers.
    """
    body = {"operator": operator or login()}
    try:
        reload = Daemon(url, config).post("rules/reload", body, _PATIENCE)
    except RefusedRequestError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps(reload, ensure_ascii=False, indent=2))
    else:
        _show(reload)
    sys.exit(1 if reload["outcome"] == "refused" else 0)


def _show(reload: Any) -> None:
    if reload["outcome"] == "refused":
        click.echo("Nothing was changed; the rules on disk are wrong:")
        for problem in reload["problems"]:
            click.echo(f"  {problem['text']}")
        return
    if reload["outcome"] == "unchanged":
        click.echo("The rules on disk are those that run already.")
        return
    report = reload["report"]
    click.echo(f"The rules on disk run now; {report['unchanged']} did not change and go on where they were.")
    for rule in report["rules"]:
        click.echo(f"  {rule['difference']:<10}{rule['rule']}{_counted(rule)}")
    if reload["difference"]:
        click.echo(f"\n{reload['difference']}")


def _counted(rule: dict[str, Any]) -> str:
    """What became of its subjects and alarms, in words."""
    parts = [
        f"{value if isinstance(value, int) else len(value)} {name.replace('_', ' ')}"
        for name, value in rule.items()
        if name not in ("rule", "difference")
    ]
    return f": {', '.join(parts)}" if parts else ""
