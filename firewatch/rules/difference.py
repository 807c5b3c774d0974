"""Two signals that belong together drift apart: main and standby pressure, inlet and outlet."""

from __future__ import annotations

from datetime import datetime, timedelta

from firewatch.model.observation import Observation, Value
from firewatch.rules.evaluator import NO_CHANGES, Changes, Finding
from firewatch.rules.reading import Untimed, judged
from firewatch.rules.spec import DifferenceSpec
from firewatch.rules.states import DifferenceState, Reading
from firewatch.rules.value import number_of, thresholds


class DifferenceEvaluator(Untimed[DifferenceState]):
    """Active while `signal` less `minus` is beyond the limit, judged as of the newer of their two readings.

    Unknown where one of them is not known, or is older than `max_age` when the other was read. What is late is the
    signal's own reading: it is held against the other's newest if that was read before it.
    """

    state_type = DifferenceState

    def __init__(self, signal: str, minus: str, spec: DifferenceSpec) -> None:
        self.signals = (signal, minus)
        self._max_age = spec.max_age
        self._word, limit = next(
            (word, limit)
            for word, limit in (("above", spec.above), ("below", spec.below), ("apart", spec.apart))
            if limit is not None
        )
        self._limit = limit.value
        self._deadband = abs(spec.deadband.value)
        # One comparison for all three: `below` is `above` of the negated difference.
        self._sign = -1.0 if self._word == "below" else 1.0
        self._thresholds = thresholds(self._sign * limit.value, spec.deadband.value)

    def initial(self) -> DifferenceState:
        """Nothing was heard."""
        return DifferenceState()

    def observe(
        self, state: DifferenceState, observation: Observation, now: datetime
    ) -> tuple[DifferenceState, Changes]:
        """Hold a reading against the other signal's newest."""
        del now
        value, event_time = number_of(observation), observation.event_time
        signal, minus = state.readings
        is_first = observation.signal == self.signals[0]
        known = signal if is_first else minus
        if known is not None and event_time < known.event_time:
            return self._late(state, observation, value, minus if is_first else signal)
        if known is not None and event_time == known.event_time and value == known.value:
            return state, NO_CHANGES
        fresh = Reading(event_time, value)
        signal, minus = (fresh, minus) if is_first else (signal, fresh)
        active = self._is_beyond(signal, minus, was_active=state.judged.standing_since is not None)
        newest = state.judged.event_time
        as_of = event_time if newest is None or event_time > newest else newest
        verdict, changes = judged(state.judged, active, as_of, observation)
        return DifferenceState(verdict, (signal, minus)), changes

    def explain(self, state: DifferenceState) -> Finding:
        """The difference, and when each of the two was read."""
        returns = self._limit + self._deadband if self._word == "below" else self._limit - self._deadband
        facts: dict[str, Value | datetime | timedelta] = {
            self._word: self._limit,
            "returns_at": returns,
            "max_age": self._max_age,
        }
        for name, reading in zip(("signal", "minus"), state.readings, strict=True):
            if reading is not None:
                facts[f"{name}_time"] = reading.event_time
                if reading.value is not None:
                    facts[f"{name}_value"] = reading.value
        signal, minus = state.readings
        if signal is not None and minus is not None and signal.value is not None and minus.value is not None:
            facts["difference"] = signal.value - minus.value
        onset = state.judged.standing_since
        return Finding("difference", state.condition, self.signals, onset, facts=facts)

    def _is_beyond(self, signal: Reading | None, minus: Reading | None, *, was_active: bool) -> bool | None:
        if signal is None or minus is None or signal.value is None or minus.value is None:
            return None
        if abs(signal.event_time - minus.event_time) > self._max_age:
            return None
        difference = signal.value - minus.value
        height = abs(difference) if self._word == "apart" else self._sign * difference
        return height > self._thresholds[was_active]

    def _late(
        self, state: DifferenceState, observation: Observation, value: float | None, other: Reading | None
    ) -> tuple[DifferenceState, Changes]:
        event_time = observation.event_time
        if other is None or other.event_time > event_time:
            return state, NO_CHANGES
        late = Reading(event_time, value)
        pair = (late, other) if observation.signal == self.signals[0] else (other, late)
        if not self._is_beyond(*pair, was_active=False):
            return state, NO_CHANGES
        verdict, changes = judged(state.judged, True, event_time, observation)
        return (state if verdict is state.judged else DifferenceState(verdict, state.readings)), changes
