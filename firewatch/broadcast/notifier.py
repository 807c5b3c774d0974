"""Tells people and systems outside of alarms: who, by the book; when, by the book; that it arrived, by the history.

The engine's loop hands every recorded change to `take`, which never waits and gives back the deliveries that the change
leads to, so that they are written with it, in one piece: whatever survives a crash, both do. From there each target
goes on by itself. At the start what waited is read back (`recover`); what a receiver took is never sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
import structlog

from firewatch.broadcast.escalation import Book, is_unanswered
from firewatch.broadcast.incidents import OpenIncidents
from firewatch.broadcast.message import Wording
from firewatch.broadcast.outbox import ended
from firewatch.broadcast.outlet import Outlet, Surroundings
from firewatch.config.notification_spec import NotificationFile
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import Alarm, AlarmTransition, Annunciation
from firewatch.model.delivery import Delivery, DeliveryState, NotificationReason
from firewatch.model.site import Inventory
from firewatch.ports import HistoryReader, NotificationTarget, PartStatus
from firewatch.telemetry.events import NotificationPlanningFailed

RESTART = timedelta(seconds=1)
_NO_TARGET = "the target is not in the notifications' file any more"
_PAGE = 1000

log = structlog.get_logger("firewatch.notifications")


@dataclass(slots=True)
class _Call:
    """Whom an alarm has called: each target and since when, and what is planned for later, by target and wait."""

    told: dict[str, datetime] = field(default_factory=dict)
    planned: dict[tuple[str, timedelta], Delivery] = field(default_factory=dict)

    def add(self, delivery: Delivery) -> None:
        self.told[delivery.target] = min(delivery.due_time, self.told.get(delivery.target, delivery.due_time))
        if delivery.reason is NotificationReason.ESCALATED:
            self.planned[_planned_as(delivery)] = delivery

    def withdrawn(self, delivery: Delivery) -> None:
        if self.told.get(delivery.target) == delivery.due_time:
            del self.told[delivery.target]


class Notifier:
    """Implements `ports.Notifications`."""

    def __init__(self, file: NotificationFile, inventory: Inventory, surroundings: Surroundings) -> None:
        self._inventory = inventory
        self._around = surroundings
        self._outlets: dict[str, Outlet] = {}
        self._calls: dict[str, _Call] = {}
        self._incidents = OpenIncidents()
        self._recorded: dict[str, int] = {}
        self._removed: list[Outlet] = []
        self._changed = asyncio.Event()
        self.go_by(file)

    # What the app calls.

    def go_by(self, file: NotificationFile) -> None:
        """Go by another file from now on. What waits for a target that is still in it goes on; what waits for one that
        is not is dead, and what was planned for later stays as it was planned.
        """
        wording = Wording(file.templates, self._inventory)
        self._book = Book(file, {site.id: site.time_zone for site in self._inventory.sites})
        before, self._outlets = self._outlets, {}
        for spec in file.targets:
            outlet = before.pop(spec.id, None)
            if outlet is None:
                outlet = Outlet(spec, wording, self._around)
            else:
                outlet.go_by(spec, wording)
            self._outlets[spec.id] = outlet
        self._removed += before.values()
        self._changed.set()

    async def recover(
        self, standing: Iterable[Alarm], changes: Iterable[AlarmTransition], changed: Iterable[str]
    ) -> None:
        """After a start: go on with what waited, and know whom the standing alarms called.

        `changes` are those recorded of what stands, in the order of time. `changed` are the alarms whose changes the
        start settles; those that the history has already were told then.

        Raises:
            StorageError: the history cannot be read.
        """
        reader, now = self._around.reader, self._around.clock.now()
        calling = {alarm.alarm_id: alarm for alarm in standing}
        for change in changes:
            self._incidents.note(change)
        for delivery in await reader.called(list(calling)):
            self._calls.setdefault(delivery.alarm_id, _Call()).add(delivery)
            self._incidents.note_escalated(delivery.alarm_id)
        for alarm_id in changed:
            self._recorded[alarm_id] = max((each.number for each in await reader.transitions(alarm_id)), default=0)
        records: list[Delivery] = []
        for delivery in await _all_waiting(reader):
            alarm = calling.get(delivery.alarm_id)
            if delivery.reason is NotificationReason.ESCALATED and (alarm is None or not is_unanswered(alarm)):
                records.append(ended(delivery, DeliveryState.WITHDRAWN, now))
            else:
                records += self._dispatch(delivery, None)
        self._around.history.write(records)

    def take(self, changes: Sequence[AlarmTransition]) -> list[Delivery]:
        """Have people told of changes; returns what is to be written with them. Never waits and never raises."""
        records: list[Delivery] = []
        for step in (self._take, self._hand_on):
            for change in changes:
                try:
                    records += step(change)
                except Exception as error:  # whatever it is, the console and the feed must still be told
                    what = f"{type(error).__name__}: {error}"
                    self._around.telemetry.emit(NotificationPlanningFailed(alarm_id=change.alarm_id, error=what))
                    log.exception("Working out whom to notify failed.", alarm=change.alarm_id)
        return records

    def wake(self) -> None:
        """Look at the clock again."""
        for outlet in self._outlets.values():
            outlet.wake()

    def parts(self) -> list[PartStatus]:
        """How each target is."""
        return [outlet.status() for outlet in self._outlets.values()]

    async def run(self) -> None:
        """Send, for ever; with other targets as soon as the file names others."""
        running: dict[Outlet, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._changed.clear()
                for outlet in set(self._outlets.values()) - running.keys():
                    running[outlet] = tasks.create_task(_keep(outlet), name=f"firewatch target {outlet.spec.id}")
                while self._removed:
                    await self._end(self._removed[-1], running)
                await self._changed.wait()

    async def finish(self, limit: timedelta) -> None:
        """Begin nothing more, and wait for what is on its way for so long at most: a receiver that takes it after that
        hears of it once more at the next start.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit.total_seconds()):
                await asyncio.gather(*(outlet.finish() for outlet in self._outlets.values()))

    # What the API calls.

    def targets(self) -> list[NotificationTarget]:
        """How each target is."""
        return [self._outlets[name].state() for name in sorted(self._outlets)]

    async def test(self, target: str, operator: str) -> Delivery | None:
        """Send a test to a target, once and at once; returns what came of it, None if there is no such target."""
        outlet = self._outlets.get(target)
        return None if outlet is None else await outlet.test(operator)

    async def send_again(self, delivery_id: str, operator: str) -> Delivery | None:
        """Have a dead delivery sent again; returns it as it waits now, None if there is no such delivery.

        Raises:
            RefusedCommandError: it is not dead, or its target is not in the notifications' file any more.
            StorageError: the history cannot be read.
        """
        delivery = await self._around.reader.delivery(delivery_id)
        if delivery is None:
            return None
        outlet = self._outlets.get(delivery.target)
        if delivery.state is not DeliveryState.DEAD or outlet is None or outlet.holds(delivery_id):
            raise RefusedCommandError(_why_not_again(delivery, outlet))
        if delivery.reason is NotificationReason.TEST:
            raise RefusedCommandError("A test is not sent again; send another one.")
        now = self._around.clock.now()
        again = msgspec.structs.replace(
            delivery,
            state=DeliveryState.WAITING,
            revision=delivery.revision + 1,
            attempts=0,
            due_time=now,
            next_attempt_time=now,
            ended_time=None,
            by=operator,
        )
        record = outlet.add(again, None)
        self._around.history.write([record])
        return record

    async def _end(self, outlet: Outlet, running: dict[Outlet, asyncio.Task[None]]) -> None:
        task = running.pop(outlet, None)
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
        self._around.history.write(outlet.give_up(_NO_TARGET))
        self._removed.remove(outlet)

    # One change.

    def _take(self, change: AlarmTransition) -> list[Delivery]:
        alarm = change.alarm
        if alarm.shadow or change.number <= self._recorded.get(change.alarm_id, 0):
            return []
        self._incidents.note(change)
        call = self._calls.get(change.alarm_id) or _Call()
        records: list[Delivery] = []
        if is_unanswered(alarm):
            self._renew_planned(call, change)
        else:
            records += self._withdraw_planned(call, change.transition_time)
        told = [target for target, since in call.told.items() if since <= change.transition_time]
        for delivery in (*self._to_be_told(change, call), *self._book.told_since(change, told)):
            call.add(delivery)
            records += self._dispatch(delivery, change)
        if alarm.stands and call.told:
            self._calls[change.alarm_id] = call
        else:
            self._calls.pop(change.alarm_id, None)
        return records

    def _hand_on(self, change: AlarmTransition) -> list[Delivery]:
        """Nobody is escalated for the others of its incident once the alarm is answered; one of them is from now on."""
        heir = None if is_unanswered(change.alarm) else self._incidents.heir(change.alarm.incident)
        if heir is None:
            return []
        self._incidents.note_escalated(heir.alarm_id)
        call = self._calls.setdefault(heir.alarm_id, _Call())
        records: list[Delivery] = []
        for delivery in self._planned(msgspec.structs.replace(heir, transition_time=change.transition_time)):
            if delivery.reason is NotificationReason.ESCALATED:
                call.add(delivery)
                records += self._dispatch(delivery, heir)
        return records

    def _to_be_told(self, change: AlarmTransition, call: _Call) -> list[Delivery]:
        """What a telling leads to. What an earlier one planned and is still to come is not planned once more, and not
        put off either: an alarm that is told again and again would never be escalated.
        """
        if change.annunciation is not Annunciation.OF_ITS_OWN:
            return []
        return [delivery for delivery in self._planned(change) if not self._is_planned(delivery, call)]

    def _planned(self, change: AlarmTransition) -> list[Delivery]:
        told = self._book.told(change)
        return told if change.alarm.drill is None else list(filter(self._around.may_rehearse, told))

    def _is_planned(self, delivery: Delivery, call: _Call) -> bool:
        earlier = call.planned.get(_planned_as(delivery))
        outlet = self._outlets.get(delivery.target)
        return earlier is not None and outlet is not None and outlet.holds(earlier.delivery_id)

    def _renew_planned(self, call: _Call, change: AlarmTransition) -> None:
        for delivery in call.planned.values():
            outlet = self._outlets.get(delivery.target)
            if outlet is not None and change.transition_time < delivery.due_time:
                outlet.renew(delivery.delivery_id, change)

    def _withdraw_planned(self, call: _Call, now: datetime) -> list[Delivery]:
        records: list[Delivery] = []
        for delivery in call.planned.values():
            outlet = self._outlets.get(delivery.target)
            withdrawn = outlet.withdraw(delivery.delivery_id, now) if outlet is not None else []
            if withdrawn:
                call.withdrawn(delivery)
            records += withdrawn
        call.planned.clear()
        return records

    def _dispatch(self, delivery: Delivery, change: AlarmTransition | None) -> list[Delivery]:
        outlet = self._outlets.get(delivery.target)
        if outlet is None:
            now = self._around.clock.now()
            return [ended(delivery, DeliveryState.DEAD, now, _NO_TARGET)]
        return [outlet.add(delivery, change)]


async def _keep(outlet: Outlet) -> None:
    """Run an outlet, and again if it fails: its own troubles are its own."""
    while True:
        try:
            await outlet.run()
        except Exception:
            log.exception("Sending to a target failed and is started again.", target=outlet.spec.id)
        await asyncio.sleep(RESTART.total_seconds())


async def _all_waiting(reader: HistoryReader) -> list[Delivery]:
    """Oldest first."""
    found: list[Delivery] = []
    page = await reader.deliveries(state=DeliveryState.WAITING, limit=_PAGE)
    while page:
        found += page
        before = (page[-1].created_time, page[-1].delivery_id)
        page = await reader.deliveries(state=DeliveryState.WAITING, before=before, limit=_PAGE)
    return found[::-1]


def _planned_as(delivery: Delivery) -> tuple[str, timedelta]:
    return delivery.target, delivery.due_time - delivery.created_time


def _why_not_again(delivery: Delivery, outlet: Outlet | None) -> str:
    if outlet is None:
        return f'The target "{delivery.target}" is not in the notifications\' file any more; write it there first.'
    return f"The delivery is {delivery.state}, not dead; only what was given up is sent again."
