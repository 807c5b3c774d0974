"""The CAP messages that hold now or held a moment ago: what is published as a feed, and pushed.

Alarms' changes are handed over as they happen; what happened before the start is read from the history when somebody
asks. Without the history the feed goes on with what was heard since the start.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import nsmallest

from firewatch.broadcast import cap
from firewatch.broadcast.cap import CapMessage, Thread, Voice
from firewatch.errors import StorageError
from firewatch.model.alarm import Alarm, AlarmClass, AlarmTransition, Priority, TransitionReason
from firewatch.ports import AlarmFilter, Clock, HistoryReader

INDEX_LIMIT = 500
"""Entries of the index: fire first, then by priority, then the newest."""
OVER_KEPT = 200
"""Alarms that are over and still in the index."""
MESSAGES_KEPT = 50
"""Of one alarm; older ones are written again from the history."""
HISTORY_TIMEOUT = timedelta(seconds=1)


@dataclass(slots=True)
class _Known:
    """What is known of one alarm. Until `is_whole`, its beginning is still to be read from the history."""

    is_whole: bool
    thread: Thread = field(default_factory=Thread)
    said: deque[CapMessage] = field(default_factory=lambda: deque(maxlen=MESSAGES_KEPT))
    waiting: deque[AlarmTransition] = field(default_factory=lambda: deque(maxlen=MESSAGES_KEPT))

    def take(self, transition: AlarmTransition, voice: Voice) -> None:
        before, self.thread = self.thread, self.thread.after(transition, voice)
        if self.thread.last is not None and self.thread.last is not before.last:
            self.said.append(self.thread.last)


class CapFeed:
    """Keeps the threads of messages. `take` never waits; the questions may ask the history."""

    def __init__(self, voice: Voice, reader: HistoryReader, clock: Clock) -> None:
        self._voice = voice
        self._reader = reader
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._over: OrderedDict[str, None] = OrderedDict()
        self._is_recalled = False

    def take(self, transition: AlarmTransition) -> None:
        """An alarm has changed."""
        if transition.alarm.shadow:
            return
        known = self._known.get(transition.alarm_id)
        if known is None:
            known = self._known[transition.alarm_id] = _Known(is_whole=transition.number == 1)
        if known.is_whole:
            known.take(transition, self._voice)
        else:
            known.waiting.append(transition)
        self._forget(transition.alarm)

    async def index(self, standing: Sequence[Alarm]) -> bytes:
        """An Atom feed of the messages that hold for these alarms, and of those that ended lately."""
        await self._recall(standing)
        newest = [known.said[-1] for known in self._known.values() if known.said]
        chosen = nsmallest(INDEX_LIMIT, newest, key=_rank)
        chosen.sort(key=lambda message: message.sent, reverse=True)
        return cap.write_index(chosen, self._voice.sender, self._clock.now())

    async def alert(self, identifier: str) -> bytes | None:
        """One message as XML; None if there never was one.

        Raises:
            StorageError: it would have to be read from the history, which cannot be read at present.
        """
        found = cap.split_identifier(identifier)
        if found is None:
            return None
        known = self._known.get(found[0])
        is_all = known is not None and known.is_whole and len(known.said) < MESSAGES_KEPT
        said: Iterable[CapMessage] = known.said if known is not None and known.is_whole else ()
        message = _named(identifier, said)
        if message is None and not is_all:
            message = _named(identifier, cap.messages(await self._reader.transitions(found[0]), self._voice))
        return None if message is None else cap.write(message, self._voice)

    async def message(self, alarm: Alarm, number: int, now: datetime) -> bytes | None:
        """What holds of an alarm after its change `number`; None if nobody was ever told of it.

        Where its beginning is in a history that cannot be read, the change is told as an Alert of its own: late is
        worse than without references.
        """
        try:
            known = await self._whole(alarm.alarm_id)
        except (StorageError, TimeoutError):
            known = None
        if known is not None and known.thread.number:
            said: Sequence[CapMessage] = [one for one in known.said if _number(one) <= number] or list(known.said)[:1]
        else:
            said = cap.messages([_alone(alarm, number, now)], self._voice)
        return cap.write(said[-1], self._voice) if said else None

    async def _recall(self, standing: Sequence[Alarm]) -> None:
        """Read what is not known of alarms that stand, and once what ended before the start."""
        try:
            for alarm in standing[:INDEX_LIMIT]:
                await self._whole(alarm.alarm_id)
            if not self._is_recalled:
                for alarm in reversed(await self._reader.alarms(AlarmFilter(standing=False, limit=OVER_KEPT))):
                    await self._whole(alarm.alarm_id)
                self._is_recalled = True
        except (StorageError, TimeoutError):
            return

    async def _whole(self, alarm_id: str) -> _Known:
        """All that is known of an alarm, read from the history where its beginning was not heard."""
        known = self._known.get(alarm_id)
        if known is not None and known.is_whole:
            return known
        async with asyncio.timeout(HISTORY_TIMEOUT.total_seconds()):
            before = await self._reader.transitions(alarm_id)
        known = self._known.setdefault(alarm_id, _Known(is_whole=False))
        if not known.is_whole:
            changes = (*before, *known.waiting)
            for transition in changes:
                known.take(transition, self._voice)
            known.waiting.clear()
            known.is_whole = True
            if changes:
                self._forget(changes[-1].alarm)
            else:
                del self._known[alarm_id]
        return known

    def _forget(self, alarm: Alarm) -> None:
        """Keep what stands, and the last of what is over."""
        self._over.pop(alarm.alarm_id, None)
        if alarm.stands:
            return
        self._over[alarm.alarm_id] = None
        while len(self._over) > OVER_KEPT:
            self._known.pop(self._over.popitem(last=False)[0], None)


def _alone(alarm: Alarm, number: int, now: datetime) -> AlarmTransition:
    return AlarmTransition(
        alarm_id=alarm.alarm_id,
        number=number,
        transition_time=now,
        reason=TransitionReason.CONDITION_ACTIVE,
        previous_state=alarm.state,
        alarm=alarm,
    )


def _named(identifier: str, said: Iterable[CapMessage]) -> CapMessage | None:
    return next((message for message in said if message.identifier == identifier), None)


def _number(message: CapMessage) -> int:
    found = cap.split_identifier(message.identifier)
    return found[1] if found is not None else 0


def _rank(message: CapMessage) -> tuple[int, int, float]:
    alarm = message.alarm
    return (
        list(AlarmClass).index(alarm.alarm_class),
        list(Priority).index(alarm.priority),
        -message.sent.timestamp(),
    )
