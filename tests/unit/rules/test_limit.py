from __future__ import annotations

import pytest

from firewatch.rules.limit import LimitEvaluator
from firewatch.rules.spec import LimitSpec
from tests.unit.rules.drive import BAD, SILENCE, Drive


def limit(side: str, value: float, deadband: float = 0.0) -> Drive:
    spec = LimitSpec.model_validate({"signal": "x", "limit": value, "deadband": deadband})
    return Drive(LimitEvaluator(side, "s/d/x", spec))  # type: ignore[arg-type]


STORIES = {
    "a low limit is crossed downwards, and left upwards by the deadband": (
        ("low", 0.07, 0.005),
        [(0, 0.2, "inactive"), (1, 0.069, "active"), (2, 0.072, ""), (3, 0.0749, ""), (4, 0.075, "inactive")],
    ),
    "a high limit is crossed upwards, and left downwards by the deadband": (
        ("high", 60.0, 5.0),
        [(0, 20.0, "inactive"), (1, 60.5, "active"), (2, 58.0, ""), (3, 55.0, "inactive"), (4, 58.0, "")],
    ),
    "a reading equal to the limit is not beyond it": (
        ("low", 0.07, 0.0),
        [(0, 0.07, "inactive"), (1, 0.0699, "active"), (2, 0.07, "inactive")],
    ),
    "the first reading beyond the limit is enough": (("high", 60.0, 0.0), [(0, 61.0, "active")]),
    "unknown in between does not begin the alarm anew": (
        ("high", 60.0, 5.0),
        [(0, 61.0, "active"), (1, BAD, "unknown"), (2, BAD, ""), (3, 58.0, "active"), (4, 50.0, "inactive")],
    ),
    "unknown can end in good news, once it is known": (
        ("high", 60.0, 0.0),
        [(0, 61.0, "active"), (1, BAD, "unknown"), (2, 50.0, "inactive")],
    ),
    "silence changes nothing": (("high", 60.0, 0.0), [(0, 61.0, "active"), (86400, SILENCE, "")]),
    "a value that is no number cannot be judged": (
        ("high", 60.0, 0.0),
        [(0, 61.0, "active"), (1, "hot", "unknown"), (2, True, ""), (3, float("nan"), ""), (4, 1, "inactive")],
    ),
}


@pytest.mark.parametrize(("spec", "steps"), STORIES.values(), ids=STORIES)
def test_limits(spec: tuple[str, float, float], steps: list[tuple[float, object, str]]) -> None:
    limit(*spec).play(steps)


def test_a_late_reading_beyond_the_limit_raises() -> None:
    drive = limit("high", 60.0)
    drive.play([(0, 20.0, "inactive"), (10, 20.0, "")])
    assert drive.hear(11, 70.0, event=5) == ["active"]
    assert drive.hear(12, 20.0) == ["inactive"]


def test_a_late_reading_within_the_limit_does_not_clear() -> None:
    drive = limit("high", 60.0)
    drive.play([(0, 20.0, "inactive"), (10, 70.0, "active")])
    assert drive.hear(11, 20.0, event=5) == []
    assert drive.condition == "active"


def test_a_batch_delivered_again_raises_nothing_again() -> None:
    drive = limit("high", 60.0)
    batch = [(20.0, 0), (70.0, 1), (71.0, 2), (20.0, 3)]
    first = [words for value, event in batch for words in drive.hear(5, value, event=event)]
    again = [words for value, event in batch for words in drive.hear(6, value, event=event)]
    assert (first, again) == (["inactive", "active", "inactive"], [])


def test_the_newest_reading_delivered_again_does_not_end_what_came_late() -> None:
    drive = limit("high", 60.0)
    drive.play([(10, 20.0, "inactive")])
    assert drive.hear(11, 70.0, event=5) == ["active"]
    assert drive.hear(12, 20.0, event=10) == []
    assert drive.hear(13, 20.0) == ["inactive"]
