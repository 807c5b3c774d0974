from __future__ import annotations

from typing import Any

import pytest

from firewatch.rules.camera_session import CameraSessionEvaluator
from firewatch.rules.spec import CameraSessionSpec, StateSpec
from firewatch.rules.state import StateEvaluator
from tests.unit.rules.drive import BAD, SILENCE, Drive, seconds

BIKE, DOOR = "s/cam/e_bike", "s/door/door"


def session(*, guarded: bool = False, **settings: Any) -> Drive:
    spec = CameraSessionSpec.model_validate({"signal": "e_bike", **settings})
    guard = StateEvaluator(DOOR, StateSpec.model_validate({"signal": "door", "in": ["open", "opening"]}))
    return Drive(CameraSessionEvaluator(BIKE, spec, guard if guarded else None))


STORIES: dict[str, tuple[dict[str, Any], list[tuple[Any, ...]]]] = {
    "an empty cabin is nothing": ({}, [(0, 0.0, "inactive"), (1, 0.3, ""), (2, 0.54, "")]),
    "the first frame suspects, the second confirms early": (
        {},
        [(0, 0.0, "inactive"), (1, 0.9, "suspected"), (1.2, 0.9, "active"), (1.4, 0.9, "")],
    ),
    "one frame alone is rejected in time": (
        {},
        [(0, 0.9, "suspected"), (0.2, 0.0, ""), (2.2, 0.0, ""), (2.4, SILENCE, "rejected inactive")],
    ),
    "a camera that falls silent on a suspicion has not proven it": (
        {},
        [(0, 0.9, "suspected"), (2.4, SILENCE, "rejected inactive")],
    ),
    "a frame after the time to decide comes too late": (
        {"decide_within": "1s"},
        [(0, 0.9, "suspected"), (0.9, 0.0, ""), (1.0, SILENCE, "rejected inactive"), (1.1, 0.9, "")],
    ),
    "too small a share of votes does not confirm": (
        {},
        [
            (0, 0.9, "suspected"),
            (0.2, 0.0, ""),
            (0.4, 0.0, ""),
            (0.6, 0.0, ""),
            (0.8, 0.0, ""),
            (1.0, 0.2, ""),
            (1.2, 0.2, "active"),
        ],
    ),
    "within a session a frame votes from `stay` on": ({}, [(0, 0.55, "suspected"), (0.2, 0.10, "active")]),
    "one frame is enough where one is asked for": ({"frames": 1}, [(0, 0.9, "suspected active")]),
    "it is held over frames that miss it": (
        {},
        [
            (0, 0.9, "suspected"),
            (0.2, 0.9, "active"),
            (3, 0.0, ""),
            (7, 0.1, ""),
            (13.9, 0.0, ""),
            (14, 0.0, "inactive"),
        ],
    ),
    "it ends `hold` after the last vote": (
        {},
        [
            (0, 0.9, "suspected"),
            (0.2, 0.9, "active"),
            (1.2, 0.0, ""),
            (4, 0.0, ""),
            (7.1, 0.0, ""),
            (7.2, 0.0, "inactive"),
        ],
    ),
    "for `quiet` after the end nothing is suspected": (
        {},
        [
            (0, 0.9, "suspected"),
            (0.2, 0.9, "active"),
            (4, 0.0, ""),
            (8, 0.0, "inactive"),
            (10, 0.9, ""),
            (17.9, 0.9, ""),
            (18, 0.9, "suspected"),
        ],
    ),
    "quiet counts from the end of the time to decide after a rejection": (
        {},
        [(0, 0.9, "suspected"), (2.4, SILENCE, "rejected inactive"), (12.3, 0.9, ""), (12.4, 0.9, "suspected")],
    ),
    "a camera that falls silent while holding makes it unknown and does not end it": (
        {},
        [
            (0, 0.9, "suspected"),
            (0.2, 0.9, "active"),
            (7.1, SILENCE, ""),
            (7.2, SILENCE, "unknown"),
            (999, SILENCE, ""),
        ],
    ),
    "after silence the hold counts from the first empty frame": (
        {},
        [
            (0, 0.9, "suspected"),
            (0.2, 0.9, "active"),
            (60, 0.0, "unknown active"),
            (63, 0.0, ""),
            (66.9, 0.0, ""),
            (67, 0.0, "inactive"),
        ],
    ),
    "after silence it may still be there": (
        {},
        [(0, 0.9, "suspected"), (0.2, 0.9, "active"), (60, 0.9, "unknown active"), (64, 0.9, "")],
    ),
    "frames of bad quality are not seen": (
        {},
        [(0, 0.9, "suspected"), (0.2, 0.9, "active"), (3, BAD, ""), (7, BAD, ""), (8, BAD, "unknown"), (20, BAD, "")],
    ),
}


