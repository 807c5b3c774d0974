from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from firewatch.rules.change import ChatterEvaluator, StateChangedEvaluator
from firewatch.rules.spec import ChatterSpec, StateChangedSpec
from tests.unit.rules.drive import BAD, SILENCE, Drive, at, reading, seconds


def changed(**spec: Any) -> Drive:
    return Drive(StateChangedEvaluator("s/d/x", StateChangedSpec.model_validate({"signal": "x", **spec})))


def chatter(changes: int = 3) -> Drive:
    spec = ChatterSpec.model_validate({"signal": "x", "changes": changes, "within": "60s"})
    return Drive(ChatterEvaluator("s/d/x", spec))


CHANGES = {
    "a change counts for as long as it is held": (
        {},
        [(0, "closed", "inactive"), (5, "open", "active"), (14, SILENCE, ""), (15, SILENCE, "inactive")],
    ),
    "the first reading is no change": ({}, [(0, True, "inactive"), (1, True, "")]),
    "a reading of the same value is no change": (
        {"hold": "2s"},
        [(0, True, "inactive"), (5, False, "active"), (6, False, ""), (7, SILENCE, "inactive"), (8, False, "")],
    ),
    "another change prolongs it": (
        {},
        [
            (0, "closed", "inactive"),
            (5, "open", "active"),
            (12, "closed", ""),
            (21, SILENCE, ""),
            (22, SILENCE, "inactive"),
        ],
    ),
    "only a change to what is named": (
        {"to": ["open", "opening"]},
        [(0, "open", "inactive"), (1, "closed", ""), (2, "opening", "active"), (12, SILENCE, "inactive")],
    ),
    "only a change from what is named": (
        {"from": ["open"]},
        [(0, "closed", "inactive"), (1, "open", ""), (2, "opening", "active")],
    ),
    "only a change from one to the other": (
        {"from": [True], "to": [False]},
        [(0, False, "inactive"), (1, True, ""), (2, False, "active")],
    ),
    "true is not 1": ({"to": [True]}, [(0, 0, "inactive"), (1, 1, ""), (2, True, "active")]),
    "what was unseen in between does not hide the change": (
        {},
        [(0, "closed", "inactive"), (1, BAD, "unknown"), (2, "open", "active")],
    ),
    "what was unseen in between is no change": (
        {},
        [(0, "closed", "inactive"), (1, BAD, "unknown"), (2, "closed", "inactive")],
    ),
    "a change stays known while the signal cannot be seen, and then nothing is known": (
        {},
        [
            (0, "closed", "inactive"),
            (1, "open", "active"),
            (2, BAD, ""),
            (11, SILENCE, "unknown"),
            (12, "open", "inactive"),
        ],
    ),
    "a number that is not one cannot have changed": (
        {},
        [(0, 1.0, "inactive"), (1, float("nan"), "unknown"), (2, 1, "inactive"), (3, 2, "active")],
    ),
}

CHATTER = {
    "the third change within the time": [
        (0, False, "inactive"),
        (10, True, ""),
        (20, False, ""),
        (60, True, "active"),
        (70, SILENCE, "inactive"),
    ],
    "changes that are too far apart": [
        (0, False, "inactive"),
        (10, True, ""),
        (40, False, ""),
        (70, True, ""),
        (99, False, "active"),
    ],
    "it lasts as long as the last three are near enough": [
        (0, False, "inactive"),
        (10, True, ""),
        (20, False, ""),
        (30, True, "active"),
        (60, False, ""),
        (80, SILENCE, "inactive"),
    ],
    "readings of the same value do not count": [
        (0, False, "inactive"),
        (1, True, ""),
        (2, True, ""),
        (3, True, ""),
        (4, False, ""),
        (5, False, ""),
    ],
    "bad quality is no change": [
        (0, False, "inactive"),
        (1, BAD, "unknown"),
        (2, False, "inactive"),
        (3, BAD, "unknown"),
    ],
    "it is known while the signal cannot be seen, and then nothing is": [
        (0, False, "inactive"),
        (10, True, ""),
        (20, False, ""),
        (30, True, "active"),
        (40, BAD, ""),
        (70, SILENCE, "unknown"),
        (80, True, "inactive"),
    ],
}


