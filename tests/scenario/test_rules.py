"""Every rule that firewatch ships passes its own tests, run as a user runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from firewatch.config.project import load_inventory, load_project
from firewatch.config.settings import Settings
from firewatch.testing.play import play
from firewatch.testing.scenario import Scenario, load_scenarios, scenario_files

INVENTORY = load_inventory(Settings())
SCENARIOS = [each for file in scenario_files([Path("rules")]) for each in load_scenarios(file, INVENTORY)]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: f"{scenario.document.file}:{scenario.case.name}")
def test_the_shipped_rules_pass_their_own_tests(scenario: Scenario) -> None:
    assert [str(failure) for failure in play(scenario).failures] == []


def test_every_shipped_rule_is_tested_in_both_directions() -> None:
    expected: dict[str, set[bool]] = {}
    for scenario in SCENARIOS:
        for expect in scenario.case.expect:
            for rule, state in expect.states.items():
                expected.setdefault(rule, set()).add(state.value == "normal")
    shipped = {rule.id for rule in load_project(Settings()).rules}
    assert {rule for rule in shipped if expected.get(rule) != {True, False}} == set()
