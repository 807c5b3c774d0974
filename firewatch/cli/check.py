"""`firewatch check`: every mistake in what people write, before anything is started."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from firewatch.config.problem import Problem, ProblemsError, Severity, in_order, summary
from firewatch.config.project import TEST_SUFFIX, Project, load_settings, read_project
from firewatch.testing.scenario import load_scenarios, scenario_files

EXIT_WRONG = 1
EXIT_LINT = 3


@click.command("check", short_help="List every mistake in settings, sites, devices and rules.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--config", type=click.Path(path_type=Path), help="Settings file; config/firewatch.yaml unless given.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="text for people, json for programs, github for annotations in a workflow.",
)
def command(paths: tuple[Path, ...], config: Path | None, form: str) -> None:
    """List every mistake in settings, sites, device kinds, rules and rule tests.

    With PATHS, files or folders, only their problems are listed; they need not be part of the settings. A folder with
    rules elsewhere, such as a copy to try changes in, is read in place of the settings' rules.

    \b
    Each line reads   file:line:column: where: what; hint
    Exit code         0 all is well, 1 something is wrong, 3 something is worth a look
    """  # noqa: D301 - click wants the character itself
    try:
        problems, project = _check(config, paths)
    except ProblemsError as error:
        problems, project = error.problems, None
    click.echo(_shown(problems, project, form))
    sys.exit(_exit_code(problems))


def _check(config: Path | None, paths: Sequence[Path]) -> tuple[tuple[Problem, ...], Project]:
    settings = load_settings(config)
    tests = scenario_files([settings.rules, *(path for path in paths if path.is_dir() or _is_test(path))])
    project, problems = read_project(settings, [path for path in paths if not _is_test(path)])
    found = list(problems)
    if not any(problem.severity is Severity.WRONG for problem in problems):
        for file in tests:
            try:
                load_scenarios(file, project.inventory)
            except ProblemsError as error:
                found += error.problems
    return in_order(problem for problem in found if not paths or _concerns(problem, paths)), project


def _is_test(path: Path) -> bool:
    return path.name.endswith(TEST_SUFFIX)


def _concerns(problem: Problem, paths: Sequence[Path]) -> bool:
    files = [Path(place.file).resolve() for place in (problem.place, problem.other) if place]
    return any(file.is_relative_to(path.resolve()) for file in files for path in paths)


def _exit_code(problems: Sequence[Problem]) -> int:
    if any(problem.severity is Severity.WRONG for problem in problems):
        return EXIT_WRONG
    return EXIT_LINT if problems else 0


def _shown(problems: Sequence[Problem], project: Project | None, form: str) -> str:
    if form == "json":
        return json.dumps([_as_json(problem) for problem in problems], ensure_ascii=False, indent=2)
    if form == "github":
        return "\n".join(_as_annotation(problem) for problem in problems)
    if problems:
        return "\n".join([*map(str, problems), summary(problems)])
    return _contents(project) if project else ""


def _contents(project: Project) -> str:
    sites = project.inventory.sites
    devices = sum(len(site.devices) for site in sites)
    return f"No problems: {len(sites)} site(s), {devices} devices, {len({rule.id for rule in project.rules})} rules"


def _as_json(problem: Problem) -> dict[str, str | int | None]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "where": problem.where,
        "what": problem.what,
        "hint": problem.hint,
        "other": str(problem.other) if problem.other else None,
        "severity": problem.severity.value,
    }


def _as_annotation(problem: Problem) -> str:
    level = "error" if problem.severity is Severity.WRONG else "warning"
    text = str(problem).removeprefix(f"{problem.place}: ")
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::{level} file={problem.file},line={problem.line or 1},col={problem.column or 1}::{escaped}"
