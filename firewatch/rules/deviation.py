"""A signal is not as it always is at this hour of the week: water that runs at night, a charger that draws too much."""

from __future__ import annotations

import struct
from datetime import datetime, timedelta, tzinfo

from msgspec.structs import replace

from firewatch.model.observation import Observation, Value
from firewatch.rules.evaluator import Changes, Finding
from firewatch.rules.reading import Untimed, judged
from firewatch.rules.spec import DeviationSpec
from firewatch.rules.states import DeviationState, ReadingState
from firewatch.rules.value import number_of, thresholds

_HOURS_A_WEEK = 168
_HOUR = timedelta(hours=1)
_RECORD = struct.Struct("<Id")
"""What is kept of one hour: its week and the mean of its numbers."""


class DeviationEvaluator(Untimed[DeviationState]):
    """Active while a number is further than `apart` from its usual value at this hour of the week in `zone`.

    Usual is the mean of the hour's own means in the `weeks` before the present one, so a week with many readings counts
    as much as one with few; with fewer than `learn_weeks` of them the condition is unknown. Everything is learnt from,
    abnormal values too, except what is late.

    A state keeps 12 bytes for each hour and week: 8 KB for 4 weeks, 105 KB for 52.
    """

    state_type = DeviationState

    def __init__(self, signal: str, spec: DeviationSpec, zone: tzinfo) -> None:
        self.signals = (signal,)
        self._spec = spec
        self._zone = zone
        self._thresholds = thresholds(spec.apart.value, spec.deadband.value)

    def initial(self) -> DeviationState:
        """Nothing was learnt."""
        return DeviationState()

    def observe(self, state: DeviationState, observation: Observation, now: datetime) -> tuple[DeviationState, Changes]:
        """Compare a number with the usual one, and learn from it."""
        del now
        value, event_time, read_time = number_of(observation), observation.event_time, state.read_time
        if value is None or (read_time is not None and event_time <= read_time):
            return self._judged_only(state, observation, value)
        if state.hour_time is None or event_time - state.hour_time >= _HOUR:
            state = self._in_hour_of(state, event_time)
        active = self._is_apart(value, state.usual, state.judged)
        verdict, changes = judged(state.judged, active, event_time, observation)
        count = state.count + 1
        mean = state.mean + (value - state.mean) / count
        learnt = DeviationState(
            verdict, event_time, state.hour_time, state.hour, state.week, count, mean, state.usual, state.history
        )
        return learnt, changes

    def explain(self, state: DeviationState) -> Finding:
        """What is usual at the hour of the newest number, and from how many weeks that is known."""
        facts: dict[str, Value | datetime | timedelta] = {
            "apart": self._spec.apart.value,
            "deadband": self._spec.deadband.value,
            "weeks": float(self._spec.weeks),
            "learn_weeks": float(self._spec.learn_weeks),
        }
        if state.hour_time is not None:
            facts["hour_time"] = state.hour_time
            facts["learnt_weeks"] = float(len(self._means(state.history, state.hour, state.week)))
        if state.usual is not None:
            facts["usual"] = state.usual
        onset = state.judged.standing_since
        return Finding("deviation", state.condition, self.signals, onset, facts=facts)

    def _judged_only(
        self, state: DeviationState, observation: Observation, value: float | None
    ) -> tuple[DeviationState, Changes]:
        """What is late, comes twice or is no number."""
        event_time = observation.event_time
        usual = self._usual(state.history, *self._hour_of(event_time)) if value is not None else None
        active = None if value is None else self._is_apart(value, usual, state.judged)
        verdict, changes = judged(state.judged, active, event_time, observation)
        return (state if verdict is state.judged else replace(state, judged=verdict)), changes

    def _is_apart(self, value: float, usual: float | None, verdict: ReadingState) -> bool | None:
        if usual is None:
            return None
        return abs(value - usual) > self._thresholds[verdict.standing_since is not None]

    # -- hours -----------------------------------------------------------------------------------------------------

    def _in_hour_of(self, state: DeviationState, event_time: datetime) -> DeviationState:
        """The state at the beginning of another hour, with what the one before has taught."""
        history = self._taught(state) if state.count else state.history
        hour, week = self._hour_of(event_time)
        local = event_time.astimezone(self._zone)
        into_hour = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        usual = self._usual(history, hour, week)
        return DeviationState(
            state.judged, state.read_time, event_time - into_hour, hour, week, usual=usual, history=history
        )

    def _hour_of(self, event_time: datetime) -> tuple[int, int]:
        """The hour of the week at the site, 0 on Monday at midnight, and the week's number."""
        local = event_time.astimezone(self._zone)
        week, weekday = divmod(local.toordinal() - 1, 7)
        return weekday * 24 + local.hour, week

    def _usual(self, history: bytes, hour: int, week: int) -> float | None:
        means = self._means(history, hour, week)
        return sum(means) / len(means) if len(means) >= self._spec.learn_weeks else None

    def _means(self, history: bytes, hour: int, week: int) -> list[float]:
        """The hour's means in the weeks before that one."""
        size = self._spec.weeks * _RECORD.size
        records = _RECORD.iter_unpack(history[hour * size : (hour + 1) * size])
        return [mean for then, mean in records if week - self._spec.weeks <= then < week]

    def _taught(self, state: DeviationState) -> bytes:
        history = bytearray(state.history or bytes(_HOURS_A_WEEK * self._spec.weeks * _RECORD.size))
        place = state.hour * self._spec.weeks + state.week % self._spec.weeks
        _RECORD.pack_into(history, place * _RECORD.size, state.week, state.mean)
        return bytes(history)
