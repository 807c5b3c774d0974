"""Duty checks at the control room's desk: who is told of them, in which order, and over a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from firewatch.app.control_room import TOLD_AGAIN, ControlRoomKeeper
from firewatch.app.log_keeper import LogKeeper
from firewatch.errors import RefusedCommandError
from firewatch.model.control_room import DutyCheck, DutyQuestion, DutyState, EntryKind, LogEntry
from firewatch.model.observation import Observation
from firewatch.model.seat import ControlRoom, Seat
from firewatch.model.text import LocalText
from firewatch.ports import FeedEvent
from firewatch.telemetry.telemetry import Telemetry
from firewatch.testing.clock import FakeClock
from firewatch.testing.history import InMemoryHistory
from firewatch.testing.publisher import RecordingPublisher

NOW = datetime(2026, 7, 1, 8, tzinfo=UTC)
TEXT = LocalText(zh="席", en="desk")
ROOM = ControlRoom((Seat("east", TEXT, desk="sample/desk"), Seat("west", TEXT)))
TEN_MINUTES = timedelta(minutes=10)


class Desk:
    """A desk among fakes; `boot` again stands for a restart over the same history."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOW)
        self.history = InMemoryHistory()

    async def boot(self) -> None:
        self.publisher = RecordingPublisher()
        self.shown: list[FeedEvent] = []
        self.observed: list[Observation] = []
        self.keeper = ControlRoomKeeper(
            ROOM,
            self.clock,
            LogKeeper(self.history, ROOM, self.clock),
            self.publisher,
            "firewatch/v1/",
            self,
            self.observe,
            Telemetry(),
        )
        await self.keeper.resume(self.history)

    def push(self, event: FeedEvent) -> None:
        self.shown.append(event)

    def observe(self, observations: Sequence[Observation]) -> None:
        self.observed += observations

    def ask(self, number: int = 1, seat: str = "east") -> DutyCheck:
        return self.keeper.put(DutyQuestion(f"q{number}", "sample", seat, "中心", TEN_MINUTES))

    def wait(self, time: timedelta) -> None:
        self.clock.advance(time)
        self.keeper.advance()

    def answers(self) -> list[tuple[str, str, str]]:
        """Topic, question and state of what was published."""
        told = [(topic, msgspec.json.decode(payload)) for topic, payload, *_ in self.publisher.messages]
        return [(topic, message["id"], message["state"]) for topic, message in told]

    def values(self) -> list[tuple[str, object]]:
        return [(observation.signal, observation.value) for observation in self.observed]

    async def log(self) -> list[LogEntry]:
        return (await self.history.log_entries(NOW - TEN_MINUTES, self.clock.now() + TEN_MINUTES))[::-1]


@pytest.fixture
async def desk() -> Desk:
    desk = Desk()
    await desk.boot()
    return desk


TOPIC = "firewatch/v1/duty-answer/sample/east"


async def test_a_check_is_shown_observed_and_said_back_and_so_is_its_answer(desk: Desk) -> None:
    asked = desk.ask()
    assert desk.keeper.open_checks() == [asked]
    assert desk.shown == [asked]
    desk.clock.advance(timedelta(seconds=30))
    answered = await desk.keeper.answer(asked.check_id, "li")
    assert (answered.state, answered.ended_time, answered.answered_by) == (
        DutyState.ANSWERED,
        NOW + timedelta(seconds=30),
        "li",
    )
    assert desk.shown == [asked, answered]
    assert desk.values() == [("sample/desk/duty_check", "asked"), ("sample/desk/duty_check", "answered")]
    assert desk.answers() == [(TOPIC, "q1", "asked"), (TOPIC, "q1", "answered")]
    assert await desk.history.duty_checks() == [answered]
    assert desk.keeper.open_checks() == []


async def test_a_check_that_nobody_answers_is_missed_when_its_time_is_over(desk: Desk) -> None:
    asked = desk.ask()
    desk.wait(TEN_MINUTES - timedelta(seconds=1))
    assert desk.keeper.open_checks() == [asked]
    desk.wait(timedelta(seconds=5))
    (missed,) = await desk.history.duty_checks()
    assert (missed.state, missed.ended_time) == (DutyState.MISSED, NOW + TEN_MINUTES)
    assert desk.values()[-1] == ("sample/desk/duty_check", "missed")
    assert desk.answers()[-1] == (TOPIC, "q1", "missed")
    assert [(entry.kind, entry.seat) for entry in await desk.log()] == [(EntryKind.DUTY_CHECK, "east")] * 2


async def test_a_late_answer_ends_the_trouble_and_not_the_fact_that_the_check_was_missed(desk: Desk) -> None:
    asked = desk.ask()
    desk.clock.advance(TEN_MINUTES + timedelta(minutes=4))
    late = await desk.keeper.answer(asked.check_id, "li")
    assert (late.state, late.ended_time, late.answered_by) == (DutyState.MISSED, NOW + TEN_MINUTES, "li")
    assert await desk.history.duty_checks() == [late]
    assert [value for _, value in desk.values()] == ["asked", "missed", "answered"]
    assert [state for *_, state in desk.answers()] == ["asked", "missed", "missed"]
    assert [entry.text.en for entry in await desk.log()][1:] == [
        "Nobody answered the duty check within 10 min",
        "li answered the missed duty check 14 min after it was asked",
    ]
    with pytest.raises(RefusedCommandError):
        await desk.keeper.answer(asked.check_id, "wang")
    await desk.boot()
    assert desk.values() == [("sample/desk/duty_check", "answered")]


