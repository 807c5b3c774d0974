"""What devices may send, what becomes of it, and what bad input gets."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from firewatch.config.settings import IngestSettings
from firewatch.model.command import ActuatorAnswer, AnswerState
from firewatch.model.contract import PAYLOAD_LIMIT_BYTES
from firewatch.model.observation import Observation, Quality
from firewatch.mqtt.decode import PayloadDecoder
from firewatch.mqtt.device import BACKLOG_LIMIT, DEVICE_BACKLOG_LIMIT
from firewatch.mqtt.rejection import RejectionReason
from firewatch.ports import Rejection

from .conftest import INVENTORY, NOW

HYDRANT = "firewatch/v1/telemetry/sample/hydrant"
PUMP = "firewatch/v1/telemetry/sample/pump"
VALVE = "firewatch/v1/telemetry/sample/valve"
STATE = "firewatch/v1/state/sample/hydrant"
ANSWER = "firewatch/v1/answer/sample/door"
VENDOR = "vendor/acme/box-1/up"


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def reading(signal: str = "pressure", value: Any = 0.35, time: Any = NOW, **more: Any) -> bytes:
    return json.dumps({"time": written(time), "signal": signal, "value": value, **more}).encode()


def many(*readings: dict[str, Any], time: datetime = NOW, **more: Any) -> bytes:
    return json.dumps({"time": written(time), "readings": list(readings), **more}).encode()


def written(time: Any) -> Any:
    return time.isoformat() if isinstance(time, datetime) else time


def settle(decoder: PayloadDecoder, topic: str = HYDRANT, signal: str = "pressure", value: Any = 0.35) -> None:
    """Let a device be heard once, so that the first-time observations are out of the way."""
    assert len(observed(decoder.decode(topic, reading(signal, value), False, NOW))) == 3


def observed(decoded: object) -> list[Observation]:
    assert isinstance(decoded, list), decoded
    return decoded


def refused(decoded: object) -> Rejection:
    assert isinstance(decoded, Rejection), decoded
    return decoded


def short(observations: list[Observation]) -> list[tuple[str, object]]:
    return [(observation.signal.removeprefix("sample/"), observation.value) for observation in observations]


# ---------------------------------------------------------------- good input


def test_one_reading_becomes_one_observation(decoder: PayloadDecoder) -> None:
    settle(decoder)
    (observation,) = observed(decoder.decode(HYDRANT, reading(value=0.3512, time=at(-1), seq=17), False, NOW))

    assert observation == Observation(
        signal="sample/hydrant/pressure",
        value=0.3512,
        quality=Quality.GOOD,
        source_time=at(-1),
        receive_time=NOW,
        event_time=at(-1),
        sequence=17,
    )


@pytest.mark.parametrize(
    ("topic", "signal", "sent", "value"),
    [
        (HYDRANT, "pressure", {"value": 1}, 1.0),
        (HYDRANT, "pressure", {"value": -0.5}, -0.5),
        (HYDRANT, "pressure", {"value": 0.35, "unit": "MPa"}, 0.35),
        (HYDRANT, "pressure", {"value": 350, "unit": "kPa"}, 0.35),
        (HYDRANT, "pressure", {"value": 3.5, "unit": "bar"}, 0.35),
        (HYDRANT, "temperature", {"value": 68, "unit": "degF"}, 20.0),
        (PUMP, "running", {"value": True}, True),
        (PUMP, "running", {"value": False}, False),
        (VALVE, "position", {"value": "closed"}, "closed"),
        (HYDRANT, "pressure", {"value": None, "quality": "bad"}, None),
        (PUMP, "running", {"value": None, "quality": "bad"}, None),
        (HYDRANT, "pressure", {"value": 0.1, "quality": "uncertain"}, 0.1),
    ],
)
def test_a_value_is_of_its_signals_type_and_in_its_signals_unit(
    decoder: PayloadDecoder, topic: str, signal: str, sent: dict[str, Any], value: object
) -> None:
    observation = observed(decoder.decode(topic, reading(signal, **sent), False, NOW))[-1]

    assert type(observation.value) is type(value)
    assert observation.value == pytest.approx(value)
    assert observation.quality == sent.get("quality", "good")


def test_many_readings_share_time_and_sequence_unless_they_have_their_own(decoder: PayloadDecoder) -> None:
    settle(decoder)
    payload = many(
        {"signal": "pressure", "value": 0.3},
        {"signal": "temperature", "value": 290.15, "unit": "K", "time": written(at(-3600))},
        seq=4,
    )
    first, second = observed(decoder.decode(HYDRANT, payload, False, NOW))

    assert (first.source_time, first.event_time, first.sequence) == (NOW, NOW, 4)
    assert (second.source_time, second.event_time, second.sequence) == (at(-3600), at(-3600), 4)
    assert second.value == pytest.approx(17.0)
    assert second.quality is Quality.GOOD


def test_a_state_that_is_called_readings_is_still_one_reading(decoder: PayloadDecoder) -> None:
    rejection = refused(decoder.decode(VALVE, reading("position", "readings"), False, NOW))
    assert rejection.reason == RejectionReason.BAD_STATE_VALUE


def test_times_with_an_offset_become_utc(decoder: PayloadDecoder) -> None:
    settle(decoder)
    (observation,) = observed(decoder.decode(HYDRANT, reading(time="2026-03-01T16:00:00+08:00"), False, NOW))

    assert observation.source_time == NOW
    assert observation.source_time.tzinfo is UTC


def test_an_answer_of_an_actuator_is_read(decoder: PayloadDecoder) -> None:
    payload = json.dumps({"id": "c1", "state": "done", "time": written(NOW), "detail": "held"}).encode()

    assert decoder.decode(ANSWER, payload, False, at(1)) == ActuatorAnswer(
        command_id="c1",
        device="sample/door",
        state=AnswerState.DONE,
        detail="held",
        source_time=NOW,
        receive_time=at(1),
    )


def test_subscriptions_are_the_channels_from_devices_and_the_vendors_topics(decoder: PayloadDecoder) -> None:
    assert decoder.subscriptions == (
        "firewatch/v1/telemetry/+/+",
        "firewatch/v1/state/+/+",
        "firewatch/v1/answer/+/+",
        "vendor/acme/box-1/up",
        "vendor/acme/plain/up",
    )


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("topic", "payload", "reason", "says"),
    [
        # broken JSON
        (HYDRANT, b"{", "broken_json", "truncated"),
        (HYDRANT, b"hello", "broken_json", "malformed"),
        (HYDRANT, b"\xff\xfe\x00", "broken_json", ""),
        (HYDRANT, b"\xef\xbb\xbf{}", "broken_json", ""),
        (HYDRANT, b'{"signal":"\xff"}', "broken_json", ""),
        (HYDRANT, b"[" * 60_000, "wrong_type", "object"),
        (HYDRANT, reading() + b" trailing", "broken_json", "trailing"),
        (VENDOR, b"[" * 60_000, "broken_json", ""),
        # wrong type
        (HYDRANT, b"5", "wrong_type", "Expected `object`"),
        (HYDRANT, reading(value="0.35"), "wrong_type", "pressure: expected a number, found '0.35'"),
        (HYDRANT, reading(value=True), "wrong_type", "expected a number, found true"),
        (HYDRANT, reading(value=None), "wrong_type", 'null needs quality "bad"'),
        (HYDRANT, reading(value=[1]), "wrong_type", "$.value"),
        (HYDRANT, reading(value={"v": 1}), "wrong_type", "$.value"),
        (PUMP, reading("running", 1), "wrong_type", "write true and false instead of 1 and 0"),
        (PUMP, reading("running", "true"), "wrong_type", "expected true or false"),
        (VALVE, reading("position", 1), "wrong_type", "name of a state"),
        (HYDRANT, reading(time=1764035000), "wrong_type", "$.time"),
        (HYDRANT, reading(signal=7), "wrong_type", "$.signal"),
        (HYDRANT, reading(quality="superb"), "wrong_type", "superb"),
        (HYDRANT, reading(seq=-1), "wrong_type", "$.seq"),
        (HYDRANT, reading(extra=1), "wrong_type", "unknown field `extra`"),
        # missing
        (HYDRANT, b"{}", "missing_field", "time"),
        (HYDRANT, reading().replace(b'"signal"', b'"sign"'), "wrong_type", "unknown field `sign`"),
        # not finite
        (HYDRANT, reading(value=float("nan")), "not_finite", "NaN"),
        (HYDRANT, reading(value=float("inf")), "not_finite", "Infinity"),
        (HYDRANT, reading(value=float("-inf")), "not_finite", "Infinity"),
        (HYDRANT, reading().replace(b"0.35", b"nan"), "not_finite", "NaN"),
        (HYDRANT, reading().replace(b"0.35", b"1e999"), "not_finite", "out of range"),
        (HYDRANT, reading().replace(b"0.35", b"9" * 400), "not_finite", "out of range"),
        (HYDRANT, reading(value=1e308, unit="GPa"), "not_finite", "out of range"),
        # what nobody knows
        (HYDRANT, reading("presure"), "unknown_signal", "it has pressure, temperature"),
        (HYDRANT, reading("online", True), "unknown_signal", "derived by firewatch"),
        (HYDRANT, reading(unit="furlong"), "unknown_unit", "furlong"),
        (HYDRANT, reading(unit="degC"), "unknown_unit", "degC"),
        (HYDRANT, reading(unit="9**9**9"), "unknown_unit", ""),
        (HYDRANT, reading(unit="x" * 17), "unknown_unit", "length"),
        (PUMP, reading("running", True, unit="V"), "unknown_unit", "leave it out"),
        (VALVE, reading("position", "ajar"), "bad_state_value", '"ajar" is not one of open, closed'),
        # time
        (HYDRANT, reading(time="yesterday"), "implausible_time", "RFC3339"),
        (HYDRANT, reading(time="2026-02-30T00:00:00Z"), "implausible_time", "RFC3339"),
        (HYDRANT, reading(time="2026-03-01T08:00:00"), "implausible_time", "timezone"),
        # the message
        (HYDRANT, b"", "empty_payload", ""),
        (HYDRANT, b" " * (PAYLOAD_LIMIT_BYTES + 1), "too_long", "65537 bytes, the limit is 65536"),
        (HYDRANT, many(), "wrong_type", "length"),
        (HYDRANT, many(*[{"signal": "pressure", "value": 0.1}] * 501), "wrong_type", "length"),
        # topics
        ("", b"{}", "bad_topic", ""),
        ("other/thing", b"{}", "bad_topic", ""),
        ("firewatch/v1/telemetry/sample/水箱", b"{}", "bad_topic", ""),
        ("firewatch/v1/telemetry/sample/a b", b"{}", "bad_topic", ""),
        ("firewatch/v1/telemetry/sample/\x00", b"{}", "bad_topic", ""),
        ("firewatch/v1/telemetry/sample/hydrant\n", b"{}", "bad_topic", ""),
        ("firewatch/v1/telemetry/sample", b"{}", "bad_topic", ""),
        ("firewatch/v1/telemetry/sample/hydrant/more", b"{}", "bad_topic", ""),
        ("firewatch/v1/command/sample/door", b"{}", "bad_topic", ""),
        ("firewatch/v2/telemetry/sample/hydrant", b"{}", "bad_topic", ""),
        ("firewatch/v1/telemetry/sample/stranger", reading(), "unknown_device", "sample/stranger"),
        ("firewatch/v1/telemetry/elsewhere/hydrant", reading(), "unknown_device", "elsewhere/hydrant"),
        ("firewatch/v1/telemetry/sample/box", reading(), "unknown_device", "under vendor/acme/box-1/up"),
        # state and answers
        (STATE, b"", "empty_payload", ""),
        (STATE, b'"online"', "wrong_type", "object"),
        (STATE, b'{"online":1}', "wrong_type", "$.online"),
        (STATE, b"{}", "missing_field", "online"),
        (ANSWER, b'{"id":"c1"}', "missing_field", ""),
        (ANSWER, b'{"id":"","state":"done","time":"2026-03-01T08:00:00Z"}', "wrong_type", "$.id"),
        ("firewatch/v1/answer/sample/pump", b"{}", "unexpected_answer", "sample/pump has no actions"),
    ],
)
def test_bad_input_gets_a_named_reason(
    decoder: PayloadDecoder, notices: list[Rejection], topic: str, payload: bytes, reason: str, says: str
) -> None:
    rejection = refused(decoder.decode(topic, payload, False, NOW))

    assert rejection.reason == reason
    assert says in rejection.detail
    assert rejection.receive_time == NOW
    assert len(rejection.payload) <= 256
    assert notices == []


def test_every_reason_explains_itself_in_both_languages() -> None:
    for reason in RejectionReason:
        assert reason.text.en.endswith(".")
        assert reason.text.zh.endswith("。")


def test_a_rejection_keeps_nothing_that_a_database_or_terminal_chokes_on(decoder: PayloadDecoder) -> None:
    rejection = refused(decoder.decode("a\x00\x1b[31m", b'\x00\x1b[31m"\xd8', False, NOW))

    assert rejection.source.isprintable()
    assert rejection.payload.isprintable()


def test_one_bad_reading_does_not_cost_the_others_of_its_message(
    decoder: PayloadDecoder, notices: list[Rejection]
) -> None:
    settle(decoder)
    payload = many(
        {"signal": "pressure", "value": 0.3},
        {"signal": "pressure", "value": "high"},
        {"signal": "temperature", "value": {}},
        {"signal": "weather", "value": 1},
        {"signal": "pressure", "value": 3, "unit": "parsec"},
        {"signal": "temperature", "value": 20},
    )
    observations = observed(decoder.decode(HYDRANT, payload, False, NOW))

    assert short(observations) == [("hydrant/pressure", 0.3), ("hydrant/temperature", 20.0)]
    assert sorted(notice.reason for notice in notices) == [
        "unknown_signal",
        "unknown_unit",
        "wrong_type",
        "wrong_type",
    ]


def test_a_message_of_bad_readings_only_is_refused_for_the_first(
    decoder: PayloadDecoder, notices: list[Rejection]
) -> None:
    settle(decoder)
    payload = many({"signal": "a", "value": 1}, {"signal": "pressure", "value": True})

    assert refused(decoder.decode(HYDRANT, payload, False, NOW)).reason == "unknown_signal"


# ---------------------------------------------------------------- retained messages


def test_a_retained_reading_is_a_value_of_the_past_and_judged_by_no_rule(decoder: PayloadDecoder) -> None:
    assert refused(decoder.decode(HYDRANT, reading(), True, NOW)).reason == "retained"
    assert refused(decoder.decode(VENDOR, b"{}", True, NOW)).reason == "retained"
    answer = json.dumps({"id": "c1", "state": "done", "time": written(NOW)}).encode()
    assert refused(decoder.decode(ANSWER, answer, True, NOW)).reason == "retained"


def test_a_retained_state_is_the_truth_of_now_however_old_its_time(decoder: PayloadDecoder) -> None:
    birth = json.dumps({"online": True, "time": written(at(-86400 * 30))}).encode()
    (observation,) = observed(decoder.decode(STATE, birth, True, NOW))

    assert (observation.signal, observation.value) == ("sample/hydrant/online", True)
    assert (observation.source_time, observation.event_time) == (at(-86400 * 30), NOW)


# ---------------------------------------------------------------- online


def test_the_first_telemetry_says_that_a_device_is_online_and_its_clock_right(decoder: PayloadDecoder) -> None:
    assert short(observed(decoder.decode(HYDRANT, reading(), False, NOW))) == [
        ("hydrant/clock_fault", False),
        ("hydrant/online", True),
        ("hydrant/pressure", 0.35),
    ]
    assert short(observed(decoder.decode(HYDRANT, reading(), False, NOW))) == [("hydrant/pressure", 0.35)]


def test_birth_and_will_are_observations_and_telemetry_after_the_will_shows_life(decoder: PayloadDecoder) -> None:
    birth = json.dumps({"online": True, "time": written(NOW)}).encode()
    steps = [
        (STATE, birth, NOW, [("hydrant/clock_fault", False), ("hydrant/online", True)]),
        (HYDRANT, reading(time=at(1)), at(1), [("hydrant/pressure", 0.35)]),
        (STATE, b'{"online":false}', at(60), [("hydrant/online", False)]),
        # sent before the device was lost, arrived after
        (HYDRANT, reading(time=at(59)), at(61), [("hydrant/pressure", 0.35)]),
        (HYDRANT, reading(time=at(62)), at(62), [("hydrant/online", True), ("hydrant/pressure", 0.35)]),
        (HYDRANT, reading(time=at(63)), at(63), [("hydrant/pressure", 0.35)]),
    ]
    for topic, payload, receive_time, expected in steps:
        assert short(observed(decoder.decode(topic, payload, False, receive_time))) == expected


def test_a_will_has_no_time_and_counts_from_its_arrival(decoder: PayloadDecoder) -> None:
    (observation,) = observed(decoder.decode(STATE, b'{"online":false}', False, at(9)))
    assert observation.source_time == observation.event_time == observation.receive_time == at(9)


def test_bad_payloads_are_no_sign_of_life(decoder: PayloadDecoder) -> None:
    decoder.decode(STATE, b'{"online":false}', False, NOW)
    refused(decoder.decode(HYDRANT, reading("nonsense", time=at(5)), False, at(5)))

    observations = observed(decoder.decode(HYDRANT, reading(time=at(6)), False, at(6)))
    assert ("hydrant/online", True) in short(observations)


# ---------------------------------------------------------------- clocks


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        ("1970-01-01T00:00:10Z", "implausible_time"),
        ("2099-01-01T00:00:00Z", "implausible_time"),
        ("0001-01-01T00:00:00+08:00", "implausible_time"),
        ("9999-12-31T23:59:59-08:00", "implausible_time"),
        (written(at(301)), "clock_skew"),
        (written(at(-301)), "clock_skew"),
    ],
)
def test_a_reading_with_an_impossible_time_is_judged_by_its_arrival_and_counted(
    decoder: PayloadDecoder, notices: list[Rejection], time: str, reason: str
) -> None:
    settle(decoder)
    fault, observation = observed(decoder.decode(HYDRANT, reading(time=time), False, NOW))

    assert (fault.signal, fault.value, fault.event_time) == ("sample/hydrant/clock_fault", True, NOW)
    assert observation.value == 0.35
    assert observation.event_time == observation.receive_time == NOW
    assert observation.quality is Quality.UNCERTAIN
    assert [notice.reason for notice in notices] == [reason]


def test_a_clock_fault_is_told_once_counted_each_time_and_taken_back(
    decoder: PayloadDecoder, notices: list[Rejection]
) -> None:
    settle(decoder)
    told = [
        (seconds, observation.value)
        for seconds, skew in [(1, 400), (2, 400), (3, 0), (4, 0), (5, -400)]
        for observation in observed(decoder.decode(HYDRANT, reading(time=at(seconds + skew)), False, at(seconds)))
        if observation.signal.endswith("clock_fault")
    ]

    assert told == [(1, True), (3, False), (5, True)]
    assert len(notices) == 3


def test_a_clock_within_the_limit_is_believed(decoder: PayloadDecoder, notices: list[Rejection]) -> None:
    settle(decoder)
    (observation,) = observed(decoder.decode(HYDRANT, reading(time=at(-300)), False, NOW))
    assert (observation.event_time, observation.quality) == (at(-300), Quality.GOOD)
    assert notices == []


AHEAD = at(240)


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (HYDRANT, reading(time=AHEAD)),
        (HYDRANT, many({"signal": "pressure", "value": 0.3}, time=AHEAD)),
        (HYDRANT, many({"signal": "pressure", "value": 0.3, "time": written(AHEAD)})),
        (VENDOR, json.dumps({"d": {"p": 312.5}, "ts": round(AHEAD.timestamp() * 1000)}).encode()),
    ],
)
def test_no_reading_is_judged_by_a_time_after_its_arrival_since_a_fast_clock_would_put_the_alarm_off(
    decoder: PayloadDecoder, notices: list[Rejection], topic: str, payload: bytes
) -> None:
    for _ in range(2):  # unsettled and settled
        observation = observed(decoder.decode(topic, payload, False, NOW))[-1]
        assert (observation.source_time, observation.event_time) == (AHEAD, NOW)
        assert observation.quality is Quality.GOOD
    assert notices == []


def test_quality_bad_stays_bad_where_the_clock_is_wrong(decoder: PayloadDecoder) -> None:
    payload = reading(value=None, quality="bad", time=at(-86400))
    assert observed(decoder.decode(HYDRANT, payload, False, NOW))[-1].quality is Quality.BAD


def test_what_the_broker_kept_while_firewatch_was_away_is_no_clock_fault(
    decoder: PayloadDecoder, notices: list[Rejection]
) -> None:
    settle(decoder)
    decoder.connected(at(3600))
    for seconds in range(0, 3600, 600):
        (observation,) = observed(decoder.decode(HYDRANT, reading(time=at(seconds)), False, at(3600)))
        assert (observation.event_time, observation.quality) == (at(seconds), Quality.GOOD)
    assert notices == []


@pytest.mark.parametrize(
    "fresh",
    [
        reading(time=at(3600)),
        many({"signal": "pressure", "value": 0.3}, time=at(3600)),
    ],
)
def test_the_first_fresh_reading_of_a_device_ends_its_backlog(
    decoder: PayloadDecoder, notices: list[Rejection], fresh: bytes
) -> None:
    settle(decoder)
    decoder.connected(at(3600))
    decoder.decode(HYDRANT, fresh, False, at(3600))
    observations = observed(decoder.decode(HYDRANT, reading(time=NOW), False, at(3600)))

    assert ("hydrant/clock_fault", True) in short(observations)
    assert [notice.reason for notice in notices] == ["clock_skew"]


@pytest.mark.parametrize(
    ("topic", "fresh"),
    [
        (PUMP, reading("running", True, time=at(3600))),
        ("firewatch/v1/state/sample/pump", json.dumps({"online": True, "time": written(at(3600))}).encode()),
        (STATE, json.dumps({"online": True, "time": written(at(3600))}).encode()),
        (STATE, b'{"online":true}'),
    ],
)
def test_a_fresh_message_of_another_device_or_a_birth_ends_nobodys_backlog(
    decoder: PayloadDecoder, notices: list[Rejection], topic: str, fresh: bytes
) -> None:
    settle(decoder)
    decoder.connected(at(3600))
    late = at(3600) + DEVICE_BACKLOG_LIMIT
    decoder.decode(HYDRANT, reading(time=at(1)), False, at(3600))
    decoder.decode(topic, fresh, False, at(3600))
    observation = observed(decoder.decode(HYDRANT, reading(time=at(2)), False, late))[-1]

    assert (observation.event_time, observation.quality) == (at(2), Quality.GOOD)
    assert notices == []


def test_a_backlog_ends_by_itself(decoder: PayloadDecoder) -> None:
    settle(decoder)
    decoder.connected(at(3600))
    late = at(3600) + BACKLOG_LIMIT
    assert ("hydrant/clock_fault", True) in short(observed(decoder.decode(HYDRANT, reading(), False, late)))


def test_a_device_may_send_what_it_kept_after_its_birth(decoder: PayloadDecoder, notices: list[Rejection]) -> None:
    settle(decoder)
    birth = json.dumps({"online": True, "time": written(at(3600))}).encode()
    decoder.decode(STATE, birth, False, at(3600))

    (observation,) = observed(decoder.decode(HYDRANT, reading(time=at(100)), False, at(3601)))
    assert observation.event_time == at(100)
    later = at(3601) + DEVICE_BACKLOG_LIMIT
    assert ("hydrant/clock_fault", True) in short(observed(decoder.decode(HYDRANT, reading(), False, later)))
    assert len(notices) == 1


def test_a_backlog_does_not_excuse_a_clock_known_to_be_wrong_nor_one_that_is_ahead(decoder: PayloadDecoder) -> None:
    settle(decoder)
    decoder.connected(at(10))
    ahead = observed(decoder.decode(HYDRANT, reading(time=at(1000)), False, at(10)))
    assert ("hydrant/clock_fault", True) in short(ahead)
    (behind,) = observed(decoder.decode(HYDRANT, reading(time=at(-1000)), False, at(11)))
    assert (behind.event_time, behind.quality) == (at(11), Quality.UNCERTAIN)


@pytest.mark.parametrize("own", ["2099-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_a_collected_reading_with_an_impossible_time_is_judged_by_its_arrival(
    decoder: PayloadDecoder, notices: list[Rejection], own: str
) -> None:
    settle(decoder)
    payload = many({"signal": "pressure", "value": 0.3, "time": own}, {"signal": "temperature", "value": 20})
    first, second = observed(decoder.decode(HYDRANT, payload, False, NOW))

    assert (first.event_time, first.quality) == (NOW, Quality.UNCERTAIN)
    assert second.quality is Quality.GOOD
    assert [notice.reason for notice in notices] == ["implausible_time"]


# ---------------------------------------------------------------- vendors


def vendor(payload: object) -> bytes:
    return json.dumps(payload).encode()


MILLISECONDS = round(NOW.timestamp() * 1000)


def test_a_vendors_payload_is_mapped_by_its_decoder(decoder: PayloadDecoder) -> None:
    payload = vendor({"d": {"p": 312.5, "st": 0, "v": [20], "l": 250}, "ts": MILLISECONDS - 123, "n": 17})
    observations = observed(decoder.decode(VENDOR, payload, False, NOW))

    assert short(observations) == [
        ("box/clock_fault", False),
        ("box/online", True),
        ("box/pressure", pytest.approx(0.3125)),
        ("box/leaking", False),
        ("box/position", "closed"),
        ("box/level", pytest.approx(2.5)),
    ]
    assert {observation.source_time for observation in observations[2:]} == {NOW - timedelta(milliseconds=123)}
    assert {observation.sequence for observation in observations[2:]} == {17}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"p": 100}, [("box/pressure", pytest.approx(0.1))]),
        ({"p": "100.0"}, [("box/pressure", pytest.approx(0.1))]),
        ({"p": None}, [("box/pressure", None)]),
        ({"st": 1, "unmapped": 9}, [("box/leaking", True)]),
        ({"v": ["10", "20"]}, [("box/position", "open")]),
    ],
)
def test_a_vendors_field_that_is_missing_is_a_reading_less(
    decoder: PayloadDecoder, data: dict[str, Any], expected: list[object]
) -> None:
    observations = observed(decoder.decode(VENDOR, vendor({"d": data, "ts": MILLISECONDS}), False, NOW))
    assert short(observations)[2:] == expected
    assert observations[-1].quality is (Quality.BAD if observations[-1].value is None else Quality.GOOD)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"[]", "missing_field"),
        (b"null", "missing_field"),
        (vendor({"d": {}, "ts": MILLISECONDS}), "missing_field"),
        (b'{"d":{"p":NaN}}', "not_finite"),
    ],
)
def test_a_vendors_payload_without_any_reading_is_refused(decoder: PayloadDecoder, payload: bytes, reason: str) -> None:
    assert refused(decoder.decode(VENDOR, payload, False, NOW)).reason == reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"p": "high"}, "wrong_type"),
        ({"p": ""}, "wrong_type"),
        ({"p": True}, "wrong_type"),
        ({"p": {"x": 1}}, "wrong_type"),
        ({"p": "nan"}, "not_finite"),
        ({"p": "1e999"}, "not_finite"),
        ({"p": 10**400}, "not_finite"),
        ({"st": 2}, "bad_state_value"),
        ({"v": [99]}, "bad_state_value"),
        ({"st": [0]}, "wrong_type"),
    ],
)
def test_a_vendors_bad_field_costs_no_other(
    decoder: PayloadDecoder, notices: list[Rejection], data: dict[str, Any], reason: str
) -> None:
    settled = vendor({"d": {"l": 100}, "ts": MILLISECONDS})
    decoder.decode(VENDOR, settled, False, NOW)
    payload = vendor({"d": {**data, "l": 100}, "ts": MILLISECONDS})

    assert short(observed(decoder.decode(VENDOR, payload, False, NOW))) == [("box/level", 1.0)]
    assert [notice.reason for notice in notices] == [reason]


@pytest.mark.parametrize("time", [None, "soon", True, 1e300, -1e300, float(2**80), {}, []])
def test_a_vendors_time_that_cannot_be_read_is_a_clock_fault_and_not_a_lost_reading(
    decoder: PayloadDecoder, notices: list[Rejection], time: object
) -> None:
    observations = observed(decoder.decode(VENDOR, vendor({"d": {"l": 100}, "ts": time}), False, NOW))

    assert short(observations) == [("box/clock_fault", True), ("box/online", True), ("box/level", 1.0)]
    assert observations[-1].event_time == NOW
    assert observations[-1].quality is Quality.UNCERTAIN
    assert [notice.reason for notice in notices] == ["implausible_time"]


def test_a_vendor_without_a_time_is_taken_at_its_arrival(decoder: PayloadDecoder, notices: list[Rejection]) -> None:
    observations = observed(decoder.decode("vendor/acme/plain/up", b'{"run":true}', False, at(5)))
    assert observations[-1].source_time == at(5)
    assert observations[-1].quality is Quality.GOOD
    assert notices == []


def test_a_decoder_without_a_topic_reads_the_contracts_topic(decoder: PayloadDecoder) -> None:
    topic = "firewatch/v1/telemetry/sample/iso"
    observations = observed(decoder.decode(topic, vendor({"run": True, "t": written(at(-2))}), False, NOW))
    assert (observations[-1].value, observations[-1].source_time) == (True, at(-2))


def test_another_prefix_is_another_contract(notices: list[Rejection]) -> None:
    decoder = PayloadDecoder(INVENTORY, IngestSettings(), "site7/fire/", notice=notices.append)
    assert observed(decoder.decode("site7/fire/telemetry/sample/hydrant", reading(), False, NOW))
    assert refused(decoder.decode(HYDRANT, reading(), False, NOW)).reason == "bad_topic"
