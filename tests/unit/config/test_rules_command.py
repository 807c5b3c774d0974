"""`firewatch rules`: what there is, and from which line each number for a device comes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from firewatch.cli.rules import command

pytestmark = pytest.mark.slow

RULES = """rules:
  - id: low
    scope: {device: pressure_transmitter, tags: [hydrant]}
    when: {low: {signal: pressure, limit: 70 kPa}}
    on_delay: 3s
    priority: high
    class: supervisory
    text: {zh: 低, en: low}
    advice: {zh: 查, en: look}
  - id: zone
    scope: {asset: fire_zone}
    when: {state: {signal: smoke_detector/alarm, is: true}}
    mode: shadow
    priority: low
    class: fire
    text: {zh: 烟, en: smoke}
    advice: {zh: 查, en: look}
"""

OVERRIDES = """overrides:
  - {rule: low, buildings: [tower-a], set: {when.low.limit: 0.10 MPa}}
"""


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "pack.yaml").write_text(RULES, encoding="utf-8")
    (folder / "site.yaml").write_text(OVERRIDES, encoding="utf-8")
    monkeypatch.setenv("FIREWATCH_RULES", str(folder))
    return folder


def run(*arguments: str) -> tuple[int, list[str]]:
    result = CliRunner().invoke(command, list(arguments))
    return result.exit_code, [" ".join(line.split()) for line in result.output.splitlines()]


def test_a_number_that_a_building_changed_is_shown_with_both_lines(rules: Path) -> None:
    code, lines = run("show", "--effective", "hydrant-a-roof")
    assert code == 0
    assert lines[0] == "sample/hydrant-a-roof: Tower A roof hydrant (A栋屋顶试验消火栓)"
    assert "low: high, supervisory" in lines
    assert f"when.low.limit 0.1 MPa {rules}/site.yaml:2, instead of 70 kPa ({rules}/pack.yaml:4)" in lines
    assert f"on_delay 3s {rules}/pack.yaml:5" in lines
    assert "off_delay 0s default" in lines


def test_elsewhere_the_rule_is_as_the_pack_says_in_the_signals_own_unit(rules: Path) -> None:
    _, lines = run("show", "--effective", "sample/hydrant-b-roof")
    assert f"when.low.limit 0.07 MPa {rules}/pack.yaml:4" in lines


def test_the_rules_about_a_devices_asset_are_shown_too(rules: Path) -> None:
    _, lines = run("show", "--effective", "garage-smoke-1")
    assert "zone: low, fire, shadow, about its asset" in lines


def test_only_the_rules_asked_for_are_shown(rules: Path) -> None:
    _, lines = run("show", "low", "--effective", "hydrant-a-roof", "--json")
    shown = json.loads("\n".join(lines))
    (limit,) = (value for value in shown["rules"][0]["values"] if value["path"] == "when.low.limit")
    assert (shown["subject"], [rule["rule"] for rule in shown["rules"]]) == ("sample/hydrant-a-roof", ["low"])
    assert limit == {
        "path": "when.low.limit",
        "value": "0.1 MPa",
        "file": f"{rules}/site.yaml",
        "line": 2,
        "instead_of": [{"value": "70 kPa", "file": f"{rules}/pack.yaml", "line": 4}],
    }


def test_the_list_has_a_line_for_each_form_of_a_rule(rules: Path) -> None:
    _, lines = run("list")
    assert lines == [
        "rule priority class mode subjects written in",
        f"low high supervisory live 1 {rules}/pack.yaml:2, changed by {rules}/site.yaml:2",
        f"low high supervisory live 1 {rules}/pack.yaml:2",
        f"zone low fire shadow 2 {rules}/pack.yaml:10",
    ]


def test_the_list_as_json_names_the_subjects(rules: Path) -> None:
    _, lines = run("list", "--json")
    assert [rule["subjects"] for rule in json.loads("\n".join(lines))] == [
        ["sample/hydrant-a-roof"],
        ["sample/hydrant-b-roof"],
        ["sample/garage-zone-1", "sample/garage-zone-2"],
    ]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (
            ["--effective", "hydrant-a-rof"],
            'there is no device or asset "hydrant-a-rof"; did you mean "hydrant-a-roof"?',
        ),
        (["lw", "--effective", "hydrant-a-roof"], 'no rule "lw" speaks of sample/hydrant-a-roof; did you mean "low"?'),
    ],
)
def test_what_does_not_exist_is_told_with_what_was_meant(rules: Path, arguments: list[str], what: str) -> None:
    assert run("show", *arguments) == (1, [f"Error: {what}"])


def test_a_device_that_no_rule_speaks_of_is_told_so(rules: Path) -> None:
    code, lines = run("show", "--effective", "tank-1")
    assert (code, lines[-1]) == (0, "No rule speaks of it.")


def test_rules_with_mistakes_are_not_shown_but_told(rules: Path) -> None:
    (rules / "site.yaml").write_text(OVERRIDES.replace("limit", "limt"), encoding="utf-8")
    code, lines = run("show", "--effective", "tank-1")
    assert code == 1
    assert 'did you mean "when.low.limit"?' in lines[0]
