"""Nothing was heard for some time: silence is never good news, and is known only by firewatch's own clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from firewatch.model.alarm import ConditionState
from firewatch.model.observation import Observation, Value
from firewatch.rules.evaluator import NO_CHANGES, Change, Changes, Evidence, Finding, Phase, evidence_of
from firewatch.rules.spec import AbsenceSpec
from firewatch.rules.states import AbsenceState

_ACTIVE = ConditionState.ACTIVE
_INACTIVE = ConditionState.INACTIVE


class AbsenceEvaluator:
    """Active `after` the last thing heard from any of its signals, until something is heard again.

    A reading of bad quality is heard: the device speaks, if only to say that it cannot measure. What counts is
    `receive_time`, so readings a device collected while offline end the silence when they arrive.
    """

    state_type = AbsenceState
    keeps_time = True

    def __init__(self, signals: tuple[str, ...], spec: AbsenceSpec) -> None:
        self.signals = signals
        self._after = spec.after

    def initial(self) -> AbsenceState:
        """Not armed: firewatch does not listen yet."""
        return AbsenceState()

    def arm(self, state: AbsenceState, now: datetime) -> AbsenceState:
        """Until `now` firewatch was deaf, the device was not silent; a silence already told stands."""
        if state.condition is _ACTIVE or (state.heard_time is not None and state.heard_time >= now):
            return state
        return AbsenceState(state.condition, now)

    def observe(self, state: AbsenceState, observation: Observation, now: datetime) -> tuple[AbsenceState, Changes]:
        """Something was heard: note when. The timer is left alone and looks again when it wakes."""
        receive_time = observation.receive_time
        heard_time = state.heard_time
        condition = state.condition
        news = heard_time is None or receive_time > heard_time
        if condition is _INACTIVE:
            return (AbsenceState(_INACTIVE, receive_time) if news else state), NO_CHANGES
        if not news and condition is _ACTIVE:
            return state, NO_CHANGES
        heard_time = receive_time if news else heard_time
        if receive_time + self._after <= now:  # it waited so long inside firewatch that it proves nothing
            return AbsenceState(condition, heard_time, state.onset_time), NO_CHANGES
        change = Change(_INACTIVE, receive_time, state.onset_time, evidence_of(observation), Phase.INACTIVE)
        return AbsenceState(_INACTIVE, heard_time), (change,)

    def wake(self, state: AbsenceState, now: datetime) -> tuple[AbsenceState, Changes]:
        """Is it silence by now?"""
        due = self.next_wake(state)
        if due is None or due > now:
            return state, NO_CHANGES
        silence = Evidence(source_time=due, receive_time=due, signal=self.signals[0])
        change = Change(_ACTIVE, due, due, silence, Phase.ACTIVE)
        return AbsenceState(_ACTIVE, state.heard_time, due), (change,)

    def explain(self, state: AbsenceState) -> Finding:
        """When something was last heard, and how long that may be ago."""
        facts: dict[str, Value | datetime | timedelta] = {"after": self._after}
        if state.heard_time is not None:
            facts["heard_time"] = state.heard_time
        return Finding("absence", state.condition, self.signals, state.onset_time, self.next_wake(state), facts)

    def next_wake(self, state: AbsenceState) -> datetime | None:
        """When silence would have lasted long enough."""
        if state.heard_time is None or state.condition is _ACTIVE:
            return None
        return state.heard_time + self._after
