"""The runner of rule tests must fail where a rule does not do what is expected: each line here is wrong on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from firewatch.cli.check import command as check
from firewatch.cli.test import command as run_tests
from firewatch.config.project import load_inventory
from firewatch.config.settings import Settings
from firewatch.model.site import Inventory
from firewatch.testing.play import play
from firewatch.testing.scenario import load_scenarios

WATER = Path("rules/water.yaml").resolve()
LIFT = Path("rules/lift.yaml").resolve()
LOW = "observations: {hydrant-a-roof/pressure: [0.30 MPa for 5s, 0.05 for 20s, 0.30 for 20s]}"
E_BIKE = "every: 200ms\n    observations: {a-lift-2-controller/floor: 1, a-lift-2-camera/e_bike: [0.9 x10, 0 x60]}"


@pytest.fixture(scope="module")
def sample() -> Inventory:
    return load_inventory(Settings())


def write(folder: Path, body: str, rules: Path = WATER) -> Path:
    file = folder / "a.test.yaml"
    file.write_text(f"rules: [{rules}]\ntests:\n  - name: a test\n    {body}\n", encoding="utf-8")
    return file


def failures(file: Path, inventory: Inventory) -> list[str]:
    (scenario,) = load_scenarios(file, inventory)
    return [f"{failure.problem.line}: {failure.problem.what}" for failure in play(scenario).failures]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "{at: 7s, hydrant-pressure-low: unacknowledged}",
            "at 7s hydrant-pressure-low of sample/hydrant-a-roof: expected unacknowledged, came normal",
        ),
        (
            "{at: 8s, hydrant-pressure-low: normal}",
            "at 8s hydrant-pressure-low of sample/hydrant-a-roof: expected normal, came unacknowledged",
        ),
        (
            "{at: 8s, hydrant-pressure-low: unacknowledged, annunciated: false}",
            "at 8s hydrant-pressure-low of sample/hydrant-a-roof: expected annunciated false, came true",
        ),
        (
            "{at: 7s, hydrant-pressure-low: normal, annunciated: true}",
            "at 7s hydrant-pressure-low of sample/hydrant-a-roof: expected annunciated true, came false",
        ),
        (
            "{at: 8s, hydrant-pressure-low: unacknowledged, condition: unknown}",
            "at 8s hydrant-pressure-low of sample/hydrant-a-roof: expected condition unknown, came active",
        ),
        (
            "{at: 8s, hydrant-pressure-low: unacknowledged, commands: [a-lift-2-door hold_door]}",
            "at 8s hydrant-pressure-low of sample/hydrant-a-roof: expected commands [a-lift-2-door hold_door], came []",
        ),
    ],
)
def test_a_wrong_expectation_fails_with_what_came(tmp_path: Path, sample: Inventory, line: str, expected: str) -> None:
    file = write(tmp_path, f"{LOW}\n    expect:\n      - {line}")
    assert failures(file, sample) == [f"6: {expected}"]


def test_a_command_too_many_is_told(tmp_path: Path, sample: Inventory) -> None:
    file = write(
        tmp_path, f"{E_BIKE}\n    expect:\n      - {{at: 1s, e-bike-in-lift: unacknowledged, commands: []}}", LIFT
    )
    (failure,) = failures(file, sample)
    assert failure.endswith(
        "expected commands [], came [a-lift-2-door hold_door, a-lift-2-door hold_door, a-lift-2-loudspeaker play]"
    )


def test_what_was_told_before_an_expectation_is_not_told_again_by_the_next(tmp_path: Path, sample: Inventory) -> None:
    lines = "\n      - ".join(
        f"{{at: {at}s, hydrant-pressure-low: unacknowledged, annunciated: true}}" for at in (8, 9)
    )
    file = write(tmp_path, f"{LOW}\n    expect:\n      - {lines}")
    (failure,) = failures(file, sample)
    assert failure.startswith("7: at 9s")


def test_acknowledging_what_is_not_there_fails(tmp_path: Path, sample: Inventory) -> None:
    steps = "steps: [{at: 2s, acknowledge: hydrant-pressure-low}]"
    file = write(tmp_path, f"{LOW}\n    {steps}\n    expect: [{{at: 3s, hydrant-pressure-low: normal}}]")
    assert failures(file, sample) == [
        "5: there is no alarm of hydrant-pressure-low of sample/hydrant-a-roof to acknowledge"
    ]


def test_acknowledging_twice_fails_as_it_does_in_service(tmp_path: Path, sample: Inventory) -> None:
    steps = "steps: [{at: 9s, acknowledge: hydrant-pressure-low}, {at: 10s, acknowledge: hydrant-pressure-low}]"
    file = write(tmp_path, f"{LOW}\n    {steps}\n    expect: [{{at: 11s, hydrant-pressure-low: acknowledged}}]")
    assert len(failures(file, sample)) == 1


def test_what_is_sent_while_firewatch_is_down_is_heard_when_it_is_up_again(tmp_path: Path, sample: Inventory) -> None:
    steps = "steps: [{at: 2s, restart: 10s}]"
    lines = "[{at: 12s, hydrant-pressure-low: unacknowledged, annunciated: true}]"
    file = write(tmp_path, f"{LOW}\n    {steps}\n    expect: {lines}")
    assert failures(file, sample) == []


def test_a_late_reading_raises_an_alarm_and_clears_none(tmp_path: Path, sample: Inventory) -> None:
    body = (
        "observations: {valve-a-riser/position: [open for 5s, closed late 3s, closed for 3s, open late 8s]}\n    expect:\n"
        "      - {at: 5s, valve-closed: unacknowledged}\n      - {at: 9s, valve-closed: unacknowledged}"
    )
    assert failures(write(tmp_path, body), sample) == []


def test_the_command_ends_with_1_and_counts_what_failed(tmp_path: Path) -> None:
    file = write(tmp_path, f"{LOW}\n    expect: [{{at: 8s, hydrant-pressure-low: normal}}]")
    result = CliRunner().invoke(run_tests, [str(file)])
    assert result.exit_code == 1
    assert result.output.splitlines()[0].startswith(f"{file}:5:45: test a test: expect 1: hydrant-pressure-low: at 8s")
    assert result.output.splitlines()[-1] == "0 passed, 1 failed"


def test_the_command_ends_with_0_where_all_passed(tmp_path: Path) -> None:
    file = write(tmp_path, f"{LOW}\n    expect: [{{at: 8s, hydrant-pressure-low: unacknowledged}}]")
    result = CliRunner().invoke(run_tests, ["--verbose", str(file)])
    assert (result.exit_code, result.output) == (0, f"{file}:3:5: passed: a test\n1 passed, 0 failed\n")


def test_a_test_file_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    file = write(tmp_path, f"{LOW}\n    expect: [{{at: 8s, hydrant-presure-low: normal}}]")
    result = CliRunner().invoke(run_tests, [str(file)])
    assert result.exit_code == 1
    assert result.output.splitlines()[-1] == "0 passed, 0 failed, 1 files unreadable"


def test_a_folder_without_tests_is_said_to_have_none(tmp_path: Path) -> None:
    result = CliRunner().invoke(run_tests, [str(tmp_path)])
    assert result.exit_code == 1
    assert "there are no tests here" in result.output


def test_check_lists_the_mistakes_of_rule_tests_too(tmp_path: Path) -> None:
    file = write(tmp_path, f"{LOW}\n    expect: [{{at: 8s, hydrant-presure-low: normal}}]")
    result = CliRunner().invoke(check, [str(file)])
    assert result.exit_code == 1
    assert 'did you mean "hydrant-pressure-low"?' in result.output
