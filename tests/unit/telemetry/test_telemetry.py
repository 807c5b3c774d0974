from __future__ import annotations

import io
import json
import logging
import re
from typing import ClassVar, Literal

import pytest
import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from firewatch.telemetry import Telemetry, configure_logging, events
from firewatch.telemetry.occurrence import Count, LogLevel, Metric, Occurrence

NAME = re.compile(r"firewatch_[a-z]+(_[a-z]+)*")


def sample(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    return telemetry.registry.get_sample_value(name, labels)


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry(CollectorRegistry())


@pytest.fixture
def log() -> io.StringIO:
    stream = io.StringIO()
    configure_logging(log_format="json", stream=stream)
    return stream


def lines(log: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_an_occurrence_is_one_log_line_and_one_count(telemetry: Telemetry, log: io.StringIO) -> None:
    telemetry.emit(events.BrokerDisconnected(address="127.0.0.1:1883", reason="connection reset"))

    assert sample(telemetry, "firewatch_broker_disconnections_total") == 1
    (line,) = lines(log)
    assert line["event"] == "Lost the MQTT broker; connecting again"
    assert line["level"] == "warning"
    assert (line["address"], line["reason"]) == ("127.0.0.1:1883", "connection reset")


def test_an_occurrence_without_a_sentence_is_only_counted(telemetry: Telemetry, log: io.StringIO) -> None:
    telemetry.emit(events.MessagesReceived(count=300))

    assert sample(telemetry, "firewatch_mqtt_received_messages_total") == 300
    assert lines(log) == []


def test_two_occurrences_may_move_the_same_gauge(telemetry: Telemetry, log: io.StringIO) -> None:
    telemetry.emit(events.CameraOnline(device="sample/cam"))
    assert sample(telemetry, "firewatch_camera_online", device="sample/cam") == 1
    telemetry.emit(events.CameraOffline(device="sample/cam", reason="no frames"))
    assert sample(telemetry, "firewatch_camera_online", device="sample/cam") == 0
    assert sample(telemetry, "firewatch_camera_losses_total", device="sample/cam") == 1


def test_a_spread_counts_into_its_buckets(telemetry: Telemetry) -> None:
    telemetry.emit(events.ObservationDecided(seconds=0.0015))

    assert sample(telemetry, "firewatch_observation_to_alarm_seconds_bucket", le="0.001") == 0
    assert sample(telemetry, "firewatch_observation_to_alarm_seconds_bucket", le="0.002") == 1


def test_an_occurrence_declared_elsewhere_needs_no_registration(telemetry: Telemetry, log: io.StringIO) -> None:
    class PanelLost(Occurrence, frozen=True):
        panel: str
        sentence: ClassVar[str] = "A panel is lost"
        level: ClassVar[LogLevel] = LogLevel.ERROR
        metrics: ClassVar[tuple[Metric, ...]] = (Count("firewatch_panel_losses_total", "Panels lost."),)

    telemetry.emit(PanelLost(panel="p1"))
    telemetry.emit(PanelLost(panel="p1"))

    assert sample(telemetry, "firewatch_panel_losses_total") == 2
    assert [line["level"] for line in lines(log)] == ["error", "error"]


def test_every_metric_is_published_from_the_start_under_a_name_in_the_house_form(telemetry: Telemetry) -> None:
    published = {family.name for family in text_string_to_metric_families(telemetry.metrics().decode())}
    for kind in events.KNOWN:
        for metric in kind.metrics:
            assert NAME.fullmatch(metric.name), metric.name
            assert isinstance(metric, Count) == metric.name.endswith("_total"), metric.name
            assert metric.name.removesuffix("_total") in published
            fields = set(kind.__struct_fields__)
            assert set(metric.labels) <= fields, f"{kind.__name__} has no field for a label of {metric.name}"


@pytest.mark.parametrize("level", ["info", "warning", "error"])
def test_a_log_level_hides_what_is_below_it(telemetry: Telemetry, level: str) -> None:
    stream = io.StringIO()
    configure_logging(log_format="json", level=level, stream=stream)  # type: ignore[arg-type]
    telemetry.emit(events.SnapshotWritten(ordinal=1, size_bytes=1, seconds=0.1))
    telemetry.emit(events.CameraOnline(device="a"))
    telemetry.emit(events.CameraOffline(device="a", reason="r"))
    telemetry.emit(events.RowIsolated(table="observation", error="e"))

    order = ["info", "warning", "error"]
    assert [line["level"] for line in lines(stream)] == order[order.index(level) :]


def test_libraries_write_in_the_same_format_and_only_warnings(log: io.StringIO) -> None:
    logging.getLogger("some.module").info("chatter")
    logging.getLogger("some.module").warning("trouble with %s", "a thing")

    (line,) = lines(log)
    assert line["event"] == "trouble with a thing"


def test_people_read_chinese_in_the_console_format(telemetry: Telemetry) -> None:
    stream = io.StringIO()
    configure_logging(log_format="console", stream=stream)
    telemetry.emit(events.CameraOffline(device="sample/garage-lane-camera", reason="没有画面"))

    assert "没有画面" in stream.getvalue()


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_an_unforeseen_error_is_logged_without_the_secrets_at_hand(log_format: Literal["json", "console"]) -> None:
    def log_in(token: str) -> None:
        raise ValueError("no")

    stream = io.StringIO()
    configure_logging(log_format=log_format, stream=stream)
    try:
        log_in("".join(["t0", "ken"]))
    except ValueError:
        structlog.get_logger("firewatch.test").exception("Failed.")
    assert "log_in" in stream.getvalue()
    assert "t0ken" not in stream.getvalue()
