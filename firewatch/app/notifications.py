"""Notifications put to work: changes reach the notifier with the history, and the notifier goes by the file on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from firewatch.app.history_over import HistoryOver
from firewatch.broadcast.notifier import Notifier
from firewatch.config.notification_spec import NotificationFile
from firewatch.config.problem import ProblemsError
from firewatch.config.project import file_stamp, load_notifications
from firewatch.config.settings import Settings
from firewatch.model.alarm import AlarmTransition
from firewatch.model.delivery import Delivery
from firewatch.model.site import Inventory
from firewatch.ports import History, PartStatus, Record
from firewatch.telemetry.events import NotificationFileRefused, NotificationFileTaken
from firewatch.telemetry.telemetry import Telemetry

LOOK_AGAIN = timedelta(seconds=5)
"""How often the file is looked at."""

log = structlog.get_logger("firewatch.notifications")


class NotifyingHistory(HistoryOver):
    """Implements `ports.History` over another one: with each change of an alarm it writes the deliveries that the
    change leads to, in one piece, so that after a crash both are there or neither is.
    """

    def __init__(self, history: History, take: Callable[[Sequence[AlarmTransition]], Sequence[Delivery]]) -> None:
        super().__init__(history)
        self._take = take

    def write(self, records: Sequence[Record], on_safe: Callable[[], None] | None = None) -> None:
        """Take records for writing, with the deliveries that they lead to."""
        changes = [record for record in records if isinstance(record, AlarmTransition)]
        deliveries = self._take(changes) if changes else ()
        super().write([*records, *deliveries] if deliveries else records, on_safe)


class NotificationKeeper:
    """Keeps the notifier going by the file on disk. One that is wrong is shown, and the one before goes on."""

    def __init__(
        self,
        settings: Settings,
        running: NotificationFile,
        inventory: Inventory,
        notifier: Notifier,
        telemetry: Telemetry,
    ) -> None:
        self._settings = settings
        self._running = running
        self._inventory = inventory
        self._notifier = notifier
        self._telemetry = telemetry
        self._seen = file_stamp(settings.notifications)
        self._refused: ProblemsError | None = None
        self._signalled = asyncio.Event()
        if not running.targets:
            log.info("Nobody is notified outside of the control room: the settings name no notifications.")

    def signal(self) -> None:
        """SIGHUP came."""
        self._signalled.set()

    def status(self) -> PartStatus:
        """Whether the file on disk is the one that is gone by."""
        if self._refused is not None:
            first, more = self._refused.problems[0], len(self._refused.problems) - 1
            detail = f"the notifications on disk are not the ones gone by: {first}{f' (and {more} more)' * bool(more)}"
            return PartStatus("notification file", ready=False, detail=detail[:500], vital=False)
        targets, plans = len(self._running.targets), len(self._running.plans)
        detail = f"{targets} targets, {plans} plans" if targets else "nobody is notified"
        return PartStatus("notification file", ready=True, detail=detail, vital=False)

    async def run(self) -> None:
        """Send, and look at the file now and then and whenever SIGHUP comes, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._notifier.run())
            tasks.create_task(self._follow_file())

    async def _follow_file(self) -> None:
        while True:
            signalled = await self._signal_or_pause()
            stamp = await asyncio.to_thread(file_stamp, self._settings.notifications)
            if signalled or stamp != self._seen:
                self._seen = stamp
                await self._reload()

    async def _signal_or_pause(self) -> bool:
        try:
            async with asyncio.timeout(LOOK_AGAIN.total_seconds()):
                await self._signalled.wait()
        except TimeoutError:
            return False
        self._signalled.clear()
        return True

    async def _reload(self) -> None:
        try:
            found = await asyncio.to_thread(load_notifications, self._settings, self._inventory)
        except ProblemsError as error:
            self._refused = error
            self._telemetry.emit(NotificationFileRefused(problems=len(error.problems), first=str(error.problems[0])))
            return
        self._refused = None
        if found != self._running:
            self._running = found
            self._notifier.go_by(found)
            self._telemetry.emit(NotificationFileTaken(targets=len(found.targets), plans=len(found.plans)))
