"""What waits for one target, and which of it is next: decided from times alone.

A target has two outboxes, one for fire and one for everything else, each with a task of its own: nothing that is sent
holds fire up, and no rate limit does.

A message that the receiver did not take is tried again after `FIRST_RETRY`, then after twice as long each time, up to
the outbox's longest pause. Failures in a row make the outbox as a whole pause in the same way: a receiver that is away
is asked now and then, and not by each message that waits; a message that alone is refused does not stop the others.
What is told of one alarm keeps its order, whatever has to be tried again: nobody hears of a fire after its end.
What was not taken within `GIVE_UP_AFTER` is dead.
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from firewatch.config.notification_spec import RateLimitSpec
from firewatch.model.alarm import AlarmTransition
from firewatch.model.delivery import Delivery, DeliveryState

FIRST_RETRY = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE_FOR_FIRE = timedelta(seconds=10)
"""GB 25506-2010: a fire signal is sent on within 10 s; a receiver that came back is found within as long."""

LONGEST_RETRY_AFTER = timedelta(hours=1)
"""A receiver that asks for more is tried again after this."""

GIVE_UP_AFTER = timedelta(hours=12)
"""From when it fell due. A receiver may be away for a night; an older message calls nobody any more."""

LIMIT = 10_000
"""Messages that one outbox holds, some megabytes. What comes when it is full is dead at once, and shown."""

SUMMED_UP_AT_MOST = 100
_DOUBLINGS = 20
_ERROR_LIMIT = 500


@dataclass(slots=True)
class Waiting:
    """A delivery, with the change that it tells; None where that has to be read from the history first."""

    delivery: Delivery
    change: AlarmTransition | None
    withdrawn: bool = False


@dataclass(slots=True, eq=False)
class Parcel:
    """What is sent together: one delivery, or several that a rate limit held back, summed up."""

    waiting: list[Waiting]
    due_time: datetime
    place: int = 0
    """Its place among what is due at the same time; changes when it is put in anew."""

    @property
    def alarms(self) -> set[str]:
        """Which alarms it tells of."""
        return {each.delivery.alarm_id for each in self.waiting}

    @property
    def first(self) -> tuple[datetime, int]:
        """The place of the first of what it tells."""
        return min(_order(each.delivery) for each in self.waiting)

    @property
    def parcel_id(self) -> str:
        """The key by which the receiver knows it again: the delivery's own, or one that follows from all of them."""
        ids = sorted(each.delivery.delivery_id for each in self.waiting)
        return ids[0] if len(ids) == 1 else hashlib.blake2s("|".join(ids).encode(), digest_size=8).hexdigest()

    @property
    def was_tried(self) -> bool:
        """Whether the receiver may know it."""
        return any(each.delivery.attempts for each in self.waiting)


class _Bucket:
    """Tokens that come back one after the other; each attempt takes one."""

    def __init__(self, limit: RateLimitSpec) -> None:
        self._size = limit.messages
        self._interval = limit.within / limit.messages
        self._full_time: datetime | None = None

    def tokens(self, now: datetime) -> int:
        if self._full_time is None or now >= self._full_time:
            return self._size
        return self._size + (now - self._full_time) // self._interval

    def take(self, now: datetime) -> None:
        self._full_time = max(self._full_time or now, now) + self._interval

    def next_time(self) -> datetime | None:
        """When there is one again."""
        return None if self._full_time is None else self._full_time - (self._size - 1) * self._interval


