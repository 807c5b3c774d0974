from __future__ import annotations

import pytest

from firewatch.rules.spec import StateSpec
from firewatch.rules.state import StateEvaluator
from tests.unit.rules.drive import BAD, Drive

STORIES = {
    "true is true": ({"is": True}, [(0, False, "inactive"), (1, True, "active"), (2, False, "inactive")]),
    "one of several named states": (
        {"in": ["open", "opening"]},
        [(0, "closed", "inactive"), (1, "opening", "active"), (2, "open", ""), (3, "closing", "inactive")],
    ),
    "true is not the number one": ({"is": True}, [(0, True, "active"), (1, 1.0, "unknown")]),
    "a number can be a state": ({"is": 2.0}, [(0, 1.0, "inactive"), (1, 2.0, "active")]),
    "what others end stays until one of them": (
        {"in": ["failed", "unproven"], "until": ["done", "proven"]},
        [
            (0, "sent", "inactive"),
            (1, "failed", "active"),
            (2, "sent", ""),
            (3, "accepted", ""),
            (4, "done", "inactive"),
        ],
    ),
    "what others end is unknown while nothing is known, and goes on after it": (
        {"is": "failed", "until": ["done"]},
        [(0, "failed", "active"), (1, BAD, "unknown"), (2, "sent", "active"), (3, "done", "inactive")],
    ),
    "bad quality is unknown and does not clear": (
        {"is": True},
        [(0, True, "active"), (1, BAD, "unknown"), (2, True, "active")],
    ),
}


@pytest.mark.parametrize(("spec", "steps"), STORIES.values(), ids=STORIES)
def test_states(spec: dict[str, object], steps: list[tuple[float, object, str]]) -> None:
    Drive(StateEvaluator("s/d/x", StateSpec.model_validate({"signal": "x", **spec}))).play(steps)
