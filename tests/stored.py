"""A history in memory, as a replay reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from firewatch.model.alarm import AlarmTransition
from firewatch.model.observation import Observation
from firewatch.ports import EngineInput
from firewatch.storage.columns import FLAG, NUMBER, STATE, Columns, Extent, Start

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
QUALITIES = ("good", "uncertain", "bad")


def microseconds(time: datetime) -> int:
    return (time - EPOCH) // timedelta(microseconds=1)


@dataclass
class StoredHistory:
    """What the engine took, in pages of `page` observations."""

    inputs: Sequence[EngineInput]
    page: int = 1000
    recorded: Sequence[AlarmTransition] = ()
    began: Sequence[Start] = ()

    def extent(self) -> Extent | None:
        return Extent(self.inputs[0].now, self.inputs[-1].now) if self.inputs else None

    def pages(
        self, signals: Sequence[str], states: list[str], start: datetime, end: datetime
    ) -> Iterator[tuple[float, Columns]]:
        codes = {signal: code for code, signal in enumerate(signals)}
        wanted = [
            each
            for each in self.inputs
            if each.observation is not None and each.observation.signal in codes and start <= each.now < end
        ]
        for first in range(0, len(wanted), self.page):
            yield (first + self.page) / len(wanted), columns(wanted[first : first + self.page], codes, states)

    def transitions(self, start: datetime, end: datetime) -> Iterable[AlarmTransition]:
        return [each for each in self.recorded if start <= each.transition_time < end]

    def commands(self, start: datetime, end: datetime) -> Sequence[EngineInput]:
        return [each for each in self.inputs if each.command is not None and start <= each.now < end]

    def starts(self, start: datetime, end: datetime) -> Sequence[Start]:
        return [each for each in self.began if start <= each.time < end]


def columns(inputs: Sequence[EngineInput], codes: dict[str, int], states: list[str]) -> Columns:
    """Inputs by the column."""
    rows = []
    for each in inputs:
        observation = each.observation
        assert observation is not None
        rows.append(
            (
                each.ordinal,
                microseconds(each.now),
                codes[observation.signal],
                *_value(observation, states),
                QUALITIES.index(observation.quality.value),
                microseconds(observation.source_time),
                microseconds(observation.receive_time),
                microseconds(observation.event_time),
            )
        )
    types = ("i8", "i8", "i4", "i2", "f8", "i4", "i2", "i8", "i8", "i8")
    return Columns(*(np.array(column, dtype=kind) for column, kind in zip(zip(*rows, strict=True), types, strict=True)))


def _value(observation: Observation, states: list[str]) -> tuple[int, float, int]:
    value = observation.value
    if isinstance(value, bool):
        return FLAG, float(value), -1
    if isinstance(value, str):
        if value not in states:
            states.append(value)
        return STATE, 0.0, states.index(value)
    return (0, 0.0, -1) if value is None else (NUMBER, value, -1)
