"""How much work its alarms make a seat of the control room: the figures of ISA-18.2 and of OPC UA's AlarmMetricsType.

What counts
===========
An alarm is counted each time people are told of it: at every onset, when it is told again for want of an answer, and
when it comes out of hiding. `of_their_own` are those that sounded; they are what an operator has to deal with, so that
rates, floods and the split by priority count them alone. `grouped` ones were shown in an incident that called for
people already; they are given beside. The top of the bad actors counts both, because it says what to mend. Shadow
alarms and drills are no alarms.

Figures are exact, and what is kept does not grow with the number of alarms: an annunciation belongs to the second in
which it comes, and what is older than an hour is kept by intervals of `INTERVAL`. "The last 10 min" are the last 600
seconds, the present one included; a window is a number of whole intervals, the present one included.

The limits are those of domain.md 1, with their sources (digests and tools' documents; the standards were not read).
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from firewatch.alarms.nuisance import FLEETING_ALONE, STALE_AFTER, Mark, Nuisances
from firewatch.model.alarm import Alarm, AlarmState, AlarmTransition, Annunciation, Priority, TransitionReason

INTERVAL = timedelta(minutes=10)
"""What ISA-18.2 counts alarms by."""

FLOOD_BEGINS_ABOVE = 10
"""A flood begins when more come within `INTERVAL` (ISA-18.2-2016, 16.4)."""

FLOOD_ENDS_BELOW = 5
"""A flood is over when fewer came within `INTERVAL` (ISA-18.2-2016, 16.4)."""

LISTED_ACTORS = 10
"""ISA-18.2 looks at the ten most frequent."""

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
_SECOND = timedelta(seconds=1)
_NO_TIME = timedelta(0)
_ACTIVE = frozenset({AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED})
_UNSEEN = frozenset({AlarmState.UNACKNOWLEDGED, AlarmState.RTN_UNACKNOWLEDGED, AlarmState.LATCHED_UNACKNOWLEDGED})

Source = tuple[str, str]
"""What alarms come from: a rule, on a subject."""


class Tally(msgspec.Struct, frozen=True):
    """How often people were told: by a sound, and in an incident that called for them already."""

    of_their_own: int = 0
    grouped: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.of_their_own + other.of_their_own, self.grouped + other.grouped)

    def __sub__(self, other: Tally) -> Tally:
        return Tally(self.of_their_own - other.of_their_own, self.grouped - other.grouped)

    @property
    def total(self) -> int:
        """Both."""
        return self.of_their_own + self.grouped


class Level(msgspec.Struct, frozen=True):
    """How many alarms are so now, and how many were at the most."""

    now: int
    most: int


class BadActor(msgspec.Struct, frozen=True):
    """A rule on a subject that people are told of often. `share` is its part of all that was told, grouped included."""

    rule: str
    subject: str
    tally: Tally
    share: float
    chattering: bool


class StaleAlarm(msgspec.Struct, frozen=True):
    """An alarm that has been active for longer than `STALE_AFTER`."""

    alarm_id: str
    rule: str
    subject: str
    active_since: datetime


class AnswerTimes(msgspec.Struct, frozen=True):
    """How long it took from telling people to their acknowledgement, for so many alarms; half, nine in ten and 99 in a
    hundred took no longer than this. Whole seconds, begun ones not counted.
    """

    count: int
    median: timedelta
    ninety: timedelta
    ninety_nine: timedelta
    longest: timedelta


class Figures(msgspec.Struct, frozen=True):
    """The workload of one seat from `start_time` to `end_time`; rates are per 10 min, and count what sounded.

    OPC UA's words are kept where it has them: `alarm_count`, `current_alarm_rate`, `average_alarm_rate`,
    `maximum_alarm_rate` (most within any 10 min), `maximum_active_state` and `maximum_un_ack` (how long an alarm was
    active, and went unacknowledged after people were told, at the most), `maximum_realarm_count` (how often one was
    told again).

    `crowded_intervals` are those of the `intervals` with more than 10. `flood_time` is how long it was flooded, in
    `floods` floods. `active` and `unacknowledged` are alarms that are shown; `suppressed` those hidden by design.
    `stale_on_worst_day` is how many were stale at some moment of the worst day. `chattering` counts what chattered,
    `fleeting` how often something was over before anybody could look. `bad_actors_share` is what the ten that are
    listed make of everything told.
    """

    start_time: datetime
    end_time: datetime
    alarm_count: Tally
    current_alarm_rate: Tally
    last_hour: Tally
    average_alarm_rate: float
    maximum_alarm_rate: int
    intervals: int
    crowded_intervals: int
    in_flood: bool
    floods: int
    flood_time: timedelta
    active: Level
    unacknowledged: Level
    shelved: Level
    suppressed: Level
    out_of_service: Level
    maximum_active_state: timedelta
    maximum_un_ack: timedelta
    maximum_realarm_count: int
    realarms: int
    stale: tuple[StaleAlarm, ...]
    stale_on_worst_day: int
    chattering: int
    fleeting: int
    priorities: dict[Priority, int]
    answers: AnswerTimes | None
    bad_actors: tuple[BadActor, ...]
    bad_actors_share: float


class DayLoad(msgspec.Struct, frozen=True):
    """What one day brought: everything told, the most in one of its intervals, and how long it was flooded."""

    start_time: datetime
    tally: Tally
    worst_interval: int
    crowded_intervals: int
    flood_time: timedelta


class IntervalLoad(msgspec.Struct, frozen=True):
    """What was told within one `INTERVAL` that began at `start_time`."""

    start_time: datetime
    tally: Tally


class Workload:
    """One seat's. Give it every change of the alarms that the seat answers for, each once and in the order of time, and
    ask it for `figures`: of the last `window`, or since `start` where there is none.

    Intervals begin at `start`, days where the window does, or at a `midnight` not after it. Alarms that stood at the
    start are given to `begin`.
    """

    def __init__(self, start: datetime, window: timedelta | None = DAY, *, midnight: datetime | None = None) -> None:
        self._start = start
        self._midnight = midnight
        self._kept = None if window is None else window // INTERVAL
        self._now = start
        self._ten_minutes, self._hour = _Rate(INTERVAL // _SECOND), _Rate(HOUR // _SECOND)
        self._intervals: deque[_Interval] = deque()
        self._floods: deque[_Span] = deque()
        self._is_flooded = False
        self._sources: dict[Source, Tally] = {}
        self._standing: dict[str, _Standing] = {}
        self._levels = [0] * len(_LEVELS)
        self._stale: deque[_Span] = deque()
        self._nuisances = Nuisances()
        self._returned: deque[tuple[datetime, Source]] = deque()

    def begin(self, standing: Iterable[AlarmTransition]) -> None:
        """These alarms stood at the start, as their last change left them. They count as active since their onset."""
        for transition in standing:
            alarm = transition.alarm
            if not _counts(alarm):
                continue
            one = self._standing[alarm.alarm_id] = _Standing(alarm, None, self._start)
            one.active_since = alarm.onset_time if one.is_active else None
            one.told_time = alarm.clock.annunciated_time if one.is_unseen else None
            self._levels = [level + place for level, place in zip(self._levels, one.places, strict=True)]
            self._nuisances.take(transition)

    def take(self, transition: AlarmTransition) -> None:
        """An alarm changed."""
        alarm = transition.alarm
        if not _counts(alarm):
            return
        now = max(transition.transition_time, self._now)
        self._pass(now)
        interval = self._interval(now)
        before = self._standing.get(alarm.alarm_id)
        after = _Standing(alarm, before, now)
        if transition.annunciation is not None:
            self._tell(transition.annunciation, alarm, interval)
            after.told_time = after.told_time or now
        if transition.reason is TransitionReason.REALARMED:
            after.realarms += 1
            interval.realarms += 1
            interval.most_realarms = max(interval.most_realarms, after.realarms)
        if transition.reason is TransitionReason.ACKNOWLEDGED and before is not None and before.told_time is not None:
            interval.answers[(now - before.told_time) // _SECOND] += 1
        self._stand(before, after, interval, now)
        self._nuisances.take(transition)
        if not alarm.hidden:
            self._look_for_nuisance(before, after, interval, now)

    def figures(self, now: datetime) -> Figures:
        """The figures at a time that is not before the last change taken."""
        self._pass(max(now, self._now))
        now, begin = self._now, self._begin
        told = sum((interval.tally for interval in self._intervals), Tally())
        actors = self._bad_actors(told.total)
        shown = [one for one in self._standing.values() if not one.alarm.hidden]
        return Figures(
            start_time=begin,
            end_time=now,
            alarm_count=told,
            current_alarm_rate=self._ten_minutes.tally,
            last_hour=self._hour.tally,
            average_alarm_rate=told.of_their_own / max((now - begin) / INTERVAL, 1.0),
            maximum_alarm_rate=self._most("peak", 0),
            intervals=-((begin - now) // INTERVAL),
            crowded_intervals=sum(interval.is_crowded for interval in self._intervals),
            in_flood=self._is_flooded,
            floods=len(self._floods),
            flood_time=self._flood_time(begin, now),
            active=self._level("active"),
            unacknowledged=self._level("unacknowledged"),
            shelved=self._level("shelved"),
            suppressed=self._level("suppressed"),
            out_of_service=self._level("out_of_service"),
            maximum_active_state=max(
                [self._most("longest_active", _NO_TIME), *(now - one.active_since for one in shown if one.active_since)]
            ),
            maximum_un_ack=max(
                [self._most("longest_unseen", _NO_TIME), *(now - one.told_time for one in shown if one.told_time)]
            ),
            maximum_realarm_count=self._most("most_realarms", 0),
            realarms=sum(interval.realarms for interval in self._intervals),
            stale=self._stale_now(shown),
            stale_on_worst_day=self._stale_on_worst_day(shown),
            chattering=len(self._chattering()),
            fleeting=sum(interval.fleeting for interval in self._intervals),
            priorities=self._priorities(),
            answers=self._answers(),
            bad_actors=actors,
            bad_actors_share=sum(actor.share for actor in actors),
        )

    def days(self, now: datetime) -> tuple[DayLoad, ...]:
        """What each day of the window brought, quiet ones too."""
        self._pass(max(now, self._now))
        return tuple(self._day(begin) for begin in self._days())

    def intervals(self, now: datetime) -> tuple[IntervalLoad, ...]:
        """Those of the window in which people were told of something, first to last."""
        self._pass(max(now, self._now))
        return tuple(
            IntervalLoad(self._start + interval.number * INTERVAL, interval.tally)
            for interval in self._intervals
            if interval.tally.total
        )

    # -- one change ----------------------------------------------------------------------------------------------------

    def _tell(self, annunciation: Annunciation, alarm: Alarm, interval: _Interval) -> None:
        tally = _TOLD[annunciation]
        second = _second(self._now)
        self._ten_minutes.add(second, tally)
        self._hour.add(second, tally)
        source = (alarm.rule, alarm.subject)
        interval.tally += tally
        interval.sources[source] = interval.sources.get(source, _NEVER) + tally
        self._sources[source] = self._sources.get(source, _NEVER) + tally
        if annunciation is Annunciation.OF_ITS_OWN:
            interval.priorities[alarm.priority] += 1
        rate = self._ten_minutes.tally.of_their_own
        interval.peak = max(interval.peak, rate)
        if rate > FLOOD_BEGINS_ABOVE and not self._is_flooded:
            self._is_flooded = True
            self._floods.append(_Span(_time(second)))

    def _stand(self, before: _Standing | None, after: _Standing, interval: _Interval, now: datetime) -> None:
        was = before.places if before is not None else _NOWHERE
        self._levels = [
            level - left + entered for level, left, entered in zip(self._levels, was, after.places, strict=True)
        ]
        interval.levels = list(map(max, interval.levels, self._levels))
        if before is not None:
            self._note_ends(before, after, interval, now)
        if after.alarm.stands:
            self._standing[after.alarm.alarm_id] = after
        else:
            self._standing.pop(after.alarm.alarm_id, None)

    def _note_ends(self, before: _Standing, after: _Standing, interval: _Interval, now: datetime) -> None:
        if before.active_since is not None and after.active_since is None:
            interval.longest_active = max(interval.longest_active, now - before.active_since)
        if before.told_time is not None and after.told_time is None:
            interval.longest_unseen = max(interval.longest_unseen, now - before.told_time)
        stale_since = before.stale_since
        if stale_since is not None and stale_since < now and after.stale_since is None:
            self._stale.append(_Span(stale_since, now))

    def _look_for_nuisance(
        self, before: _Standing | None, after: _Standing, interval: _Interval, now: datetime
    ) -> None:
        source = (after.alarm.rule, after.alarm.subject)
        if Mark.CHATTERING in self._nuisances.marks(*source, now):
            interval.chattering.add(source)
        if before is not None and before.is_active and not after.is_active:
            self._returned.append((now + FLEETING_ALONE, source))

    # -- time passes ---------------------------------------------------------------------------------------------------

    def _pass(self, now: datetime) -> None:
        while self._returned and self._returned[0][0] <= now:
            due, source = self._returned.popleft()
            if Mark.FLEETING in self._nuisances.marks(*source, due):
                self._interval(due).fleeting += 1
        self._now = now
        second = _second(now)
        self._hour.expire(second)
        for expired in self._ten_minutes.expiries(second):
            if self._is_flooded and self._ten_minutes.tally.of_their_own < FLOOD_ENDS_BELOW:
                self._is_flooded = False
                self._floods[-1].end = _time(expired)
        begin = self._begin
        while self._intervals and self._start + self._intervals[0].number * INTERVAL < begin:
            self._forget(self._intervals.popleft())
        for spans in (self._floods, self._stale):
            while spans and spans[0].end is not None and spans[0].end <= begin:
                spans.popleft()

    def _forget(self, interval: _Interval) -> None:
        for source, tally in interval.sources.items():
            left = self._sources[source] - tally
            if left == _NEVER:
                del self._sources[source]
            else:
                self._sources[source] = left

    def _interval(self, time: datetime) -> _Interval:
        number = (time - self._start) // INTERVAL
        if not self._intervals or self._intervals[-1].number < number:
            self._intervals.append(_Interval(number, self._levels))
        return self._intervals[-1]

    @property
    def _begin(self) -> datetime:
        """Where the window begins."""
        if self._kept is None:
            return self._start
        first = (self._now - self._start) // INTERVAL - self._kept + 1
        return self._start + max(first, 0) * INTERVAL

    # -- figures -------------------------------------------------------------------------------------------------------

    def _most(self, name: str, least: Any) -> Any:
        return max((getattr(interval, name) for interval in self._intervals), default=least)

    def _level(self, name: str) -> Level:
        place = _LEVELS.index(name)
        now = self._levels[place]
        return Level(now, max([now, *(interval.levels[place] for interval in self._intervals)]))

    def _flood_time(self, begin: datetime, end: datetime) -> timedelta:
        return sum((flood.within(begin, end) for flood in self._floods), _NO_TIME)

    def _stale_now(self, shown: Iterable[_Standing]) -> tuple[StaleAlarm, ...]:
        return tuple(
            StaleAlarm(one.alarm.alarm_id, one.alarm.rule, one.alarm.subject, one.active_since)
            for one in sorted(shown, key=lambda one: one.active_since or self._now)
            if one.active_since is not None and self._now - one.active_since > STALE_AFTER
        )

    def _stale_on_worst_day(self, shown: Iterable[_Standing]) -> int:
        stale_since = (one.stale_since for one in shown if one.stale_since is not None)
        spans = [*self._stale, *(_Span(since) for since in stale_since if since < self._now)]
        return max((sum(bool(span.within(day, day + DAY)) for span in spans) for day in self._days()), default=0)

    def _chattering(self) -> set[Source]:
        return {source for interval in self._intervals for source in interval.chattering}

    def _priorities(self) -> dict[Priority, int]:
        counted = sum((interval.priorities for interval in self._intervals), Counter[Priority]())
        return {priority: counted[priority] for priority in Priority}

    def _answers(self) -> AnswerTimes | None:
        counted = sum((interval.answers for interval in self._intervals), Counter[int]())
        if not counted:
            return None
        count = counted.total()
        return AnswerTimes(
            count=count,
            median=percentile(counted, 50) * _SECOND,
            ninety=percentile(counted, 90) * _SECOND,
            ninety_nine=percentile(counted, 99) * _SECOND,
            longest=max(counted) * _SECOND,
        )

    def _bad_actors(self, total: int) -> tuple[BadActor, ...]:
        told = self._sources
        worst = heapq.nsmallest(LISTED_ACTORS, told, key=lambda source: (-told[source].total, source))
        chattering = self._chattering()
        return tuple(
            BadActor(*source, told[source], told[source].total / total, source in chattering) for source in worst
        )

    def _days(self) -> Iterator[datetime]:
        day = self._begin
        if self._midnight is not None:
            day = self._midnight + (day - self._midnight) // DAY * DAY
        while day < self._now:
            yield day
            day += DAY

    def _day(self, begin: datetime) -> DayLoad:
        end = min(begin + DAY, self._now)
        intervals = [one for one in self._intervals if begin <= self._start + one.number * INTERVAL < end]
        return DayLoad(
            start_time=begin,
            tally=sum((interval.tally for interval in intervals), Tally()),
            worst_interval=max((interval.tally.of_their_own for interval in intervals), default=0),
            crowded_intervals=sum(interval.is_crowded for interval in intervals),
            flood_time=self._flood_time(begin, end),
        )


def percentile(counted: Mapping[int, int], percent: int) -> int:
    """The least of the values that so many in a hundred do not exceed (nearest rank). `counted` is not empty."""
    rank = -(-sum(counted.values()) * percent // 100)
    for value in sorted(counted):
        rank -= counted[value]
        if rank <= 0:
            return value
    raise ValueError("nothing was counted")


# -- what is kept ------------------------------------------------------------------------------------------------------

_LEVELS = ("active", "unacknowledged", "shelved", "suppressed", "out_of_service")
_NOWHERE = (False,) * len(_LEVELS)


class _Rate:
    """What was told in the last `span` seconds."""

    def __init__(self, span: int) -> None:
        self._span = span
        self._seconds: deque[tuple[int, Tally]] = deque()
        self.tally = Tally()

    def add(self, second: int, tally: Tally) -> None:
        self.tally += tally
        if self._seconds and self._seconds[-1][0] == second:
            tally += self._seconds.pop()[1]
        self._seconds.append((second, tally))

    def expiries(self, now: int) -> Iterator[int]:
        """Forget what is too old, second by second: when each fell out."""
        while self._seconds and self._seconds[0][0] + self._span <= now:
            second, tally = self._seconds.popleft()
            self.tally -= tally
            yield second + self._span

    def expire(self, now: int) -> None:
        deque(self.expiries(now), maxlen=0)


class _Interval:
    """What came in one interval. `levels` are the most of each at a time, those that it began with included."""

    __slots__ = (
        "answers",
        "chattering",
        "fleeting",
        "levels",
        "longest_active",
        "longest_unseen",
        "most_realarms",
        "number",
        "peak",
        "priorities",
        "realarms",
        "sources",
        "tally",
    )

    def __init__(self, number: int, levels: Sequence[int]) -> None:
        self.number = number
        self.levels = list(levels)
        self.tally = Tally()
        self.peak = self.fleeting = self.realarms = self.most_realarms = 0
        self.longest_active = self.longest_unseen = _NO_TIME
        self.answers: Counter[int] = Counter()
        self.priorities: Counter[Priority] = Counter()
        self.sources: dict[Source, Tally] = {}
        self.chattering: set[Source] = set()

    @property
    def is_crowded(self) -> bool:
        return self.tally.of_their_own > FLOOD_BEGINS_ABOVE


class _Span:
    """From `begin` to `end`; None while it goes on."""

    __slots__ = ("begin", "end")

    def __init__(self, begin: datetime, end: datetime | None = None) -> None:
        self.begin, self.end = begin, end

    def within(self, begin: datetime, end: datetime) -> timedelta:
        return max(min(self.end or end, end) - max(self.begin, begin), _NO_TIME)


class _Standing:
    """An alarm as it stands. `active_since` is None while it is not active, `told_time` (the first since it was last
    seen to) while nobody has to see to it; `stale_since` may lie ahead.
    """

    __slots__ = ("active_since", "alarm", "realarms", "shown_since", "told_time")

    active_since: datetime | None
    shown_since: datetime
    told_time: datetime | None
    realarms: int

    def __init__(self, alarm: Alarm, before: _Standing | None, now: datetime) -> None:
        self.alarm = alarm
        was_active = before is not None and before.active_since is not None
        was_shown = before is not None and not before.alarm.hidden
        self.active_since = (before.active_since if before and was_active else now) if self.is_active else None
        self.shown_since = before.shown_since if before and was_shown else now
        self.told_time = before.told_time if before and self.is_unseen else None
        self.realarms = before.realarms if before and self.is_unseen else 0

    @property
    def is_active(self) -> bool:
        return self.alarm.state in _ACTIVE

    @property
    def is_unseen(self) -> bool:
        return self.alarm.state in _UNSEEN and not self.alarm.hidden

    @property
    def stale_since(self) -> datetime | None:
        if self.active_since is None or self.alarm.hidden:
            return None
        return max(self.active_since + STALE_AFTER, self.shown_since)

    @property
    def places(self) -> tuple[bool, ...]:
        alarm = self.alarm
        return (
            self.is_active and not alarm.hidden,
            self.is_unseen,
            alarm.shelf is not None,
            alarm.suppressed_by is not None,
            alarm.out_of_service is not None,
        )


_NEVER = Tally()
_TOLD = {Annunciation.OF_ITS_OWN: Tally(of_their_own=1), Annunciation.GROUPED: Tally(grouped=1)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _counts(alarm: Alarm) -> bool:
    return not alarm.shadow and alarm.drill is None


def _second(time: datetime) -> int:
    return (time - _EPOCH) // _SECOND


def _time(second: int) -> datetime:
    return _EPOCH + second * _SECOND
