"""The visit of something a camera's detector sees: suspect, confirm, hold, quiet.

    idle --frame >= enter--> suspected --votes--> confirmed (active) --empty for hold--> idle, quiet
                             suspected --decide_within--> idle, quiet (rejected)

The guard `while` says where a visit may begin: while it is inactive nothing is suspected, and where it cannot be judged
firewatch watches anyway. Once a visit has begun every frame counts, so that what rides along in a lift goes on being
seen, and its session ends where it leaves.

How a confirmed session ends is decided with care, because the lift's door is held by it. It ends through frames
that were seen and in which nothing voted, from the last vote on for `hold`, by their event time. Silence is not such
a frame: a camera that sends nothing that counts for `hold` makes the condition unknown, and the session goes on. If
the first empty frame comes `hold` or more after the last vote, nobody watched in between, and `hold` counts from
that frame.

A suspicion is different: it asks for proof within a time, so silence rejects it, `decide_within` after the
suspecting frame was heard (silence has no event time).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from firewatch.model.alarm import ConditionState
from firewatch.model.observation import Observation, Value
from firewatch.rules.evaluator import NO_CHANGES, Change, Changes, Evaluator, Evidence, Finding, Phase, evidence_of
from firewatch.rules.spec import CameraSessionSpec
from firewatch.rules.states import CameraSessionState
from firewatch.rules.value import number_of

_ACTIVE = ConditionState.ACTIVE
_INACTIVE = ConditionState.INACTIVE
_UNKNOWN = ConditionState.UNKNOWN

_VOTES_KEPT = 256
"""How many votes are remembered to tell a frame that comes twice; it bounds the state."""


class CameraSessionEvaluator:
    """Judges the scores of one camera; `guard` is the evaluator of `while`, None where there is none."""

    state_type = CameraSessionState
    keeps_time = True

    def __init__(self, signal: str, spec: CameraSessionSpec, guard: Evaluator[Any] | None) -> None:
        self._signal = signal
        self._spec = spec
        self._guard = guard
        self._guard_signals = frozenset(guard.signals if guard else ())
        self.signals = (signal, *sorted(self._guard_signals - {signal}))

    def initial(self) -> CameraSessionState:
        """No frame was seen."""
        return CameraSessionState(guard=self._guard.initial() if self._guard else None)

    def arm(self, state: CameraSessionState, now: datetime) -> CameraSessionState:
        """While firewatch was deaf the camera was not silent; a suspicion keeps its time to be decided."""
        if self._guard:
            state = replace(state, guard=self._guard.arm(state.guard, now))
        if state.heard_time is not None and state.heard_time < now:
            state = replace(state, heard_time=now)
        return state

    def observe(
        self, state: CameraSessionState, observation: Observation, now: datetime
    ) -> tuple[CameraSessionState, Changes]:
        """Take a frame's score, or a reading of the guard."""
        if self._guard and observation.signal in self._guard_signals:
            guard, _ = self._guard.observe(state.guard, observation, now)
            if guard is not state.guard:
                state = replace(state, guard=guard)
        if observation.signal != self._signal:
            return state, NO_CHANGES
        score = number_of(observation)
        if score is None:
            return state, NO_CHANGES
        return self._frame(state, observation, score)

    def wake(self, state: CameraSessionState, now: datetime) -> tuple[CameraSessionState, Changes]:
        """Reject what was not confirmed in time; say that a held session is not being watched."""
        if self._guard and state.guard is not None:
            due = self._guard.next_wake(state.guard)
            if due is not None and due <= now:
                guard, _ = self._guard.wake(state.guard, now)
                state = replace(state, guard=guard)
        due = self._session_due(state)
        if due is None or due > now:
            return state, NO_CHANGES
        silence = Evidence(source_time=due, receive_time=due, signal=self._signal)
        if not state.confirmed:
            return self._reject(state, silence)
        return replace(state, condition=_UNKNOWN), (Change(_UNKNOWN, due, state.start_time, silence),)

    def next_wake(self, state: CameraSessionState) -> datetime | None:
        """The end of the time to decide, or the time from which the session counts as not watched."""
        due = self._session_due(state)
        if self._guard and state.guard is not None:
            guard_due = self._guard.next_wake(state.guard)
            if guard_due is not None and (due is None or guard_due < due):
                return guard_due
        return due

    def explain(self, state: CameraSessionState) -> Finding:
        """The session, and how its frames voted."""
        facts: dict[str, Value | datetime | timedelta] = {
            "enter": self._spec.enter,
            "stay": self._spec.stay,
            "decide_within": self._spec.decide_within,
            "hold": self._spec.hold,
            "seen_frames": float(state.seen_frames),
            "votes": float(state.votes),
            "suspected": state.start_time is not None and not state.confirmed,
        }
        if state.quiet_until is not None:
            facts["quiet_until"] = state.quiet_until
        guard = (self._guard.explain(state.guard),) if self._guard else ()
        return Finding(
            "camera_session",
            state.condition,
            (self._signal,),
            state.start_time,
            self._session_due(state),
            facts,
            guard,
        )

    def _session_due(self, state: CameraSessionState) -> datetime | None:
        if state.start_time is None:
            return None
        if not state.confirmed:
            return state.decide_due
        if state.condition is _UNKNOWN or state.heard_time is None:
            return None
        return state.heard_time + self._spec.hold

    # -- frames ----------------------------------------------------------------------------------------------------

    def _frame(
        self, state: CameraSessionState, observation: Observation, score: float
    ) -> tuple[CameraSessionState, Changes]:
        event_time = observation.event_time
        newest = state.frame_time
        if newest is not None and event_time == newest:
            return state, NO_CHANGES
        late = newest is not None and event_time < newest
        told = NO_CHANGES
        if (
            state.start_time is not None
            and not state.confirmed
            and event_time > state.start_time + self._spec.decide_within
        ):
            state, told = self._reject(state, evidence_of(observation))
        if not late:
            state = replace(state, frame_time=event_time, heard_time=_later(state.heard_time, observation.receive_time))
        if state.start_time is None:
            state, changes = self._idle(state, observation, score, late=late)
        elif state.confirmed:
            state, changes = self._held(state, observation, score, late=late)
        else:
            state, changes = self._suspected(state, observation, score, late=late)
        return state, (*told, *changes) if told else changes

    def _idle(
        self, state: CameraSessionState, observation: Observation, score: float, *, late: bool
    ) -> tuple[CameraSessionState, Changes]:
        event_time = observation.event_time
        if state.guard is not None and state.guard.condition is _INACTIVE:
            return state, NO_CHANGES
        quiet = state.quiet_until is not None and event_time < state.quiet_until
        if score >= self._spec.enter and not quiet:
            suspected = replace(
                state,
                start_time=event_time,
                decide_due=observation.receive_time + self._spec.decide_within,
                seen_frames=1,
                votes=1,
                vote_times=(event_time,),
                last_vote_time=event_time,
                picture=observation.picture,
            )
            change = Change(state.condition, event_time, event_time, evidence_of(observation), Phase.SUSPECTED)
            decided, changes = self._decide(suspected, observation)
            return decided, (change, *changes)
        if state.condition is _INACTIVE or late:
            return state, NO_CHANGES
        change = Change(_INACTIVE, event_time, None, evidence_of(observation), Phase.INACTIVE)
        return replace(state, condition=_INACTIVE), (change,)

    def _suspected(
        self, state: CameraSessionState, observation: Observation, score: float, *, late: bool
    ) -> tuple[CameraSessionState, Changes]:
        votes = score >= self._spec.stay
        event_time = observation.event_time
        if not votes:
            return (state if late else replace(state, seen_frames=state.seen_frames + 1)), NO_CHANGES
        if (late and event_time in state.vote_times) or event_time < state.start_time:  # type: ignore[operator]
            return state, NO_CHANGES
        state = replace(
            self._voted(state, observation),
            seen_frames=state.seen_frames + 1,
            votes=state.votes + 1,
            vote_times=(*state.vote_times[-_VOTES_KEPT + 1 :], event_time),
        )
        return self._decide(state, observation)

    def _decide(self, state: CameraSessionState, observation: Observation) -> tuple[CameraSessionState, Changes]:
        if state.votes < self._spec.frames or state.votes / state.seen_frames < self._spec.share:
            return state, NO_CHANGES
        evidence = replace(evidence_of(observation), picture=state.picture)
        change = Change(_ACTIVE, observation.event_time, state.start_time, evidence, Phase.ACTIVE)
        return replace(state, condition=_ACTIVE, confirmed=True, decide_due=None, vote_times=()), (change,)

    def _held(
        self, state: CameraSessionState, observation: Observation, score: float, *, late: bool
    ) -> tuple[CameraSessionState, Changes]:
        event_time = observation.event_time
        if score >= self._spec.stay:
            state = self._voted(state, observation)
        elif not late:
            since = state.empty_since_time or self._empty_since(state, event_time)
            if event_time - since >= self._spec.hold:
                ended = Change(_INACTIVE, event_time, state.start_time, evidence_of(observation), Phase.INACTIVE)
                return self._ended(state, event_time), (ended,)
            state = replace(state, empty_since_time=since)
        if state.condition is _ACTIVE or late:
            return state, NO_CHANGES
        known = Change(_ACTIVE, event_time, state.start_time, evidence_of(observation))
        return replace(state, condition=_ACTIVE), (known,)

    def _empty_since(self, state: CameraSessionState, event_time: datetime) -> datetime:
        last_vote = state.last_vote_time
        return event_time if last_vote is None or event_time - last_vote >= self._spec.hold else last_vote

    def _voted(self, state: CameraSessionState, observation: Observation) -> CameraSessionState:
        event_time = observation.event_time
        empty_since = state.empty_since_time
        return replace(
            state,
            last_vote_time=_later(state.last_vote_time, event_time),
            empty_since_time=empty_since if empty_since is not None and event_time <= empty_since else None,
            picture=observation.picture or state.picture,
        )

    # -- ends ------------------------------------------------------------------------------------------------------

    def _reject(self, state: CameraSessionState, evidence: Evidence) -> tuple[CameraSessionState, Changes]:
        assert state.start_time is not None
        end_time = state.start_time + self._spec.decide_within
        rejected = Change(_INACTIVE, end_time, state.start_time, evidence, Phase.REJECTED)
        if state.condition is _INACTIVE:
            return self._ended(state, end_time), (rejected,)
        return self._ended(state, end_time), (rejected, Change(_INACTIVE, end_time, None, evidence, Phase.INACTIVE))

    def _ended(self, state: CameraSessionState, end_time: datetime) -> CameraSessionState:
        return CameraSessionState(
            guard=state.guard,
            condition=_INACTIVE,
            frame_time=state.frame_time,
            heard_time=state.heard_time,
            quiet_until=end_time + self._spec.quiet,
        )


def _later(first: datetime | None, second: datetime) -> datetime:
    return second if first is None else max(first, second)
