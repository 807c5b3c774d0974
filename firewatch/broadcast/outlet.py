"""One target: what waits for it, the tasks that send it, and how it is.

What comes of each attempt is in the history at once. Nothing that a receiver or a channel does, hanging included, is
felt by another target.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import msgspec
import structlog

from firewatch.broadcast.channel import (
    Channel,
    Notification,
    PermanentDeliveryError,
    TemporaryDeliveryError,
)
from firewatch.broadcast.message import Wording, words_of_test
from firewatch.broadcast.outbox import (
    LIMIT,
    LONGEST_PAUSE,
    LONGEST_PAUSE_FOR_FIRE,
    Outbox,
    Parcel,
    Waiting,
    ended,
)
from firewatch.config.notification_spec import CHANNEL_KINDS, TargetSpec
from firewatch.errors import FirewatchError
from firewatch.model.alarm import AlarmClass, AlarmTransition, Stage, StageReached
from firewatch.model.delivery import CALLS, Delivery, DeliveryState, NotificationReason
from firewatch.ports import Clock, History, HistoryReader, NotificationTarget, PartStatus, Record
from firewatch.telemetry.events import (
    NotificationDead,
    NotificationDelivered,
    NotificationFailed,
    NotificationsWaiting,
    TargetBack,
    TargetKnown,
    TargetLost,
)
from firewatch.telemetry.telemetry import Telemetry

ATTEMPT_TIMEOUT = timedelta(seconds=10)
"""How long a receiver may take; one that hangs is a receiver that did not take it."""

log = structlog.get_logger("firewatch.notifications")


@dataclass(frozen=True)
class Surroundings:
    """What every target has in common. `may_rehearse` says whether a message about a drill's alarm is really sent."""

    clock: Clock
    history: History
    reader: HistoryReader
    telemetry: Telemetry
    open_channel: Callable[[TargetSpec], Channel]
    may_rehearse: Callable[[Delivery], bool] = lambda delivery: False


