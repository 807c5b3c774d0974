"""Readings of drills as they are decoded: like telemetry, and telling nothing about the device."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from firewatch.config.settings import IngestSettings
from firewatch.model.observation import Observation, Quality
from firewatch.mqtt.decode import Decoded, PayloadDecoder
from firewatch.mqtt.rejection import RejectionReason
from firewatch.ports import Rejection
from tests.unit.mqtt.conftest import INVENTORY, NOW


class Listener:
    """A drill of that id goes on."""

    def __init__(self, drill: str = "d1") -> None:
        self.drill = drill
        self.heard: list[tuple[int, Observation]] = []
        self.decoder = PayloadDecoder(INVENTORY, IngestSettings(), notice=self._notice, rehearse=self._take)

    def decode(self, topic: str = "firewatch/v1/drill/sample/pump", *, retain: bool = False, **changed: Any) -> Decoded:
        message = {"drill": "d1", "index": 3, "time": NOW.isoformat(), "signal": "running", "value": True} | changed
        return self.decoder.decode(topic, msgspec.json.encode(message), retain, NOW + timedelta(seconds=1))

    def _take(self, drill: str, index: int, observation: Observation) -> bool:
        self.heard.append((index, observation))
        return drill == self.drill

    def _notice(self, rejection: Rejection) -> None:
        raise AssertionError(rejection)


def test_a_reading_of_a_drill_is_handed_to_it_and_is_no_input() -> None:
    listener = Listener()
    assert listener.decode() == []
    observation = Observation(
        "sample/pump/running", True, Quality.GOOD, NOW, receive_time=NOW + timedelta(seconds=1), event_time=NOW
    )
    assert listener.heard == [(3, observation)]
    assert "firewatch/v1/drill/+/+" in listener.decoder.subscriptions


def test_it_tells_nothing_about_the_device() -> None:
    listener = Listener()
    listener.decode(time="2020-01-01T00:00:00Z")
    telemetry = {"time": NOW.isoformat(), "signal": "running", "value": False}
    heard = listener.decoder.decode("firewatch/v1/telemetry/sample/pump", msgspec.json.encode(telemetry), False, NOW)
    assert isinstance(heard, list)
    assert [(each.signal, each.value) for each in heard] == [
        ("sample/pump/clock_fault", False),
        ("sample/pump/online", True),
        ("sample/pump/running", False),
    ], "as the first word of a device"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"drill": "d2"}, RejectionReason.NO_DRILL),
        ({"signal": "speed"}, RejectionReason.UNKNOWN_SIGNAL),
        ({"value": "on"}, RejectionReason.WRONG_TYPE),
        ({"index": -1}, RejectionReason.WRONG_TYPE),
        ({"extra": 1}, RejectionReason.WRONG_TYPE),
        ({"time": "yesterday"}, RejectionReason.IMPLAUSIBLE_TIME),
        ({"retain": True}, RejectionReason.RETAINED),
        ({"topic": "firewatch/v1/drill/sample/nobody"}, RejectionReason.UNKNOWN_DEVICE),
        ({"topic": "firewatch/v1/drill-alarm/sample/pump"}, RejectionReason.BAD_TOPIC),
    ],
    ids=lambda part: str(part),
)
def test_what_cannot_be_used_is_refused_with_a_reason(changed: dict[str, Any], reason: RejectionReason) -> None:
    refused = Listener().decode(**changed)
    assert isinstance(refused, Rejection)
    assert refused.reason == reason


def test_without_drill_plans_nobody_listens() -> None:
    decoder = PayloadDecoder(INVENTORY, IngestSettings(), notice=lambda rejection: None)
    assert not any("/drill/" in topic for topic in decoder.subscriptions)
    assert isinstance(decoder.decode("firewatch/v1/drill/sample/pump", b"{}", False, NOW), Rejection)
