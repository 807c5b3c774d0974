"""Drives an evaluator as the engine does, and says in words what it told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from firewatch.model.alarm import ConditionState
from firewatch.model.observation import Observation, Quality, Value
from firewatch.rules.evaluator import Change, Changes, Evaluator, Phase
from firewatch.rules.spec import ConditionSpec

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
BAD = "bad"
"""Stands for a reading of bad quality."""
SILENCE = "silence"
"""Stands for nothing heard: time passes."""


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def seconds(instant: datetime | None) -> float | None:
    return None if instant is None else round((instant - START).total_seconds(), 6)


def condition(**kind: object) -> ConditionSpec:
    return ConditionSpec.model_validate(kind)


def reading(
    signal: str,
    value: Value | None,
    now: float,
    *,
    event: float | None = None,
    picture: str | None = None,
) -> Observation:
    event_time = at(now if event is None else event)
    return Observation(
        signal=signal,
        value=None if value == BAD else value,
        quality=Quality.BAD if value == BAD else Quality.GOOD,
        source_time=event_time,
        receive_time=at(now),
        event_time=event_time,
        picture=picture,
    )


def word(change: Change) -> str:
    if change.phase is Phase.SUSPECTED or change.phase is Phase.REJECTED:
        return str(change.phase)
    return str(change.condition)


class Drive:
    """One evaluator with its state; `told` are all changes so far."""

    def __init__(self, evaluator: Evaluator[Any], *, armed_at: float | None = 0) -> None:
        self.evaluator = evaluator
        self.state = evaluator.initial()
        if armed_at is not None:
            self.state = evaluator.arm(self.state, at(armed_at))
        self.told: list[Change] = []
        self.now = START

    @property
    def condition(self) -> ConditionState:
        condition: ConditionState = self.state.condition
        return condition

    def advance(self, now: float) -> list[str]:
        """Let time pass, waking the evaluator at each of its deadlines."""
        before = len(self.told)
        self._settle(at(now))
        return [word(change) for change in self.told[before:]]

    def hear(self, now: float, value: Value, *, signal: str | None = None, **fields: Any) -> list[str]:
        """Let time pass, then hear a reading."""
        return self.take(reading(signal or self.evaluator.signals[0], value, now, **fields), now)

    def take(self, observation: Observation, now: float) -> list[str]:
        before = len(self.told)
        self._settle(at(now))
        self.state, changes = self.evaluator.observe(self.state, observation, self.now)
        self._tell(changes)
        self._settle(self.now)
        return [word(change) for change in self.told[before:]]

    def restart(self, now: float) -> None:
        """The service was down until `now`, and goes on from what a snapshot kept."""
        kept = msgspec.json.encode(self.state)
        self.now = max(self.now, at(now))
        self.state = self.evaluator.arm(msgspec.json.decode(kept, type=self.evaluator.state_type), self.now)

    def play(self, steps: Sequence[tuple[Any, ...]]) -> None:
        """Steps are (now, value or SILENCE, words expected) or (now, signal, value, words expected)."""
        for step in steps:
            now, value, expected = step[0], step[-2], step[-1]
            signal = step[1] if len(step) == 4 else None
            heard = self.advance(now) if value == SILENCE else self.hear(now, value, signal=signal)
            assert heard == expected.split(), f"at {now} s after hearing {value!r}"

    def _settle(self, now: datetime) -> None:
        while (due := self.evaluator.next_wake(self.state)) is not None and due <= now:
            self.now = max(self.now, due)
            self.state, changes = self.evaluator.wake(self.state, self.now)
            self._tell(changes)
            following = self.evaluator.next_wake(self.state)
            assert following is None or following > self.now, "waking made no progress"
        self.now = max(self.now, now)

    def _tell(self, changes: Changes) -> None:
        self.told.extend(changes)
