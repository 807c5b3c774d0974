"""The workload of a seat against a model that keeps everything and counts it anew for each question."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from firewatch.alarms.workload import Tally, Workload
from firewatch.model.alarm import AlarmState, AlarmTransition, Priority, TransitionReason
from tests.unit.alarms.workloads import ACKNOWLEDGED, ACTIVE, GROUPED, NORMAL, OWN, RTN, SHELF, START, change

pytestmark = pytest.mark.slow

WINDOW = timedelta(hours=3)
INTERVAL = timedelta(minutes=10)
SHOWN = (ACTIVE, ACKNOWLEDGED, RTN, NORMAL)

gaps = st.one_of(
    st.floats(0, 90), st.sampled_from([0, 59, 60, 599, 600, 601]), st.floats(0, 1500), st.floats(0, 20_000)
)
told = st.sampled_from([OWN, OWN, OWN, GROUPED, None])


@st.composite
def stories(draw: st.DrawFn) -> list[AlarmTransition]:
    """Changes of a few alarms, one after the other, at times many; at any time an alarm may be in any state."""
    seconds = 0.0
    story = []
    for _ in range(draw(st.integers(0, 12))):
        seconds += round(draw(gaps), 3)
        if draw(st.booleans()):
            spacing = round(draw(st.floats(0, 70)), 3)
            for number in range(draw(st.integers(4, 13))):
                story.append(change(seconds, f"s/{number % 4}", ACTIVE, OWN))
                seconds += spacing
            continue
        state = draw(st.sampled_from(SHOWN))
        hidden: dict[str, Any] = draw(st.sampled_from([{}, {}, {}, {"hidden": True, "shelf": SHELF}]))
        story.append(
            change(
                seconds,
                f"s/{draw(st.integers(0, 3))}",
                state,
                draw(told) if state is ACTIVE and not hidden else None,
                priority=draw(st.sampled_from(Priority)),
                **hidden,
            )
        )
    return story


class Model:
    """Everything that was taken, and each figure counted from it."""

    def __init__(self, story: list[AlarmTransition], now: datetime) -> None:
        self.story, self.now = story, now
        number = (now - START) // INTERVAL
        self.begin = START + max(number - WINDOW // INTERVAL + 1, 0) * INTERVAL
        self.within = [one for one in story if one.transition_time >= self.begin]

    def told(self, since: datetime, among: list[AlarmTransition]) -> Tally:
        kinds = Counter(one.annunciation for one in among if one.transition_time >= since)
        return Tally(kinds[OWN], kinds[GROUPED])

    def last(self, seconds: int) -> Tally:
        now = self.now.replace(microsecond=0)
        return self.told(now - timedelta(seconds=seconds - 1), self.story)

    def crowded(self) -> int:
        places = Counter((one.transition_time - START) // INTERVAL for one in self.within if one.annunciation is OWN)
        return sum(count > 10 for count in places.values())

    def floods(self) -> list[tuple[datetime, datetime | None]]:
        """Second by second, as far as anything happens in one: first what is too old goes, then what is new comes."""
        own = sorted(one.transition_time.replace(microsecond=0) for one in self.story if one.annunciation is OWN)
        moments = sorted({*own, *(time + INTERVAL for time in own)})
        floods: list[tuple[datetime, datetime | None]] = []
        for moment in moments:
            if moment > self.now:
                break
            kept = [time for time in own if moment - INTERVAL < time < moment]
            if floods and floods[-1][1] is None and len(kept) < 5:
                floods[-1] = (floods[-1][0], moment)
            if (not floods or floods[-1][1] is not None) and len(kept) + own.count(moment) > 10:
                floods.append((moment, None))
        return [flood for flood in floods if flood[1] is None or flood[1] > self.begin]

    def flood_time(self) -> timedelta:
        spans = ((max(begin, self.begin), end or self.now) for begin, end in self.floods())
        return sum((max(end - begin, timedelta(0)) for begin, end in spans), timedelta(0))

    def levels(self, is_so: Any) -> tuple[int, int]:
        """How many are so now, and the most in the window, that at its beginning included."""
        standing: dict[str, AlarmTransition] = {}
        counts = [(datetime.min.replace(tzinfo=UTC), 0)]
        for one in self.story:
            standing[one.alarm_id] = one
            counts.append((one.transition_time, sum(is_so(each.alarm) for each in standing.values())))
        most = [count for (_, count), (next_time, _) in pairwise([*counts, (self.now, 0)]) if next_time >= self.begin]
        return counts[-1][1], max([*most, counts[-1][1]])

    def answers(self) -> list[int]:
        waited: dict[str, datetime | None] = {}
        found = []
        for one in self.story:
            since = waited.get(one.alarm_id)
            if one.reason is TransitionReason.ACKNOWLEDGED and since is not None and one.transition_time >= self.begin:
                found.append(int((one.transition_time - since).total_seconds()))
            if one.alarm.hidden or one.alarm.state in (ACKNOWLEDGED, NORMAL):
                waited[one.alarm_id] = None
            elif one.annunciation is not None and since is None:
                waited[one.alarm_id] = one.transition_time
        return found


def is_active(alarm: Any) -> bool:
    return not alarm.hidden and alarm.state in (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED)


def is_unseen(alarm: Any) -> bool:
    return not alarm.hidden and alarm.state in (AlarmState.UNACKNOWLEDGED, AlarmState.RTN_UNACKNOWLEDGED)


@given(stories(), st.floats(0, 30_000))
def test_every_figure_is_what_counting_anew_gives(story: list[AlarmTransition], later: float) -> None:
    workload = Workload(START, WINDOW)
    for number, one in enumerate(story):
        workload.take(one)
        if number % 7 == 0:
            workload.figures(one.transition_time)  # to ask changes nothing
    now = (story[-1].transition_time if story else START) + timedelta(seconds=round(later, 3))
    figures, model = workload.figures(now), Model(story, now)
    assert (figures.start_time, figures.end_time) == (model.begin, now)
    assert figures.alarm_count == model.told(model.begin, story)
    assert (figures.current_alarm_rate, figures.last_hour) == (model.last(600), model.last(3600))
    assert figures.crowded_intervals == model.crowded()
    event(f"{len(model.floods())} floods")
    assert (figures.floods, figures.flood_time) == (len(model.floods()), model.flood_time())
    assert figures.in_flood == any(end is None for _, end in model.floods())
    assert (figures.active.now, figures.active.most) == model.levels(is_active)
    assert (figures.unacknowledged.now, figures.unacknowledged.most) == model.levels(is_unseen)
    assert (figures.shelved.now, figures.shelved.most) == model.levels(lambda alarm: alarm.shelf is not None)
    answers = model.answers()
    assert (figures.answers.count if figures.answers else 0) == len(answers)
    if figures.answers is not None:
        ordered = sorted(answers)
        assert figures.answers.longest == timedelta(seconds=ordered[-1])
        assert figures.answers.median == timedelta(seconds=ordered[(len(ordered) - 1) // 2])
    sources = Counter(one.alarm.subject for one in model.within if one.annunciation is not None)
    assert {actor.subject: actor.tally.total for actor in figures.bad_actors} == dict(sources)
    priorities = Counter(one.alarm.priority for one in model.within if one.annunciation is OWN)
    assert figures.priorities == {priority: priorities[priority] for priority in Priority}