async def test_a_new_question_takes_the_place_of_an_open_one_and_the_rules_hear_of_the_new_one_alone(
    desk: Desk,
) -> None:
    desk.ask(1)
    desk.clock.advance(timedelta(minutes=1))
    second = desk.ask(2)
    assert desk.keeper.open_checks() == [second]
    assert desk.answers() == [(TOPIC, "q1", "asked"), (TOPIC, "q1", "replaced"), (TOPIC, "q2", "asked")]
    assert [value for _, value in desk.values()] == ["asked", "asked"]


async def test_seats_are_asked_apart_and_one_without_a_desk_is_in_the_log_alone(desk: Desk) -> None:
    east, west = desk.ask(1, "east"), desk.ask(1, "west")
    assert desk.keeper.open_checks() == [east, west]
    assert desk.values() == [("sample/desk/duty_check", "asked")]
    assert {entry.seat for entry in await desk.log()} == {"east", "west"}


async def test_the_same_question_again_is_the_same_check(desk: Desk) -> None:
    first = desk.ask()
    desk.clock.advance(timedelta(minutes=1))
    assert desk.ask() == first
    assert len(desk.shown) == 1


async def test_a_seat_that_does_not_exist_and_one_asked_a_moment_ago_are_not_asked(desk: Desk) -> None:
    with pytest.raises(RefusedCommandError, match="no seat north"):
        desk.ask(1, "north")
    desk.ask(1)
    with pytest.raises(RefusedCommandError, match="less than a second ago"):
        desk.ask(2)
    assert len(await desk.history.duty_checks()) == 1


async def test_whoever_asked_is_told_once_the_check_is_safe_and_the_console_before(desk: Desk) -> None:
    desk.history.hold = True
    asked = desk.ask()
    assert (desk.shown, desk.answers()) == ([asked], [])
    desk.history.release()
    assert desk.answers() == [(TOPIC, "q1", "asked")]


async def test_after_a_restart_an_open_check_is_open_and_is_missed_when_it_would_have_been(desk: Desk) -> None:
    asked = desk.ask()
    desk.clock.advance(timedelta(minutes=4))
    await desk.boot()
    assert desk.keeper.open_checks() == [asked]
    assert desk.values() == [("sample/desk/duty_check", "asked")]
    desk.wait(timedelta(minutes=6))
    assert [check.ended_time for check in await desk.history.duty_checks()] == [NOW + TEN_MINUTES]
    assert len(await desk.log()) == 2


async def test_what_fell_due_while_firewatch_was_down_is_missed_at_its_time(desk: Desk) -> None:
    desk.ask()
    desk.clock.advance(timedelta(hours=3))
    await desk.boot()
    (missed,) = await desk.history.duty_checks()
    assert (missed.state, missed.ended_time) == (DutyState.MISSED, NOW + TEN_MINUTES)
    assert desk.values()[-1] == ("sample/desk/duty_check", "missed")
    assert desk.answers()[-1] == (TOPIC, "q1", "missed")


async def test_a_question_that_the_broker_delivers_again_after_a_restart_does_not_sound_again(desk: Desk) -> None:
    asked = desk.ask()
    answered = await desk.keeper.answer(asked.check_id, "li")
    await desk.boot()
    desk.clock.advance(timedelta(seconds=20))
    assert desk.ask() == answered
    assert desk.keeper.open_checks() == []


async def test_how_a_check_ended_is_said_again_after_a_restart_for_an_hour(desk: Desk) -> None:
    await desk.keeper.answer(desk.ask().check_id, "li")
    desk.clock.advance(TOLD_AGAIN - timedelta(seconds=1))
    await desk.boot()
    assert desk.answers() == [(TOPIC, "q1", "answered")]
    desk.clock.advance(timedelta(seconds=2))
    await desk.boot()
    assert desk.answers() == []


async def test_checks_end_by_themselves_while_the_desk_runs(desk: Desk) -> None:
    running = asyncio.ensure_future(desk.keeper.run())
    limit = timedelta(milliseconds=20)
    await desk.keeper.ask(DutyQuestion("q1", "sample", "east", "中心", limit))
    desk.clock.advance(limit)
    try:
        async with asyncio.timeout(30):
            while desk.keeper.open_checks():
                await asyncio.sleep(0.005)
    finally:
        running.cancel()
    assert [check.state for check in await desk.history.duty_checks()] == [DutyState.MISSED]


async def test_a_note_is_in_the_history_when_it_is_answered(desk: Desk) -> None:
    note = LogEntry("n1", NOW, "east", "li", EntryKind.NOTE, TEXT)
    assert await desk.keeper.note(note) == note
    assert await desk.log() == [note]