@pytest.mark.parametrize(("spec", "steps"), CHANGES.values(), ids=CHANGES)
def test_changes_of_state(spec: dict[str, Any], steps: list[tuple[float, object, str]]) -> None:
    changed(**spec).play(steps)


@pytest.mark.parametrize("steps", CHATTER.values(), ids=CHATTER)
def test_chatter(steps: list[tuple[float, object, str]]) -> None:
    chatter().play(steps)


def test_a_change_is_over_at_its_own_time_however_late_that_is_noticed() -> None:
    drive = changed()
    drive.play([(0, "closed", "inactive"), (5, "open", "active"), (500, SILENCE, "inactive")])
    assert [seconds(change.event_time) for change in drive.told] == [0, 5, 15]


def test_a_batch_is_told_change_by_change() -> None:
    drive = changed(to=["open"])
    batch = [("closed", 0), ("open", 10), ("closed", 20), ("open", 100)]
    words = [drive.hear(500, value, event=event) for value, event in batch]
    assert words == [["inactive"], ["active", "inactive"], [], ["active", "inactive"]]
    assert [seconds(change.onset_time) for change in drive.told if change.condition == "active"] == [10, 100]


def test_a_late_reading_that_differs_from_those_around_it_is_a_change_once() -> None:
    drive = changed(to=["open"])
    drive.play([(0, "closed", "inactive"), (100, "closed", "")])
    late = reading("s/d/x", "open", 101, event=50)
    assert drive.take(late, 101) == ["active", "inactive"]
    before = drive.state
    assert drive.take(late, 102) == []
    assert drive.state is before


def test_a_late_reading_counts_the_change_back_too() -> None:
    drive = changed(to=["closed"])
    drive.play([(0, "closed", "inactive"), (100, "closed", "")])
    assert drive.hear(101, "open", event=95) == ["active"]
    assert seconds(drive.evaluator.next_wake(drive.state)) == 105


def test_a_late_reading_from_before_the_last_change_is_taken_for_one_that_came_before() -> None:
    drive = changed()
    drive.play([(0, "closed", "inactive"), (10, "open", "active"), (20, SILENCE, "inactive")])
    before = drive.state
    for value, event in (("open", 5), ("closed", 9), ("closed", 0)):
        assert drive.hear(21, value, event=event) == []
    assert drive.state is before


def test_late_readings_can_chatter_and_come_twice() -> None:
    drive = chatter(changes=4)
    drive.play([(0, False, "inactive"), (1000, False, "")])
    backlog = [(True, 100), (False, 110), (True, 120), (False, 130)]
    first = [drive.hear(1001, value, event=event) for value, event in backlog]
    again = [drive.hear(1002, value, event=event) for value, event in backlog]
    assert first == [[], [], ["active", "inactive"], []]
    assert again == [[], [], [], []]


def test_a_state_keeps_no_more_changes_than_it_counts() -> None:
    drive = chatter(changes=5)
    for step in range(100):
        drive.hear(step * 30, step % 2 == 0)
    assert len(drive.state.times) == 5


def test_it_explains_the_last_change() -> None:
    drive = changed(**{"from": ["closed"], "to": ["open", "opening"]})
    drive.play([(0, "closed", "inactive"), (5, "open", "active"), (6, "open", "")])
    finding = drive.evaluator.explain(drive.state)
    assert (finding.kind, finding.onset_time, finding.due) == ("state_changed", at(5), at(15))
    assert finding.facts == {
        "hold": timedelta(seconds=10),
        "from": "closed",
        "to": "open, opening",
        "value": "open",
        "since_time": at(5),
        "changed_time": at(5),
        "counted": 1.0,
    }


def test_it_explains_how_many_changes_count_when_there_are_too_few() -> None:
    drive = chatter()
    drive.play([(0, False, "inactive"), (10, True, ""), (20, False, ""), (75, False, "")])
    finding = drive.evaluator.explain(drive.state)
    assert (finding.kind, finding.condition, finding.due) == ("chatter", "inactive", None)
    assert (finding.facts["changes"], finding.facts["counted"]) == (3.0, 1.0)
