"""What is asked of actuators, how often, and what shows that it was done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firewatch.broadcast.actuators import ANSWER_TIMEOUT, ATTEMPTS, FOLLOW_LIMIT, RESEND_INTERVAL, Actuators
from firewatch.broadcast.carrier import Carriers, MqttCarrier
from firewatch.broadcast.proof import Expected
from firewatch.model.alarm import Stage, StageReached
from firewatch.model.command import ActuatorAnswer, ActuatorCommand, AnswerState, CommandState
from firewatch.model.contract import CommandMessage
from firewatch.model.observation import Observation, Quality, Value
from firewatch.ports import CommandRecord
from firewatch.telemetry.telemetry import Telemetry
from firewatch.testing.publisher import RecordingPublisher

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
HELD = "sample/a-lift-2-door/held"
WITHIN = timedelta(seconds=3)
SHOWS_HELD = Expected((HELD,), True, WITHIN)
RELEASE = msgspec.structs.replace(HOLD, command_id="c2", action="release_door", parameters={})


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def answer(state: AnswerState, detail: str = "held", command_id: str = "c1") -> ActuatorAnswer:
    return ActuatorAnswer(command_id, "sample/a-lift-2-door", state, detail, START, START)


def reading(seconds: float, value: Value | None = True, quality: Quality = Quality.GOOD) -> Observation:
    return Observation(HELD, value, quality, at(seconds), at(seconds), at(seconds))


class Wire:
    """Actuators whose changes and messages are kept; `expected` proves every hold."""

    def __init__(self, expected: Expected | None = None) -> None:
        self.messages: list[CommandMessage] = []
        self.withdrawn: list[str] = []
        self.states: list[CommandState | None] = []
        self.records: list[CommandRecord] = []
        self.stored: list[ActuatorAnswer | StageReached] = []
        self.telemetry = Telemetry()
        self._expected = expected
        self.actuators = Actuators(self, self._expected_of, self.telemetry)

    def _expected_of(self, command: ActuatorCommand) -> Expected | None:
        return self._expected if command.action == "hold_door" else None

    def send_command(self, command: ActuatorCommand, seconds: float = 0) -> None:
        self._note(self.actuators.send(command, at(seconds)))

    def answer(self, state: AnswerState, detail: str = "held", command_id: str = "c1") -> None:
        changes = self.actuators.answered(answer(state, detail, command_id))
        assert changes is not None
        self._note(changes)

    def observe(self, *readings: Observation) -> None:
        for each in readings:
            self._note(self.actuators.observed(each))

    def advance(self, seconds: float) -> None:
        """Let time pass as the loop does: from one wake to the next."""
        end = at(seconds)
        while (wake := self.actuators.next_wake()) is not None and wake <= end:
            self._note(self.actuators.advance(wake))
            following = self.actuators.next_wake()
            assert following is None or following > wake, "a wake must make progress"
        self._note(self.actuators.advance(end))

    def count(self, metric: str, **labels: str) -> float | None:
        return self.telemetry.registry.get_sample_value(metric, labels)

    def _note(self, changes: list) -> None:
        self.states += [change.state for change in changes if not change.is_repeat]
        self.records += [change.record for change in changes]
        self.stored += [each for change in changes for each in change.stored]

    # A carrier.

    def send(self, device: str, message: CommandMessage) -> None:
        assert device == "sample/a-lift-2-door"
        self.messages.append(message)

    def withdraw(self, device: str, command_id: str) -> None:
        self.withdrawn.append(command_id)


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def watched() -> Wire:
    return Wire(SHOWS_HELD)


# -- until it is answered --


def test_a_command_goes_out_at_once_in_the_form_of_the_contract(wire: Wire) -> None:
    wire.send_command(HOLD)
    assert wire.messages == [CommandMessage(id="c1", action="hold_door", parameters={"max_seconds": 120.0}, time=START)]
    assert wire.records == [CommandRecord.of(HOLD)]
    assert wire.states == [CommandState.SENT]


def test_over_mqtt_a_repeated_command_takes_the_place_of_one_that_still_waits_and_is_never_retained() -> None:
    publisher = RecordingPublisher()
    carrier = Carriers(MqttCarrier(publisher, "firewatch/v1/"), {})
    carrier.send("sample/a-lift-2-door", CommandMessage(id="c1", action="stop", parameters={}, time=START))
    [message] = publisher.messages
    assert (message.topic, message.retain) == ("firewatch/v1/command/sample/a-lift-2-door", False)
    assert publisher.keys == ["c1"]
    assert b"attempt" not in message.payload, "an actuator of before knows no attempts"


def test_a_command_sent_twice_travels_once(wire: Wire) -> None:
    wire.send_command(HOLD)
    wire.send_command(HOLD)
    assert len(wire.messages) == 1


def test_an_unanswered_command_is_repeated_with_the_same_id_and_then_given_up(wire: Wire) -> None:
    wire.send_command(HOLD)
    wire.advance(60)
    assert wire.states == [CommandState.SENT, CommandState.FAILED]
    assert [each.detail for each in wire.stored if isinstance(each, ActuatorAnswer)] == ["unanswered"]
    assert wire.count("firewatch_unanswered_commands_total", action="hold_door") == 1
    assert wire.withdrawn == ["c1"], "what is given up must not reach the actuator an hour later"
    assert len(wire.messages) == ANSWER_TIMEOUT // RESEND_INTERVAL
    assert set(map(repr, wire.messages)) == {repr(wire.messages[0])}
    assert wire.actuators.next_wake() is None


@pytest.mark.parametrize("state", [AnswerState.ACCEPTED, AnswerState.DONE, AnswerState.FAILED])
def test_an_answer_ends_the_repeating(wire: Wire, state: AnswerState) -> None:
    wire.send_command(HOLD)
    wire.answer(state)
    wire.advance(60)
    assert len(wire.messages) == 1
    assert wire.states == [CommandState.SENT, CommandState(state)]
    assert wire.count("firewatch_unanswered_commands_total", action="hold_door") is None
    assert wire.records[-1] == CommandRecord.of(HOLD, answer(state))


def test_accepted_may_be_followed_by_done(wire: Wire) -> None:
    wire.send_command(HOLD)
    wire.answer(AnswerState.ACCEPTED)
    wire.answer(AnswerState.DONE)
    assert wire.states == [CommandState.SENT, CommandState.ACCEPTED, CommandState.DONE]


def test_an_answer_to_an_unknown_command_changes_nothing(wire: Wire) -> None:
    assert wire.actuators.answered(answer(AnswerState.DONE)) == []


def test_another_device_cannot_answer(wire: Wire) -> None:
    wire.send_command(HOLD)
    stranger = msgspec.structs.replace(answer(AnswerState.DONE), device="sample/a-lift-1-door")
    assert wire.actuators.answered(stranger) is None


# -- until it is proven --


def test_a_door_that_moves_is_proven_with_the_time_at_which_it_was_seen_to(watched: Wire) -> None:
    watched.send_command(HOLD)
    watched.answer(AnswerState.ACCEPTED)
    watched.answer(AnswerState.DONE)
    watched.observe(reading(1, value=False), reading(2))
    assert [record.state for record in watched.records] == ["sent", "accepted", "done", "proven"]
    assert watched.states == ["sent", "accepted", "accepted", "proven"], "rules are not told that it is done before"
    assert watched.stored == [StageReached("a1", Stage.PROVEN, at(2), by="c1")]
    assert watched.records[-1].proven_time == at(2)
    assert watched.actuators.next_wake() is None
    watched.advance(60)
    assert len(watched.messages) == 1


def test_a_door_that_says_done_and_does_not_move_is_asked_again_and_then_unproven(watched: Wire) -> None:
    watched.send_command(HOLD)
    watched.answer(AnswerState.DONE)
    for second in range(1, 20):
        watched.advance(second)
        watched.observe(reading(second, value=False))
    assert [message.attempt for message in watched.messages] == [1, 2, 3]
    assert {message.id for message in watched.messages} == {"c1"}
    assert [record.attempts for record in watched.records] == [1, 1, 2, 3, 3], "people see each attempt"
    assert watched.states == [CommandState.SENT, CommandState.ACCEPTED, CommandState.UNPROVEN]
    assert [each.detail for each in watched.stored if isinstance(each, ActuatorAnswer)] == ["unproven"]
    assert watched.count("firewatch_unproven_commands_total", action="hold_door") == 1


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("nothing is heard", []),
        ("the signal is bad", [reading(1, None, Quality.BAD)]),
        ("the signal is uncertain", [reading(1, quality=Quality.UNCERTAIN)]),
        ("it was so before the command", [reading(-0.001)]),
        ("it was so and is not any more when the answer comes", [reading(0.1), reading(0.2, value=False)]),
        ("it was so and nobody can tell any more", [reading(0.1), reading(0.2, None, Quality.BAD)]),
    ],
)
def test_it_is_no_proof_if(name: str, seen: list[Observation]) -> None:
    watched = Wire(SHOWS_HELD)
    watched.send_command(HOLD)
    watched.observe(*seen)
    watched.answer(AnswerState.DONE)
    watched.advance(ATTEMPTS * 3)
    assert watched.states[-1] is CommandState.UNPROVEN, name


def test_a_signal_without_the_actuators_own_word_is_no_proof(watched: Wire) -> None:
    watched.send_command(HOLD)
    watched.observe(reading(1), reading(2))
    assert watched.states == [CommandState.SENT]
    watched.answer(AnswerState.ACCEPTED)
    assert watched.states == [CommandState.SENT, CommandState.PROVEN], "the signal was only faster than the answer"


def test_a_late_reading_from_before_takes_no_proof_away(watched: Wire) -> None:
    watched.send_command(HOLD)
    watched.observe(reading(2), reading(1, value=False))
    watched.answer(AnswerState.DONE)
    assert watched.states[-1] is CommandState.PROVEN


def test_an_actuator_that_acts_late_is_proven_late(watched: Wire) -> None:
    watched.send_command(HOLD)
    watched.answer(AnswerState.DONE)
    watched.advance(30)
    watched.observe(reading(30))
    assert watched.states == ["sent", "accepted", "unproven", "proven"]


def test_an_actuator_that_fails_after_its_proof_has_failed(watched: Wire) -> None:
    watched.send_command(HOLD)
    watched.answer(AnswerState.ACCEPTED)
    watched.observe(reading(1))
    watched.answer(AnswerState.FAILED, "motor")
    assert watched.states[-2:] == [CommandState.PROVEN, CommandState.FAILED]


def test_what_was_proven_stays_proven_when_it_is_done(watched: Wire) -> None:
    watched.send_command(HOLD)
    watched.answer(AnswerState.ACCEPTED)
    watched.observe(reading(1))
    watched.answer(AnswerState.DONE)
    assert watched.states[-2:] == [CommandState.PROVEN, CommandState.PROVEN]
    assert watched.records[-1].answer == answer(AnswerState.DONE)


def test_a_newer_command_ends_the_repeating_and_the_proof_of_the_one_before(watched: Wire) -> None:
    watched.send_command(HOLD)
    watched.answer(AnswerState.DONE)
    watched.send_command(RELEASE, 1)
    watched.answer(AnswerState.DONE, "released", "c2")
    watched.observe(reading(2))
    watched.advance(FOLLOW_LIMIT.total_seconds())
    assert [message.id for message in watched.messages] == ["c1", "c2"]
    assert watched.states == ["sent", "accepted", "sent", "done"], "nothing proves a release here"


def test_what_is_said_to_a_command_that_another_took_the_place_of_is_recorded_only(watched: Wire) -> None:
    watched.send_command(HOLD)
    watched.send_command(RELEASE, 0.5)
    watched.advance(5)
    watched.answer(AnswerState.FAILED, "jammed")
    assert watched.records[-1].state is CommandState.FAILED
    assert watched.states[-1] is None, "the device is to be judged by what it was asked last"
    assert [message.id for message in watched.messages].count("c1") == 1


def test_every_second_signal_has_to_show_it() -> None:
    other = "sample/a-lift-2-controller/held"
    wire = Wire(Expected((HELD, other), True, WITHIN))
    wire.send_command(HOLD)
    wire.answer(AnswerState.DONE)
    wire.observe(reading(1))
    assert wire.states[-1] is CommandState.ACCEPTED
    wire.observe(msgspec.structs.replace(reading(2), signal=other))
    assert wire.stored == [StageReached("a1", Stage.PROVEN, at(2), by="c1")]


STEPS = st.lists(
    st.one_of(
        st.sampled_from(list(AnswerState)),
        st.builds(lambda value, quality: (value, quality), st.sampled_from([True, False]), st.sampled_from(Quality)),
        st.floats(0, 20),
    ),
    max_size=30,
)


@given(STEPS)
def test_nothing_but_a_good_reading_after_the_command_and_the_actuators_yes_proves_it(steps: list) -> None:
    wire = Wire(SHOWS_HELD)
    wire.send_command(HOLD)
    now, has_said_yes, has_failed, newest = 0.0, False, False, None
    for step in steps:
        if isinstance(step, AnswerState):
            wire.answer(step)
            has_said_yes = has_said_yes or (step is not AnswerState.FAILED and not has_failed)
            has_failed = has_failed or step is AnswerState.FAILED
        elif isinstance(step, tuple):
            value, quality = step
            newest = value if quality is Quality.GOOD else None
            wire.observe(reading(now, value, quality))
        else:
            now += step
            wire.advance(now)
        if CommandState.PROVEN in wire.states:
            assert has_said_yes
            break
        assert not (has_said_yes and newest is True and not has_failed and wire.records[-1].state is CommandState.DONE)
    assert len(wire.messages) <= ANSWER_TIMEOUT // RESEND_INTERVAL + ATTEMPTS
    proofs = [each for each in wire.stored if isinstance(each, StageReached)]
    assert len(proofs) <= 1
