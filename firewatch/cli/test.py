"""`firewatch test`: the rules' own tests, run by the engine that runs in service, and what they cover."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from firewatch.config.problem import ProblemsError
from firewatch.config.project import load_effective_rules, load_inventory, load_settings, yaml_files
from firewatch.model.site import Inventory
from firewatch.testing.coverage import ADVICE, Case, Covered, coverage
from firewatch.testing.play import play
from firewatch.testing.report import FileResult, Results, as_json, as_junit
from firewatch.testing.scenario import load_scenarios, scenario_files

EXIT_FAILED = 1
EXIT_GAPS = 3


@click.command("test", short_help="Run the rules' own tests (.test.yaml), and see what they cover.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--config", type=click.Path(path_type=Path), help="Settings file; config/firewatch.yaml unless given.")
@click.option("-k", "--name", default="", metavar="TEXT", help="Only the tests with TEXT in their name.")
@click.option(
    "--coverage/--no-coverage",
    "wants_coverage",
    default=None,
    help="Ask for a positive, a negative and a missing-data test of each rule; on for whole folders, without -k.",
)
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write the results as JUnit XML, too.")
@click.option("--json", "shows_json", is_flag=True, help="Print the results as JSON.")
@click.option("-v", "--verbose", is_flag=True, help="Name the tests that passed, and what each rule has, too.")
def command(
    paths: tuple[Path, ...],
    config: Path | None,
    name: str,
    wants_coverage: bool | None,
    junit: Path | None,
    shows_json: bool,
    verbose: bool,
) -> None:
    """Run the rule tests in PATHS, files or folders; without PATHS those beside the settings' rules.

    \b
    Each failure reads   file:line:column: where: what was expected, what came
    Exit code            0 all is well, 1 a test failed or could not be read,
                         3 all passed, but a rule lacks a test
    """  # noqa: D301 - click wants the character itself
    try:
        settings = load_settings(config)
        inventory = load_inventory(settings)
        asked = paths or (settings.rules,)
        files = scenario_files(asked)
        if not files:
            raise click.ClickException("there are no tests here; those of boiler.yaml stand in boiler.test.yaml")
        if wants_coverage is None:
            wants_coverage = not name and all(path.is_dir() for path in asked)
        results = _run(files, inventory, name, asked if wants_coverage else ())
    except ProblemsError as error:
        raise click.ClickException(str(error)) from None
    if junit is not None:
        junit.write_bytes(as_junit(results))
    lines = [json.dumps(as_json(results), ensure_ascii=False, indent=2)] if shows_json else _shown(results, verbose)
    click.echo("\n".join(lines))
    sys.exit(EXIT_FAILED if results.failed or results.unreadable else EXIT_GAPS if results.lacking else 0)


def _run(files: Iterable[Path], inventory: Inventory, name: str, covers: Sequence[Path]) -> Results:
    """Run the tests; if all pass, see what they cover of the rules they are about and of those in folders `covers`."""
    results: list[FileResult] = []
    rule_files = [file for path in covers if path.is_dir() for file in yaml_files(path)]
    for file in files:
        try:
            scenarios = load_scenarios(file, inventory)
        except ProblemsError as error:
            results.append(FileResult(file, problems=error.problems))
            continue
        chosen = [scenario for scenario in scenarios if name.lower() in scenario.case.name.lower()]
        results.append(FileResult(file, tuple(map(play, chosen))))
        rule_files += [rule_file for scenario in chosen for rule_file in scenario.files]
    outcomes = [outcome for result in results for outcome in result.outcomes]
    if not covers or any(outcome.failures for outcome in outcomes) or any(result.problems for result in results):
        return Results(tuple(results))
    return Results(tuple(results), coverage(load_effective_rules(rule_files, inventory), outcomes))


def _shown(results: Results, verbose: bool) -> Iterator[str]:
    for file in results.files:
        yield from map(str, file.problems)
        for outcome in file.outcomes:
            yield from map(str, outcome.failures)
            if verbose and not outcome.failures:
                yield f"{outcome.place}: passed: {outcome.name}"
    listed = results.covered if verbose else results.lacking
    if listed:
        yield from _table(listed)
    for case, advice in ADVICE.items():
        if any(case in covered.gaps for covered in results.lacking):
            yield f"No {case} test: {advice}."
    yield _summary(results)


def _table(listed: Sequence[Covered]) -> Iterator[str]:
    """How many tests of each sort every rule has; a dash where it needs none."""
    width = max(len(covered.name) for covered in listed)
    yield "  ".join([f"{'tests of':{width}}", *Case])
    for covered in listed:
        counts = [str(len(covered.tests.get(case, ()))) if case in covered.needs else "-" for case in Case]
        columns = [f"{count:>{len(case)}}" for count, case in zip(counts, Case, strict=True)]
        yield "  ".join([f"{covered.name:{width}}", *columns, str(covered.place)])


def _summary(results: Results) -> str:
    parts = [f"{results.passed} passed", f"{results.failed} failed"]
    if results.unreadable:
        parts.append(f"{results.unreadable} files unreadable")
    if results.covered:
        parts.append(f"{len(results.covered) - len(results.lacking)} of {len(results.covered)} rules covered")
    return ", ".join(parts)
