"""`firewatch backtest`: what rules would have said, and how that differs from what was said."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import click
import msgspec

from firewatch.backtest.period import read_realities, zone_of
from firewatch.backtest.result import BacktestRequest
from firewatch.backtest.run import run_backtest
from firewatch.backtest.table import shown
from firewatch.cli.stored import confirmed_option, extent_of, history_options, language, progress_bar, stored_history
from firewatch.config.problem import ProblemsError
from firewatch.config.project import Project, load_project, load_rules, load_settings
from firewatch.errors import FirewatchError
from firewatch.rules.spec import RuleSpec

EXIT_LOST = 3


@click.command("backtest", short_help="Say what rules would have done with the history, and what would differ.")
@click.argument("rules", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--against",
    default="recorded",
    show_default=True,
    metavar="recorded|live|PATH",
    help="What to compare with: what really happened, the settings' rules, or rules in another place.",
)
@confirmed_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@history_options
def command(
    rules: tuple[Path, ...],
    against: str,
    confirmed: Path | None,
    form: str,
    since: str | None,
    until: str | None,
    last: timedelta | None,
    history: Path | None,
    config: Path | None,
) -> None:
    """Play stored history to RULES, files or folders (the settings' rules unless given), by the engine that runs in
    service, and say which alarms would be added, removed or told at another time.

    Shadow rules among them are tried as if they were live. An alarm counts as confirmed if an operator confirmed it
    as real, if its acknowledgement's comment has the word #confirmed (or #属实), or if it is on the list.

    \b
    Exit code   0 done, 1 it could not be done, 3 a confirmed alarm would be lost
    """  # noqa: D301 - click wants the character itself
    try:
        settings = load_settings(config)
        project = load_project(settings)
        zone = zone_of(project.inventory)
        with stored_history(settings, history) as stored:
            extent = extent_of(stored, since, until, last, zone)
            request = BacktestRequest(
                history=stored,
                inventory=project.inventory,
                rules=load_rules(rules, project.inventory) if rules else project.rules,
                start=extent.first,
                end=extent.last,
                against=_compared(against, project),
                name=", ".join(map(str, rules)) or str(settings.rules),
                against_name=against,
                realities=read_realities(confirmed, zone) if confirmed is not None else (),
            )
            with progress_bar("backtest") as show:
                result = run_backtest(request, show)
    except (FirewatchError, ProblemsError) as error:
        raise click.ClickException(str(error)) from None
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(result)))
    else:
        click.echo(shown(result, language(), zone))
    sys.exit(EXIT_LOST if any(one.is_lost for one in result.realities) else 0)


def _compared(against: str, project: Project) -> tuple[RuleSpec, ...] | None:
    if against == "recorded":
        return None
    if against == "live":
        return project.rules
    path = Path(against)
    if not path.exists():
        raise click.BadParameter(
            f'"{against}" is neither "recorded", nor "live", nor a file or folder with rules', param_hint="--against"
        )
    return load_rules([path], project.inventory)
