"""The workload of the seats as it is kept while the daemon runs, and after it was started again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from firewatch.alarms.workload import Tally
from firewatch.app.workload import CountedHistory, WorkloadKeeper
from firewatch.errors import StorageError
from firewatch.model.alarm import AlarmClass, AlarmClock, AlarmTransition, Stage, StageReached
from firewatch.model.delivery import Delivery, NotificationReason
from firewatch.model.seat import ControlRoom, Seat
from firewatch.model.site import Inventory
from firewatch.model.text import LocalText
from firewatch.telemetry.events import AlarmLate, AlarmStageReached, SeatTold, SeatWorkload
from firewatch.telemetry.occurrence import Occurrence
from firewatch.testing.clock import FakeClock
from firewatch.testing.history import InMemoryHistory
from tests.unit.alarms.workloads import ACKNOWLEDGED, GROUPED, NORMAL, OWN, change

NOTHING = Inventory(sites=(), kinds={})
WATER = Seat("water", LocalText("水", "Water"), systems=("water",))
OTHERS = Seat("others", LocalText("其他", "Others"), systems=("lift",))
ROOM = ControlRoom((OTHERS, WATER))
DAY = timedelta(days=1)


class Kept:
    """A keeper over a history in memory, which begins with these records."""

    def __init__(self, history: InMemoryHistory | None = None, clock: FakeClock | None = None) -> None:
        self.below = history or InMemoryHistory()
        self.clock = clock or FakeClock()
        self.told: list[Occurrence] = []
        self.changes = 0
        self.keeper = WorkloadKeeper(ROOM, NOTHING, self.below, self.clock, self)
        self.history = CountedHistory(self.below, self.keeper)

    def emit(self, occurrence: Occurrence) -> None:
        self.told.append(occurrence)

    def of(self, kind: type) -> list[Any]:
        return [one for one in self.told if isinstance(one, kind)]

    async def run(self) -> None:
        """Until it waits for time to pass."""
        task = asyncio.create_task(self.keeper.run())
        try:
            async with asyncio.timeout(10):
                while not self.of(SeatWorkload):
                    await asyncio.sleep(0)
                    if task.done():
                        task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def count(self, seat: str = "water") -> Tally:
        figures = self.keeper.figures(seat)
        assert figures is not None
        return figures.alarm_count

    def change(self, name: str, ago: timedelta = timedelta(0), **fields: Any) -> AlarmTransition:
        """A change of an alarm some time ago."""
        one = change(0, f"s/{name}", **{"told": OWN} | fields)
        time = self.clock.now() - ago
        clock = AlarmClock(time, time, time, annunciated_time=time)
        self.changes += 1
        alarm = replace(one.alarm, onset_time=time, clock=clock)
        return replace(one, number=self.changes, transition_time=time, alarm=alarm)


async def test_each_seat_is_told_of_its_own_alarms_and_what_is_nobodys_is_the_first_ones() -> None:
    kept = Kept()
    await kept.run()
    kept.history.write([kept.change("a"), kept.change("b", system="lift")])
    kept.history.write([kept.change("c", system="gas", told=GROUPED)])
    assert (kept.count("water"), kept.count("others")) == (Tally(1), Tally(1, 1))
    assert [(one.seat, one.grouped) for one in kept.of(SeatTold)] == [
        ("water", "false"),
        ("others", "false"),
        ("others", "true"),
    ]


async def test_what_is_counted_is_kept_too_and_said_to_be_safe() -> None:
    kept, safe = Kept(), []
    kept.below.hold = True
    told = kept.change("a")
    kept.history.write([told], on_safe=lambda: safe.append(True))
    assert not safe
    kept.below.release()
    assert safe == [True]
    assert await kept.below.transitions(told.alarm_id) == [told]
    assert [one.stage for one in kept.of(AlarmStageReached)] == ["received", "decided", "annunciated", "journalled"]


async def test_after_a_start_the_last_day_is_read_back_and_nothing_is_counted_twice() -> None:
    before = Kept()
    await before.run()
    old, first, second = before.change("old", 3 * DAY), before.change("a", DAY / 2), before.change("b", DAY / 4)
    before.history.write([old, first, second])
    after = Kept(before.below, before.clock)
    # What the replay wrote again, and what happened before the day was read back.
    after.history.write([second, old, before.change("c")])
    assert after.keeper.figures("water") is None
    await after.run()
    assert after.count() == Tally(3)
    figures = after.keeper.figures("water")
    assert figures is not None
    assert figures.active.now == 4
    assert [stale.subject for stale in figures.stale] == ["s/old"]


async def test_what_is_written_while_the_day_is_read_back_is_counted_once() -> None:
    kept = Kept()
    read, late = kept.below.transitions_between, kept.change("during")

    async def read_while_something_happens(start: Any, end: Any) -> AsyncIterator[AlarmTransition]:
        if not kept.of(SeatTold):
            kept.history.write([late])
        async for each in read(start, end):
            yield each

    kept.below.transitions_between = read_while_something_happens  # type: ignore[method-assign]
    await kept.run()
    assert kept.count() == Tally(1)


async def test_the_gauges_say_how_a_seat_is_doing() -> None:
    kept = Kept()
    for number in range(11):
        kept.history.write([kept.change(str(number))])
    kept.history.write([kept.change("0", state=ACKNOWLEDGED, told=None), kept.change("1", state=NORMAL, told=None)])
    await kept.run()
    gauges = {one.seat: one for one in kept.of(SeatWorkload)}
    assert (gauges["water"].in_10_minutes, gauges["water"].in_flood, gauges["others"].in_10_minutes) == (11, 1.0, 0)
    assert (gauges["water"].active, gauges["water"].unacknowledged) == (10, 9)


@pytest.mark.parametrize(
    ("seconds", "delivered", "late"),
    [
        pytest.param(9, None, False, id="there is still time"),
        pytest.param(11, None, True, id="overdue"),
        pytest.param(60, 4, False, id="delivered in time"),
        pytest.param(60, 14, True, id="delivered late"),
    ],
)
async def test_an_alarm_that_is_late_is_told_once(seconds: float, delivered: float | None, late: bool) -> None:
    kept = Kept()
    told = kept.change("a", timedelta(seconds=seconds), alarm_class=AlarmClass.FIRE)
    time = told.transition_time
    kept.history.write([told, Delivery("d", "centre", told.alarm_id, 1, NotificationReason.ONSET, time, time)])
    if delivered is not None:
        came = time + timedelta(seconds=delivered)
        kept.history.write([StageReached(told.alarm_id, Stage.DELIVERED, came, "centre")])
        assert kept.of(AlarmStageReached)[-1].seconds == delivered
    await kept.run()
    await kept.keeper._look_for_late_ones()
    assert [one.stage for one in kept.of(AlarmLate)] == (["delivered"] if late else [])


async def test_a_history_that_cannot_be_read_is_tried_again_by_whoever_keeps_it_running(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = Kept()

    async def away(*_: object) -> list[AlarmTransition]:
        raise StorageError("away")

    monkeypatch.setattr(kept.below, "standing_at", away)
    kept.history.write([kept.change("a")])
    with pytest.raises(StorageError):
        await kept.run()
    assert kept.keeper.figures("water") is None
    monkeypatch.undo()
    await kept.run()
    assert kept.count() == Tally(1)
