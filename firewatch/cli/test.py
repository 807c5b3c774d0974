"""`firewatch test`: the rules' own tests, run by the engine that runs in service."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from firewatch.config.problem import ProblemsError
from firewatch.config.project import load_inventory, load_settings
from firewatch.testing.play import Outcome, play
from firewatch.testing.scenario import load_scenarios, scenario_files


@click.command("test", short_help="Run the rules' own tests (.test.yaml).")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--config", type=click.Path(path_type=Path), help="Settings file; config/firewatch.yaml unless given.")
@click.option("-v", "--verbose", is_flag=True, help="Name the tests that passed, too.")
def command(paths: tuple[Path, ...], config: Path | None, verbose: bool) -> None:
    """Run the rule tests in PATHS, files or folders; without PATHS those beside the settings' rules.

    \b
    Each failure reads   file:line:column: where: what was expected, what came
    Exit code            0 all passed, 1 some failed or could not be read
    """  # noqa: D301 - click wants the character itself
    try:
        settings = load_settings(config)
        inventory = load_inventory(settings)
    except ProblemsError as error:
        raise click.ClickException(str(error)) from None
    files = scenario_files(paths or (settings.rules,))
    if not files:
        raise click.ClickException("there are no tests here; a rule file boiler.yaml has its tests in boiler.test.yaml")
    outcomes: list[Outcome] = []
    unreadable = 0
    for file in files:
        try:
            scenarios = load_scenarios(file, inventory)
        except ProblemsError as error:
            unreadable += 1
            click.echo(str(error))
            continue
        for scenario in scenarios:
            outcome = play(scenario)
            outcomes.append(outcome)
            _report(outcome, verbose=verbose)
    failed = sum(1 for outcome in outcomes if outcome.failures)
    click.echo(_summary(len(outcomes) - failed, failed, unreadable))
    sys.exit(1 if failed or unreadable else 0)


def _report(outcome: Outcome, *, verbose: bool) -> None:
    for failure in outcome.failures:
        click.echo(str(failure))
    if verbose and not outcome.failures:
        click.echo(f"{outcome.place}: passed: {outcome.name}")


def _summary(passed: int, failed: int, unreadable: int) -> str:
    parts = [f"{passed} passed", f"{failed} failed"] + ([f"{unreadable} files unreadable"] if unreadable else [])
    return ", ".join(parts)
