"""`firewatch notify`: try whether a target of notifications can be reached, asked of a running daemon."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import click

from firewatch.cli.daemon import Daemon, RefusedRequestError, daemon_options, login

_PATIENCE = timedelta(seconds=20)
"""Longer than the daemon gives a receiver."""


@click.group("notify", short_help="Try whether a notification arrives.")
def command() -> None:
    """Try whether notifications arrive where they are sent."""


@command.command("test", short_help="Send a test to a target, through a running daemon.")
@click.argument("target")
@click.option("--operator", help="Who asks, for the record; the name you are logged in with unless given.")
@daemon_options
def test(target: str, operator: str | None, url: str | None, as_json: bool, config: Path | None) -> None:
    """Send a test message to TARGET, by its id in the notifications' file, at once and once.

    It goes past everything that waits for the target, and says that it is a test.

    Exit code: 0 the receiver took it, 1 it did not, or there is no such target, 2 no daemon answers.
    """
    try:
        path = f"notification-targets/{quote(target, safe='')}/test"
        delivery = Daemon(url, config).post(path, {"operator": operator or login()}, _PATIENCE)
    except RefusedRequestError as error:
        raise click.ClickException(str(error)) from None
    arrived = delivery["state"] == "delivered"
    if as_json:
        click.echo(json.dumps(delivery, ensure_ascii=False, indent=2))
    elif arrived:
        click.echo(f"{target} took the test.")
    else:
        click.echo(f"{target} did not take the test: {delivery['error']}")
    sys.exit(0 if arrived else 1)
