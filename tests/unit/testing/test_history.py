"""The history in memory keeps the promises of the port."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from firewatch.model.alarm import (
    Alarm,
    AlarmClass,
    AlarmClock,
    AlarmState,
    AlarmTransition,
    ConditionState,
    Priority,
    TransitionReason,
)
from firewatch.model.command import ActuatorAnswer, ActuatorCommand, AnswerState
from firewatch.model.observation import Observation, Quality
from firewatch.model.text import LocalText
from firewatch.ports import AlarmFilter, CommandRecord, EngineInput
from firewatch.testing.clock import START, FakeClock
from firewatch.testing.history import InMemoryHistory
from firewatch.testing.publisher import RecordingPublisher

TEXT = LocalText(zh="文", en="text")


def transition(name: str, number: int, state: AlarmState, onset: datetime = START) -> AlarmTransition:
    alarm = Alarm(
        alarm_id=name,
        rule="rule",
        site="sample",
        subject="sample/tank-1",
        building="tower-a",
        system="water",
        priority=Priority.HIGH,
        alarm_class=AlarmClass.SUPERVISORY,
        state=state,
        condition=ConditionState.ACTIVE,
        text=TEXT,
        advice=TEXT,
        place=TEXT,
        onset_time=onset,
        clock=AlarmClock(source_time=onset, receive_time=onset, decided_time=onset),
    )
    return AlarmTransition(
        alarm_id=name,
        number=number,
        transition_time=onset,
        reason=TransitionReason.CONDITION_ACTIVE,
        previous_state=AlarmState.NORMAL,
        alarm=alarm,
    )


def heard(ordinal: int, value: float, seconds: int = 0) -> EngineInput:
    time = START + timedelta(seconds=seconds)
    return EngineInput(
        ordinal=ordinal,
        now=time,
        observation=Observation("sample/tank-1/level", value, Quality.GOOD, time, time, time),
    )


async def test_writing_twice_changes_nothing() -> None:
    history = InMemoryHistory()
    for _ in range(2):
        history.write([heard(1, 2.0), transition("a", 1, AlarmState.UNACKNOWLEDGED)])
    assert [each.ordinal async for each in history.inputs_after(0)] == [1]
    assert len(await history.transitions("a")) == 1


async def test_records_are_safe_in_order_and_only_once_released() -> None:
    history, safe = InMemoryHistory(), list[int]()
    history.hold = True
    history.write([heard(1, 2.0)], lambda: safe.append(1))
    history.write([heard(2, 2.1)], lambda: safe.append(2))
    assert (safe, await history.last_ordinal()) == ([], 0)
    await history.flush()
    assert (safe, await history.last_ordinal()) == ([1, 2], 2)


async def test_alarms_are_read_as_they_stand_newest_first_and_page_by_page() -> None:
    history = InMemoryHistory()
    later = START + timedelta(seconds=5)
    history.write([transition("a", 1, AlarmState.UNACKNOWLEDGED), transition("b", 1, AlarmState.UNACKNOWLEDGED, later)])
    history.write([transition("a", 2, AlarmState.NORMAL)])
    assert [alarm.alarm_id for alarm in await history.alarms(AlarmFilter())] == ["b", "a"]
    assert [alarm.alarm_id for alarm in await history.alarms(AlarmFilter(standing=True))] == ["b"]
    assert [alarm.alarm_id for alarm in await history.alarms(AlarmFilter(before=(later, "b")))] == ["a"]
    assert await history.alarms(AlarmFilter(site="elsewhere")) == []


async def test_observations_are_the_newest_of_their_time_oldest_first() -> None:
    history = InMemoryHistory()
    history.write([heard(number, float(number), seconds=number) for number in range(1, 6)])
    found = await history.observations("sample/tank-1/level", START, START + timedelta(seconds=5), limit=2)
    assert [each.value for each in found] == [3.0, 4.0]


async def test_a_final_answer_stays() -> None:
    history = InMemoryHistory()
    command = ActuatorCommand("c", "sample/a-lift-1-door", "hold_door", {}, "session", "rule", START)
    answer = ActuatorAnswer("c", command.device, AnswerState.ACCEPTED, "", START, START)
    history.write([command, answer])
    assert len(await history.commands(unanswered=True)) == 1
    history.write([msgspec.structs.replace(answer, state=AnswerState.DONE, detail="held"), answer])
    (record,) = await history.commands(cause="session")
    assert record.answer is not None
    assert record.answer.detail == "held"
    assert await history.commands(unanswered=True) == []


async def test_the_newest_command_of_every_device_comes_with_its_answer() -> None:
    history = InMemoryHistory()
    later = START + timedelta(seconds=5)
    held = ActuatorCommand("held", "sample/b", "hold_door", {}, "session", "rule", START)
    released = ActuatorCommand("released", "sample/b", "release_door", {}, "session", "rule", later)
    played = ActuatorCommand("played", "sample/a", "play", {}, "session", "rule", START)
    done = ActuatorAnswer("released", "sample/b", AnswerState.DONE, "released", later, later)
    assert await history.newest_commands() == []
    history.write([released, held, played, done])
    assert await history.newest_commands() == [CommandRecord.of(played, None), CommandRecord.of(released, done)]


def test_a_publisher_remembers_what_a_broker_would_hold() -> None:
    publisher = RecordingPublisher()
    publisher.publish("a", b"1", retain=True)
    publisher.publish("a", b"", retain=True)
    publisher.publish("b", b"2", retain=True)
    publisher.publish("c", b"3")
    assert publisher.retained() == {"b": b"2"}
    assert len(publisher.messages) == 4


def test_a_clock_moves_on_and_never_back() -> None:
    clock = FakeClock()
    assert clock.advance(timedelta(seconds=5)) == clock.now() == datetime(2025, 1, 1, 0, 0, 5, tzinfo=UTC)
    with pytest.raises(ValueError, match="does not run backwards"):
        clock.advance(timedelta(seconds=-1))
