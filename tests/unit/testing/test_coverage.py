"""What a test covers is seen from what happened in it."""

from __future__ import annotations

import pytest

from firewatch.config.project import load_effective_rules
from firewatch.model.site import Inventory
from firewatch.testing.coverage import Case, Covered, coverage
from tests.unit.testing.conftest import RULES, Folder

POSITIVE, NEGATIVE, MISSING = Case.POSITIVE, Case.NEGATIVE, Case.MISSING_DATA


def covered(folder: Folder, sample: Inventory, body: str, rules: str = "plain.yaml") -> dict[str, Covered]:
    effective = load_effective_rules([folder.path / name for name in rules.split(", ")], sample)
    outcome = folder.outcome(body, rules)
    return {f"{one.rule} {one.step or ''}".strip(): one for one in coverage(effective, [outcome])}


def level(parts: str, expect: str) -> str:
    return f"observations: {{tank-1/level: [{parts}]}}\n    expect: [{{at: {expect}}}]"


@pytest.mark.parametrize(
    ("body", "rule", "cases"),
    [
        (level("1.4 for 10s", "5s, level-low: unacknowledged"), "level-low", {POSITIVE}),
        (level("2.0 for 10s", "5s, level-low: normal"), "level-low", {NEGATIVE}),
        (level("1.4 for 2s, 2.0 for 10s", "10s, level-low: normal"), "level-low", {NEGATIVE}),
        (level("2.0 for 5s, 1.4 for 10s", "3s, level-low: normal"), "level-low", {NEGATIVE}),
        (level("2.0 for 5s, bad for 5s", "7s, level-low: normal"), "level-low", {MISSING}),
        (level("2.0 for 5s, silence for 5s", "7s, level-low: normal"), "level-low", {MISSING}),
        (level("1.4 for 5s, silence for 5s", "1min, level-low: unacknowledged"), "level-low", {MISSING}),
        (level("silence for 5s", "3s, level-low: normal"), "level-low", {MISSING}),
        (level("bad, 1.4 for 9s", "9s, level-low: unacknowledged"), "level-low", {POSITIVE}),
        # A signal of which the test says nothing is not missing, but neither was anything judged.
        ("observations: {valve-a-riser/position: open}\n    expect: [{at: 1s, nothing: true}]", "valve-closed", set()),
        ("subject: tank-1\n    observations: {}\n    expect: [{at: 1s, level-low: normal}]", "level-low", set()),
        # Silence is what absence judges.
        (level("2.0, silence for 20s", "15s, tank-silent: unacknowledged"), "tank-silent", {POSITIVE}),
        (level("2.0 for 20s", "20s, tank-silent: normal"), "tank-silent", {NEGATIVE}),
        (level("bad for 20s", "20s, tank-silent: normal"), "tank-silent", {MISSING}),
        # The steps of a ladder, one by one.
        (level("0.8 for 9s", "9s, level-ladder: unacknowledged"), "level-ladder 1", {POSITIVE}),
        (level("0.8 for 9s", "9s, level-ladder: unacknowledged"), "level-ladder 2", {NEGATIVE}),
        (level("0.4 for 9s", "9s, level-ladder: unacknowledged"), "level-ladder 1", set()),
        (level("0.4 for 9s", "9s, level-ladder: unacknowledged"), "level-ladder 2", {POSITIVE}),
        (level("0.8 for 5s, bad for 4s", "9s, level-ladder: unacknowledged"), "level-ladder 2", {MISSING}),
    ],
)
def test_what_happened_says_what_the_test_is(
    folder: Folder, sample: Inventory, body: str, rule: str, cases: set[Case]
) -> None:
    assert set(covered(folder, sample, body)[rule].tests) == cases


def test_a_normal_before_and_after_an_alarm_is_no_negative_test(folder: Folder, sample: Inventory) -> None:
    body = (
        "observations: {tank-1/level: [2.0 for 5s, 1.4 for 5s, 2.0 for 30s]}\n"
        "    steps: [{at: 9s, acknowledge: level-low}]\n"
        "    expect: [{at: 4s, level-low: normal}, {at: 8s, level-low: unacknowledged}, {at: 30s, level-low: normal}]"
    )
    assert set(covered(folder, sample, body)["level-low"].tests) == {POSITIVE}


def test_what_is_not_expected_is_not_covered(folder: Folder, sample: Inventory) -> None:
    assert covered(folder, sample, level("0.4 for 9s", "9s, level-low: unacknowledged"))["level-ladder 2"].tests == {}


def test_a_test_that_fails_covers_nothing(folder: Folder, sample: Inventory) -> None:
    assert covered(folder, sample, level("1.4 for 9s", "9s, level-low: normal"))["level-low"].tests == {}


def test_tests_are_named_and_gaps_say_the_way_out(folder: Folder, sample: Inventory) -> None:
    low = covered(folder, sample, level("1.4 for 10s", "5s, level-low: unacknowledged"))["level-low"]
    assert low.tests == {POSITIVE: ["a test"]}
    assert low.gaps == (NEGATIVE, MISSING)
    assert low.problem is not None
    assert str(low.problem).startswith(f"{folder.path}/plain.yaml:2:5: rule level-low: no negative and no missing data")


def test_an_override_that_judges_differently_is_covered_by_itself(folder: Folder, sample: Inventory) -> None:
    folder.write(
        "site.yaml",
        "overrides:\n  - {rule: level-low, subjects: [tank-1], set: {when.low.limit: 1.2 m}}\n"
        "  - {rule: button, buildings: [tower-a], set: {priority: low}}\n",
    )
    files = [folder.path / "plain.yaml", folder.path / "site.yaml"]
    names = [one.name for one in coverage(load_effective_rules(files, sample), [])]
    assert [name.replace(f"{folder.path}/", "") for name in names if "level-low" in name] == [
        "level-low (site.yaml:2:5)"
    ]
    assert [name for name in names if "button" in name] == ["button"]


def test_what_an_override_made_of_a_rule_is_not_covered_by_a_test_of_the_rule(
    folder: Folder, sample: Inventory
) -> None:
    folder.write("site.yaml", "overrides: [{rule: level-low, subjects: [tank-1], set: {when.low.limit: 1.2 m}}]\n")
    files = [folder.path / "plain.yaml", folder.path / "site.yaml"]
    of_the_rule = folder.outcome(level("1.4 for 10s", "5s, level-low: unacknowledged"))
    of_the_override = folder.outcome(level("1.1 for 10s", "5s, level-low: unacknowledged"), "plain.yaml, site.yaml")
    tests = [
        {one.rule: one.tests for one in coverage(load_effective_rules(files, sample), [outcome])}["level-low"]
        for outcome in (of_the_rule, of_the_override)
    ]
    assert tests == [{}, {POSITIVE: ["a test"]}]


def test_a_rule_without_subjects_asks_for_nothing(folder: Folder, sample: Inventory) -> None:
    file = folder.write(
        "nowhere.yaml", RULES.replace("{device: signal_valve}", "{device: signal_valve, tags: [jockey]}")
    )
    assert "valve-closed" not in {one.rule for one in coverage(load_effective_rules([file], sample), [])}
