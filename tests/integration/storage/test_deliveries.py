"""Deliveries in a real database, and in the one that tests have in memory: the same answers."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from firewatch.model.delivery import Delivery, DeliveryState, NotificationReason
from firewatch.storage.history import PostgresHistory
from firewatch.testing.history import InMemoryHistory

from .records import at

pytestmark = pytest.mark.slow


def delivery(name: str, created: int, **fields: Any) -> Delivery:
    one = Delivery(name, "chat", "a1", 1, NotificationReason.ONSET, created_time=at(created), due_time=at(created))
    return replace(one, **fields)


ONSET = delivery("d1", 1)
ESCALATED = delivery("d2", 1, reason=NotificationReason.ESCALATED, target="phone", due_time=at(121), person="li")
RETURNED = delivery("d3", 3, reason=NotificationReason.RETURNED)
OTHER = delivery("d4", 4, alarm_id="a2")


class Deliveries:
    """What every history does."""

    async def test_a_delivery_is_found_by_its_id(self, kept: Any) -> None:
        kept.write([ONSET, ESCALATED])
        await kept.flush()
        assert await kept.delivery("d2") == ESCALATED
        assert await kept.delivery("d9") is None

    async def test_deliveries_are_found_by_target_and_come_in_pages(self, kept: Any) -> None:
        kept.write([ONSET, ESCALATED, RETURNED, OTHER])
        await kept.flush()
        assert await kept.deliveries(target="chat") == [OTHER, RETURNED, ONSET]
        first = await kept.deliveries(limit=2)
        place = (first[-1].created_time, first[-1].delivery_id)
        assert [*first, *await kept.deliveries(before=place, limit=2)] == [OTHER, RETURNED, ESCALATED, ONSET]

    async def test_whom_alarms_called_is_told_without_what_was_withdrawn(self, kept: Any) -> None:
        withdrawn = replace(ESCALATED, delivery_id="d5", state=DeliveryState.WITHDRAWN, revision=1)
        kept.write([ONSET, ESCALATED, RETURNED, OTHER, withdrawn])
        await kept.flush()
        assert await kept.called(["a1"]) == [ONSET, ESCALATED]
        assert await kept.called(["a1", "a2"]) == [ONSET, ESCALATED, OTHER]
        assert await kept.called([]) == []

    async def test_the_newest_word_on_a_delivery_stands_whatever_comes_after_it(self, kept: Any) -> None:
        dead = replace(ONSET, state=DeliveryState.DEAD, revision=3, attempts=2, error="400")
        kept.write([ONSET, dead, replace(ONSET, revision=2, attempts=2)])
        await kept.flush()
        assert await kept.delivery("d1") == dead
        again = replace(dead, state=DeliveryState.WAITING, revision=4, attempts=0, by="wang")
        kept.write([again, dead])
        await kept.flush()
        assert await kept.deliveries(state=DeliveryState.WAITING) == [again]


class TestInMemory(Deliveries):
    @pytest.fixture
    def kept(self) -> InMemoryHistory:
        return InMemoryHistory()


class TestInPostgres(Deliveries):
    @pytest.fixture
    def kept(self, history: PostgresHistory) -> PostgresHistory:
        return history
