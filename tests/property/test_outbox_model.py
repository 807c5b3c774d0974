"""Outboxes held to a model that knows nothing of queues: whatever comes, fails and is withdrawn ends, and ends once."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from firewatch.broadcast.outbox import GIVE_UP_AFTER, LONGEST_PAUSE, Outbox
from firewatch.config.notification_spec import RateLimitSpec
from firewatch.model.delivery import Delivery, DeliveryState, NotificationReason
from tests.unit.broadcast.alarms import START

pytestmark = pytest.mark.slow


def at(milliseconds: int) -> datetime:
    return START + timedelta(milliseconds=milliseconds)


LIMITS = st.one_of(
    st.none(), st.builds(RateLimitSpec, messages=st.integers(1, 5), within=st.just(timedelta(minutes=1)))
)


class Receiver(RuleBasedStateMachine):
    """The receiver's side of the story; times are in milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.limit: RateLimitSpec | None = None
        self.box = Outbox(LONGEST_PAUSE)
        self.now = 0
        self.put: dict[str, int] = {}
        self.alarms: dict[str, str] = {}
        self.ended: dict[str, DeliveryState] = {}
        self.revisions: dict[str, int] = {}
        self.taken: Counter[str] = Counter()
        self.attempts: list[int] = []
        self.on_its_way: list[str] = []

    @precondition(lambda self: not self.put)
    @rule(limit=LIMITS)
    def is_limited(self, limit: RateLimitSpec | None) -> None:
        self.limit, self.box = limit, Outbox(LONGEST_PAUSE, limit)

    @rule(due=st.one_of(st.just(0), st.integers(0, 600_000)), alarm=st.sampled_from("abc"))
    def comes(self, due: int, alarm: str) -> None:
        name = f"{len(self.put):04}"
        self.put[name], self.alarms[name] = self.now + due, alarm
        when = at(self.now + due)
        reason = NotificationReason.ESCALATED if due else NotificationReason.ONSET
        number = len(self.put)
        self.box.add(Delivery(name, "chat", alarm, number, reason, at(self.now), when, next_attempt_time=when), None)

    @rule(pass_by=st.one_of(st.integers(0, 5_000), st.integers(0, 3_600_000)))
    def time_passes(self, pass_by: int) -> None:
        self.now += pass_by

    @rule(data=st.data())
    def is_withdrawn(self, data: st.DataObject) -> None:
        if waiting := sorted(self.put.keys() - self.ended.keys()):
            self.note(self.box.withdraw(data.draw(st.sampled_from(waiting)), at(self.now)))

    @precondition(lambda self: not self.on_its_way)
    @rule()
    def is_asked(self) -> None:
        parcel = self.box.next(at(self.now))
        if parcel is None:
            return
        self.attempts.append(self.now)
        self.on_its_way = [each.delivery.delivery_id for each in parcel.waiting]
        assert self.on_its_way
        assert all(self.put[name] <= self.now for name in self.on_its_way)
        assert not self.ended.keys() & set(self.on_its_way)
        for place, name in enumerate(self.on_its_way):
            told_first = {*self.ended, *self.on_its_way[:place]}
            for other in self.put.keys() - told_first - {name}:
                if self.alarms[other] == self.alarms[name]:
                    assert (self.put[name], name) < (self.put[other], other), (
                        "what is told of one alarm keeps its order"
                    )

    @precondition(lambda self: self.on_its_way)
    @rule(elapsed=st.integers(0, 10_000))
    def takes_it(self, elapsed: int) -> None:
        self.now += elapsed
        self.taken.update(self.on_its_way)
        self.note(self.box.taken(at(self.now)))
        assert {self.ended[name] for name in self.on_its_way} == {DeliveryState.DELIVERED}
        self.on_its_way = []

    @precondition(lambda self: self.on_its_way)
    @rule(elapsed=st.integers(0, 10_000), retry_after=st.one_of(st.none(), st.integers(0, 7200)))
    def fails(self, elapsed: int, retry_after: int | None) -> None:
        self.now += elapsed
        asked = None if retry_after is None else timedelta(seconds=retry_after)
        self.note(self.box.failed("no answer", at(self.now), asked))
        self.on_its_way = []
        wake = self.box.next_wake()
        assert wake is None or at(self.now) < wake

    @precondition(lambda self: self.on_its_way)
    @rule()
    def refuses(self) -> None:
        self.note(self.box.refused("400", at(self.now)))
        self.on_its_way = []

    def note(self, records: list[Delivery]) -> None:
        for record in records:
            name = record.delivery_id
            assert name not in self.ended
            assert record.revision == self.revisions.get(name, 0) + 1
            self.revisions[name] = record.revision
            if record.state is DeliveryState.WAITING:
                assert record.next_attempt_time is not None
                assert record.next_attempt_time > at(self.now)
                continue
            self.ended[name] = record.state
            if record.state is DeliveryState.DEAD and record.error == "no answer":
                assert at(self.now) >= at(self.put[name]) + GIVE_UP_AFTER

    @invariant()
    def everything_that_has_not_ended_waits(self) -> None:
        assert len(self.box) == len(self.put) - len(self.ended)
        assert all((name in self.box) is (name not in self.ended) for name in self.put)

    @invariant()
    def nothing_is_told_twice_to_a_receiver_that_has_taken_it(self) -> None:
        assert all(count == 1 for count in self.taken.values())

    @invariant()
    def the_limit_holds_at_any_time(self) -> None:
        if self.limit is not None and self.attempts:
            lately = [one for one in self.attempts if one > self.attempts[-1] - 60_000]
            assert len(lately) <= 2 * self.limit.messages

    def teardown(self) -> None:
        """In the end a receiver that is there gets everything."""
        if self.on_its_way:
            self.takes_it(0)
        for _ in range(len(self.put) * 2 + 2):
            wake = self.box.next_wake()
            if wake is None:
                break
            self.now = max(self.now, -(at(0) - wake) // timedelta(milliseconds=1) + 1)
            self.is_asked()
            if self.on_its_way:
                self.takes_it(0)
        assert len(self.box) == 0


TestReceiver = Receiver.TestCase
TestReceiver.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
