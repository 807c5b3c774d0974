"""Whatever people write, they get problems with places, never an exception of another kind."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from firewatch.config.problem import Problem, ProblemsError
from firewatch.config.project import load_inventory, load_project, load_rules, load_settings
from firewatch.config.settings import Settings
from firewatch.testing.scenario import load_scenarios

pytestmark = pytest.mark.slow

SAMPLE = load_inventory(Settings())
NO_RULES = Path("tests/data/no-rules.yaml")
SMALL_SITE = Path("tests/data/small.site.yaml")


def loaded(path: str) -> Any:
    return YAML(typ="safe", pure=True).load(Path(path))


def first_items(path: str, *keys: str) -> Any:
    """A file cut down to the beginning of its lists, so that reading it a hundred times is quick."""
    data = loaded(path)
    return data | {key: data[key][:4] for key in keys}


SCENARIO = first_items("rules/lift.test.yaml", "tests") | {"rules": [str(Path("rules/lift.yaml").resolve())]}

SHARING = """
calendars:
  - {id: desk-hours, windows: [{days: [mon], dates: [2026-10-01], from: "08:00", to: "18:00"}], except: [2026-10-02]}
templates:
  calm: {on_delay: 5s, class: trouble, text: {zh: 文, en: text}}
rules:
  - id: one
    extends: calm
    scope: {device: pressure_transmitter, systems: [water], subjects: [hydrant-a-roof, hydrant-b-roof]}
    ladder:
      - {priority: low, when: {all: [{low: {signal: pressure, limit: 1 bar}}, {not: {schedule: desk-hours}}]}}
      - {priority: high, on_delay: 1s, when: {any: [{stuck: {signal: pressure, after: 1h, band: 1 kPa}}]}}
    advice: {zh: 文, en: advice}
    suppressed_by: [{rule: two, same: site}]
    shelving: {allowed: true, at_most: 1h}
  - id: two
    extends: calm
    scope: {asset: water_supply}
    priority: low
    when:
      sequence:
        first: {count: {of: {state_changed: {signal: pump.main/running, to: [true]}}, at_least: 3, within: 1h}}
        without: {difference: {signal: pressure_transmitter.main/pressure, minus: pressure_transmitter.standby/pressure,
                               apart: 10 kPa}}
        within: 5min
    advice: {zh: 文, en: advice}
overrides:
  - {rule: one, buildings: [tower-a], set: {ladder.1.when.all.1.low.limit: 90 kPa, mode: shadow}}
  - {rule: two, set: {when.sequence.first.count.at_least: 2}}
"""

FILES: dict[str, tuple[Any, Callable[[Path], object]]] = {
    "rules": (first_items("rules/lift.yaml", "rules"), lambda file: load_rules([file], SAMPLE)),
    "coincidence": (first_items("rules/garage.yaml", "rules"), lambda file: load_rules([file], SAMPLE)),
    "sharing": (YAML(typ="safe", pure=True).load(SHARING), lambda file: load_rules([file], SAMPLE)),
    "site": (
        first_items("config/sites/sample.yaml", "devices", "assets"),
        lambda file: load_project(Settings(sites=file, rules=NO_RULES)),
    ),
    "kinds": (
        loaded("config/devices/lift.yaml"),
        lambda file: load_project(Settings(sites=SMALL_SITE, devices=file, rules=NO_RULES)),
    ),
    "settings": (Settings().model_dump(mode="json", exclude_none=True), load_settings),
    "tests": (SCENARIO, lambda file: load_scenarios(file, SAMPLE)),
}


def paths(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from paths(value, (*path, key))


def replaced(data: Any, path: tuple[str | int, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(data)
    at = changed
    for segment in path[:-1]:
        at = at[segment]
    at[path[-1]] = value
    return changed


def problems_of(read: Callable[[Path], object], file: Path) -> tuple[Problem, ...] | None:
    try:
        read(file)
    except ProblemsError as error:
        return error.problems
    return None


ODDITIES: list[Any] = [
    *(None, True, 0, -1, 1e300, float("inf"), float("nan"), "", "x" * 3000, "*", "a/b/c", "/", "{value", "1e999 MPa"),
    *([], {}, [[]], {"x": {}}, [None], {"zh": 1}, "0s", "31d", "2025-01-01", "_x3", "bad"),
]


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(choice=st.data())
def test_one_odd_value_anywhere_is_taken_or_told(name: str, choice: st.DataObject) -> None:
    data, read = FILES[name]
    path = choice.draw(st.sampled_from(sorted(paths(data), key=str)))
    odd = replaced(data, path, choice.draw(st.sampled_from(ODDITIES)))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "odd.yaml"
        with file.open("w", encoding="utf-8") as stream:
            YAML(typ="safe", pure=True).dump(odd, stream)
        problems = problems_of(read, file)
    assert problems is None or all(problem.what for problem in problems)
