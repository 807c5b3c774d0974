"""What an evaluator is: the pure heart of a rule, from observations to a three-valued condition."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

import msgspec

from firewatch.model.alarm import ConditionState
from firewatch.model.observation import Observation, Value


class Phase(enum.StrEnum):
    """What a change means to actuators.

    `suspected` (a camera session began) and `rejected` (what had begun was not confirmed, or did not last as long as
    the on-delay asks) leave the condition as it is.
    """

    SUSPECTED = "suspected"
    REJECTED = "rejected"
    ACTIVE = "active"
    INACTIVE = "inactive"


class Evidence(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The observation that decided. Where time decided (silence), there is no value, the times are those of the
    deadline, and `signal` is one of those that were not heard, None if there is none to name.
    """

    source_time: datetime
    receive_time: datetime
    signal: str | None = None
    value: Value | None = None
    picture: str | None = None


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a condition stands and why, for people who ask why it alarmed, or why it did not.

    `kind` is the condition's as it is written (`delay` for on-delay and off-delay). `signals` are those it reads
    itself, without those of its `parts`. `onset_time` is since when it is active or about to be; `due` is when time
    alone will change it; `facts` are what it compares with and what it remembers, by name.
    """

    kind: str
    condition: ConditionState
    signals: tuple[str, ...] = ()
    onset_time: datetime | None = None
    due: datetime | None = None
    facts: dict[str, Value | datetime | timedelta] = {}
    parts: tuple[Finding, ...] = ()


class Change(msgspec.Struct, frozen=True, gc=False):
    """What an evaluator has to tell: its condition after the change, and the instant it is judged by.

    `onset_time` is the event time at which the condition (or the camera session) began, before any delay; a change
    to `active` with an onset told before means "known again", with another one it means "began anew".
    `phase` is None where nothing follows for actuators (the condition became unknown, or known again). `step` is the
    place of the ladder's step that it speaks of, 0 the mildest.
    """

    condition: ConditionState
    event_time: datetime
    onset_time: datetime | None
    evidence: Evidence
    phase: Phase | None = None
    step: int = 0


Changes = tuple[Change, ...]
NO_CHANGES: Changes = ()

S = TypeVar("S")


class Evaluator(Protocol[S]):
    """Judges one subject by one condition. `S` is its state: a frozen value, so that a snapshot is free.

    How it is driven: `initial` once; `arm` whenever firewatch begins to listen (a fresh start, or after it was down);
    then `observe` for every observation of its `signals`, and `wake` when `now` has reached `next_wake`. `now` never
    goes backwards between these calls. What every evaluator promises, whatever its kind:

    * It never sleeps and never reads a clock: same calls, same answers.
    * Unknown never clears: an observation of bad quality leads to `unknown` at most, never to `inactive`.
    * Limits, states and windows judge by `event_time`, absence by `receive_time` and `now`.
    * An observation older (by `event_time`) than one already seen may make the condition active, never inactive.
    * An observation that comes twice changes nothing.
    * Waking makes progress: after `wake(state, now)` the new state's `next_wake` is None or later than `now`. After
      `observe` it may lie in the past (data came late); then it is to be woken at once.
    * Where nothing changed the very same state object is returned, and `changes` is the shared empty tuple.
    """

    @property
    def signals(self) -> tuple[str, ...]:
        """The identities of the signals it wants to observe."""
        ...

    @property
    def state_type(self) -> type[S]:
        """What a snapshot of its state is read back as."""
        ...

    @property
    def keeps_time(self) -> bool:
        """False where `next_wake` is None whatever the state."""
        ...

    def initial(self) -> S:
        """The state before anything was heard: `unknown`, and waiting for nothing."""
        ...

    def arm(self, state: S, now: datetime) -> S:
        """From `now` on firewatch listens: silence that is not yet a condition counts from here."""
        ...

    def observe(self, state: S, observation: Observation, now: datetime) -> tuple[S, Changes]:
        """Take one observation of one of `signals`."""
        ...

    def wake(self, state: S, now: datetime) -> tuple[S, Changes]:
        """`now` has reached `next_wake(state)`."""
        ...

    def next_wake(self, state: S) -> datetime | None:
        """When time alone may change the condition; None if it cannot."""
        ...

    def explain(self, state: S) -> Finding:
        """How the condition stands in that state, and why."""
        ...


def evidence_of(observation: Observation) -> Evidence:
    """What is worth keeping of a deciding observation."""
    return Evidence(
        source_time=observation.source_time,
        receive_time=observation.receive_time,
        signal=observation.signal,
        value=observation.value,
        picture=observation.picture,
    )


def change_to(
    condition: ConditionState, instant: datetime, onset: datetime | None, evidence: Evidence, *, begun: datetime | None
) -> tuple[datetime | None, Change]:
    """The change of a condition that began at `onset` (None if it is not active), and its onset from then on.

    If it becomes active anew, it began at `begun`. Nothing is judged by an instant before its own onset.
    """
    begins = condition is ConditionState.ACTIVE and onset is None
    onset = begun if begins else onset
    event_time = instant if onset is None else max(instant, onset)
    phase = Phase.ACTIVE if begins else Phase.INACTIVE if condition is ConditionState.INACTIVE else None
    change = Change(condition, event_time, onset, evidence, phase)
    return None if condition is ConditionState.INACTIVE else onset, change
