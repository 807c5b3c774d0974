"""Notifications in the daemon: written with the changes they tell of, and gone by the file on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from firewatch.app import notifications
from firewatch.app.notifications import NotificationKeeper, NotifyingHistory
from firewatch.broadcast.channel import Notification
from firewatch.broadcast.notifier import Notifier
from firewatch.broadcast.outlet import Surroundings
from firewatch.config.project import load_notifications
from firewatch.config.settings import Settings
from firewatch.model.alarm import AlarmTransition
from firewatch.model.delivery import Delivery, DeliveryState
from firewatch.telemetry.telemetry import Telemetry
from firewatch.testing.clock import FakeClock
from firewatch.testing.history import InMemoryHistory
from tests.unit.broadcast.alarms import START
from tests.unit.broadcast.book import INVENTORY, Tale

CHAT = 'targets: [{id: chat, webhook: {url: "http://chat.example/"}}]\nplans: [{id: all, steps: [{targets: [chat]}]}]\n'
BOTH = CHAT.replace("}}]\nplans", '}}, {id: mail, webhook: {url: "http://mail.example/"}}]\nplans')
PATIENCE_SECONDS = 30


class Willing:
    """Takes everything and keeps it."""

    def __init__(self) -> None:
        self.taken: list[Notification] = []

    async def deliver(self, message: Notification) -> None:
        self.taken.append(message)

    async def close(self) -> None:
        pass


class Desk:
    """A keeper of a file in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "notification.yaml"
        self.file.write_text(CHAT, encoding="utf-8")
        self.settings = Settings(notifications=self.file)
        self.telemetry = Telemetry()
        self.history = InMemoryHistory()
        self.channel = Willing()
        around = Surroundings(FakeClock(START), self.history, self.history, self.telemetry, lambda _: self.channel)
        told = load_notifications(self.settings, INVENTORY)
        self.notifier = Notifier(told, INVENTORY, around)
        self.keeper = NotificationKeeper(self.settings, told, INVENTORY, self.notifier, self.telemetry)

    def targets(self) -> list[str]:
        return [each.target for each in self.notifier.targets()]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self.keeper.run())
            while not condition():
                await asyncio.sleep(0.005)
            running.cancel()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_deliveries_are_written_in_one_piece_with_the_change_that_they_tell_of() -> None:
    written: list[Sequence[object]] = []

    class OnlyWrites(InMemoryHistory):
        def write(self, records: Sequence[object], on_safe: Callable[[], None] | None = None) -> None:
            written.append(records)

    tale = Tale()
    change = tale.told()
    delivery = Delivery("d", "chat", change.alarm_id, 1, "onset", START, START)  # type: ignore[arg-type]
    asked: list[Sequence[AlarmTransition]] = []

    def take(changes: Sequence[AlarmTransition]) -> list[Delivery]:
        asked.append(changes)
        return [delivery]

    history = NotifyingHistory(OnlyWrites(), take)
    history.write([change])
    history.write([delivery])
    assert written == [[change, delivery], [delivery]]
    assert asked == [[change]]


async def test_a_change_that_is_written_is_told(desk: Desk) -> None:
    history = NotifyingHistory(desk.history, desk.notifier.take)
    history.write([Tale().told()])
    await desk.until(lambda: bool(desk.channel.taken))
    assert [each.state for each in await desk.history.deliveries()] == [DeliveryState.DELIVERED]


async def test_a_changed_file_is_gone_by_when_sighup_comes(desk: Desk) -> None:
    desk.file.write_text(BOTH, encoding="utf-8")
    desk.keeper.signal()
    await desk.until(lambda: desk.targets() == ["chat", "mail"])
    assert desk.keeper.status().detail == "2 targets, 1 plans"


async def test_a_changed_file_is_gone_by_without_any_word(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifications, "LOOK_AGAIN", notifications.LOOK_AGAIN / 500)
    desk.file.write_text(BOTH, encoding="utf-8")
    await desk.until(lambda: desk.targets() == ["chat", "mail"])


async def test_a_file_that_is_wrong_is_shown_and_the_one_before_goes_on(desk: Desk) -> None:
    desk.file.write_text(BOTH.replace("chat", "chat-room", 1), encoding="utf-8")
    desk.keeper.signal()
    await desk.until(lambda: not desk.keeper.status().ready)
    assert desk.targets() == ["chat"]
    assert 'there is no target "chat"' in desk.keeper.status().detail
    assert not desk.keeper.status().vital
    assert b"firewatch_notification_file_valid 0.0" in desk.telemetry.metrics()
    desk.file.write_text(CHAT, encoding="utf-8")
    desk.keeper.signal()
    await desk.until(lambda: desk.keeper.status().ready)


async def test_each_target_is_a_part_of_the_daemon_that_is_not_vital(desk: Desk) -> None:
    (part,) = desk.notifier.parts()
    assert (part.name, part.ready, part.vital) == ("target chat", True, False)
