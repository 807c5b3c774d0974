"""The command `firewatch` and its sub-commands; each lives in a module of its own and is loaded when called."""

from __future__ import annotations

import importlib
from typing import Any

import click

from firewatch import __version__

COMMANDS = {
    "run": "firewatch.cli.run",
    "demo": "firewatch.cli.demo",
    "status": "firewatch.cli.status",
    "explain": "firewatch.cli.explain",
    "reload": "firewatch.cli.reload",
    "notify": "firewatch.cli.notify",
    "drill": "firewatch.cli.drill",
    "check": "firewatch.cli.check",
    "test": "firewatch.cli.test",
    "rules": "firewatch.cli.rules",
    "backtest": "firewatch.cli.backtest",
    "tune": "firewatch.cli.tune",
    "report": "firewatch.cli.report",
    "history": "firewatch.cli.history",
    "simulate": "firewatch.cli.simulate",
}


class LazyCommands(click.Group):
    """Imports a sub-command's module only when it is needed, so that help and check start quickly."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the `command` object of the sub-command's module."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        found: Any = importlib.import_module(module).command
        command: click.Command = found
        return command


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="firewatch")
def main() -> None:
    """Watch the fire safety of residential compounds.

    \b
    New here?   firewatch demo      starts everything with a simulated compound
    With rules? firewatch check     lists every mistake in settings, sites and rules
                firewatch test      runs the rules' own tests
                firewatch rules     says which there are, and where their numbers come from
                firewatch backtest  says what they would have done with the history
                firewatch tune      says which numbers would have spared chatter
    In service: firewatch run       the daemon
                firewatch status    how it is
                firewatch explain   why there is an alarm, or why there is none
                firewatch reload    take over changed rules
                firewatch report    what a month's alarms were like
                firewatch notify    try whether a notification arrives
                firewatch drill     rehearse an emergency through the whole chain
    """  # noqa: D301 - click wants the character itself
