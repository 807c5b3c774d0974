"""What a report needs beside the history: months, what shelving would spare, and forms that cannot be broken."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from firewatch.alarms.deadline import FIRE_LIMITS
from firewatch.alarms.target import judge
from firewatch.alarms.workload import Workload
from firewatch.backtest.log import Told
from firewatch.backtest.result import Reality
from firewatch.model.alarm import AlarmClass, Priority, Verdict
from firewatch.model.text import LocalText
from firewatch.report.advice import Advice, Finding, Shelving, shelving
from firewatch.report.month import MonthError, last_month, read_month
from firewatch.report.page import html_report
from firewatch.report.table import csv_report
from firewatch.report.text import Words, duration, number
from firewatch.report.workload import LimitTimes, WorkloadReport
from tests.unit.alarms.workloads import OWN, START, change

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOURS = timedelta(hours=1)


def told(minutes: float, *, confirmed: bool = False) -> Told:
    time = START + timedelta(minutes=minutes)
    return Told(
        rule="low",
        site="s",
        subject="s/pump",
        alarm_id=f"a{minutes}",
        priority=Priority.HIGH,
        alarm_class=AlarmClass.SUPERVISORY,
        told_time=time,
        onset_time=time,
        confirmed=confirmed,
    )


def test_a_month_is_one_at_the_seats_own_time() -> None:
    month = read_month("2026-12", SHANGHAI)
    assert (month.start, month.end) == (
        datetime(2026, 11, 30, 16, tzinfo=UTC),
        datetime(2026, 12, 31, 16, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("now", "name"),
    [
        pytest.param(datetime(2026, 10, 31, 15, 59, tzinfo=UTC), "2026-09", id="the month is not over yet"),
        pytest.param(datetime(2026, 10, 31, 16, 0, tzinfo=UTC), "2026-10", id="it is, in Shanghai"),
        pytest.param(datetime(2026, 12, 31, 17, 0, tzinfo=UTC), "2026-12", id="at new year"),
    ],
)
def test_the_last_month_is_the_last_one_that_is_over(now: datetime, name: str) -> None:
    assert last_month(now, SHANGHAI) == read_month(name, SHANGHAI)


@pytest.mark.parametrize("text", ["2026", "2026-00", "2026-13", "26-10", "2026-10-01", "october", ""])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(MonthError, match="2026-10"):
        read_month(text, SHANGHAI)


@pytest.mark.parametrize(
    ("minutes", "spared"),
    [
        pytest.param([0, 10, 20, 30, 40], 2, id="two after the third"),
        pytest.param([0, 10, 20, 500 + 30], 0, id="the shelf is over before the next"),
        pytest.param([0, 70, 140, 210], 0, id="never three in an hour"),
        pytest.param([0, 10, 20, 30, 600, 610, 620, 630], 2, id="twice"),
    ],
)
def test_shelving_spares_what_comes_after_the_third_alarm_in_an_hour(minutes: list[float], spared: int) -> None:
    found = shelving([told(minute) for minute in minutes], 8 * HOURS, ())
    assert (0 if found is None else found.spared) == spared


def test_shelving_is_never_advised_where_it_would_hide_what_was_real() -> None:
    chatter = [told(minute) for minute in range(0, 50, 10)]
    assert shelving(chatter, 8 * HOURS, ()) == Shelving(8 * HOURS, times=1, spared=2)
    assert shelving([*chatter, told(60, confirmed=True)], 8 * HOURS, ()) is None
    assert shelving(chatter, 8 * HOURS, [Reality(chatter[-1].told_time, "s/pump", "low")]) is None
    assert shelving(chatter, 8 * HOURS, [Reality(chatter[0].told_time, "s/pump", "low")]) is not None


def test_what_may_not_be_shelved_is_not_advised_to_be() -> None:
    assert shelving([told(minute) for minute in range(0, 50, 10)], None, ()) is None


@pytest.fixture
def report() -> WorkloadReport:
    """A small one, with names that would break a page that does not escape them."""
    workload = Workload(START, None)
    workload.take(change(5, "s/<b>&\"'", told=OWN, rule="=cmd|'!A1"))
    end = START + timedelta(days=2)
    figures = workload.figures(end)
    return WorkloadReport(
        seat="control-room",
        label=LocalText(zh="<script>控制室</script>", en="<script>Room & Co</script>"),
        month="2026-10",
        time_zone="Asia/Shanghai",
        start=START,
        end=end,
        figures=figures,
        judgements=judge(figures),
        days=workload.days(end),
        verdicts=dict.fromkeys(Verdict, 0),
        drill_alarms=0,
        deadlines=(),
        late=(),
        late_count=3,
        slow_stages={},
        advice=(Advice("</pre><script>", "s/x", Finding.SUGGESTED, override="</pre><script>"),),
    )


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_in_a_page_is_markup_that_was_not_meant(report: WorkloadReport, language: str) -> None:
    written = html_report(report, Words("zh" if language == "zh" else "en", report.time_zone))
    assert "<script" not in written
    assert "&lt;script&gt;" in written
    assert set(re.findall(r"<([a-z0-9]+)", written)) <= {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "pre", "svg", "rect"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }


def test_a_table_keeps_what_it_is_given_and_gives_spreadsheets_no_formula(report: WorkloadReport) -> None:
    rows = list(csv.reader(io.StringIO(csv_report(report, Words("en", "UTC")))))
    assert len({len(row) for row in rows}) == 1
    assert "=cmd|'!A1 s/<b>&\"'" in {row[1].removeprefix("'") for row in rows}
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)


def test_a_limit_that_applied_to_nothing_was_neither_kept_nor_missed(report: WorkloadReport) -> None:
    times = [LimitTimes("fire", FIRE_LIMITS[0], *counts, *[None] * 4) for counts in ((0, 0, 0), (2, 2, 0), (2, 1, 1))]
    rows = csv.DictReader(io.StringIO(csv_report(replace(report, deadlines=tuple(times)), Words("en", "UTC"))))
    assert [row["met"] for row in rows if row["section"] == "deadlines" and row["wanted"] == "0"] == ["", "yes", "no"]


def test_a_short_time_is_said_to_be_too_short(report: WorkloadReport) -> None:
    words = Words("en", "UTC")
    assert words("short") in html_report(report, words)
    month = replace(report, end=START + timedelta(days=31))
    assert words("short") not in html_report(month, words)


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        (None, "–"),
        (timedelta(0), "0s"),
        (timedelta(milliseconds=120), "0.12s"),
        (timedelta(seconds=75.4), "1min15s"),
        (timedelta(seconds=-3), "0s"),
    ],
)
def test_durations_are_written_as_people_read_them(length: timedelta | None, shown: str) -> None:
    assert duration(length) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (0.128, "0.13"), (1234, "1,234"), (99.999, "100"), (6.5, "6.5")]
)
def test_numbers_have_no_more_digits_than_anybody_reads(value: float, shown: str) -> None:
    assert number(value) == shown
