"""What waits for a target: when it is tried, when again, and when it is given up or summed up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from firewatch.broadcast.outbox import GIVE_UP_AFTER, LIMIT, LONGEST_PAUSE, LONGEST_PAUSE_FOR_FIRE, Outbox, Parcel
from firewatch.config.notification_spec import RateLimitSpec
from firewatch.model.delivery import Delivery, DeliveryState, NotificationReason
from tests.unit.broadcast.alarms import at

TWO_A_MINUTE = RateLimitSpec(messages=2, within=timedelta(minutes=1))


def delivery(name: str, due: float = 0, created: float = 0) -> Delivery:
    return Delivery(
        delivery_id=name,
        target="chat",
        alarm_id=f"alarm-{name}",
        number=1,
        reason=NotificationReason.ONSET,
        created_time=at(created),
        due_time=at(due),
        next_attempt_time=at(due),
    )


def outbox(*deliveries: Delivery, limit: RateLimitSpec | None = None, longest: timedelta = LONGEST_PAUSE) -> Outbox:
    box = Outbox(longest, limit)
    for each in deliveries:
        assert box.add(each, None)
    return box


def names(parcel: Parcel | None) -> list[str]:
    return [] if parcel is None else [each.delivery.delivery_id for each in parcel.waiting]


def test_what_is_due_is_sent_in_the_order_of_time() -> None:
    box = outbox(delivery("later", due=60), delivery("second", due=2), delivery("first", due=1))
    assert (box.next(at(0)), box.next_wake()) == (None, at(1))
    assert names(box.next(at(3))) == ["first"]
    assert [(each.state, each.attempts, each.ended_time) for each in box.taken(at(3))] == [
        (DeliveryState.DELIVERED, 1, at(3))
    ]
    assert names(box.next(at(3))) == ["second"]
    box.taken(at(3))
    assert (names(box.next(at(3))), box.next_wake(), len(box)) == ([], at(60), 1)


def test_what_was_not_taken_is_tried_again_after_twice_as_long_each_time_up_to_a_cap() -> None:
    box = outbox(delivery("one"))
    now, waits = 0.0, []
    for _ in range(10):
        assert names(box.next(at(now))) == ["one"]
        (record,) = box.failed("no answer", at(now))
        assert record.next_attempt_time == box.next_wake()
        assert record.next_attempt_time is not None
        waits.append((record.next_attempt_time - at(now)).total_seconds())
        now += waits[-1]
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_fire_is_tried_again_within_ten_seconds_however_long_its_receiver_is_away() -> None:
    box = outbox(delivery("fire"), longest=LONGEST_PAUSE_FOR_FIRE)
    now = 0.0
    for _ in range(8):
        assert box.next(at(now))
        box.failed("refused", at(now))
        wake = box.next_wake()
        assert wake is not None
        assert wake <= at(now + 10)
        now = (wake - at(0)).total_seconds()


@pytest.mark.parametrize(("asked", "waited"), [(90, 90), (1, 2), (86_400, 3600)])
def test_a_receiver_that_says_how_long_to_wait_is_heeded_within_bounds(asked: float, waited: float) -> None:
    box = outbox(delivery("one"), delivery("two"))
    box.next(at(0))
    box.failed("too many requests", at(0), timedelta(seconds=asked))
    assert box.next(at(waited - 0.5)) is None
    assert box.next_wake() == at(waited)


def test_a_receiver_that_is_away_is_not_asked_by_each_message_that_waits() -> None:
    box = outbox(*(delivery(f"{number:03}") for number in range(500)))
    attempts, now = 0, 0.0
    while now < 3600:
        if box.next(at(now)) is not None:
            attempts += 1
            box.failed("connection refused", at(now))
        now += 1
    assert attempts < 25
    assert len(box) == 500


def test_what_waited_while_the_receiver_was_away_goes_out_once_it_is_back() -> None:
    box = outbox(*(delivery(f"{number:03}") for number in range(500)))
    for now in range(3600):
        if box.next(at(now)) is not None:
            box.failed("connection refused", at(now))
    told: list[str] = []
    for now in range(3600, 3600 + 700):
        while (parcel := box.next(at(now))) is not None:
            told += names(parcel)
            box.taken(at(now))
    assert sorted(told) == [f"{number:03}" for number in range(500)]
    assert len(box) == 0


def test_a_message_that_alone_is_never_taken_does_not_stop_the_others() -> None:
    box = outbox(delivery("poison"), *(delivery(f"{number:03}", due=number) for number in range(1, 100)))
    told = []
    for now in range(200):
        while (parcel := box.next(at(now))) is not None:
            if names(parcel) == ["poison"]:
                box.failed("500", at(now))
            else:
                told += names(parcel)
                box.taken(at(now))
    assert sorted(told) == [f"{number:03}" for number in range(1, 100)]


def test_nobody_hears_of_the_end_of_an_alarm_before_its_beginning() -> None:
    onset, returned = delivery("onset"), replace(delivery("returned", due=1), alarm_id="alarm-onset", number=2)
    box = outbox(onset, delivery("other", due=3))
    assert names(box.next(at(0))) == ["onset"]
    box.failed("500", at(0))
    assert box.add(returned, None)
    told = []
    for now in range(1, 30):
        while (parcel := box.next(at(now))) is not None:
            if now < 8 and names(parcel) == ["onset"]:
                box.failed("500", at(now))
            else:
                told += names(parcel)
                box.taken(at(now))
    assert told == ["other", "onset", "returned"]


def test_what_the_receiver_will_never_take_is_dead_at_once_and_makes_nobody_wait() -> None:
    box = outbox(delivery("wrong"), delivery("right"))
    box.next(at(0))
    (record,) = box.refused("400 Bad Request", at(0))
    assert (record.state, record.error, record.attempts) == (DeliveryState.DEAD, "400 Bad Request", 1)
    assert names(box.next(at(0))) == ["right"]


def test_what_nobody_took_for_half_a_day_is_dead_also_what_was_hardly_ever_tried() -> None:
    box = outbox(*(delivery(f"{number}") for number in range(400)))
    now, records = at(0), []
    while now < at(0) + GIVE_UP_AFTER + 2 * LONGEST_PAUSE:
        if box.next(now) is not None:
            records += box.failed("no route", now)
        now += timedelta(seconds=30)
    dead = [each for each in records if each.state is DeliveryState.DEAD]
    assert {each.error for each in dead} == {"no route"}
    assert any(each.attempts == 0 for each in dead)
    assert all(each.ended_time is not None and each.ended_time >= at(0) + GIVE_UP_AFTER for each in dead)
    assert len(box) <= 2


def test_a_night_down_is_no_reason_to_give_up_what_was_not_tried_yet() -> None:
    box = outbox(delivery("old"))
    assert names(box.next(at(0) + 2 * GIVE_UP_AFTER)) == ["old"]
    assert [each.state for each in box.taken(at(0) + 2 * GIVE_UP_AFTER)] == [DeliveryState.DELIVERED]


def test_beyond_the_limit_what_waits_is_summed_up_and_nothing_is_lost() -> None:
    box = outbox(limit=TWO_A_MINUTE)
    sent = []
    for second in range(121):
        if second < 10:
            box.add(delivery(f"{second}", due=second), None)
        while (parcel := box.next(at(second))) is not None:
            sent.append((second, names(parcel)))
            box.taken(at(second))
    assert [(second, len(told)) for second, told in sent] == [(0, 1), (1, 1), (30, 8)]
    assert sorted(name for _, told in sent for name in told) == [f"{number}" for number in range(10)]


def test_a_burst_takes_what_the_limit_allows_and_the_last_message_sums_up_the_rest() -> None:
    box = outbox(*(delivery(f"{number}") for number in range(10)), limit=TWO_A_MINUTE)
    assert len(names(box.next(at(0)))) == 1
    box.taken(at(0))
    assert len(names(box.next(at(0)))) == 9
    assert {each.state for each in box.taken(at(0))} == {DeliveryState.DELIVERED}
    assert box.next(at(0)) is None


def test_a_summary_that_was_not_taken_is_tried_again_as_it_was() -> None:
    box = outbox(*(delivery(f"{number}") for number in range(4)), limit=RateLimitSpec(messages=1))
    first = box.next(at(0))
    assert first is not None
    key = first.parcel_id
    assert len(box.failed("500", at(0))) == 4
    box.add(delivery("new", due=30), None)
    again = box.next(at(60))
    assert again is not None
    assert (again.parcel_id, len(again.waiting)) == (key, 4)


def test_a_message_alone_is_known_by_its_own_id_and_a_summary_by_all_of_them() -> None:
    box = outbox(delivery("one"), delivery("two"), limit=RateLimitSpec(messages=1))
    parcel = box.next(at(0))
    assert parcel is not None
    assert parcel.parcel_id not in ("one", "two")
    assert outbox(delivery("one")).next(at(0)).parcel_id == "one"  # type: ignore[union-attr]


def test_what_is_withdrawn_is_not_sent() -> None:
    box = outbox(delivery("kept"), delivery("later", due=120))
    (record,) = box.withdraw("later", at(5))
    assert (record.state, record.ended_time, record.attempts) == (DeliveryState.WITHDRAWN, at(5), 0)
    assert "later" not in box
    box.next(at(5))
    box.taken(at(5))
    assert (box.next(at(500)), box.next_wake()) == (None, None)
    assert box.withdraw("later", at(6)) == []


def test_what_is_withdrawn_on_its_way_is_delivered_if_it_arrives_and_not_tried_again_if_not() -> None:
    for arrives, state in ((True, DeliveryState.DELIVERED), (False, DeliveryState.WITHDRAWN)):
        box = outbox(delivery("one"))
        box.next(at(0))
        assert box.withdraw("one", at(1)) == []
        (record,) = box.taken(at(2)) if arrives else box.failed("no answer", at(2))
        assert record.state is state
        assert len(box) == 0


def test_what_a_task_had_in_hand_when_it_was_ended_is_sent_again() -> None:
    box = outbox(delivery("one"))
    assert names(box.next(at(0))) == ["one"]
    assert names(box.next(at(0))) == ["one"]
    box.taken(at(0))
    assert len(box) == 0


def test_a_delivery_is_taken_in_once_and_a_full_outbox_takes_no_more() -> None:
    box = outbox(delivery("0"), delivery("0"))
    assert len(box) == 1
    assert all(box.add(delivery(str(number)), None) for number in range(1, LIMIT))
    assert not box.add(delivery("one too many"), None)
    assert box.add(delivery("0"), None)


def test_every_record_of_a_delivery_is_newer_than_the_one_before() -> None:
    box = outbox(delivery("one"))
    records = []
    for now in (0, 2, 6):
        box.next(at(now))
        records += box.failed("500", at(now)) if now < 6 else box.taken(at(now))
    assert [(each.revision, each.attempts) for each in records] == [(1, 1), (2, 2), (3, 3)]


def test_giving_everything_up_leaves_nothing() -> None:
    box = outbox(delivery("one"), delivery("two", due=100))
    box.next(at(0))
    assert {each.state for each in box.clear("the target is gone", at(1))} == {DeliveryState.DEAD}
    assert (len(box), box.next(at(500))) == (0, None)
