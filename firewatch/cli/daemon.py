"""A running daemon, asked over its own API by the commands that need one."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import click

from firewatch.app.address import console_address
from firewatch.config.problem import ProblemsError
from firewatch.config.project import load_settings
from firewatch.errors import FirewatchError

EXIT_NO_DAEMON = 2

_QUICK = timedelta(seconds=5)

Command = TypeVar("Command", bound=Callable[..., Any])


class RefusedRequestError(FirewatchError):
    """The daemon answered, and did not do it; the message is its own, with the way out."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def daemon_options(command: Command) -> Command:
    """`--url`, `--json` and `--config`."""
    for option in (
        click.option(
            "--config", type=click.Path(path_type=Path), help="Settings file; config/firewatch.yaml unless given."
        ),
        click.option("--json", "as_json", is_flag=True, help="The whole answer as JSON."),
        click.option("--url", help="The daemon's address; from the settings unless given."),
    ):
        command = option(command)
    return command


def login() -> str:
    """The name that somebody is logged in with, to say who asks."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container whose user has no name
        return f"user {os.getuid()}"


class Daemon:
    """Ends the program with a sentence and exit code 2 where no daemon answers."""

    def __init__(self, url: str | None, config: Path | None) -> None:
        self._url = (url or _address(config)).rstrip("/")

    def get(self, path: str, **query: str) -> Any:
        """The answer to `/api/v1/PATH`.

        Raises:
            RefusedRequestError: there is no such thing, or it cannot be told.
        """
        return self._ask(Request(f"{self._url}/api/v1/{path}{f'?{urlencode(query)}' if query else ''}"), _QUICK)

    def post(self, path: str, body: dict[str, Any], patience: timedelta = _QUICK) -> Any:
        """The answer to `/api/v1/PATH`, asked to do something.

        Raises:
            RefusedRequestError: it was not done.
        """
        headers = {"Content-Type": "application/json", "Origin": self._url}
        return self._ask(Request(f"{self._url}/api/v1/{path}", json.dumps(body).encode(), headers), patience)

    def _ask(self, request: Request, patience: timedelta) -> Any:
        try:
            with urlopen(request, timeout=patience.total_seconds()) as answer:
                return json.load(answer)
        except HTTPError as error:
            raise RefusedRequestError(error.code, _reason(error)) from error
        except (URLError, TimeoutError, ValueError, OSError) as error:
            why = _plain(error.reason if isinstance(error, URLError) else error)
            _end(
                f"No firewatch answers at {self._url} ({why}); start one with `firewatch run`, or name another address "
                "with --url."
            )


def _address(config: Path | None) -> str:
    try:
        return console_address(load_settings(config))
    except ProblemsError as error:
        _end(str(error))


def _plain(error: object) -> str:
    """The system's own words, without their number."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _end(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(EXIT_NO_DAEMON)


def _reason(error: HTTPError) -> str:
    try:
        told = json.load(error)["error"]
        return f"{told['what']} {told['hint']}"
    except (ValueError, KeyError, TypeError):
        return f"{error.code} {error.reason}"
