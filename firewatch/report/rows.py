"""The report's figures one by one, as every form of it shows them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from firewatch.report.text import Words, duration, number
from firewatch.report.workload import WorkloadReport

_SECOND = timedelta(seconds=1)


class Row(NamedTuple):
    """One figure: what programs call it, what people call it, its value as a number, and as people read it."""

    key: str
    label: str
    value: float
    shown: str


def figure_rows(report: WorkloadReport, words: Words) -> Iterator[Row]:
    """Every figure of the month."""
    figures = report.figures
    hours = (report.end - report.start) / timedelta(hours=1)
    values: dict[str, float | timedelta] = {
        "alarms": figures.alarm_count.of_their_own,
        "grouped": figures.alarm_count.grouped,
        "average": figures.alarm_count.of_their_own / hours,
        "most_in_10_minutes": figures.maximum_alarm_rate,
        "crowded": figures.crowded_intervals,
        "floods": figures.floods,
        "flood_time": figures.flood_time,
        "active": figures.active.most,
        "unacknowledged": figures.unacknowledged.most,
        "shelved": figures.shelved.most,
        "suppressed": figures.suppressed.most,
        "out_of_service": figures.out_of_service.most,
        "maximum_active": figures.maximum_active_state,
        "maximum_unack": figures.maximum_un_ack,
        "realarms": figures.realarms,
        "maximum_realarms": figures.maximum_realarm_count,
        "stale": len(figures.stale),
        "stale_worst": figures.stale_on_worst_day,
        "chattering": figures.chattering,
        "fleeting": figures.fleeting,
        "drills": report.drill_alarms,
    }
    for key, value in values.items():
        yield _row(key, words(key), value)
    answers = figures.answers
    yield _row("answered", words("answered"), answers.count if answers is not None else 0)
    if answers is not None:
        yield _row("answer_median", words("answer_median"), answers.median)
        yield _row("answer_90", words("answer_90"), answers.ninety)
        yield _row("answer_99", words("answer_99"), answers.ninety_nine)
        yield _row("answer_longest", words("answer_longest"), answers.longest)


def _row(key: str, label: str, value: float | timedelta) -> Row:
    if isinstance(value, timedelta):
        return Row(key, label, value / _SECOND, duration(value))
    return Row(key, label, value, number(value))
