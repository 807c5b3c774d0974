from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from firewatch.broadcast.actuators import ANSWER_TIMEOUT, RESEND_INTERVAL, Actuators
from firewatch.model.command import ActuatorAnswer, ActuatorCommand, AnswerState
from firewatch.model.contract import CommandMessage
from firewatch.ports import CommandRecord
from firewatch.telemetry.telemetry import Telemetry

START = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
HOLD = ActuatorCommand(
    command_id="c1",
    device="sample/a-lift-2-door",
    action="hold_door",
    parameters={"max_seconds": 120.0},
    cause="a1",
    rule="e-bike-in-lift",
    issued_time=START,
)


class Wire:
    """Records what was published, what changed and what was given up."""

    def __init__(self) -> None:
        self.published: list[tuple[str, bytes]] = []
        self.withdrawn: list[str] = []
        self.changes: list[CommandRecord] = []
        self.telemetry = Telemetry()
        self.actuators = Actuators(self, "firewatch/v1/", self.telemetry, self.changes.append)

    def count(self, metric: str, **labels: str) -> float | None:
        return self.telemetry.registry.get_sample_value(metric, labels)

    def withdraw(self, key: str) -> None:
        self.withdrawn.append(key)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, replaces: str | None = None) -> None:
        assert replaces == "c1", "a repeated command takes the place of one that still waits"
        assert not retain, "a retained command would be done again after every reconnect"
        self.published.append((topic, payload))


def answer(state: AnswerState, detail: str = "held") -> ActuatorAnswer:
    return ActuatorAnswer(
        command_id="c1",
        device="sample/a-lift-2-door",
        state=state,
        detail=detail,
        source_time=START,
        receive_time=START,
    )


@pytest.fixture
def wire() -> Wire:
    return Wire()


def test_a_command_goes_out_at_once_in_the_form_of_the_contract(wire: Wire) -> None:
    wire.actuators.send(HOLD, START)
    [(topic, payload)] = wire.published
    assert topic == "firewatch/v1/command/sample/a-lift-2-door"
    assert msgspec.json.decode(payload, type=CommandMessage) == CommandMessage(
        id="c1", action="hold_door", parameters={"max_seconds": 120.0}, time=START
    )
    assert wire.changes == [CommandRecord(command=HOLD, answer=None)]


def test_a_command_sent_twice_travels_once(wire: Wire) -> None:
    wire.actuators.send(HOLD, START)
    wire.actuators.send(HOLD, START)
    assert len(wire.published) == 1


def test_an_unanswered_command_is_repeated_with_the_same_id_and_then_given_up(wire: Wire) -> None:
    wire.actuators.send(HOLD, START)
    now = START
    while (wake := wire.actuators.next_wake()) is not None:
        assert wake > now or now == START, "a wake must make progress"
        now = wake
        wire.actuators.advance(now)
    assert wire.count("firewatch_unanswered_commands_total", action="hold_door") == 1
    [shown] = [change.answer for change in wire.changes if change.answer is not None]
    assert (shown.state, shown.detail) == (AnswerState.FAILED, "unanswered")
    assert wire.withdrawn == ["c1"], "what is given up must not reach the actuator an hour later"
    assert now == START + ANSWER_TIMEOUT
    assert len(wire.published) == ANSWER_TIMEOUT // RESEND_INTERVAL
    assert len(set(wire.published)) == 1


@pytest.mark.parametrize("state", [AnswerState.ACCEPTED, AnswerState.DONE, AnswerState.FAILED])
def test_an_answer_ends_the_repeating(wire: Wire, state: AnswerState) -> None:
    wire.actuators.send(HOLD, START)
    wire.actuators.answered(answer(state))
    wire.actuators.advance(START + timedelta(minutes=1))
    assert len(wire.published) == 1
    assert wire.count("firewatch_unanswered_commands_total", action="hold_door") is None
    assert wire.changes[-1] == CommandRecord(command=HOLD, answer=answer(state))


def test_accepted_may_be_followed_by_done(wire: Wire) -> None:
    wire.actuators.send(HOLD, START)
    wire.actuators.answered(answer(AnswerState.ACCEPTED))
    wire.actuators.answered(answer(AnswerState.DONE))
    assert [change.answer.state for change in wire.changes if change.answer] == [AnswerState.ACCEPTED, AnswerState.DONE]


def test_an_answer_to_an_unknown_command_changes_nothing(wire: Wire) -> None:
    wire.actuators.answered(answer(AnswerState.DONE))
    assert wire.changes == []
