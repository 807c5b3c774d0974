"""`firewatch test`: what it prints and writes, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from firewatch.cli.check import command as check
from firewatch.cli.test import command as run_tests
from firewatch.config.problem import Place, Problem
from firewatch.testing.play import Failure, Outcome
from firewatch.testing.report import COVERAGE, FileResult, Results, as_junit
from tests.unit.testing.conftest import TEXTS, Folder

VALVE = f"""rules:
  - id: valve-closed
    scope: {{device: signal_valve}}
    when: {{state: {{signal: position, is: closed}}}}
    priority: high
    class: supervisory
    {TEXTS}
"""
PASSES = """  - name: a valve that closes is told
    observations: {valve-a-riser/position: closed}
    expect: [{at: 1s, valve-closed: unacknowledged}]
"""
FAILS = """  - name: an open valve is <told> & "shown"
    observations: {valve-a-riser/position: open}
    expect: [{at: 1s, valve-closed: unacknowledged}]
"""
THE_OTHERS = """  - name: an open valve is normal
    observations: {valve-a-riser/position: open}
    expect: [{at: 1s, valve-closed: normal}]
  - name: a valve that is lost stays closed
    observations: {valve-a-riser/position: [closed, bad]}
    expect: [{at: 1s, valve-closed: unacknowledged}]
