"""Every rule that firewatch ships passes its own tests and has all that it needs, run as a user runs them."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from firewatch.config.project import load_inventory, load_project
from firewatch.config.settings import Settings
from firewatch.testing.coverage import coverage
from firewatch.testing.play import Outcome, play
from firewatch.testing.scenario import load_scenarios, scenario_files

INVENTORY = load_inventory(Settings())
SCENARIOS = {
    f"{file}:{scenario.case.name}": scenario
    for file in scenario_files([Path("rules")])
    for scenario in load_scenarios(file, INVENTORY)
}


@functools.cache
def outcome(name: str) -> Outcome:
    return play(SCENARIOS[name])


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_shipped_rules_pass_their_own_tests(name: str) -> None:
    assert [str(failure) for failure in outcome(name).failures] == []


def test_every_shipped_rule_has_a_positive_a_negative_and_a_missing_data_test() -> None:
    covered = coverage(load_project(Settings()).effective, map(outcome, SCENARIOS))
    assert [str(one.problem) for one in covered if one.gaps] == []
