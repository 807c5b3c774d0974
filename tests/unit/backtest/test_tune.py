"""What tuning says of histories whose answer is known."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ruamel.yaml import YAML

from firewatch.backtest.result import Reality, StoredFiles
from firewatch.backtest.tune import LONGEST_ON_DELAY, Means, TuneRequest, TuneResult, Verdict, run_tune
from firewatch.backtest.tune_table import shown
from firewatch.rules.spec import OverrideSpec, RuleSpec
from tests.unit.backtest.histories import INVENTORY, PRESSURE, START, hovering, low_pressure, minute, write_csv

Rows = list[tuple[float, str, float]]


def tuned(tmp_path: Path, rows: Rows, rule: RuleSpec | None = None, *realities: Reality) -> TuneResult:
    history = StoredFiles(write_csv(tmp_path / "history.csv", rows))
    end = START + timedelta(days=1)
    return run_tune(TuneRequest(history, INVENTORY, rule or low_pressure(), START, end, realities))


def steady(values: list[tuple[int, float]]) -> Rows:
    """(seconds, pressure), one reading each 5 s."""
    rows: Rows = []
    for seconds, value in values:
        rows += [(len(rows) * 5.0, PRESSURE, value) for _ in range(0, seconds, 5)]
    return rows


def test_a_pressure_that_hovers_needs_a_deadband(tmp_path: Path) -> None:
    result = tuned(tmp_path, hovering())
    as_it_is = result.variants[0]
    assert (as_it_is.alarms, as_it_is.chatter, result.events) == (60, 58, 2)
    assert result.verdict is Verdict.SUGGESTED
    assert result.suggestion is not None
    assert (result.suggestion.means, result.suggestion.alarms) == (Means.DEADBAND, 2)
    assert result.suggestion.events_kept == 2
    assert result.suggestion.delay_longest == timedelta(0)


def test_pressure_that_swings_wide_needs_an_off_delay(tmp_path: Path) -> None:
    swings = [(600, 0.3), *[(10, 0.02), (30, 0.3)] * 10, (600, 0.3)]
    result = tuned(tmp_path, steady(swings))
    assert result.suggestion is not None
    assert result.suggestion.set == {"off_delay": "1min"}
    assert (result.variants[0].alarms, result.suggestion.alarms) == (10, 1)


def test_events_that_stand_alone_are_never_tuned_away(tmp_path: Path) -> None:
    dips = [(1800, 0.3), (5, 0.05)] * 4 + [(600, 0.3)]
    result = tuned(tmp_path, steady(dips))
    assert result.variants[0].chatter == 0
    assert (result.verdict, result.suggestion, result.override) == (Verdict.NOTHING_BETTER, None, None)
    deaf = next(one for one in result.variants if one.set == {"on_delay": "10s"})
    assert (deaf.alarms, deaf.events_kept) == (0, 0)


@pytest.mark.parametrize(("alarms", "verdict"), [(0, "too_few_alarms"), (2, "too_few_alarms"), (3, "suggested")])
def test_few_alarms_say_nothing(tmp_path: Path, alarms: int, verdict: str) -> None:
    result = tuned(tmp_path, steady([(600, 0.3), *[(10, 0.02), (30, 0.3)] * alarms, (600, 0.3)]))
    assert result.verdict == verdict


def test_a_ladder_is_left_to_people(tmp_path: Path) -> None:
    step = {"when": {"low": {"signal": "pressure", "limit": 0.07}}, "priority": "low"}
    ladder = RuleSpec.model_validate(
        low_pressure().model_dump(by_alias=True, exclude_unset=True, exclude={"when", "priority"})
        | {"ladder": [step, step | {"priority": "high"}]}
    )
    assert tuned(tmp_path, hovering(), ladder).verdict is Verdict.NOTHING_TO_TUNE


def test_what_is_confirmed_stays_told(tmp_path: Path) -> None:
    result = tuned(tmp_path, hovering(), None, Reality(minute(20.5), "sample/hydrant-a-roof"))
    assert result.realities == 1
    assert result.suggestion is not None
    assert result.suggestion.realities_kept == 1


def test_nothing_suggested_makes_people_wait_longer_than_the_bound(tmp_path: Path) -> None:
    result = tuned(tmp_path, hovering())
    slow = [one for one in result.variants if one.delay_longest > LONGEST_ON_DELAY]
    assert result.suggestion not in slow


def test_the_override_is_one_that_rule_files_take(tmp_path: Path) -> None:
    result = tuned(tmp_path, hovering())
    assert result.override is not None
    (written,) = YAML(typ="safe").load(result.override)["overrides"]
    override = OverrideSpec.model_validate(written)
    assert override.rule == "pressure-low"
    assert override.set_ == {"when.low.deadband": "0.0014 MPa"}


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            ["as it is", "Suggested: when.low.deadband 0.0014 MPa. 60 alarms -> 2, all 2 events told.", "cannot say"],
        ),
        ("zh", ["现行数值", "建议：when.low.deadband 0.0014 MPa。报警 60 条 → 2 条，2 起事件全部保留。", "无法判断"]),
    ],
)
def test_people_read_the_trade_offs(tmp_path: Path, language: Any, expected: list[str]) -> None:
    text = shown(tuned(tmp_path, hovering()), language, ZoneInfo("Asia/Shanghai"))
    for words in (*expected, "off_delay 1min", "overrides:\n  - rule: pressure-low"):
        assert words in text
