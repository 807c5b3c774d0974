"""docs/schema: what is shipped fits, and what has the wrong shape does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from firewatch.config.document import parse_document, read_document
from firewatch.config.project import yaml_files

SCHEMAS = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in Path("docs/schema").glob("*.json")}

FILES = {
    "rules": yaml_files(Path("rules")),
    "rule-tests": sorted(Path("rules").glob("*.test.yaml")),
    "sites": yaml_files(Path("config/sites")),
    "devices": yaml_files(Path("config/devices")),
    "notification": [Path("config/notification.yaml")],
    "control-room": [Path("config/control-room.yaml")],
    "drills": yaml_files(Path("config/drills")),
    "settings": [Path("config/firewatch.yaml")],
}

RULE = """rules:
  - id: low
    scope: {device: pump}
    when: {WHEN}
    priority: low
    class: trouble
    text: {zh: 低, en: low}
    advice: {zh: 查, en: look}
"""


def wrong(name: str, data: Any) -> list[str]:
    return [error.message for error in jsonschema.Draft202012Validator(SCHEMAS[name]).iter_errors(data)]


def read(text: str) -> Any:
    document, problems = parse_document("a.yaml", text)
    assert document is not None
    assert problems == []
    return document.data


def test_there_is_a_schema_for_every_sort_of_file() -> None:
    assert set(SCHEMAS) == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize(("name", "file"), [(name, file) for name, files in FILES.items() for file in files], ids=str)
def test_what_is_shipped_fits(name: str, file: Path) -> None:
    document, _ = read_document(file)
    assert document is not None
    assert wrong(name, document.data) == []


@pytest.mark.parametrize(
    "when",
    [
        "low: {signal: level, limit: 50 cm}",
        "low: {signal: score, limit: 0.5, deadband: 1e-1}",
        "absence: {after: 1h30min}",
        "state: {signal: running, is: true}",
        "schedule: work-hours",
        'schedule: {windows: [{days: [mon], from: "08:00", to: "24:00", dates: [2026-10-01]}]}',
        "all: [{not: {state: {signal: mode, in: [auto, 2]}}}, {absence: {after: 5 min}}]",
    ],
)
def test_the_forms_that_people_write_fit(when: str) -> None:
    assert wrong("rules", read(RULE.replace("WHEN", when))) == []


@pytest.mark.parametrize(
    "when",
    [
        "low: {signal: level, limit: low}",
        "low: {signal: level, limt: 50 cm}",
        "absence: {after: 90}",
        "absence: {after: a while}",
        'schedule: {windows: [{from: "25:00"}]}',
        "low: {signal: level, limit: 1}, high: {signal: level, limit: 2}",
        "lower: {signal: level, limit: 1}",
        "state: {is: true}",
    ],
)
def test_what_cannot_be_read_does_not_fit(when: str) -> None:
    assert wrong("rules", read(RULE.replace("WHEN", when))) != []


def test_a_rule_needs_every_key_unless_it_extends_a_template() -> None:
    rule = "rules: [{id: a, scope: {device: pump}}]"
    assert wrong("rules", read(rule)) != []
    assert wrong("rules", read(rule.replace("id: a", "id: a, extends: calm"))) == []


def test_a_template_is_held_to_the_keys_of_a_rule() -> None:
    assert wrong("rules", read("templates: {calm: {on_delay: 5s, priority: low}}")) == []
    assert wrong("rules", read("templates: {calm: {on_dely: 5s}}")) != []


def test_the_keys_are_told_in_the_words_of_the_rule_page() -> None:
    keys = SCHEMAS["rules"]["$defs"]["RuleSpec"]["properties"]
    assert [key for key, written in keys.items() if "description" not in written] == []
