"""A backtest from the history's file to the sentence that people read."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec.structs import replace

from firewatch.backtest.result import BacktestRequest, BacktestResult, Reality, StoredFiles
from firewatch.backtest.run import NoHistoryError, run_backtest
from firewatch.backtest.table import shown
from firewatch.rules.spec import RuleSpec
from tests.unit.backtest.histories import INVENTORY, PRESSURE, START, hovering, low_pressure, minute, write_csv

SHANGHAI = ZoneInfo("Asia/Shanghai")
DEADBAND = low_pressure(when={"low": {"signal": "pressure", "limit": "0.07 MPa", "deadband": "0.01 MPa"}})


@pytest.fixture
def chattering(tmp_path: Path) -> StoredFiles:
    return StoredFiles(write_csv(tmp_path / "pressure.csv", hovering()))


def asked(history: StoredFiles, *rules: RuleSpec, **fields: Any) -> BacktestRequest:
    return BacktestRequest(
        history=history,
        inventory=INVENTORY,
        rules=rules,
        start=START,
        end=START + timedelta(days=1),
        **{"against": (low_pressure(),), "against_name": "live", **fields},
    )


def test_a_deadband_merges_the_chatter(chattering: StoredFiles) -> None:
    shares: list[float] = []
    result = run_backtest(asked(chattering, DEADBAND), shares.append)
    assert (result.before, result.after, result.added, result.removed) == (60, 2, 0, 58)
    assert [(load.time, load.before, load.after) for load in result.loads] == [
        (minute(0), 30, 1),
        (minute(60), 30, 1),
    ]
    assert result.observations == 720
    assert result.summary.en == (
        "2 hours: +0, -58 alarms; nothing confirmed in this time; operator load 30.0/h -> 1.0/h"
    )
    assert shares[-1] == 1


def test_what_is_confirmed_is_kept_or_lost(chattering: StoredFiles) -> None:
    realities = (Reality(minute(20), "sample/hydrant-a-roof"), Reality(minute(80), "sample/hydrant-a-roof"))
    kept = run_backtest(asked(chattering, DEADBAND, realities=realities))
    assert "both confirmed alarms kept" in kept.summary.en
    assert "2 起经确认的警情全部保留" in kept.summary.zh
    deaf = low_pressure(on_delay="30s")
    lost = run_backtest(asked(chattering, deaf, realities=realities))
    assert "2 of 2 confirmed alarms LOST" in lost.summary.en
    assert [one.is_lost for one in lost.realities] == [True, True]


def test_a_shadow_rule_is_tried_as_if_it_were_live_and_tells_nobody_in_service(chattering: StoredFiles) -> None:
    shadow = low_pressure(mode="shadow")
    tried = run_backtest(asked(chattering, shadow, against=(DEADBAND,)))
    assert (tried.before, tried.after) == (2, 60)
    compared = run_backtest(asked(chattering, DEADBAND, against=(shadow,)))
    assert (compared.before, compared.after) == (0, 2)


def test_only_the_time_asked_for_counts_with_what_came_before_it_known(chattering: StoredFiles) -> None:
    slow = DEADBAND.model_copy(update={"on_delay": timedelta(minutes=5)})
    request = dataclasses.replace(asked(chattering, slow, against=()), start=minute(23), end=minute(60))
    result = run_backtest(request)
    assert (result.start, result.end) == (minute(23), minute(60))
    assert [one.after.told_time for one in result.differences if one.after] == [minute(25) + timedelta(seconds=10)]


@pytest.mark.slow
def test_sites_are_played_side_by_side_with_the_same_result(tmp_path: Path) -> None:
    sites = tuple(replace(INVENTORY.sites[0], id=name) for name in ("sample", "north", "south"))
    rows = sorted(
        (second, PRESSURE.replace("sample", site.id), value) for second, _, value in hovering() for site in sites
    )
    history = StoredFiles(write_csv(tmp_path / "three.csv", rows))
    request = asked(history, DEADBAND)
    shares: list[float] = []
    three = msgspec.structs.replace(INVENTORY, sites=sites)
    result = run_backtest(dataclasses.replace(request, inventory=three), shares.append)
    assert (result.sites, result.before, result.after) == (("sample", "north", "south"), 180, 6)
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_a_time_without_history_is_refused_with_the_time_there_is(chattering: StoredFiles) -> None:
    request = dataclasses.replace(asked(chattering, DEADBAND), start=minute(-60), end=minute(-30))
    with pytest.raises(NoHistoryError, match="it goes from 2026-03-01 00:00:00"):
        run_backtest(request)


def test_the_result_travels_as_json(chattering: StoredFiles) -> None:
    result = run_backtest(asked(chattering, DEADBAND))
    assert msgspec.json.decode(msgspec.json.encode(result), type=BacktestResult) == result


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            [
                "rules against live, 2026-03-01 08:00:00 to 2026-03-01 09:59:50 (site time)",
                "rule          before  after  added  removed  moved",
                "pressure-low      60      2      0       58      0",
                "  2026-03-01 08:20:00  sample/hydrant-a-roof  kept",
                "  - 2026-03-01 08:20:30  pressure-low  sample/hydrant-a-roof  0.069 MPa",
                "  and 38 more; --format json lists them",
                "720 observations, of which",
            ],
        ),
        (
            "zh",
            [
                "规则          之前  之后  新增  减少  时间变化",
                "pressure-low    60     2     0    58         0",
                "  2026-03-01 08:20:00  sample/hydrant-a-roof  保留",
                "新增 0 条，减少 58 条",
            ],
        ),
    ],
)
def test_people_read_a_table(chattering: StoredFiles, language: Any, expected: list[str]) -> None:
    realities = (Reality(minute(20), "sample/hydrant-a-roof"),)
    text = shown(run_backtest(asked(chattering, DEADBAND, realities=realities)), language, SHANGHAI)
    for line in expected:
        assert line in text
