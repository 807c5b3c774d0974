"""Which alarms a seat answers for, and whose turn of duty it is by the clock on its wall."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firewatch.model.alarm import Alarm, AlarmClass, AlarmClock, AlarmState, ConditionState, Priority
from firewatch.model.seat import ONE_SEAT, ControlRoom, Seat, Shift
from firewatch.model.text import LocalText

TEXT = LocalText(zh="测试", en="test")
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
ALARM = Alarm(
    alarm_id="a",
    rule="r",
    site="east",
    subject="east/tank",
    building="tower",
    system="water",
    priority=Priority.HIGH,
    alarm_class=AlarmClass.SUPERVISORY,
    state=AlarmState.UNACKNOWLEDGED,
    condition=ConditionState.ACTIVE,
    text=TEXT,
    advice=TEXT,
    place=TEXT,
    onset_time=NOW,
    clock=AlarmClock(NOW, NOW, NOW),
)


def seat(name: str = "desk", **fields: object) -> Seat:
    return msgspec.convert({"id": name, "label": {"zh": "席", "en": "seat"}} | fields, Seat)


def shift(start: str, end: str) -> Shift:
    return Shift(TEXT, time.fromisoformat(start), time.fromisoformat(end))


@pytest.mark.parametrize(
    ("claims", "answers"),
    [
        ({}, True),
        ({"sites": ["east"]}, True),
        ({"sites": ["west"]}, False),
        ({"sites": ["west", "east"]}, True),
        ({"buildings": ["east/tower"]}, True),
        ({"buildings": ["west/tower"]}, False),
        ({"systems": ["water"]}, True),
        ({"systems": ["lift"]}, False),
        ({"sites": ["east"], "systems": ["lift"]}, False),
        ({"sites": ["east"], "buildings": ["east/tower"], "systems": ["lift", "water"]}, True),
    ],
)
def test_a_seat_answers_for_what_all_its_claims_agree_on(claims: dict[str, object], answers: bool) -> None:
    assert seat(**claims).answers_for(ALARM) is answers


def test_what_no_seat_claims_is_the_first_seats() -> None:
    lifts, gas = seat("lifts", systems=["lift"]), seat("gas", systems=["gas"])
    assert ControlRoom((lifts, gas)).answering(ALARM) == (lifts,)


def test_several_seats_may_answer_for_one_alarm() -> None:
    water, east, gas = seat("water", systems=["water"]), seat("east", sites=["east"]), seat("gas", systems=["gas"])
    assert ControlRoom((gas, water, east)).answering(ALARM) == (water, east)


def test_without_any_seats_there_is_one_for_everything() -> None:
    assert [each.id for each in ONE_SEAT.answering(ALARM)] == ["control-room"]


DAY_AND_NIGHT = (shift("08:00", "20:00"), shift("20:00", "08:00"))


@pytest.mark.parametrize(
    ("wall", "start", "end"),
    [
        ("2026-07-01 08:00", "2026-07-01 08:00", "2026-07-01 20:00"),
        ("2026-07-01 19:59", "2026-07-01 08:00", "2026-07-01 20:00"),
        ("2026-07-01 20:00", "2026-07-01 20:00", "2026-07-02 08:00"),
        ("2026-07-02 07:59", "2026-07-01 20:00", "2026-07-02 08:00"),
    ],
)
def test_a_turn_of_duty_goes_by_the_clock_on_the_wall_and_over_midnight(wall: str, start: str, end: str) -> None:
    desk = Seat("desk", TEXT, "Asia/Shanghai", shifts=DAY_AND_NIGHT)
    turn = desk.turn(datetime.fromisoformat(f"{wall}+08:00"))
    assert turn is not None
    assert turn.start_time == datetime.fromisoformat(f"{start}+08:00")
    assert turn.end_time == datetime.fromisoformat(f"{end}+08:00")


def test_a_shift_that_ends_when_it_begins_lasts_a_day() -> None:
    turn = Seat("desk", TEXT, "UTC", shifts=(shift("08:00", "08:00"),)).turn(NOW)
    assert turn is not None
    assert (turn.start_time.hour, turn.end_time - turn.start_time) == (8, timedelta(days=1))


def test_between_two_shifts_nobody_is_on_duty() -> None:
    assert Seat("desk", TEXT, "UTC", shifts=(shift("06:00", "12:00"),)).turn(NOW) is None


@given(
    st.integers(0, 366 * 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York"]),
)
def test_where_shifts_follow_each_other_somebody_is_always_on_duty(now: datetime, zone: str) -> None:
    turn = Seat("desk", TEXT, zone, shifts=DAY_AND_NIGHT).turn(now)
    assert turn is not None
    assert turn.start_time <= now < turn.end_time
    assert timedelta(hours=11) <= turn.end_time - turn.start_time <= timedelta(hours=13)
