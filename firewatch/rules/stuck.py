"""A sensor that lives and measures nothing: it is heard, and its value does not move."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from firewatch.model.observation import Observation, Value
from firewatch.rules.evaluator import NO_CHANGES, Changes, Finding
from firewatch.rules.reading import Untimed, judged
from firewatch.rules.spec import StuckSpec
from firewatch.rules.states import StuckState
from firewatch.rules.value import are_same, is_number, thresholds, value_of


class StuckEvaluator(Untimed[StuckState]):
    """Active when a reading comes at least `after` the first one of a run that spans no more than the band.

    A reading that takes the run further than the band begins another, so a slow drift may be told up to `after` late,
    and never wrongly. Silence is no stuck value: where nothing was heard for `after` the run begins anew, unless it is
    active already. What is no number has to stay the same. Bad quality does not end a run, what is late does not count.
    """

    state_type = StuckState

    def __init__(self, signal: str, spec: StuckSpec) -> None:
        self.signals = (signal,)
        self._after = spec.after
        self._band = spec.band.value
        self._most, _ = thresholds(spec.band.value)

    def initial(self) -> StuckState:
        """Nothing was heard."""
        return StuckState()

    def observe(self, state: StuckState, observation: Observation, now: datetime) -> tuple[StuckState, Changes]:
        """Take a reading into the run, or begin another with it."""
        del now
        value, event_time, read_time = value_of(observation), observation.event_time, state.read_time
        if value is None:
            verdict, changes = judged(state.judged, None, event_time, observation)
            return (state if verdict is state.judged else replace(state, judged=verdict)), changes
        if read_time is not None and event_time < read_time:
            return state, NO_CHANGES
        since_time, low, high = self._run(state, value, event_time)
        verdict, changes = judged(state.judged, event_time - since_time >= self._after, event_time, observation)
        after = StuckState(verdict, since_time, event_time, low, high)
        return (state if event_time == read_time and after == state else after), changes

    def explain(self, state: StuckState) -> Finding:
        """Since when it has not moved, and between which values."""
        facts: dict[str, Value | datetime | timedelta] = {"after": self._after, "band": self._band}
        if state.since_time is not None and state.read_time is not None:
            facts |= {
                "since_time": state.since_time,
                "read_time": state.read_time,
                "low": state.low,
                "high": state.high,
            }
        return Finding("stuck", state.condition, self.signals, state.judged.standing_since, facts=facts)

    def _run(self, state: StuckState, value: Value, event_time: datetime) -> tuple[datetime, Value, Value]:
        """Since when the values up to this one have not moved, the lowest of them and the highest."""
        since_time, read_time, low, high = state.since_time, state.read_time, state.low, state.high
        if since_time is not None and read_time is not None:
            was_silent = event_time - read_time >= self._after and state.judged.standing_since is None
            if is_number(value) and is_number(low) and is_number(high):
                low, high = min(low, value), max(high, value)
                has_moved = high - low > self._most
            else:
                has_moved = not are_same(value, low)
            if not has_moved and not was_silent:
                return since_time, low, high
        return event_time, value, value
