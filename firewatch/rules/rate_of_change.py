"""A signal rises or falls fast: a fire that heats up, a pipe that bursts."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from firewatch.model.observation import Observation, Value
from firewatch.rules.evaluator import NO_CHANGES, Changes, Finding
from firewatch.rules.reading import Untimed, judged
from firewatch.rules.spec import Quantity, RateOfChangeSpec
from firewatch.rules.states import RateOfChangeState, Sample
from firewatch.rules.value import number_of, thresholds

_SLICES = 32
"""Of the numbers of one slice of the window the lowest (highest) is kept, so a rise (fall) may count as over by one
slice too early; it bounds a state to 33 samples a direction."""

_NEVER = float("inf")


class RateOfChangeEvaluator(Untimed[RateOfChangeState]):
    """Active while the newest number lies more above the lowest, or below the highest, of the window that ends with it.

    A number that is the only one of its window says nothing about change: the condition is unknown, and a signal whose
    readings are further apart than the window is never judged.
    A late reading counts as the beginning of a change, and as the end of one from what is still remembered.
    """

    state_type = RateOfChangeState

    def __init__(self, signal: str, spec: RateOfChangeSpec) -> None:
        self.signals = (signal,)
        self._spec = spec
        self._within = spec.within
        self._slice = spec.within / _SLICES
        self._rise = _thresholds(spec.rises_by, spec.deadband)
        self._fall = _thresholds(spec.falls_by, spec.deadband)

    def initial(self) -> RateOfChangeState:
        """Nothing was heard."""
        return RateOfChangeState()

    def observe(
        self, state: RateOfChangeState, observation: Observation, now: datetime
    ) -> tuple[RateOfChangeState, Changes]:
        """Compare a number with those of the window that ends with it."""
        del now
        value, event_time = number_of(observation), observation.event_time
        read_time, since_time = state.read_time, state.since_time
        if value is None:
            verdict, changes = judged(state.judged, None, event_time, observation)
            return (state if verdict is state.judged else replace(state, judged=verdict)), changes
        if read_time is not None and event_time < read_time:
            return self._late(state, observation, value)
        if read_time is None or since_time is None or event_time - read_time > self._within:
            since_time = event_time
        oldest = event_time - self._within
        lows, highs = state.lows, state.highs
        if self._spec.rises_by is not None:
            lows = self._followed(lows, event_time, value, oldest)
        if self._spec.falls_by is not None:
            highs = self._followed(highs, event_time, -value, oldest)
        was_active = state.judged.standing_since is not None
        active = self._is_fast(value, lows, highs, was_active=was_active) if event_time > since_time else None
        verdict, changes = judged(state.judged, active, event_time, observation)
        after = RateOfChangeState(verdict, value, event_time, since_time, lows, highs)
        if event_time == read_time and after == state:
            return state, changes
        return after, changes

    def explain(self, state: RateOfChangeState) -> Finding:
        """By how much it rose and fell in the last window."""
        facts: dict[str, Value | datetime | timedelta] = {"within": self._within}
        for name, limit in (("rises_by", self._spec.rises_by), ("falls_by", self._spec.falls_by)):
            if limit is not None:
                facts[name] = limit.value
        facts["deadband"] = self._spec.deadband.value
        if state.lows:
            facts["rose_by"] = state.value - state.lows[0][1]
        if state.highs:
            facts["fell_by"] = -state.value - state.highs[0][1]
        if state.since_time is not None:
            facts["heard_since"] = state.since_time
        onset = state.judged.standing_since
        return Finding("rate_of_change", state.condition, self.signals, onset, facts=facts)

    def _is_fast(self, value: float, lows: tuple[Sample, ...], highs: tuple[Sample, ...], *, was_active: bool) -> bool:
        rises = bool(lows) and value - lows[0][1] > self._rise[was_active]
        return rises or (bool(highs) and -value - highs[0][1] > self._fall[was_active])

    def _followed(
        self, samples: tuple[Sample, ...], event_time: datetime, height: float, oldest: datetime
    ) -> tuple[Sample, ...]:
        """The samples with a newest one: each is the lowest from its time on, so the first is that of the window."""
        first, end = 0, len(samples)
        while end and samples[end - 1][1] >= height:
            end -= 1
        while first < end and samples[first][0] < oldest:
            first += 1
        if first < end and event_time - samples[end - 1][0] < self._slice:
            return samples[first:end]
        return (*samples[first:end], (event_time, height))

    def _late(
        self, state: RateOfChangeState, observation: Observation, value: float
    ) -> tuple[RateOfChangeState, Changes]:
        event_time, read_time = observation.event_time, state.read_time
        assert read_time is not None
        lows_then, highs_then = self._remembered(state.lows, event_time), self._remembered(state.highs, event_time)
        ends = self._is_fast(value, lows_then, highs_then, was_active=False)
        lows, highs = state.lows, state.highs
        if read_time - event_time <= self._within:
            lows = self._inserted(lows, event_time, value) if self._spec.rises_by is not None else lows
            highs = self._inserted(highs, event_time, -value) if self._spec.falls_by is not None else highs
        begins = self._is_fast(state.value, lows, highs, was_active=False)
        verdict, changes = state.judged, NO_CHANGES
        if ends or begins:
            verdict, changes = judged(verdict, True, event_time if ends else read_time, observation)
        if verdict is state.judged and lows is state.lows and highs is state.highs:
            return state, NO_CHANGES
        return RateOfChangeState(verdict, state.value, read_time, state.since_time, lows, highs), changes

    def _remembered(self, samples: tuple[Sample, ...], event_time: datetime) -> tuple[Sample, ...]:
        return tuple(sample for sample in samples if event_time - self._within <= sample[0] <= event_time)

    def _inserted(self, samples: tuple[Sample, ...], event_time: datetime, height: float) -> tuple[Sample, ...]:
        """The samples with one in their midst, if it is lower than all later ones."""
        end = sum(1 for sample in samples if sample[0] <= event_time)
        before, after = samples[:end], samples[end:]
        if after and after[0][1] <= height:
            return samples
        while before and before[-1][1] > height:
            before = before[:-1]
        if before and event_time - before[-1][0] < self._slice:
            return samples
        if after and after[0][0] - event_time < self._slice:
            after = after[1:]
        return (*before, (event_time, height), *after)


def _thresholds(limit: Quantity | None, deadband: Quantity) -> tuple[float, float]:
    return (_NEVER, _NEVER) if limit is None else thresholds(limit.value, deadband.value)
