"""The workload report as a CSV file: one row a value, for spreadsheets and other programs.

`section` and `key` are the same in every language; durations are seconds, times ISO 8601 in UTC.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta

from firewatch.report.advice import Advice
from firewatch.report.rows import figure_rows
from firewatch.report.text import Words
from firewatch.report.workload import LimitTimes, WorkloadReport

COLUMNS = ("section", "key", "label", "value", "unit", "wanted", "met", "source")

_Row = tuple[str | float, ...]


def csv_report(report: WorkloadReport, words: Words) -> str:
    """The whole report, with a head line."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in _rows(report, words):
        writer.writerow([*map(_cell, row), *[""] * (len(COLUMNS) - len(row))])
    return file.getvalue()


def _rows(report: WorkloadReport, words: Words) -> Iterator[_Row]:
    yield "report", "seat", words("seat"), report.seat
    yield "report", "month", words("month"), report.month
    yield "report", "start", words("covered"), report.start.isoformat()
    yield "report", "end", words("covered"), report.end.isoformat()
    for row in figure_rows(report, words):
        unit = "s" if row.key in _SECONDS else "1"
        yield "figures", row.key, row.label, _plain(row.value), unit
    for one in report.judgements:
        sign = "<" if one.is_below else "<="
        wanted = f"{sign} {_plain(one.limit)}"
        met = "yes" if one.is_met else "no"
        yield "judgements", one.aim, words.aim(one.aim), _plain(one.value), "1", wanted, met, one.source
    for priority, count in report.figures.priorities.items():
        yield "priorities", priority, words.priority(priority), count, "1"
    for verdict, count in report.verdicts.items():
        yield "verdicts", verdict, words.verdict(verdict), count, "1"
    for day in report.days:
        date = words.day(day.start_time)
        yield "days", date, words("alarms"), day.tally.of_their_own, "1"
        yield "days", date, words("grouped"), day.tally.grouped, "1"
        yield "days", date, words("worst_interval"), day.worst_interval, "1"
        yield "days", date, words("flood_time"), _seconds(day.flood_time), "s"
    for actor in report.figures.bad_actors:
        yield "bad_actors", f"{actor.rule} {actor.subject}", words("count"), actor.tally.total, "1"
    for stale in report.figures.stale:
        yield "stale", f"{stale.rule} {stale.subject}", words("stale"), stale.active_since.isoformat()
    for times in report.deadlines:
        yield from _limit_rows(times, words)
    for stage, count in report.slow_stages.items():
        yield "late", stage, words.stage(stage), count, "1"
    for advice in report.advice:
        yield from _advice_rows(advice, words)


def _limit_rows(times: LimitTimes, words: Words) -> Iterator[_Row]:
    limit = times.limit
    key = f"{times.alarm_class} {limit.since} {limit.stage}"
    wanted = f"<= {_seconds(limit.within)}"
    met = ("no" if times.late else "yes") if times.applied else ""
    yield "deadlines", key, words("applied"), times.applied, "1"
    yield "deadlines", key, words("late"), times.late, "1", "0", met, limit.clause
    spread = {"half": times.median, "p95": times.ninety_five, "p99": times.ninety_nine, "longest": times.longest}
    for name, took in spread.items():
        if took is not None:
            yield "deadlines", key, words(name), _seconds(took), "s", wanted, "", limit.clause


def _advice_rows(advice: Advice, words: Words) -> Iterator[_Row]:
    key = f"{advice.rule} {advice.subject}"
    yield "advice", key, words.finding(advice), advice.finding
    if advice.suggestion is not None:
        yield "advice", key, words.change(advice.suggestion), advice.played - advice.suggestion.alarms, "1"
    if advice.shelving is not None:
        yield "advice", key, words.shelving(advice.shelving), advice.shelving.spared, "1"


def _cell(value: str | float) -> str | float:
    """What a spreadsheet would take for a formula is marked as text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


_SECONDS = frozenset(
    {
        "flood_time",
        "maximum_active",
        "maximum_unack",
        "answer_median",
        "answer_90",
        "answer_99",
        "answer_longest",
    }
)


def _seconds(length: timedelta) -> str:
    return _plain(length / timedelta(seconds=1))


def _plain(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"
