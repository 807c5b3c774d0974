from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from firewatch.rules.spec import StuckSpec
from firewatch.rules.stuck import StuckEvaluator
from tests.unit.rules.drive import BAD, SILENCE, Drive, at, seconds


def stuck(**spec: Any) -> Drive:
    form = {"signal": "x", "after": "60s", **spec}
    return Drive(StuckEvaluator("s/d/x", StuckSpec.model_validate(form)))


STORIES = {
    "the same value for the time": (
        {},
        [(0, 0.5, "inactive"), (30, 0.5, ""), (59, 0.5, ""), (60, 0.5, "active"), (70, 0.5, ""), (80, 0.6, "inactive")],
    ),
    "a value that moves is not stuck": ({}, [(0, 0.5, "inactive"), (30, 0.6, ""), (60, 0.5, ""), (119, 0.5, "")]),
    "after it moved the time counts anew": (
        {},
        [(0, 0.5, "inactive"), (50, 0.6, ""), (80, 0.6, ""), (109, 0.6, ""), (110, 0.6, "active")],
    ),
    "it may move by the band": (
        {"band": 0.1},
        [(0, 0.7, "inactive"), (30, 0.8, ""), (60, 0.75, "active"), (70, 0.7, ""), (80, 0.69, "inactive")],
    ),
    "the band is that of all values, not of one and the next": (
        {"band": 0.1},
        [(0, 0.5, "inactive"), (20, 0.58, ""), (40, 0.66, ""), (60, 0.74, ""), (99, 0.74, ""), (100, 0.74, "active")],
    ),
    "what is longer ago than the time does not count": (
        {"band": 0.1},
        [
            (0, 0.5, "inactive"),
            (30, 0.55, ""),
            (60, 0.6, "active"),
            (90, 0.65, ""),
            (120, 0.7, ""),
            (121, 0.71, "inactive"),
        ],
    ),
    "silence is no stuck value": (
        {},
        [(0, 0.5, "inactive"), (86400, SILENCE, ""), (86400, 0.5, ""), (86459, 0.5, ""), (86460, 0.5, "active")],
    ),
    "silence does not clear what is stuck": (
        {},
        [(0, 0.5, "inactive"), (30, 0.5, ""), (60, 0.5, "active"), (500, 0.5, ""), (501, 0.6, "inactive")],
    ),
    "bad quality in between does not end it": (
        {},
        [(0, 0.5, "inactive"), (30, BAD, "unknown"), (59, 0.5, "inactive"), (60, BAD, "unknown"), (61, 0.5, "active")],
    ),
    "bad quality does not clear it": (
        {},
        [(0, 0.5, "inactive"), (30, 0.5, ""), (60, 0.5, "active"), (61, BAD, "unknown"), (62, 0.5, "active")],
    ),
    "a state can be stuck": (
        {},
        [(0, "open", "inactive"), (30, "open", ""), (60, "open", "active"), (61, "closed", "inactive")],
    ),
    "true is not 1": ({}, [(0, True, "inactive"), (30, 1.0, ""), (60, True, ""), (61, 1, "")]),
}


@pytest.mark.parametrize(("spec", "steps"), STORIES.values(), ids=STORIES)
def test_stuck_values(spec: dict[str, Any], steps: list[tuple[float, object, str]]) -> None:
    stuck(**spec).play(steps)


def test_what_comes_late_neither_ends_a_run_nor_prolongs_it() -> None:
    drive = stuck()
    drive.play([(0, 0.5, "inactive"), (30, 0.5, "")])
    before = drive.state
    assert [drive.hear(31, 0.9, event=20), drive.hear(31, 0.5, event=-50)] == [[], []]
    assert drive.state is before


def test_it_begins_with_the_reading_that_proves_it() -> None:
    drive = stuck()
    drive.play([(0, 0.5, "inactive"), (50, 0.5, ""), (75, 0.5, "active")])
    assert seconds(drive.told[-1].onset_time) == 75


def test_it_explains_since_when_nothing_moved() -> None:
    drive = stuck(band=0.25)
    drive.play([(0, 0.5, "inactive"), (10, 0.75, "")])
    finding = drive.evaluator.explain(drive.state)
    assert (finding.kind, finding.condition, finding.onset_time) == ("stuck", "inactive", None)
    assert finding.facts == {
        "after": timedelta(seconds=60),
        "band": 0.25,
        "value": 0.75,
        "since_time": at(0),
        "read_time": at(10),
    }
