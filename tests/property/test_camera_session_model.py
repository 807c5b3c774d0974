"""Camera sessions beside a model of their own: all frames laid out in a row, and the visits marked among them."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from firewatch.rules.camera_session import CameraSessionEvaluator
from firewatch.rules.evaluator import Phase
from firewatch.rules.spec import CameraSessionSpec, StateSpec
from firewatch.rules.state import StateEvaluator
from tests.unit.rules.drive import BAD, Drive, seconds

pytestmark = pytest.mark.slow

ENTER, STAY, FRAMES, SHARE, DECIDE, HOLD, QUIET = 0.6, 0.2, 2, 0.5, 3.0, 5.0, 4.0
SCORE, DOOR = "s/cam/score", "s/door/door"
SCORES = [0.0, 0.0, 0.1, 0.2, 0.5, 0.6, 0.9, 0.9]


@dataclass(frozen=True)
class Step:
    """After `pause` seconds, with firewatch down if it `restarts`, a score taken `late_by` before is heard, or what the
    door is. Or one of the frames before comes `again`.
    """

    pause: float
    restarts: bool
    value: float | str
    late_by: float
    again: int | None


def steps(values: list[float | str]) -> st.SearchStrategy[list[Step]]:
    step = st.builds(
        Step,
        pause=st.sampled_from([0.5, 1.0, 1.0, 1.0, 2.0, 5.0]),
        restarts=st.sampled_from([False] * 7 + [True]),
        value=st.sampled_from(values),
        late_by=st.sampled_from([0.0] * 5 + [0.5, 2.0, 6.0]),
        again=st.sampled_from([None, None, None, 0, 1, 1, 3]),
    )
    return st.lists(step, min_size=15, max_size=40)


@dataclass(frozen=True)
class Frame:
    """When it was taken, when it was heard, its score, and whether a visit may begin with it."""

    time: float
    heard: float
    score: float
    may_begin: bool


@dataclass(frozen=True)
class Visit:
    """`ended` is None as long as it lasts; what was not `confirmed` by then is rejected."""

    began: float
    confirmed: bool
    ended: float | None


def visits(frames: list[Frame], now: float) -> list[Visit]:
    """All visits that are to be seen in frames that came in the order in which they were taken."""
    found: list[Visit] = []
    quiet_until = -inf
    while True:
        begins = (each for each in frames if each.may_begin and each.score >= ENTER and each.time >= quiet_until)
        first = next(begins, None)
        if first is None:
            return found
        frames = frames[frames.index(first) :]
        in_time = [each for each in frames if each.time <= first.time + DECIDE and each.heard < first.heard + DECIDE]
        seen = next((seen for seen in range(1, len(in_time) + 1) if is_proof(in_time[:seen])), None)
        ended: float | None = None
        if seen is not None:
            last = next((index for index in range(seen, len(frames)) if is_end(frames[: index + 1])), len(frames))
            frames = frames[last:]
            ended = frames[0].time if frames else None
        elif len(frames) > len(in_time) or now >= first.heard + DECIDE:
            frames, ended = frames[len(in_time) :], first.time + DECIDE
        found.append(Visit(first.time, seen is not None, ended))
        if ended is None:
            return found
        quiet_until = ended + QUIET


def is_proof(frames: list[Frame]) -> bool:
    votes = sum(frame.score >= STAY for frame in frames)
    return votes >= FRAMES and votes / len(frames) >= SHARE


def is_end(frames: list[Frame]) -> bool:
    """Whether the last one is empty, and the camera has watched nothing but empty frames for long enough."""
    vote = max(index for index, frame in enumerate(frames) if frame.score >= STAY)
    if vote == len(frames) - 1:
        return False
    since, first_empty = frames[vote].time, frames[vote + 1].time
    return frames[-1].time - (since if first_empty - since < HOLD else first_empty) >= HOLD


def condition(frames: list[Frame], listened: list[float], now: float) -> str:
    """`listened` is since when firewatch was not down, each time that it did not know already that nobody watches."""
    found = visits(frames, now)
    lasts = bool(found) and found[-1].ended is None
    if lasts and found[-1].confirmed:
        return "active" if now - max([frames[-1].heard, *listened]) < HOLD else "unknown"
    first = next((each for each in frames if each.may_begin), None)
    if first is None or (lasts and found[-1].began == first.time):
        return "unknown"
    return "inactive"


def check(drive: Drive, frames: list[Frame], listened: list[float], now: float) -> None:
    assert drive.condition == condition(frames, listened, now)
    found = visits(frames, now)
    assert told(drive, Phase.SUSPECTED) == [visit.began for visit in found]
    assert told(drive, Phase.ACTIVE) == [visit.began for visit in found if visit.confirmed]
    assert told(drive, Phase.REJECTED) == [
        visit.began for visit in found if not visit.confirmed and visit.ended is not None
    ]
    ends = [seconds(change.event_time) for change in drive.told if change.phase is Phase.INACTIVE and change.onset_time]
    assert ends == [visit.ended for visit in found if visit.confirmed and visit.ended is not None]


def told(drive: Drive, phase: Phase) -> list[float | None]:
    return [seconds(change.onset_time) for change in drive.told if change.phase is phase]


def camera() -> Drive:
    form = {"signal": "score", "enter": ENTER, "stay": STAY, "frames": FRAMES, "share": SHARE}
    times = {"decide_within": f"{DECIDE}s", "hold": f"{HOLD}s", "quiet": f"{QUIET}s"}
    guard = StateEvaluator(DOOR, StateSpec.model_validate({"signal": "door", "is": "open"}))
    return Drive(CameraSessionEvaluator(SCORE, CameraSessionSpec.model_validate(form | times), guard))


@settings(max_examples=150, deadline=None)
@given(
    story=steps([*SCORES, *SCORES, *SCORES, BAD, nan, "open", "closed", "door lost"]), look=st.sampled_from([0.25, 1.0])
)
def test_the_visits_are_those_that_can_be_marked_among_the_frames(story: list[Step], look: float) -> None:
    drive = camera()
    frames: list[Frame] = []
    listened = [0.0]
    door = "open"
    now, newest = 0.0, -inf
    for step in story:
        if step.restarts:
            listened += [now + step.pause] if condition(frames, listened, now) != "unknown" else []
            drive.restart(now + step.pause)
        else:
            drive.advance(now + min(look, step.pause))
            check(drive, frames, listened, now + min(look, step.pause))
        now += step.pause
        drive.advance(now)
        check(drive, frames, listened, now)
        if step.again is not None and (heard := [each for each in frames if each.may_begin]):
            frame = heard[-1 - step.again % len(heard)]
            drive.hear(now, frame.score, event=frame.time)
        elif isinstance(step.value, str) and step.value != BAD:
            door = step.value
            drive.hear(now, BAD if door == "door lost" else door, signal=DOOR)
        else:
            time = max(newest, now - step.late_by)
            drive.hear(now, step.value, event=time)
            if time > newest and step.value in SCORES:
                frames.append(Frame(time, now, float(step.value), may_begin=door != "closed"))
                newest = time
        check(drive, frames, listened, now)


@settings(max_examples=80, deadline=None)
@given(story=steps([*SCORES, BAD]))
def test_in_any_order_every_visit_has_its_votes_and_none_ends_before_it_was_empty_for_long_enough(
    story: list[Step],
) -> None:
    drive = camera()
    frames: list[tuple[float, float]] = []
    now = 0.0
    for step in story:
        now += step.pause
        drive.advance(now)
        time, value = now - step.late_by, step.value
        if step.again is not None and frames:
            time, value = frames[-1 - step.again % len(frames)]
        before = len(drive.told)
        is_late = any(time < other for other, _ in frames)
        drive.hear(now, value, event=time)
        if isinstance(value, float):
            frames.append((time, value))
        votes = {taken for taken, score in frames if score >= STAY}
        for change in drive.told[before:]:
            began, when = seconds(change.onset_time), seconds(change.event_time)
            assert when is not None
            if change.phase is Phase.ACTIVE:
                assert began in {taken for taken, score in frames if score >= ENTER}
                assert sum(began <= vote <= began + DECIDE for vote in votes) >= FRAMES
            if change.phase is Phase.INACTIVE:
                assert not is_late
                assert began is None or all(vote <= when - HOLD for vote in votes)
