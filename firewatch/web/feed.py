"""The live feed: what has just happened, handed to every connected screen.

Pushing only puts a message into each screen's queue and returns. Observations are gathered for `GATHER_SECONDS`
and only the newest of each signal is sent, so that a screen's load follows the number of signals and not their
rate; of the inputs that could not be used only the first few in that time are sent. Alarms that change within
`ALARMS_GATHER_SECONDS` after another one travel together, as each stands then, so that 500 of them are a few messages;
one that calls for people never waits. Everything else is sent at once.
A screen that falls `QUEUE_LIMIT` messages behind loses its queue and is given a new snapshot instead; nobody else
notices. Call from the event loop's thread only.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from firewatch.alarms.drill import DrillNews
from firewatch.model.alarm import Alarm
from firewatch.model.control_room import DutyCheck
from firewatch.model.effect import Annunciate
from firewatch.model.observation import Observation
from firewatch.ports import CommandRecord, FeedEvent, Rejection
from firewatch.web.document import (
    AlarmEvent,
    AlarmsEvent,
    CommandEvent,
    DrillEvent,
    DutyCheckEvent,
    FeedMessage,
    ObservationEvent,
    RejectionEvent,
)

GATHER_SECONDS = 0.5
ALARMS_GATHER_SECONDS = 0.1
QUEUE_LIMIT = 1_000
COMMANDS_KEPT = 200
REJECTIONS_GATHERED = 20

_encoder = msgspec.json.Encoder()


def encode(message: FeedMessage) -> str:
    """The text of a message as it travels."""
    return _encoder.encode(message).decode()


class FeedReader:
    """One screen's queue."""

    def __init__(self) -> None:
        self._queue: deque[str] = deque()
        self._missed = 0
        self._wake = asyncio.Event()

    def offer(self, message: str) -> None:
        """Queue a message, or drop the queue when this reader is too far behind."""
        if self._missed or len(self._queue) >= QUEUE_LIMIT:
            self._missed += len(self._queue) + 1
            self._queue.clear()
        else:
            self._queue.append(message)
        self._wake.set()

    def forget(self) -> None:
        """Drop what is queued, because the snapshot about to be sent holds it."""
        self._queue.clear()
        self._missed = 0
        self._wake.clear()

    async def take(self, seconds: float) -> tuple[list[str], int]:
        """Wait for messages: those queued, and how many were missed. After `seconds` there are neither."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return [], 0
        messages, missed = list(self._queue), self._missed
        self.forget()
        return messages, missed


class LiveFeed:
    """Implements `ports.Feed`."""

    def __init__(self) -> None:
        self._readers: set[FeedReader] = set()
        self._gathering = False
        self._gathered: dict[str, Observation] = {}
        self._refused: list[Rejection] = []
        self._gathering_alarms = False
        self._alarms: dict[str, Alarm] = {}
        self._commands: OrderedDict[str, CommandRecord] = OrderedDict()

    @property
    def screens(self) -> int:
        """How many readers are connected."""
        return len(self._readers)

    def push(self, event: FeedEvent) -> None:
        """Hand one event to every connected screen; never blocks."""
        if isinstance(event, Observation | Rejection):
            self._gather(event)
        elif isinstance(event, Annunciate):
            self._alarms.pop(event.alarm.alarm_id, None)
            self._tell(AlarmEvent(event.alarm))
        elif isinstance(event, Alarm):
            self._push_alarm(event)
        elif isinstance(event, DutyCheck):
            self._tell(DutyCheckEvent(event))
        elif isinstance(event, DrillNews):
            self._tell(DrillEvent(event))
        else:
            self._remember(event)
            self._tell(CommandEvent(event))

    def recent_commands(self, stored: list[CommandRecord]) -> list[CommandRecord]:
        """The commands pushed lately over those stored, newest first: the history may be a moment behind."""
        known = {record.command.command_id: record for record in stored} | self._commands
        newest = sorted(known.values(), key=lambda record: record.command.issued_time, reverse=True)
        return newest[:COMMANDS_KEPT]

    @contextmanager
    def reader(self) -> Iterator[FeedReader]:
        """Connect a screen for as long as the context lasts."""
        reader = FeedReader()
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)

    def _gather(self, event: Observation | Rejection) -> None:
        if not self._readers:
            return
        if not self._gathering:
            self._gathering = True
            asyncio.get_running_loop().call_later(GATHER_SECONDS, self._tell_gathered)
        if isinstance(event, Observation):
            self._gathered[event.signal] = event
        elif len(self._refused) < REJECTIONS_GATHERED:
            self._refused.append(event)

    def _push_alarm(self, alarm: Alarm) -> None:
        """Send the first one at once, and gather what comes soon after it."""
        if not self._readers:
            return
        if self._gathering_alarms:
            self._alarms[alarm.alarm_id] = alarm
            return
        self._gathering_alarms = True
        asyncio.get_running_loop().call_later(ALARMS_GATHER_SECONDS, self._tell_alarms)
        self._tell(AlarmEvent(alarm))

    def _tell_alarms(self) -> None:
        alarms, self._alarms = list(self._alarms.values()), {}
        self._gathering_alarms = bool(alarms)
        if alarms:
            asyncio.get_running_loop().call_later(ALARMS_GATHER_SECONDS, self._tell_alarms)
            self._tell(AlarmEvent(alarms[0]) if len(alarms) == 1 else AlarmsEvent(alarms))

    def _tell_gathered(self) -> None:
        self._gathering = False
        observations, self._gathered = list(self._gathered.values()), {}
        refused, self._refused = self._refused, []
        if observations:
            self._tell(ObservationEvent(observations))
        for rejection in refused:
            self._tell(RejectionEvent(rejection))

    def _remember(self, record: CommandRecord) -> None:
        self._commands[record.command.command_id] = record
        self._commands.move_to_end(record.command.command_id)
        if len(self._commands) > COMMANDS_KEPT:
            self._commands.popitem(last=False)

    def _tell(self, message: FeedMessage) -> None:
        if self._readers:
            text = encode(message)
            for reader in self._readers:
                reader.offer(text)
