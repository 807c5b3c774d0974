"""The states of all evaluators: a closed, tagged union, so that a snapshot of any rule is msgspec's JSON of it.

They stand together because conditions nest: a delay or a coincidence holds the states of what is inside.
Every state has a `condition`; all instants are event times unless their name says `heard` (receive time) or
`due` (the engine's time).
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from firewatch.model.alarm import ConditionState
from firewatch.rules.evaluator import Evidence


class ReadingState(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="reading"):
    """Of conditions that judge each reading alone (limits, states).

    `event_time` is the newest seen. `onset_time` .. `cleared_time` is the last time it was active; while
    `cleared_time` is None that time has not ended.
    """

    condition: ConditionState = ConditionState.UNKNOWN
    event_time: datetime | None = None
    onset_time: datetime | None = None
    cleared_time: datetime | None = None


class AbsenceState(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="absence"):
    """`heard_time` is when something was last heard, or when firewatch began to listen."""

    condition: ConditionState = ConditionState.UNKNOWN
    heard_time: datetime | None = None
    onset_time: datetime | None = None


class Span(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """When a leaf was last active; `until_time` is None while it is."""

    onset_time: datetime
    until_time: datetime | None = None


class CoincidenceState(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="coincidence"):
    """`leaves` and `spans` in the order of the evaluator's leaves. `judged_time` is the newest event time judged by;
    `lapse_due` is when the next span grows too old to count.
    """

    leaves: tuple[State, ...]
    spans: tuple[Span | None, ...]
    condition: ConditionState = ConditionState.UNKNOWN
    onset_time: datetime | None = None
    judged_time: datetime | None = None
    lapse_due: datetime | None = None


class CameraSessionState(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="camera_session"):
    """A camera's session. `start_time` is None outside a session, `confirmed` is False while it is suspected.

    `frame_time` is the newest frame that counted, `heard_time` when it was heard. `vote_times` are the newest votes of
    a suspected session, `picture` the newest one with a vote. `empty_since_time` is since when no frame has voted.
    Nothing is suspected before `quiet_until`.
    """

    guard: State | None = None
    condition: ConditionState = ConditionState.UNKNOWN
    frame_time: datetime | None = None
    heard_time: datetime | None = None
    start_time: datetime | None = None
    confirmed: bool = False
    decide_due: datetime | None = None
    seen_frames: int = 0
    votes: int = 0
    vote_times: tuple[datetime, ...] = ()
    last_vote_time: datetime | None = None
    empty_since_time: datetime | None = None
    picture: str | None = None
    quiet_until: datetime | None = None


class DelayState(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="delay"):
    """`standing`: it was told active and not yet inactive. `deadline` is when what is pending falls due: to become
    active if not `standing`, to become inactive if `standing`; `pending_signal` is whose later readings prove it.
    """

    inner: State
    condition: ConditionState = ConditionState.UNKNOWN
    standing: bool = False
    onset_time: datetime | None = None
    evidence: Evidence | None = None
    deadline: datetime | None = None
    pending_signal: str | None = None


class StepSeen(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What a step last said; it stands while it has an `onset_time`."""

    condition: ConditionState = ConditionState.UNKNOWN
    onset_time: datetime | None = None


class LadderState(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="ladder"):
    """`steps` are the states of the steps' own conditions, mild to severe, `seen` what each of them last said."""

    steps: tuple[State, ...]
    seen: tuple[StepSeen, ...]
    condition: ConditionState = ConditionState.UNKNOWN


State = LadderState | ReadingState | AbsenceState | CoincidenceState | CameraSessionState | DelayState
"""The state of any evaluator."""
