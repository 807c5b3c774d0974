from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from firewatch.ports import Rejection
from firewatch.telemetry import RejectionLog, Telemetry, configure_logging
from firewatch.telemetry.rejections import KEPT, LOG_INTERVAL

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def rejection(source: str = "a", reason: str = "broken_json", after: float = 0.0, detail: str = "") -> Rejection:
    return Rejection(
        receive_time=START + timedelta(seconds=after), source=source, reason=reason, detail=detail, payload="{"
    )


@pytest.fixture
def stream() -> io.StringIO:
    stream = io.StringIO()
    configure_logging(log_format="json", stream=stream)
    return stream


@pytest.fixture
def rejections(stream: io.StringIO) -> RejectionLog:
    return RejectionLog(Telemetry(CollectorRegistry()))


def test_each_rejection_is_counted_by_reason_and_the_newest_comes_first(rejections: RejectionLog) -> None:
    rejections.add(rejection("a", "broken_json"))
    rejections.add(rejection("b", "not_finite"))
    rejections.add(rejection("c", "broken_json"))

    assert rejections.counts() == {"broken_json": 2, "not_finite": 1}
    assert [kept.source for kept in rejections.recent()] == ["c", "b", "a"]


def test_one_bad_device_does_not_push_out_the_others(rejections: RejectionLog) -> None:
    rejections.add(rejection("quiet"))
    for number in range(10 * KEPT):
        rejections.add(rejection("noisy", detail=str(number)))

    assert [(kept.source, kept.detail) for kept in rejections.recent()] == [
        ("noisy", str(10 * KEPT - 1)),
        ("quiet", ""),
    ]


def test_no_more_than_the_last_ones_are_kept(rejections: RejectionLog) -> None:
    for number in range(KEPT + 50):
        rejections.add(rejection(f"topic/{number}"))

    assert len(rejections.recent()) == KEPT
    assert rejections.recent()[-1].source == "topic/50"
    assert rejections.counts() == {"broken_json": KEPT + 50}


def test_a_flood_writes_one_log_line_for_each_interval_and_says_how_many_it_left_out(
    rejections: RejectionLog, stream: io.StringIO
) -> None:
    interval = LOG_INTERVAL.total_seconds()
    for number in range(1000):
        rejections.add(rejection(after=number * interval / 1000))
    rejections.add(rejection(after=interval))

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["unlogged"] for line in lines] == [0, 999]


def test_a_flood_for_one_reason_does_not_hide_another(rejections: RejectionLog, stream: io.StringIO) -> None:
    rejections.add(rejection(reason="broken_json"))
    rejections.add(rejection(reason="broken_json", after=1))
    rejections.add(rejection(reason="not_finite", after=1))

    assert [json.loads(line)["reason"] for line in stream.getvalue().splitlines()] == ["broken_json", "not_finite"]
