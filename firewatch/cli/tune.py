"""`firewatch tune`: which numbers would have spared people a rule's chatter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import click
import msgspec

from firewatch.backtest.period import read_realities, zone_of
from firewatch.backtest.tune import TuneRequest, run_tune
from firewatch.backtest.tune_table import shown
from firewatch.cli.stored import confirmed_option, extent_of, history_options, language, progress_bar, stored_history
from firewatch.config.effective_rule import EffectiveRule
from firewatch.config.problem import ProblemsError, did_you_mean
from firewatch.config.project import load_project, load_settings
from firewatch.errors import FirewatchError
from firewatch.rules.spec import RuleSpec


@click.command("tune", short_help="Say which deadband, delays or limit would have spared chatter.")
@click.argument("rule")
@confirmed_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@history_options
def command(
    rule: str,
    confirmed: Path | None,
    form: str,
    since: str | None,
    until: str | None,
    last: timedelta | None,
    history: Path | None,
    config: Path | None,
) -> None:
    """Play stored history to RULE and to variants of it, and show what each would have spared people, and at what cost.

    Suggested is the mildest change that tells of every event and of everything confirmed: a deadband or an off-delay
    before an on-delay, and never a limit, which may come from a standard. Nothing is changed by this.
    """
    try:
        settings = load_settings(config)
        project = load_project(settings)
        zone = zone_of(project.inventory)
        tuned = _rule(rule, project.effective)
        with stored_history(settings, history) as stored:
            extent = extent_of(stored, since, until, last, zone)
            request = TuneRequest(
                history=stored,
                inventory=project.inventory,
                rule=tuned,
                start=extent.first,
                end=extent.last,
                realities=read_realities(confirmed, zone) if confirmed is not None else (),
            )
            with progress_bar("tune") as show:
                result = run_tune(request, show)
    except (FirewatchError, ProblemsError) as error:
        raise click.ClickException(str(error)) from None
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(result)))
    else:
        click.echo(shown(result, language(), zone))


def _rule(name: str, rules: Sequence[EffectiveRule]) -> RuleSpec:
    found = [rule for rule in rules if rule.spec.id == name]
    if not found:
        hint = did_you_mean(name, sorted({rule.spec.id for rule in rules}))
        raise click.BadParameter(f'there is no rule "{name}"; {hint}'.rstrip("; "), param_hint="RULE")
    tuned = max(found, key=lambda rule: (len(rule.subjects), not rule.overrides))
    if len(found) > 1:
        subjects = ", ".join(subject.name for subject in tuned.subjects)
        click.echo(f"{name} differs by overrides; looked at as it is for {subjects}.", err=True)
    return tuned.spec
