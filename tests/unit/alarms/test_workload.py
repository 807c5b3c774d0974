"""The workload of a seat, figure by figure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from firewatch.alarms.workload import DAY, AnswerTimes, Figures, Level, Tally, Workload, percentile
from firewatch.model.alarm import AlarmState, AlarmTransition, Priority, TransitionReason

from .workloads import (
    ACKNOWLEDGED,
    ACTIVE,
    GROUPED,
    NORMAL,
    OUT,
    OWN,
    RTN,
    SHELF,
    START,
    at,
    change,
)

MINUTE, HOUR = 60, 3600


def after(changes: Iterable[AlarmTransition], seconds: float, *, window: timedelta | None = None) -> Figures:
    workload = Workload(START, window)
    for one in changes:
        workload.take(one)
    return workload.figures(at(seconds))


def onsets(*seconds: float, subject: str = "s/pump") -> list[AlarmTransition]:
    return [change(second, f"{subject}-{number}", told=OWN) for number, second in enumerate(seconds)]


def test_what_sounds_is_counted_and_what_is_grouped_is_given_beside() -> None:
    figures = after([change(1, "s/a", told=OWN), change(2, "s/b", told=GROUPED), change(3, "s/c")], 4)
    assert figures.alarm_count == Tally(of_their_own=1, grouped=1)
    assert figures.current_alarm_rate == figures.last_hour == Tally(of_their_own=1, grouped=1)
    assert figures.maximum_alarm_rate == 1
    assert figures.priorities == {**dict.fromkeys(Priority, 0), Priority.LOW: 1}


@pytest.mark.parametrize("changes", [{"shadow": True}, {"drill": "d1"}])
def test_shadow_alarms_and_drills_are_no_work(changes: dict[str, object]) -> None:
    figures = after([change(1, told=OWN, **changes)], 2)
    assert figures.alarm_count == Tally()
    assert figures.active == Level(0, 0)
    assert figures.bad_actors == ()


@pytest.mark.parametrize(("seconds", "left"), [(599.9, 2), (600, 1), (601.9, 1), (602, 0)])
def test_the_last_ten_minutes_are_six_hundred_seconds_with_the_present_one(seconds: float, left: int) -> None:
    assert after(onsets(0.9, 2.5), seconds).current_alarm_rate == Tally(left)


def test_a_flood_begins_with_the_eleventh_in_ten_minutes_and_ends_when_fewer_than_five_are_left() -> None:
    eleven = onsets(*range(0, 110, 10))
    assert not after(eleven[:10], 100).in_flood
    assert after(eleven, 100).in_flood
    ended = after(eleven, HOUR)
    # The seven oldest of eleven fall out one by one, the seventh (of second 60) after 660 s.
    assert (ended.in_flood, ended.floods, ended.flood_time) == (False, 1, timedelta(seconds=560))


def test_a_flood_goes_on_while_five_are_left_in_ten_minutes() -> None:
    steady = onsets(*range(0, 110, 10), *range(160, HOUR, 119))
    figures = after(steady, HOUR)
    assert figures.in_flood
    assert figures.flood_time == timedelta(seconds=HOUR - 100)


def test_an_interval_is_crowded_above_ten_and_quiet_ones_count_too() -> None:
    figures = after(onsets(*range(11), *range(700, 710)), 2 * HOUR)
    assert (figures.intervals, figures.crowded_intervals) == (12, 1)
    assert figures.maximum_alarm_rate == 11
    assert figures.average_alarm_rate == pytest.approx(21 / 12)


def test_the_busiest_ten_minutes_need_not_be_one_interval() -> None:
    assert after(onsets(*range(594, 600), *range(600, 606)), HOUR).maximum_alarm_rate == 12


def test_levels_say_how_many_there_are_and_how_many_there_were() -> None:
    figures = after(
        [
            change(1, "s/a", told=OWN),
            change(2, "s/b", told=OWN),
            change(3, "s/a", ACKNOWLEDGED),
            change(4, "s/b", RTN),
            change(5, "s/c", hidden=True, shelf=SHELF),
            change(6, "s/d", hidden=True, suppressed_by="x"),
            change(7, "s/e", NORMAL, hidden=True, out_of_service=OUT),
            change(8, "s/d", NORMAL),
        ],
        9,
    )
    assert figures.active == Level(1, 2)
    assert figures.unacknowledged == Level(1, 2)
    assert figures.shelved == Level(1, 1)
    assert figures.suppressed == Level(0, 1)
    assert figures.out_of_service == Level(1, 1)


def test_the_time_to_acknowledge_counts_from_the_first_word_since_it_was_seen_to() -> None:
    figures = after(
        [
            change(0, told=OWN),
            change(20, state=RTN),
            change(40, told=OWN),
            change(60, state=ACKNOWLEDGED),
            change(70, told=OWN),
            change(75, state=ACKNOWLEDGED),
        ],
        100,
    )
    seconds = timedelta(seconds=1)
    assert figures.answers == AnswerTimes(2, 5 * seconds, 60 * seconds, 60 * seconds, 60 * seconds)
    assert figures.maximum_un_ack == 60 * seconds


def test_what_nobody_answers_counts_as_unacknowledged_from_the_first_word_on() -> None:
    figures = after([change(0, told=OWN), change(10, state=RTN)], 90)
    assert (figures.answers, figures.maximum_un_ack) == (None, timedelta(seconds=90))
    assert figures.maximum_active_state == timedelta(seconds=10)


def test_a_shelf_ends_the_wait_for_an_acknowledgement() -> None:
    shelved = change(10, hidden=True, shelf=SHELF, reason=TransitionReason.SHELVED)
    assert after([change(0, told=OWN), shelved], HOUR).maximum_un_ack == timedelta(seconds=10)


def test_alarms_told_again_are_counted_and_the_most_of_one() -> None:
    again = TransitionReason.REALARMED
    changes = [change(0, told=OWN), change(60, told=OWN, reason=again), change(120, told=OWN, reason=again)]
    other = [change(130, "s/b", told=OWN), change(190, "s/b", told=OWN, reason=again)]
    figures = after([*changes, *other], 200)
    assert (figures.realarms, figures.maximum_realarm_count) == (3, 2)
    assert figures.alarm_count == Tally(5)


def test_stale_is_what_has_been_active_for_more_than_a_day() -> None:
    day = 86_400
    assert after([change(0, told=OWN)], day).stale == ()
    (stale,) = after([change(0, told=OWN)], day + 1).stale
    assert (stale.subject, stale.active_since) == ("s/pump", START)
    assert after([change(0, told=OWN), change(5, state=AlarmState.LATCHED_ACKNOWLEDGED)], 2 * day).stale == ()


def test_what_is_shelved_is_not_stale_until_it_is_shown_again() -> None:
    day = 86_400
    shelved = change(1, hidden=True, shelf=SHELF)
    assert after([change(0), shelved], 2 * day).stale == ()
    assert len(after([change(0), shelved, change(2 * day, told=OWN)], 2 * day + 1).stale) == 1


def test_the_worst_day_has_the_most_that_were_stale_at_some_moment_of_it() -> None:
    day = 86_400
    changes = [
        *(change(0, f"s/{name}", told=OWN) for name in "abc"),
        change(day + 10, "s/a", NORMAL),
        change(2 * day - 10, "s/b", NORMAL),
        change(2 * day + 10, "s/d", told=OWN),
        change(3 * day, "s/c", NORMAL),
    ]
    assert after(changes, 5 * day).stale_on_worst_day == 3
    assert after(changes[:3], day).stale_on_worst_day == 0


def test_chattering_counts_what_chattered_and_fleeting_how_often_nobody_could_look() -> None:
    chatter = [change(second, "s/noisy", (ACTIVE, RTN)[second // 20 % 2]) for second in range(0, 160, 20)]
    fleeting = [
        change(300, "s/quick", told=OWN),
        change(305, "s/quick", NORMAL),
        change(400, "s/quick", told=OWN),
        change(405, "s/quick", NORMAL),
        change(1000, "s/twice", told=OWN),
        change(1005, "s/twice", NORMAL),
        change(1030, "s/twice", told=OWN),
        change(1100, "s/twice", NORMAL),
    ]
    figures = after([*chatter, *fleeting], HOUR)
    assert (figures.chattering, figures.fleeting) == (1, 2)


def test_bad_actors_come_with_their_share_of_all_that_was_told() -> None:
    changes = [
        *(change(second, "s/noisy", told=OWN if second % 2 else GROUPED) for second in range(6)),
        *(change(10, f"s/{number:02}", told=OWN) for number in range(14)),
    ]
    figures = after(changes, 20)
    worst = figures.bad_actors[0]
    assert (worst.rule, worst.subject, worst.tally, worst.share) == ("low", "s/noisy", Tally(3, 3), 0.3)
    assert len(figures.bad_actors) == 10
    assert figures.bad_actors_share == pytest.approx(15 / 20)


def test_a_window_forgets_whole_intervals() -> None:
    minutes = [change(minute * MINUTE, f"s/{minute}", told=OWN) for minute in range(60)]
    workload = Workload(START, timedelta(minutes=30))
    for one in minutes:
        workload.take(one)
    figures = workload.figures(at(HOUR - 1))
    assert (figures.start_time, figures.alarm_count) == (at(30 * MINUTE), Tally(30))
    assert workload.figures(at(HOUR)).alarm_count == Tally(20)
    assert workload.figures(at(2 * HOUR)).alarm_count == Tally()
    assert workload.figures(at(2 * HOUR)).active == Level(60, 60)


def test_the_intervals_in_which_something_was_told_are_those_of_the_window() -> None:
    workload = Workload(START, timedelta(hours=1))
    for one in (*onsets(0, 1, 2), change(11 * MINUTE, "s/b", told=GROUPED), change(12 * MINUTE, "s/c")):
        workload.take(one)
    assert [(one.start_time, one.tally) for one in workload.intervals(at(30 * MINUTE))] == [
        (START, Tally(of_their_own=3)),
        (at(10 * MINUTE), Tally(grouped=1)),
    ]
    assert [one.start_time for one in workload.intervals(at(HOUR))] == [at(10 * MINUTE)]


def test_what_stood_at_the_start_stands_and_is_not_told_anew() -> None:
    workload = Workload(START)
    workload.begin([change(-10, "s/a", onset=-100_000), change(-5, "s/b", ACKNOWLEDGED, onset=-50)])
    figures = workload.figures(at(10))
    assert (figures.active, figures.unacknowledged) == (Level(2, 2), Level(1, 1))
    assert figures.alarm_count == Tally()
    assert [stale.subject for stale in figures.stale] == ["s/a"]
    workload.take(change(20, "s/a", ACKNOWLEDGED, onset=-100_000))
    answers = workload.figures(at(20)).answers
    assert answers is not None
    assert answers.longest == timedelta(seconds=100_020)


def test_each_day_has_its_load_quiet_days_too() -> None:
    day = 86_400
    workload = Workload(START, None)
    for one in [*onsets(*range(11)), change(2 * day + 5, told=OWN), change(2 * day + 6, told=GROUPED)]:
        workload.take(one)
    days = workload.days(at(3 * day))
    assert [each.start_time for each in days] == [START, START + DAY, START + 2 * DAY]
    assert [each.tally for each in days] == [Tally(11), Tally(), Tally(1, 1)]
    assert [each.worst_interval for each in days] == [11, 0, 1]
    assert [each.crowded_intervals for each in days] == [1, 0, 0]
    assert days[0].flood_time > timedelta(0) == days[1].flood_time


def test_days_are_those_of_the_calendar_where_midnight_is_known() -> None:
    noon = at(12 * HOUR)
    workload = Workload(noon, None, midnight=START)
    for hours in (13, 23, 25):
        workload.take(change(hours * HOUR, told=OWN))
    assert [(each.start_time, each.tally) for each in workload.days(at(26 * HOUR))] == [
        (START, Tally(2)),
        (START + DAY, Tally(1)),
    ]
    assert workload.figures(at(26 * HOUR)).start_time == noon


@pytest.mark.parametrize(("percent", "value"), [(1, 1), (50, 2), (75, 2), (76, 9), (100, 9)])
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(percent: int, value: int) -> None:
    assert percentile({9: 1, 1: 1, 2: 2}, percent) == value


def test_what_is_kept_does_not_grow_with_the_alarms() -> None:
    def kept(alarms_a_second: int) -> list[int]:
        workload = Workload(START, timedelta(hours=1))
        for second in range(0, 2 * HOUR, MINUTE):
            for number in range(alarms_a_second):
                workload.take(change(second + number / 100, told=OWN))
                workload.take(change(second + number / 100 + 0.001, state=NORMAL))
        return [len(each) for each in (workload._intervals, workload._hour._seconds, workload._standing)]

    assert kept(20) == kept(1)
