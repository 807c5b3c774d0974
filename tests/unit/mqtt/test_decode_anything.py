"""Whatever arrives, decoding answers, and what it answers can be relied on."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firewatch.config.settings import IngestSettings
from firewatch.model.command import ActuatorAnswer
from firewatch.model.observation import Observation, Quality
from firewatch.model.site import SUPERVISORY_SIGNALS, SignalType
from firewatch.mqtt.decode import Decoded, PayloadDecoder
from firewatch.mqtt.rejection import RejectionReason
from firewatch.ports import Rejection

from .conftest import INVENTORY, NOW

TOPICS = [
    "firewatch/v1/telemetry/sample/hydrant",
    "firewatch/v1/telemetry/sample/pump",
    "firewatch/v1/telemetry/sample/valve",
    "firewatch/v1/telemetry/sample/iso",
    "firewatch/v1/state/sample/hydrant",
    "firewatch/v1/answer/sample/door",
    "vendor/acme/box-1/up",
    "vendor/acme/plain/up",
]
SIGNALS = {
    f"{site.id}/{device.id}/{signal.name}": signal
    for site in INVENTORY.sites
    for device in site.devices
    for signal in (*INVENTORY.kinds[device.kind].signals, *SUPERVISORY_SIGNALS)
}
PYTHON_TYPES = {SignalType.NUMBER: float, SignalType.BOOLEAN: bool, SignalType.STATE: str}

times = st.one_of(
    st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
    st.timedeltas(timedelta(minutes=-10), timedelta(minutes=10)).map(lambda skew: (NOW + skew).isoformat()),
    st.sampled_from(["1970-01-01T00:00:00Z", "2099-12-31T23:59:59+14:00", "0001-01-01T00:00:00+14:00", "soon", ""]),
    st.integers(),
    st.floats(),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(["open", "0", "10", 312])
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(["pressure", "temperature", "running", "position", "online", "nonsense", ""])
units = st.one_of(st.none(), st.sampled_from(["MPa", "kPa", "degF", "", "V"]), st.text(max_size=6))
reading = st.fixed_dictionaries(
    {"signal": names | anything, "value": anything},
    optional={"unit": units, "quality": st.sampled_from(["good", "bad", "uncertain", "", 1]), "time": times},
)
message = st.one_of(
    st.fixed_dictionaries(
        {"time": times, "signal": names, "value": anything},
        optional={"unit": units, "quality": st.sampled_from(["good", "bad"]), "seq": st.integers()},
    ),
    st.fixed_dictionaries({"time": times, "readings": st.lists(reading, max_size=5)}),
    st.fixed_dictionaries({"online": anything}, optional={"time": times, "software": anything}),
    st.fixed_dictionaries({"id": anything, "state": anything, "time": times}, optional={"detail": st.text(max_size=9)}),
    st.fixed_dictionaries(
        {"d": st.fixed_dictionaries({}, optional=dict.fromkeys(("p", "st", "v", "l"), anything)), "ts": anything},
        optional={"n": anything},
    ),
    st.fixed_dictionaries({"run": anything}, optional={"t": times}),
    anything,
)
payloads = st.one_of(st.binary(max_size=200), message.map(lambda value: json.dumps(value).encode(errors="replace")))


@pytest.mark.slow
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    arrivals=st.lists(
        st.tuples(st.sampled_from(TOPICS), payloads, st.booleans(), st.integers(0, 1000)), min_size=1, max_size=6
    ),
    connect=st.booleans(),
)
def test_any_sequence_of_messages_is_answered_with_sound_observations_or_a_reason(
    arrivals: list[tuple[str, bytes, bool, int]], connect: bool
) -> None:
    notices: list[Rejection] = []
    decoder = PayloadDecoder(INVENTORY, IngestSettings(), notice=notices.append)
    if connect:
        decoder.connected(NOW)
    receive_time = NOW
    for topic, payload, retain, seconds in arrivals:
        receive_time += timedelta(seconds=seconds)
        check(decoder.decode(topic, payload, retain, receive_time), receive_time)
    for notice in notices:
        check(notice, notice.receive_time)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(topic=st.text(max_size=60) | st.sampled_from(TOPICS).map(lambda topic: topic + "/"), payload=st.binary())
def test_any_topic_that_is_no_devices_is_refused(topic: str, payload: bytes) -> None:
    decoder = PayloadDecoder(INVENTORY, IngestSettings(), notice=lambda _: None)
    decoded = decoder.decode(topic, payload, False, NOW)
    assert isinstance(decoded, Rejection)
    assert decoded.reason in ("bad_topic", "unknown_device")
    check(decoded, NOW)


def check(decoded: Decoded, receive_time: datetime) -> None:
    if isinstance(decoded, list):
        assert decoded
        for observation in decoded:
            check_observation(observation, receive_time)
    elif isinstance(decoded, Rejection):
        assert RejectionReason(decoded.reason)
        assert_printable(decoded.source, decoded.detail, decoded.payload)
        assert decoded.receive_time == receive_time
    else:
        assert isinstance(decoded, ActuatorAnswer)
        assert_printable(decoded.command_id, decoded.detail)
        assert decoded.source_time.tzinfo is UTC
    msgspec.json.encode(decoded)


def check_observation(observation: Observation, receive_time: datetime) -> None:
    signal = SIGNALS[observation.signal]
    value: Any = observation.value
    if value is None:
        assert observation.quality is Quality.BAD
    else:
        assert type(value) is PYTHON_TYPES[signal.type]
        assert signal.type is not SignalType.NUMBER or math.isfinite(value)
        assert signal.type is not SignalType.STATE or value in signal.states
    assert observation.receive_time == receive_time
    assert observation.source_time.tzinfo is observation.event_time.tzinfo is UTC
    assert observation.event_time in (observation.source_time, receive_time)
    assert observation.event_time <= receive_time
    assert observation.sequence is None or 0 <= observation.sequence < 2**63


def assert_printable(*texts: str) -> None:
    for text in texts:
        assert text.isprintable()
        text.encode()