class Outbox:
    """The messages that wait for one target, or its fire ones. Time is an argument.

    What `next` gives is on its way until `taken` or `refused` says what came of it.
    """

    def __init__(self, longest_pause: timedelta, limit: RateLimitSpec | None = None) -> None:
        self._longest_pause = longest_pause
        self._bucket = None if limit is None else _Bucket(limit)
        self._parcels: list[tuple[datetime, int, Parcel]] = []
        self._order = itertools.count()
        self._in: dict[str, Parcel] = {}
        self._of_alarm: defaultdict[str, dict[str, Parcel]] = defaultdict(dict)
        self._on_its_way: Parcel | None = None
        self._paused_until: datetime | None = None
        self.failures = 0
        """In a row."""

    def __len__(self) -> int:
        return len(self._in)

    def __contains__(self, delivery_id: str) -> bool:
        return delivery_id in self._in

    @property
    def is_sending(self) -> bool:
        """Whether something is on its way."""
        return self._on_its_way is not None

    def add(self, delivery: Delivery, change: AlarmTransition | None) -> bool:
        """Take a delivery; False if the outbox is full. One that is in it already stays as it is."""
        if delivery.delivery_id in self._in:
            return True
        if len(self._in) >= LIMIT:
            return False
        parcel = Parcel([Waiting(delivery, change)], delivery.next_attempt_time or delivery.due_time)
        siblings = list(self._of_alarm.get(delivery.alarm_id, {}).values())
        earlier = [other.due_time for other in siblings if other.first < parcel.first]
        parcel.due_time = max(parcel.due_time, *earlier) if earlier else parcel.due_time
        self._put(parcel)
        if len(earlier) < len(siblings):
            self._put_off_what_follows(parcel)
        return True

    def renew(self, delivery_id: str, change: AlarmTransition) -> None:
        """Its alarm has changed before it fell due: that is what it tells now."""
        for each in self._in[delivery_id].waiting if delivery_id in self._in else ():
            if each.delivery.delivery_id == delivery_id:
                each.change = change

    def withdraw(self, delivery_id: str, now: datetime) -> list[Delivery]:
        """Do not send it if that is still possible; returns its record, or nothing while it is on its way."""
        parcel = self._in.get(delivery_id)
        if parcel is None:
            return []
        (waiting,) = (each for each in parcel.waiting if each.delivery.delivery_id == delivery_id)
        waiting.withdrawn = True
        if parcel is self._on_its_way:
            return []
        self._forget(parcel, waiting)
        return [ended(waiting.delivery, DeliveryState.WITHDRAWN, now)]

    def next(self, now: datetime) -> Parcel | None:
        """What to send now; None if it is not yet time for anything."""
        if self._on_its_way is not None:  # whoever sent it was ended before it could say what came of it
            self._put(self._on_its_way)
            self._on_its_way = None
        if self._paused_until is not None and now < self._paused_until:
            return None
        tokens = self._bucket.tokens(now) if self._bucket is not None else SUMMED_UP_AT_MOST
        if tokens < 1 or (parcel := self._pop_due(now)) is None:
            return None
        if tokens < 2 and not parcel.was_tried:
            self._sum_up(parcel, now)
        if self._bucket is not None:
            self._bucket.take(now)
        self._on_its_way = parcel
        return parcel

    def next_wake(self) -> datetime | None:
        """When `next` may have something; None while nothing waits."""
        self._drop_stale()
        if not self._parcels:
            return None
        bounds = (self._paused_until, self._bucket.next_time() if self._bucket is not None else None)
        return max([self._parcels[0][0], *(bound for bound in bounds if bound is not None)])

    def taken(self, now: datetime) -> list[Delivery]:
        """The receiver has it."""
        self.failures = 0
        self._paused_until = None
        return [
            ended(each.delivery, DeliveryState.DELIVERED, now, attempts=each.delivery.attempts + 1)
            for each in self._arrived()
        ]

    def refused(self, error: str, now: datetime) -> list[Delivery]:
        """The receiver answers, and never takes this."""
        self.failures = 0
        return [
            ended(each.delivery, DeliveryState.DEAD, now, error, attempts=each.delivery.attempts + 1)
            for each in self._arrived()
        ]

    def failed(self, error: str, now: datetime, retry_after: timedelta | None = None) -> list[Delivery]:
        """The receiver did not take it now: what stays is tried again, and what waited too long is dead."""
        self.failures += 1
        at_least = min(retry_after or timedelta(0), LONGEST_RETRY_AFTER)
        self._paused_until = now + max(self._pause(self.failures), at_least)
        parcel, self._on_its_way = self._on_its_way, None
        assert parcel is not None
        records: list[Delivery] = []
        for each in list(parcel.waiting):
            tried = msgspec.structs.replace(each.delivery, attempts=each.delivery.attempts + 1)
            if each.withdrawn or _is_too_old(tried, now):
                state = DeliveryState.WITHDRAWN if each.withdrawn else DeliveryState.DEAD
                self._forget(parcel, each)
                records.append(ended(tried, state, now, error))
                continue
            parcel.due_time = now + max(self._pause(tried.attempts), at_least)
            each.delivery = msgspec.structs.replace(
                tried, revision=tried.revision + 1, next_attempt_time=parcel.due_time, error=error[:_ERROR_LIMIT]
            )
            records.append(each.delivery)
        if parcel.waiting:
            self._put(parcel)
            self._put_off_what_follows(parcel)
        return [*records, *self._given_up(error, now)]

    def clear(self, error: str, now: datetime) -> list[Delivery]:
        """Give up everything that waits."""
        parcels = list(dict.fromkeys(self._in.values()))
        records = [
            ended(each.delivery, DeliveryState.DEAD, now, error) for parcel in parcels for each in parcel.waiting
        ]
        self._parcels.clear()
        self._in.clear()
        self._of_alarm.clear()
        self._on_its_way = None
        return records

    def go_by(self, limit: RateLimitSpec | None) -> None:
        """Go by another rate limit."""
        self._bucket = None if limit is None else _Bucket(limit)

    # How it is kept.

    def _put(self, parcel: Parcel) -> None:
        for each in parcel.waiting:
            self._note(each.delivery, parcel)
        parcel.place = next(self._order)
        heapq.heappush(self._parcels, (parcel.due_time, parcel.place, parcel))

    def _note(self, delivery: Delivery, parcel: Parcel) -> None:
        self._in[delivery.delivery_id] = parcel
        self._of_alarm[delivery.alarm_id][delivery.delivery_id] = parcel

    def _drop(self, delivery: Delivery) -> None:
        del self._in[delivery.delivery_id]
        siblings = self._of_alarm[delivery.alarm_id]
        del siblings[delivery.delivery_id]
        if not siblings:
            del self._of_alarm[delivery.alarm_id]

    def _pop_due(self, now: datetime) -> Parcel | None:
        self._drop_stale()
        if not self._parcels or self._parcels[0][0] > now:
            return None
        return heapq.heappop(self._parcels)[2]

    def _drop_stale(self) -> None:
        """Leave out what is empty, or was put in anew."""
        while self._parcels and (not self._parcels[0][2].waiting or self._parcels[0][2].place != self._parcels[0][1]):
            heapq.heappop(self._parcels)

    def _sum_up(self, parcel: Parcel, now: datetime) -> None:
        """Take into the parcel what else is due, was never tried, and follows nothing that was."""
        left: list[Parcel] = []
        alarms: set[str] = set()
        while len(parcel.waiting) < SUMMED_UP_AT_MOST and (other := self._pop_due(now)) is not None:
            if other.was_tried or alarms & other.alarms:
                left.append(other)
                alarms |= other.alarms
                continue
            parcel.waiting += other.waiting
            for each in other.waiting:
                self._note(each.delivery, parcel)
        for other in left:
            self._put(other)

    def _put_off_what_follows(self, parcel: Parcel) -> None:
        siblings = {id(other): other for alarm in parcel.alarms for other in self._of_alarm[alarm].values()}
        for other in sorted(siblings.values(), key=lambda each: each.first):
            if other.first > parcel.first and other.due_time <= parcel.due_time:
                other.due_time = parcel.due_time
                self._put(other)

    def _arrived(self) -> list[Waiting]:
        """What was on its way; it waits no more."""
        parcel, self._on_its_way = self._on_its_way, None
        assert parcel is not None
        arrived = parcel.waiting
        for each in arrived:
            self._drop(each.delivery)
        parcel.waiting = []
        return arrived

    def _given_up(self, error: str, now: datetime) -> list[Delivery]:
        """What fell due too long ago and could not even be tried."""
        records: list[Delivery] = []
        self._drop_stale()
        while self._parcels and all(_is_too_old(each.delivery, now) for each in self._parcels[0][2].waiting):
            parcel = heapq.heappop(self._parcels)[2]
            for each in list(parcel.waiting):
                self._forget(parcel, each)
                records.append(ended(each.delivery, DeliveryState.DEAD, now, error))
            self._drop_stale()
        return records

    def _forget(self, parcel: Parcel, waiting: Waiting) -> None:
        parcel.waiting.remove(waiting)
        self._drop(waiting.delivery)

    def _pause(self, failures: int) -> timedelta:
        return min(FIRST_RETRY * (1 << min(failures - 1, _DOUBLINGS)), self._longest_pause)


def _order(delivery: Delivery) -> tuple[datetime, int]:
    """In which order what is told of one alarm is told."""
    return delivery.due_time, delivery.number


def _is_too_old(delivery: Delivery, now: datetime) -> bool:
    return now >= delivery.due_time + GIVE_UP_AFTER


def ended(
    delivery: Delivery, state: DeliveryState, now: datetime, error: str = "", attempts: int | None = None
) -> Delivery:
    """The record of its end."""
    return msgspec.structs.replace(
        delivery,
        state=state,
        revision=delivery.revision + 1,
        attempts=delivery.attempts if attempts is None else attempts,
        next_attempt_time=None,
        ended_time=now,
        error=error[:_ERROR_LIMIT],
    )
