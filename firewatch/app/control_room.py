"""The control room's desk: notes for its log, and duty checks from the first sound to how they ended.

A check is in the history before it is answered to whoever asked. Its end follows from its record, so that a check that
was open when firewatch was killed ends when it would have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import msgspec

from firewatch.alarms.duty_check import DutyChecks, check_id
from firewatch.errors import RefusedCommandError
from firewatch.model.contract import DutyAnswerMessage
from firewatch.model.control_room import DutyCheck, DutyQuestion, DutyState, LogEntry
from firewatch.model.observation import Observation, Quality
from firewatch.model.seat import ControlRoom
from firewatch.model.site import DUTY_CHECK
from firewatch.model.topic import Channel, Topic
from firewatch.ports import Clock, Feed, History, HistoryReader, Publisher
from firewatch.telemetry.events import DutyCheckAsked, DutyCheckEnded
from firewatch.telemetry.telemetry import Telemetry

KNOWN_AT_START = 200
"""How many of the last checks are read at the start, so that a question that the broker delivers again is known."""

TOLD_AGAIN = timedelta(hours=1)
"""After a restart, how a check ended is said again if it ended within this time: nobody knows whether it was said."""

_encode = msgspec.json.Encoder().encode


class ControlRoomKeeper:
    """Implements `ports.ControlRoomDesk`. `observe` hands the engine what the rules shall hear of a seat's desk."""

    def __init__(
        self,
        room: ControlRoom,
        clock: Clock,
        history: History,
        publisher: Publisher,
        prefix: str,
        feed: Feed,
        observe: Callable[[Sequence[Observation]], None],
        telemetry: Telemetry,
    ) -> None:
        self._room = room
        self._clock = clock
        self._history = history
        self._publisher = publisher
        self._prefix = prefix
        self._feed = feed
        self._observe = observe
        self._telemetry = telemetry
        self._checks = DutyChecks()
        self._wake = asyncio.Event()

    @property
    def room(self) -> ControlRoom:
        """The seats there are."""
        return self._room

    async def note(self, entry: LogEntry) -> LogEntry:
        """Keep an entry; it is safe when this returns."""
        self._history.write([entry])
        await self._history.flush()
        return entry

    def open_checks(self) -> list[DutyCheck]:
        """The duty checks that nobody has answered yet, oldest first."""
        return self._checks.open()

    def put(self, question: DutyQuestion) -> DutyCheck:
        """Ask a seat; asked twice, it is one check.

        Raises:
            RefusedCommandError: there is no such seat, or it was asked something else less than a second ago.
        """
        if self._room.seat(question.seat) is None:
            raise RefusedCommandError(f"There is no seat {question.seat}.")
        self._note(self._checks.ask(question, self._clock.now()))
        check = self._checks.get(check_id(question))
        assert check is not None
        return check

    async def ask(self, question: DutyQuestion) -> DutyCheck:
        """Ask as `put` does; the check is safe when this returns."""
        check = self.put(question)
        await self._history.flush()
        return check

    async def answer(self, name: str, operator: str) -> DutyCheck:
        """Somebody is there; the answer is safe when this returns.

        Raises:
            RefusedCommandError: the check was answered, or the seat was asked again, or it was never asked.
        """
        changed = self._checks.answer(name, operator, self._clock.now())
        self._note(changed)
        await self._history.flush()
        return changed[-1]

    async def resume(self, reader: HistoryReader) -> None:
        """Go on where the last run ended: what was open is open, or was missed meanwhile.

        Raises:
            StorageError: the history cannot be read.
        """
        known = await reader.duty_checks(limit=KNOWN_AT_START)
        known += [check for check in await reader.duty_checks(unended=True) if check not in known]
        self._checks = DutyChecks(sorted(known, key=lambda check: check.asked_time))
        now = self._clock.now()
        lately = [check for check in self._checks.newest() if check.is_open or now - check.changed_time < TOLD_AGAIN]
        for check in lately:
            self._tell_rules(check)
        self._publish(lately)
        self.advance()

    def advance(self) -> None:
        """End what nobody answered in time."""
        self._note(self._checks.advance(self._clock.now()))

    async def run(self) -> None:
        """End checks when their time is over, for ever."""
        while True:
            self._wake.clear()
            self.advance()
            due = self._checks.next_wake()
            pause = None if due is None else max((due - self._clock.now()).total_seconds(), 0.0)
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _note(self, changed: Sequence[DutyCheck]) -> None:
        """Keep what became of checks, and tell everyone whom it concerns; the asker once it is safe."""
        if not changed:
            return
        self._history.write(changed, on_safe=lambda: self._publish(changed))
        self._history.outlive()
        self._wake.set()
        for check in changed:
            self._feed.push(check)
            self._tell_rules(check)
            self._count(check)

    def _tell_rules(self, check: DutyCheck) -> None:
        seat = self._room.seat(check.seat)
        if seat is None or seat.desk is None or check.state is DutyState.REPLACED:
            return
        now, time = self._clock.now(), check.changed_time
        state = check.state if check.late_answer_time is None else DutyState.ANSWERED
        signal = f"{seat.desk}/{DUTY_CHECK.name}"
        self._observe([Observation(signal, state.value, Quality.GOOD, time, now, min(time, now))])

    def _publish(self, checks: Sequence[DutyCheck]) -> None:
        for check in checks:
            name = Topic(Channel.DUTY_ANSWER, check.site, check.seat).name(self._prefix)
            message = DutyAnswerMessage(
                id=check.question_id,
                state=check.state,
                asked_time=check.asked_time,
                until_time=check.until_time,
                ended_time=check.ended_time,
                answered_by=check.answered_by or "",
            )
            self._publisher.publish(name, _encode(message))

    def _count(self, check: DutyCheck) -> None:
        if check.is_open:
            self._telemetry.emit(DutyCheckAsked(seat=check.seat, asked_by=check.asked_by))
        elif check.ended_time is not None and check.late_answer_time is None:
            self._telemetry.emit(
                DutyCheckEnded(
                    seat=check.seat,
                    outcome=check.state,
                    seconds=(check.ended_time - check.asked_time).total_seconds(),
                )
            )