@pytest.mark.parametrize(("settings", "steps"), STORIES.values(), ids=STORIES)
def test_camera_sessions(settings: dict[str, Any], steps: list[tuple[Any, ...]]) -> None:
    session(**settings).play(steps)


def test_with_the_door_closed_nothing_is_suspected() -> None:
    session(guarded=True).play(
        [
            (0, DOOR, "closed", ""),
            (1, BIKE, 0.9, ""),
            (2, DOOR, "opening", ""),
            (3, BIKE, 0.9, "suspected"),
        ]
    )


def test_what_rides_along_behind_closed_doors_stays_seen_and_its_session_ends_where_it_leaves() -> None:
    session(guarded=True).play(
        [
            (0, DOOR, "open", ""),
            (1, BIKE, 0.9, "suspected"),
            (1.2, DOOR, "closed", ""),
            (1.4, BIKE, 0.9, "active"),
            (30, BIKE, 0.9, "unknown active"),
            (32, BIKE, 0.0, ""),
            (36, BIKE, 0.0, ""),
            (37, BIKE, 0.0, "inactive"),
            (50, BIKE, 0.9, ""),
        ]
    )


def test_a_suspicion_is_rejected_by_empty_frames_wherever_they_are_taken() -> None:
    session(guarded=True).play(
        [
            (0, DOOR, "open", ""),
            (1, BIKE, 0.9, "suspected"),
            (1.2, DOOR, "closed", ""),
            (2, BIKE, 0.0, ""),
            (20, BIKE, 0.9, "rejected inactive"),
            (20.2, BIKE, 0.9, ""),
        ]
    )


def test_where_the_guard_cannot_be_judged_firewatch_watches_anyway() -> None:
    session(guarded=True).play([(1, BIKE, 0.9, "suspected")])
    session(guarded=True).play([(0, DOOR, BAD, ""), (1, BIKE, 0.9, "suspected")])


def test_suspicion_and_confirmation_share_the_onset() -> None:
    drive = session()
    drive.play([(5, 0.9, "suspected"), (5.2, 0.9, "active")])
    assert [seconds(change.onset_time) for change in drive.told] == [5, 5]


def test_the_picture_is_that_of_the_last_frame_that_voted_and_has_one() -> None:
    drive = session(frames=3)
    drive.hear(0, 0.9, picture="first")
    drive.hear(0.2, 0.9, picture="second")
    drive.hear(0.4, 0.0, picture="empty")
    drive.hear(0.6, 0.9)
    assert drive.told[-1].evidence.picture == "second"


def test_frames_that_come_again_are_no_further_votes() -> None:
    drive = session(frames=3)
    drive.hear(0, 0.9)
    drive.hear(0.2, 0.9)
    assert [drive.hear(0.5, 0.9, event=event) for event in (0, 0.2, 0, 0.2)] == [[], [], [], []]
    assert drive.hear(0.6, 0.9) == ["active"]


def test_the_last_vote_delivered_again_does_not_hold_it_for_longer() -> None:
    drive = session()
    drive.play([(0, 0.9, "suspected"), (1, 0.9, "active"), (2, 0.0, "")])
    assert drive.hear(7, 0.9, event=1) == []
    assert drive.hear(8, 0.0) == ["inactive"]


def test_a_late_vote_confirms_and_a_late_empty_frame_ends_nothing() -> None:
    drive = session()
    drive.play([(0, 0.9, "suspected"), (1, 0.0, "")])
    assert drive.hear(1.1, 0.9, event=0.5) == ["active"]
    drive.play([(7.4, 0.0, "")])
    assert drive.hear(7.45, 0.0, event=0.7) == []
    assert drive.hear(8, 0.0) == ["inactive"]


def test_a_slow_detector_does_not_lose_the_time_to_decide() -> None:
    drive = session()
    drive.hear(3.0, 0.9, event=0.0)  # heard three seconds after it was taken
    assert drive.hear(5.0, 0.9, event=2.0) == ["active"]


def test_a_score_that_is_no_number_is_no_empty_frame() -> None:
    """A network that breaks says so of every frame, and must not let go of the door."""
    drive = session()
    for second in (0, 0.2):
        drive.hear(second, 0.9)
    for second in range(1, 30):
        drive.hear(second, float("nan"))
    assert drive.condition == "unknown"