class _Lane:
    """An outbox and its task's alarm bell."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.bell = asyncio.Event()

    async def wait(self, now: datetime) -> None:
        """Return when there may be something to send."""
        self.bell.clear()
        wake = self.outbox.next_wake()
        timer = None
        if wake is not None:
            pause = max((wake - now).total_seconds(), 0.0)
            timer = asyncio.get_running_loop().call_later(pause, self.bell.set)
        await self.bell.wait()
        if timer is not None:
            timer.cancel()


class Outlet:
    """A target at work. `add` and `withdraw` never wait; `run` sends, for ever."""

    def __init__(self, spec: TargetSpec, wording: Wording, surroundings: Surroundings) -> None:
        self.spec = spec
        self._wording = wording
        self._around = surroundings
        self._fire = _Lane(Outbox(LONGEST_PAUSE_FOR_FIRE))
        self._rest = _Lane(Outbox(LONGEST_PAUSE, spec.limit))
        self._channel: Channel | None = None
        self._retired: list[Channel] = []
        self._on_their_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._is_ending = False
        self._error = ""
        self._last_delivered_time: datetime | None = None
        self._delivered = 0
        self._dead = 0
        surroundings.telemetry.emit(TargetKnown(target=spec.id))
        self._tell_waiting()

    # What the notifier calls.

    def add(self, delivery: Delivery, change: AlarmTransition | None) -> Delivery:
        """Have it sent when it is due; returns its record, which is dead where too many wait already."""
        lane = self._fire if delivery.alarm_class is AlarmClass.FIRE else self._rest
        if not lane.outbox.add(delivery, change):
            error = f"more than {LIMIT} messages wait for this target"
            delivery = ended(delivery, DeliveryState.DEAD, self._around.clock.now(), error)
            self._tell_dead([delivery])
        lane.bell.set()
        return delivery

    def renew(self, delivery_id: str, change: AlarmTransition) -> None:
        """Its alarm has changed before it fell due: that is what it tells now."""
        for lane in self._lanes:
            lane.outbox.renew(delivery_id, change)

    def withdraw(self, delivery_id: str, now: datetime) -> list[Delivery]:
        """Do not send it, if that can still be; returns its record, if there is something to record."""
        self.wake()
        return [record for lane in self._lanes for record in lane.outbox.withdraw(delivery_id, now)]

    def holds(self, delivery_id: str) -> bool:
        """Whether it still waits."""
        return any(delivery_id in lane.outbox for lane in self._lanes)

    def go_by(self, spec: TargetSpec, wording: Wording) -> None:
        """Go on by other settings. An attempt that is on its way ends as it began."""
        if spec != self.spec:
            self._rest.outbox.go_by(spec.limit)
            if self._channel is not None:
                self._retired.append(self._channel)
                self._channel = None
        self.spec, self._wording = spec, wording
        self._open()
        self.wake()

    def give_up(self, error: str) -> list[Delivery]:
        """The target was taken out of the file, and nothing is on its way any more: what waits is dead."""
        now = self._around.clock.now()
        records = [record for lane in self._lanes for record in lane.outbox.clear(error, now)]
        self._tell_dead(records)
        self._tell_waiting()
        return records

    def wake(self) -> None:
        """Look at the clock again."""
        for lane in self._lanes:
            lane.bell.set()

    async def run(self) -> None:
        """Send what is due, fire beside everything else."""
        self._open()
        try:
            async with asyncio.TaskGroup() as tasks:
                for lane in self._lanes:
                    tasks.create_task(self._keep_sending(lane))
        finally:
            if self._channel is not None:
                self._retired.append(self._channel)
                self._channel = None
            await self._close_retired()

    async def finish(self) -> None:
        """Begin nothing more, and return when what is on its way has ended."""
        self._is_ending = True
        self.wake()
        await self._idle.wait()

    async def test(self, operator: str) -> Delivery:
        """Send a test at once, once, past everything that waits; returns what came of it, which is in the history."""
        now = self._around.clock.now()
        title, body = words_of_test(operator, self.spec.language)
        delivery = Delivery(
            delivery_id=f"test-{uuid4().hex[:16]}",
            target=self.spec.id,
            alarm_id="",
            number=0,
            reason=NotificationReason.TEST,
            created_time=now,
            due_time=now,
            attempts=1,
            by=operator,
        )
        message = Notification(
            delivery_id=delivery.delivery_id,
            target=self.spec.id,
            reason=NotificationReason.TEST,
            language=self.spec.language,
            title=title,
            body=body,
            created_time=now,
            attempt_time=now,
        )
        failure = await self._failure(message)
        ended = msgspec.structs.replace(
            delivery,
            state=DeliveryState.DELIVERED if failure is None else DeliveryState.DEAD,
            ended_time=self._around.clock.now(),
            error="" if failure is None else str(failure),
        )
        self._around.history.write([ended])
        return ended

    # How it is.

    def state(self) -> NotificationTarget:
        """For people and programs."""
        sending = any(lane.outbox.is_sending for lane in self._lanes)
        wakes = [wake for lane in self._lanes if (wake := lane.outbox.next_wake()) is not None]
        return NotificationTarget(
            target=self.spec.id,
            kind=next(kind for kind in CHANNEL_KINDS if getattr(self.spec, kind) is not None),
            ready=not self._error,
            waiting=self._waiting,
            delivered=self._delivered,
            dead=self._dead,
            failures=self._failures,
            error=self._error,
            last_delivered_time=self._last_delivered_time,
            next_attempt_time=self._around.clock.now() if sending else min(wakes, default=None),
        )

    def status(self) -> PartStatus:
        """As a part of the daemon."""
        detail = f"{self._waiting} wait, {self._delivered} delivered, {self._dead} dead since the start"
        if self._error:
            detail = f"takes nothing ({self._error}); {detail}"
        return PartStatus(f"target {self.spec.id}", not self._error, detail[:500], vital=False)

    # Sending.

    async def _keep_sending(self, lane: _Lane) -> None:
        while not self._is_ending:
            now = self._around.clock.now()
            parcel = lane.outbox.next(now)
            self._tell_waiting()
            if parcel is None:
                await lane.wait(now)
            else:
                await self._send(lane.outbox, parcel)
            await self._close_retired()

    async def _send(self, outbox: Outbox, parcel: Parcel) -> None:
        try:
            message = await self._message(parcel)
        except FirewatchError as error:
            failure: FirewatchError | None = error
        else:
            failure = await self._failure(message)
        now = self._around.clock.now()
        if failure is None:
            self._note_taken(outbox.taken(now), now)
        elif isinstance(failure, PermanentDeliveryError):
            self._note_not_taken(outbox.refused(str(failure), now), str(failure))
        else:
            self._note_lost(str(failure))
            retry_after = failure.retry_after if isinstance(failure, TemporaryDeliveryError) else None
            self._note_not_taken(outbox.failed(str(failure), now, retry_after), str(failure))

    def _open(self) -> None:
        """Read the secrets before there is anything to send: one that is missing is not to be found out in a fire."""
        if self._channel is not None:
            return
        try:
            self._channel = self._around.open_channel(self.spec)
        except FirewatchError as error:
            self._note_lost(str(error))
        else:
            self._note_back()

    async def _failure(self, message: Notification) -> FirewatchError | None:
        """Make one attempt; None if the receiver has taken the message."""
        self._on_their_way += 1
        self._idle.clear()
        try:
            async with asyncio.timeout(ATTEMPT_TIMEOUT.total_seconds()):
                if self._channel is None:
                    self._channel = self._around.open_channel(self.spec)
                await self._channel.deliver(message)
        except TimeoutError:
            return TemporaryDeliveryError(f"no answer within {ATTEMPT_TIMEOUT.total_seconds():g} s")
        except FirewatchError as error:
            return error
        except Exception as error:  # its text may hold an address with a secret in it
            log.error("A channel failed in a way nobody foresaw.", target=self.spec.id, error=type(error).__name__)
            return TemporaryDeliveryError(f"an error nobody foresaw: {type(error).__name__}")
        finally:
            self._on_their_way -= 1
            if not self._on_their_way:
                self._idle.set()
        return None

    async def _close_retired(self) -> None:
        while self._retired and not self._on_their_way:
            channel = self._retired.pop()
            try:
                await channel.close()
            except Exception as error:
                log.warning("A channel could not be closed.", target=self.spec.id, error=type(error).__name__)

    async def _message(self, parcel: Parcel) -> Notification:
        """What is sent.

        Raises:
            StorageError: an alarm cannot be read at present.
            PermanentDeliveryError: nobody knows the alarm any more.
        """
        told = [(each.delivery, change) for each in parcel.waiting if (change := await self._change(each)) is not None]
        if not told:
            raise PermanentDeliveryError("the history does not know the alarm any more")
        known = [(delivery, change.alarm) for delivery, change in told]
        (delivery, change), total, language = told[0], len(parcel.waiting), self.spec.language
        if total == 1:
            title, body = self._wording.of_one(delivery, change.alarm, language)
        else:
            title, body = self._wording.of_several(known, total, language)
        return Notification(
            delivery_id=parcel.parcel_id,
            target=self.spec.id,
            reason=delivery.reason if total == 1 else NotificationReason.SUMMARY,
            language=language,
            title=title,
            body=body,
            created_time=delivery.created_time,
            attempt_time=self._around.clock.now(),
            alarms=tuple(alarm for _, alarm in known),
            number=change.number if total == 1 else 0,
            total=total,
        )

    async def _change(self, waiting: Waiting) -> AlarmTransition | None:
        """What a delivery tells; of what was planned for later, the last change before it fell due."""
        if waiting.change is None:
            delivery = waiting.delivery
            is_planned = delivery.reason is NotificationReason.ESCALATED
            for change in await self._around.reader.transitions(delivery.alarm_id):
                if change.number == delivery.number or (is_planned and change.transition_time < delivery.due_time):
                    waiting.change = change
        return waiting.change

    # What came of it.

    def _note_taken(self, records: list[Delivery], now: datetime) -> None:
        stages: list[Record] = [
            StageReached(record.alarm_id, Stage.DELIVERED, now, record.target)
            for record in records
            if record.reason in CALLS
        ]
        self._around.history.write([*records, *stages])
        self._delivered += len(records)
        self._last_delivered_time = now
        self._note_back()
        waited = max((now - record.due_time).total_seconds() for record in records)
        self._around.telemetry.emit(
            NotificationDelivered(
                target=self.spec.id, reason=records[0].reason, count=len(records), seconds=max(waited, 0.0)
            )
        )

    def _note_back(self) -> None:
        if self._error:
            self._around.telemetry.emit(TargetBack(target=self.spec.id))
            self._error = ""

    def _note_lost(self, error: str) -> None:
        if not self._error:
            self._around.telemetry.emit(TargetLost(target=self.spec.id, reason=error))
        self._error = error

    def _note_not_taken(self, records: list[Delivery], error: str) -> None:
        self._around.history.write(records)
        self._around.telemetry.emit(NotificationFailed(target=self.spec.id, error=error))
        self._tell_dead(records)

    def _tell_dead(self, records: Iterable[Delivery]) -> None:
        for record in records:
            if record.state is DeliveryState.DEAD:
                self._dead += 1
                self._around.telemetry.emit(
                    NotificationDead(
                        target=self.spec.id,
                        delivery_id=record.delivery_id,
                        alarm_id=record.alarm_id,
                        error=record.error,
                    )
                )

    def _tell_waiting(self) -> None:
        self._around.telemetry.emit(NotificationsWaiting(target=self.spec.id, count=self._waiting))

    @property
    def _lanes(self) -> tuple[_Lane, _Lane]:
        return self._fire, self._rest

    @property
    def _waiting(self) -> int:
        return sum(len(lane.outbox) for lane in self._lanes)

    @property
    def _failures(self) -> int:
        return max(lane.outbox.failures for lane in self._lanes)
