"""Histories in files: what is read, what it defaults to, and what is refused with a way out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from pyarrow import parquet

from firewatch.backtest.files import FileHistory, HistoryFileError
from firewatch.backtest.period import PeriodError, period_in, read_realities, read_time
from firewatch.backtest.result import Reality
from firewatch.storage.columns import BAD, FLAG, GOOD, NUMBER, STATE, UNCERTAIN, Columns, Extent
from tests.stored import microseconds
from tests.unit.backtest.histories import START, minute

A, B = "sample/a/x", "sample/b/x"


def csv(folder: Path, *lines: str) -> Path:
    path = folder / "history.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def read(path: Path, states: list[str] | None = None) -> Columns:
    pages = FileHistory(path).pages([A, B], states if states is not None else [], START, START + timedelta(days=1))
    (page,) = [page for _, page in pages]
    return page


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    page = read(csv(tmp_path, "source_time,signal,number", f"2026-03-01T00:01:00Z,{B},1.5"))
    (time,) = page.source.tolist()
    assert time == microseconds(minute(1))
    assert [column.tolist() for column in (page.receive, page.event, page.taken)] == [[time]] * 3
    assert (page.signal.tolist(), page.kind.tolist(), page.number.tolist()) == ([1], [NUMBER], [1.5])
    assert (page.state.tolist(), page.quality.tolist()) == ([-1], [GOOD])


def test_times_may_have_any_offset(tmp_path: Path) -> None:
    page = read(
        csv(tmp_path, "source_time,signal,number", f"2026-03-01 00:01:00Z,{A},1", f"2026-03-01T08:02:00+08:00,{A},2")
    )
    assert page.source.tolist() == [microseconds(minute(1)), microseconds(minute(2))]


def test_a_time_without_a_zone_is_refused_in_parquet_too(tmp_path: Path) -> None:
    naive = pa.array([minute(1).replace(tzinfo=None)], pa.timestamp("us"))
    parquet.write_table(pa.table({"signal": [A], "source_time": naive, "number": [1.0]}), tmp_path / "naive.parquet")
    with pytest.raises(HistoryFileError, match="with a time zone"):
        read(tmp_path / "naive.parquet")


def test_every_sort_of_value_and_quality_is_read(tmp_path: Path) -> None:
    states = ["open"]
    page = read(
        csv(
            tmp_path,
            "source_time,signal,number,flag,state,quality",
            f"2026-03-01T00:01:00Z,{A},,true,,good",
            f"2026-03-01T00:02:00Z,{A},,f,,uncertain",
            f"2026-03-01T00:03:00Z,{A},,,closed,good",
            f"2026-03-01T00:04:00Z,{A},,,,bad",
        ),
        states,
    )
    assert page.kind.tolist() == [FLAG, FLAG, STATE, 0]
    assert page.number.tolist()[:2] == [1.0, 0.0]
    assert [states[code] for code in page.state.tolist() if code >= 0] == ["closed"]
    assert page.quality.tolist() == [GOOD, UNCERTAIN, GOOD, BAD]


def test_no_time_lies_after_the_one_at_which_it_was_taken(tmp_path: Path) -> None:
    page = read(
        csv(
            tmp_path,
            "source_time,receive_time,taken_time,signal,number",
            f"2026-03-01T00:09:00Z,2026-03-01T00:05:00Z,2026-03-01T00:02:00Z,{A},1",
        )
    )
    assert page.taken.tolist() == page.receive.tolist() == page.event.tolist() == [microseconds(minute(2))]


def test_parquet_of_another_program_is_read(tmp_path: Path) -> None:
    table = pa.table(
        {
            "signal": [A, "sample/c/x", B],
            "source_time": pa.array([minute(1), minute(2), minute(3)], pa.timestamp("ms", "UTC")),
            "number": pa.array([1, 2, 3], pa.int32()),
        }
    )
    parquet.write_table(table, tmp_path / "other.parquet")
    page = read(tmp_path / "other.parquet")
    assert (page.signal.tolist(), page.number.tolist()) == ([0, 1], [1.0, 3.0])
    assert FileHistory(tmp_path / "other.parquet").extent() == Extent(minute(1), minute(3))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["signal,number", f"{A},1"], "rows without a source_time"),
        (["source_time,signal,number", f"soon,{A},1"], "history.csv: "),
        (["source_time,signal,number", f"2026-03-01 00:01:00,{A},1"], "expected a zone offset"),
        (["source_time,signal,number", f"2026-03-01T00:01:00Z,{A},low"], "history.csv: "),
        (
            ["source_time,signal,number", f"2026-03-01T00:02:00Z,{A},1", f"2026-03-01T00:01:00Z,{A},1"],
            "sort it by taken_time",
        ),
    ],
)
def test_what_cannot_be_played_is_refused_with_the_reason(tmp_path: Path, lines: list[str], words: str) -> None:
    with pytest.raises(HistoryFileError, match=words):
        read(csv(tmp_path, *lines))


def test_a_folder_without_a_history_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(HistoryFileError, match="firewatch history export"):
        FileHistory(tmp_path)


def test_a_broken_log_is_named_by_its_line(tmp_path: Path) -> None:
    csv(tmp_path, "source_time,signal,number").rename(tmp_path / "observations.csv")
    (tmp_path / "log.jsonl").write_text("{}\n{broken\n")
    with pytest.raises(HistoryFileError, match=r"log\.jsonl:2: "):
        FileHistory(tmp_path).starts(START, minute(1))


def test_times_and_lists_are_read_at_the_sites_own_time(tmp_path: Path) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    assert read_time("2026-03-01 08:05", zone) == minute(5)
    assert read_time("2026-03-01T00:05:00Z", zone) == minute(5)
    (tmp_path / "real.txt").write_text("# October\n2026-03-01 08:05 sample/garage-smoke-1  # hall 2\n\n")
    assert read_realities(tmp_path / "real.txt", zone) == (Reality(minute(5), "sample/garage-smoke-1"),)
    (tmp_path / "real.txt").write_text("2026-03-01 08:05 sample/a\nyesterday sample/b\n")
    with pytest.raises(PeriodError, match=r'real.txt:2: .*"yesterday sample/b"'):
        read_realities(tmp_path / "real.txt", zone)
    with pytest.raises(PeriodError, match='found "noon"'):
        read_time("noon", zone)


@pytest.mark.parametrize(
    ("start", "end", "last", "expected"),
    [
        (None, None, None, (-30 * 24 * 60, 600)),
        (None, None, timedelta(minutes=60), (540, 600)),
        (None, 300, timedelta(minutes=60), (240, 300)),
        (100, None, None, (100, 600)),
        (100, 200, timedelta(minutes=5), (100, 200)),
    ],
)
def test_the_period_counts_back_from_the_end_of_what_is_stored(
    start: float | None, end: float | None, last: timedelta | None, expected: tuple[float, float]
) -> None:
    begin, until = (None if minutes is None else minute(minutes) for minutes in (start, end))
    found = period_in(Extent(minute(0), minute(600)), begin, until, last)
    slack = timedelta(minutes=600) if expected[0] < 0 else timedelta(0)
    assert abs(found.first - minute(expected[0]) - slack) <= timedelta(microseconds=1)
    assert abs(found.last - minute(expected[1])) <= timedelta(microseconds=1)
