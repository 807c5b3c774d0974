from __future__ import annotations

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
from prometheus_client import CollectorRegistry

from firewatch.mqtt.inspection import DROPPED_TOPIC, BrokerInspection, DelayProbe
from firewatch.telemetry import Telemetry


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry(CollectorRegistry())


@pytest.fixture
def inspection(telemetry: Telemetry) -> BrokerInspection:
    return BrokerInspection(telemetry)


def findings(telemetry: Telemetry) -> float:
    return telemetry.registry.get_sample_value("firewatch_broker_findings_total") or 0.0


def test_a_session_lost_between_two_connections_is_found_and_a_first_one_is_not(
    inspection: BrokerInspection, telemetry: Telemetry
) -> None:
    for session_kept, found in [(False, 0), (True, 0), (False, 1)]:
        inspection.connected(session_kept)
        assert findings(telemetry) == found


@pytest.mark.parametrize(("codes", "found"), [([1, 1], 0), ([1, 0], 1), ([128, 128], 2)])
def test_a_subscription_that_is_refused_or_granted_without_assurance_is_found(
    inspection: BrokerInspection, telemetry: Telemetry, codes: list[int], found: int
) -> None:
    inspection.granted(["a", "b"], [ReasonCode(PacketTypes.SUBACK, identifier=code) for code in codes])
    assert findings(telemetry) == found


def test_dropped_messages_are_found_once_for_each_rise_and_not_from_before_the_connection(
    inspection: BrokerInspection, telemetry: Telemetry
) -> None:
    inspection.connected(True)
    for payload, found in [(b"7", 0), (b"7", 0), (b"9", 1), (b"9", 1), (b"nonsense", 1), (b"10", 2)]:
        inspection.told(DROPPED_TOPIC, payload)
        assert findings(telemetry) == found
    inspection.connected(True)
    inspection.told(DROPPED_TOPIC, b"50")
    assert findings(telemetry) == 2


def test_connections_that_end_at_once_are_found_when_they_are_no_accident(
    inspection: BrokerInspection, telemetry: Telemetry
) -> None:
    for lasted, found in [(0.1, 0), (0.1, 0), (100.0, 0), (0.1, 0), (0.1, 0), (0.1, 1), (0.1, 1)]:
        inspection.ended(lasted, "firewatch")
        assert findings(telemetry) == found


class Broker:
    """Acknowledges the probe's messages with a gap for each round."""

    def __init__(self) -> None:
        self.sent = 0
        self.found: list[float] = []
        self.probe = DelayProbe(self._send, self.found.append)

    def _send(self) -> int:
        self.sent += 1
        return self.sent

    def answer(self, gaps: list[float]) -> None:
        self.probe.begin()
        self.probe.go_on()
        now = 100.0
        for gap in gaps:
            for mid, delay in ((self.sent - 1, 0.0), (self.sent, gap)):
                now += delay
                assert self.probe.takes(mid, now)
                self.probe.go_on()


@pytest.mark.parametrize(
    ("gaps", "found"),
    [
        ([0.0001] * 8, []),
        ([0.0001] * 4 + [0.044] * 4, [0.044]),
        ([0.0001] * 4 + [0.044, 0.044, 0.0001, 0.044], []),
        ([0.044] * 4 + [0.0001] * 4, []),
    ],
)
def test_only_a_gap_in_every_one_of_the_last_rounds_is_a_finding(gaps: list[float], found: list[float]) -> None:
    broker = Broker()
    broker.answer(gaps)
    assert broker.found == pytest.approx(found)
    assert broker.probe.finished
    assert broker.sent == 2 * DelayProbe.ROUNDS


def test_a_probe_that_was_cut_off_is_not_tried_again() -> None:
    broker = Broker()
    broker.probe.begin()
    broker.probe.go_on()
    assert broker.sent == 2
    broker.probe.stop()
    assert not broker.probe.takes(1, 1.0)  # on the next connection that is another message's number
    broker.probe.begin()
    broker.probe.go_on()
    assert broker.sent == 2


def test_other_messages_are_not_the_probes() -> None:
    broker = Broker()
    broker.probe.begin()
    broker.probe.go_on()
    assert not broker.probe.takes(77, 1.0)
