"""One tiny wrong file for each mistake: `tests/data/<kind of file>-<mistake>.bad.yaml`.

The file's first comment lines, `# expect: line:column: where: what; hint`, are all the problems it must give, in
order; `FILE` stands for the file itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest

from firewatch.config.problem import ProblemsError
from firewatch.config.project import load_inventory, load_project, load_rules, load_settings, read_project
from firewatch.config.settings import Settings
from firewatch.model.site import Inventory
from firewatch.testing.scenario import load_scenarios

DATA = Path("tests/data")
NO_RULES = DATA / "no-rules.yaml"


@functools.cache
def sample() -> Inventory:
    return load_inventory(Settings())


def _worth_a_look(file: Path) -> None:
    """Raise what stops nothing, too."""
    load_project(Settings(rules=file))
    raise ProblemsError(read_project(Settings(rules=file))[1])


def _seats(file: Path) -> None:
    """Raise what stops nothing, too."""
    raise ProblemsError(read_project(Settings(rules=NO_RULES, control_room=file))[1])


def _notifications(file: Path) -> None:
    """Raise what stops nothing, too."""
    raise ProblemsError(read_project(Settings(rules=NO_RULES, notifications=file))[1])


def _drills(file: Path) -> None:
    """Raise what stops nothing, too."""
    raise ProblemsError(read_project(Settings(drills=file))[1])


READERS: dict[str, Callable[[Path], object]] = {
    "rule": lambda file: load_rules([file], sample()),
    "lint": _worth_a_look,
    "site": lambda file: load_project(Settings(sites=file, rules=NO_RULES)),
    "kinds": lambda file: load_project(Settings(sites=DATA / "small.site.yaml", devices=file, rules=NO_RULES)),
    "settings": load_settings,
    "test": lambda file: load_scenarios(file, sample()),
    "seats": _seats,
    "notifications": _notifications,
    "drills": _drills,
}


def found_problems(file: Path) -> list[str]:
    try:
        READERS[file.name.split("-")[0]](file)
    except ProblemsError as error:
        return [str(problem) for problem in error.problems]
    return []


def expected_problems(file: Path) -> list[str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("# expect: ") for line in lines if line.startswith("# expect: ")]


@pytest.mark.parametrize("file", sorted(DATA.glob("*.bad.yaml")), ids=lambda file: file.name.removesuffix(".bad.yaml"))
def test_a_wrong_file_is_answered_with_every_mistake_at_its_place(file: Path) -> None:
    found = [problem.replace(f"{file}:", "").replace(str(file), "FILE") for problem in found_problems(file)]
    assert found == expected_problems(file)
