"""A sensor that lives and measures nothing: it is heard, and its value does not move."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from firewatch.model.observation import Observation, Value
from firewatch.rules.evaluator import NO_CHANGES, Changes, Finding
from firewatch.rules.reading import Untimed, judged
from firewatch.rules.spec import StuckSpec
from firewatch.rules.states import Slice, StuckState
from firewatch.rules.value import are_same, is_number, thresholds, value_of

_SLICES = 32
"""Of the numbers that come within this part of `after` the lowest and the highest are kept, so a sensor that is read
often may be found stuck by one slice too late; it bounds a state to 34 slices.
"""


class StuckEvaluator(Untimed[StuckState]):
    """Active when a reading comes `after` another, and from that one on no two differ by more than the band.

    Silence is no stuck value: where nothing was heard for `after` the time counts anew, unless the condition is active
    already. What is no number has to stay the same. Bad quality counts as nothing, and so does what is late.
    """

    state_type = StuckState

    def __init__(self, signal: str, spec: StuckSpec) -> None:
        self.signals = (signal,)
        self._after = spec.after
        self._band = spec.band.value
        self._most, _ = thresholds(spec.band.value)
        self._slice_length = spec.after / _SLICES

    def initial(self) -> StuckState:
        """Nothing was heard."""
        return StuckState()

    def observe(self, state: StuckState, observation: Observation, now: datetime) -> tuple[StuckState, Changes]:
        """Since when has it been still?"""
        del now
        value, event_time, read_time = value_of(observation), observation.event_time, state.read_time
        if value is None:
            verdict, changes = judged(state.judged, None, event_time, observation)
            return (state if verdict is state.judged else replace(state, judged=verdict)), changes
        if read_time is not None and event_time < read_time:
            return state, NO_CHANGES
        slices: tuple[Slice, ...] = ()
        since_time = state.since_time
        if since_time is None or self._was_silent(state, event_time) or type(value) is not type(state.value):
            since_time = event_time
        if is_number(value):
            slices = self._followed(() if since_time == event_time else state.slices, event_time, value)
            since_time = slices[0][0]
        elif state.value is None or not are_same(value, state.value):
            since_time = event_time
        verdict, changes = judged(state.judged, event_time - since_time >= self._after, event_time, observation)
        after = StuckState(verdict, event_time, since_time, value, slices)
        return (state if event_time == read_time and after == state else after), changes

    def explain(self, state: StuckState) -> Finding:
        """The value, and since when it is as good as that."""
        facts: dict[str, Value | datetime | timedelta] = {"after": self._after, "band": self._band}
        if state.since_time is not None and state.read_time is not None and state.value is not None:
            facts |= {"value": state.value, "since_time": state.since_time, "read_time": state.read_time}
        return Finding("stuck", state.condition, self.signals, state.judged.standing_since, facts=facts)

    def _was_silent(self, state: StuckState, event_time: datetime) -> bool:
        if state.read_time is None or state.judged.standing_since is not None:
            return False
        return event_time - state.read_time >= self._after

    def _followed(self, slices: tuple[Slice, ...], event_time: datetime, value: float) -> tuple[Slice, ...]:
        """The slices since which nothing moved, the number in the newest; the oldest may reach further than `after`."""
        first, lowest, highest = len(slices), value, value
        while first:
            _, low, high = slices[first - 1]
            lowest, highest = min(lowest, low), max(highest, high)
            if highest - lowest > self._most:
                break
            first -= 1
        while first + 1 < len(slices) and slices[first + 1][0] <= event_time - self._after:
            first += 1
        slices = slices[first:]
        fresh = (event_time, value, value)
        if slices and event_time - slices[-1][0] < self._slice_length:
            start_time, low, high = slices[-1]
            slices, fresh = slices[:-1], (start_time, min(low, value), max(high, value))
        return slices if slices and slices[-1][1:] == fresh[1:] else (*slices, fresh)