"""


@pytest.fixture
def valve(tmp_path: Path) -> Path:
    (tmp_path / "valve.yaml").write_text(VALVE, encoding="utf-8")
    return tmp_path


def run(folder: Path, tests: str, *options: str) -> Result:
    (folder / "valve.test.yaml").write_text(f"rules: [valve.yaml]\ntests:\n{tests}", encoding="utf-8")
    return CliRunner().invoke(run_tests, [*options, str(folder)])


@pytest.mark.parametrize(
    ("tests", "options", "code", "last"),
    [
        (PASSES + THE_OTHERS, [], 0, "3 passed, 0 failed, 1 of 1 rules covered"),
        (PASSES, [], 3, "1 passed, 0 failed, 0 of 1 rules covered"),
        (PASSES, ["--no-coverage"], 0, "1 passed, 0 failed"),
        (PASSES + FAILS, [], 1, "1 passed, 1 failed"),
        (PASSES + FAILS, ["-k", "CLOSES"], 0, "1 passed, 0 failed"),
        (PASSES + THE_OTHERS, ["-k", "closes", "--coverage"], 3, "1 passed, 0 failed, 0 of 1 rules covered"),
        ("  - nam: x\n", [], 1, "0 passed, 0 failed, 1 files unreadable"),
    ],
)
def test_it_ends_with_what_came_of_it(valve: Path, tests: str, options: list[str], code: int, last: str) -> None:
    result = run(valve, tests, *options)
    assert (result.exit_code, result.output.splitlines()[-1]) == (code, last)


def test_a_failure_stands_at_its_place_with_its_story(valve: Path) -> None:
    first, *story, _ = run(valve, FAILS).output.splitlines()
    assert first.startswith(f"{valve}/valve.test.yaml:5:37: test an open valve is <told>")
    assert [line.split()[-1] for line in story] == ["open", "inactive"]


def test_gaps_are_a_table_and_the_way_out(valve: Path) -> None:
    heading, row, *advice, _ = run(valve, PASSES).output.splitlines()
    assert heading.split(maxsplit=2) == ["tests", "of", "positive  negative  missing data"]
    assert row.split() == ["valve-closed", "1", "0", "0", f"{valve}/valve.yaml:2:5"]
    assert [line.split(":")[0] for line in advice] == ["No negative test", "No missing data test"]


def test_a_single_file_asks_for_no_coverage(valve: Path) -> None:
    run(valve, PASSES)
    result = CliRunner().invoke(run_tests, ["--verbose", str(valve / "valve.test.yaml")])
    expected = f"{valve}/valve.test.yaml:3:5: passed: a valve that closes is told\n1 passed, 0 failed\n"
    assert (result.exit_code, result.output) == (0, expected)


def test_rules_without_any_test_are_gaps_too(valve: Path) -> None:
    (valve / "more.yaml").write_text(VALVE.replace("valve-closed", "valve-shut"), encoding="utf-8")
    result = run(valve, PASSES + THE_OTHERS)
    assert result.exit_code == 3
    assert [line.split()[0] for line in result.output.splitlines() if "more.yaml" in line] == ["valve-shut"]


def test_a_folder_without_tests_is_said_to_have_none(valve: Path) -> None:
    result = CliRunner().invoke(run_tests, [str(valve)])
    assert result.exit_code == 1
    assert "there are no tests here" in result.output


def test_junit_xml_has_a_suite_for_each_file_and_one_for_the_coverage(valve: Path) -> None:
    file = valve / "results.xml"
    assert run(valve, PASSES, "--junit", str(file)).exit_code == 3
    root = ElementTree.parse(file).getroot()
    assert (root.tag, root.attrib) == (
        "testsuites",
        {"name": "firewatch test", "tests": "2", "failures": "1", "errors": "0"},
    )
    assert [(suite.tag, suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in root] == [
        ("testsuite", f"{valve}/valve.test.yaml", "1", "0"),
        ("testsuite", COVERAGE, "1", "1"),
    ]
    assert [
        (case.tag, case.get("classname"), case.get("name"), case.get("line")) for suite in root for case in suite
    ] == [
        ("testcase", f"{valve}/valve.test.yaml", "a valve that closes is told", "3"),
        ("testcase", COVERAGE, "valve-closed", "2"),
    ]
    (failure,) = root.iter("failure")
    assert failure.get("message") == "no negative and no missing data test"


def test_junit_xml_carries_failures_and_files_that_cannot_be_read(valve: Path) -> None:
    file = valve / "results.xml"
    (valve / "broken.test.yaml").write_text("rules: [valve.yaml]\ntests: []\n", encoding="utf-8")
    assert run(valve, FAILS, "--junit", str(file)).exit_code == 1
    root = ElementTree.parse(file).getroot()
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("2", "1", "1")
    (failure,) = root.iter("failure")
    assert failure.get("message") == (
        "at 1s valve-closed of sample/valve-a-riser: expected unacknowledged, came normal"
    )
    assert "> " in str(failure.text)
    (error,) = root.iter("error")
    assert "there are no tests" in str(error.text)
    assert 'an open valve is <told> & "shown"' in [case.get("name") for case in root.iter("testcase")]


def test_junit_xml_leaves_out_what_xml_cannot_carry() -> None:
    place = Place("a.test.yaml", 3, 5)
    failure = Failure(Problem(place, "test", "found \x00 and \ud800 and 水"))
    outcome = Outcome("a \x1b test", place, (failure,), (), {})
    root = ElementTree.fromstring(as_junit(Results((FileResult(Path("a.test.yaml"), (outcome,)),))))
    (case,) = root.iter("testcase")
    assert case.get("name") == "a \ufffd test"
    assert case[0].get("message") == "found \ufffd and \ufffd and 水"


def test_json_tells_all_of_it(valve: Path) -> None:
    results = json.loads(run(valve, PASSES, "--json").output)
    (file,) = results["files"]
    assert (results["passed"], results["failed"], results["unreadable"]) == (1, 0, 0)
    assert [(test["name"], test["line"], test["passed"]) for test in file["tests"]] == [
        ("a valve that closes is told", 3, True)
    ]
    assert results["coverage"] == [
        {
            "rule": "valve-closed",
            "step": None,
            "override": None,
            "place": f"{valve}/valve.yaml:2:5",
            "tests": {"positive": ["a valve that closes is told"], "negative": [], "missing_data": []},
            "gaps": ["negative", "missing_data"],
        }
    ]
    (failed,) = json.loads(run(valve, FAILS, "--json").output)["files"][0]["tests"]
    assert failed["failures"][0]["line"] == 5
    assert failed["failures"][0]["story"]


def test_check_lists_the_mistakes_of_rule_tests_too(folder: Folder) -> None:
    file = folder.test("observations: {tank-1/level: 1.4}\n    expect: [{at: 8s, level-lwo: normal}]")
    result = CliRunner().invoke(check, [str(file)])
    assert result.exit_code == 1
    assert 'did you mean "level-low"?' in result.output
