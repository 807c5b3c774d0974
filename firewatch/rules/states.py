"""The states of all evaluators: a closed, tagged union, so that a snapshot of any rule is msgspec's JSON of it.

They stand together because conditions nest: a delay or a coincidence holds the states of what is inside.
Every state has a `condition`; all instants are event times unless their name says `heard` (receive time) or
`due` (the engine's time).
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from firewatch.model.alarm import ConditionState
from firewatch.model.observation import Value
from firewatch.rules.evaluator import Evidence


class ReadingState(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="reading"):
    """Of conditions that judge each reading alone (limits, states).

    `event_time` is the newest seen. `onset_time` .. `cleared_time` is the last time it was active; while
    `cleared_time` is None that time has not ended. `overruled` says that a late one made it active, and nothing newer
    than `event_time` was heard since.
    """

    condition: ConditionState = ConditionState.UNKNOWN
    event_time: datetime | None = None
    onset_time: datetime | None = None
    cleared_time: datetime | None = None
    overruled: bool = False

    @property
    def standing_since(self) -> datetime | None:
        """Since when it is active, as far as anybody knows."""
        return self.onset_time if self.cleared_time is None else None


Sample = tuple[datetime, float]
"""An event time, and the number read then."""


class RateOfChangeState(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="rate_of_change"):
    """`value` is the newest number and `read_time` when it was read; since `since_time` no two numbers were further
    apart than the window. `lows` are the numbers from which a rise is counted, `highs`, negated, those of a fall.
    """

    judged: ReadingState = ReadingState()
    value: float = 0.0
    read_time: datetime | None = None
    since_time: datetime | None = None
    lows: tuple[Sample, ...] = ()
    highs: tuple[Sample, ...] = ()

    @property
    def condition(self) -> ConditionState:
        """As it was judged."""
        return self.judged.condition


class Reading(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The newest of one signal; `value` is None where it cannot be used."""

    event_time: datetime
    value: float | None = None


class DifferenceState(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="difference"):
    """`readings` are the newest of the signal, and of the one that is taken from it."""

    judged: ReadingState = ReadingState()
    readings: tuple[Reading | None, Reading | None] = (None, None)

    @property
    def condition(self) -> ConditionState:
        """As it was judged."""
        return self.judged.condition


class DeviationState(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="deviation"):
    """What was learnt, and the hour of the newest number (read at `read_time`), which begins at `hour_time` and is hour
    `hour` of week `week`: so far it has `count` numbers of mean `mean`, and `usual` is what it is compared with.
    """

    judged: ReadingState = ReadingState()
    read_time: datetime | None = None
    hour_time: datetime | None = None
    hour: int = 0
    week: int = 0
    count: int = 0
    mean: float = 0.0
    usual: float | None = None
    history: bytes = b""

    @property
    def condition(self) -> ConditionState:
        """As it was judged."""
        return self.judged.condition


Slice = tuple[datetime, float, float]
"""When it began, the lowest and the highest number read in it."""


class StuckState(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="stuck"):
    """From `since_time` to `read_time`, when it was `value`, nothing moved; `slices` are what is known of that time."""

    judged: ReadingState = ReadingState()
    read_time: datetime | None = None
    since_time: datetime | None = None
    value: Value | None = None
    slices: tuple[Slice, ...] = ()

    @property
    def condition(self) -> ConditionState:
        """As it was judged."""
        return self.judged.condition


class ChangesState(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="changes"):
    """From `since_time` to `read_time` the signal had the `value`. `times` are when it changed, the newest last.

    `event_time` is the newest heard; it `is_known` unless that was of bad quality.
    """

    condition: ConditionState = ConditionState.UNKNOWN
    event_time: datetime | None = None
    is_known: bool = False
    value: Value | None = None
    since_time: datetime | None = None
    read_time: datetime | None = None
    times: tuple[datetime, ...] = ()
    onset_time: datetime | None = None


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

    `frame_time` is the newest frame, `heard_time` when it was heard. `vote_times` are the newest votes of
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


class Standing(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """How a part of a condition stands, and since when."""

    condition: ConditionState = ConditionState.UNKNOWN
    since_time: datetime | None = None


class LogicState(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="logic"):
    """`leaves` are the states of the conditions that `all`, `any` and `not` combine, `seen` how each of them counts.

    `heard` are the newest event times of the signals that could make the condition inactive by being active.
    """

    leaves: tuple[State, ...]
    seen: tuple[Standing, ...]
    heard: tuple[datetime | None, ...] = ()
    condition: ConditionState = ConditionState.UNKNOWN
    onset_time: datetime | None = None


class SequenceState(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="sequence"):
    """`parts` are the states of `first` and `then`, `seen` how they stand. `first_times` are when `first` began, the
    newest last; `followed` says that `then`, as it stands, began in time after one of them.
    """

    parts: tuple[State, ...]
    seen: tuple[Standing, ...]
    first_times: tuple[datetime, ...] = ()
    followed: bool = False
    condition: ConditionState = ConditionState.UNKNOWN
    onset_time: datetime | None = None


class OmissionState(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="omission"):
    """`parts` are the states of `first` and of `not` what should follow, `seen` how they stand.

    `first_time` is when `first` last began, `due` until when it has to be followed; `overdue` says that this has
    passed.
    """

    parts: tuple[State, ...]
    seen: tuple[Standing, ...]
    first_time: datetime | None = None
    due: datetime | None = None
    overdue: bool = False
    condition: ConditionState = ConditionState.UNKNOWN
    onset_time: datetime | None = None


class CountState(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="count"):
    """`times` are when the inner condition began, the newest last, no more than it takes; `lapse_due` is when there
    are too few of them again.
    """

    parts: tuple[State, ...]
    seen: Standing = Standing()
    times: tuple[datetime, ...] = ()
    lapse_due: datetime | None = None
    condition: ConditionState = ConditionState.UNKNOWN
    onset_time: datetime | None = None


class DutyCycleState(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="duty_cycle"):
    """`spans` say how the inner condition stood, oldest first, each until the next; before them it is unknown.

    `judged_time` is the newest instant judged by, `due` when time alone changes the answer.
    """

    parts: tuple[State, ...]
    spans: tuple[Standing, ...] = ()
    judged_time: datetime | None = None
    due: datetime | None = None
    condition: ConditionState = ConditionState.UNKNOWN
    onset_time: datetime | None = None


class ScheduleState(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="schedule"):
    """`due` is when to look at the clock again."""

    condition: ConditionState = ConditionState.UNKNOWN
    due: datetime | None = None
    onset_time: datetime | None = None


class Heard(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The newest reading of one of an expression's signals; `value` is None where it cannot be used."""

    event_time: datetime
    value: Value | None = None


class ExpressionState(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="expression"):
    """`readings` are the newest of the expression's signals, in its order."""

    readings: tuple[Heard | None, ...]
    condition: ConditionState = ConditionState.UNKNOWN
    onset_time: datetime | None = None


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


State = (
    LadderState
    | ReadingState
    | RateOfChangeState
    | DifferenceState
    | DeviationState
    | StuckState
    | ChangesState
    | AbsenceState
    | CoincidenceState
    | CameraSessionState
    | LogicState
    | SequenceState
    | OmissionState
    | CountState
    | DutyCycleState
    | ScheduleState
    | ExpressionState
    | DelayState
)
"""The state of any evaluator."""
