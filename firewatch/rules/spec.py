"""The grammar of rule files, as pydantic models: what may be written, not what it does.

A condition is a mapping with exactly one key, the name of its kind. Signals are named `signal` when the rule's
scope is a device kind, and `device-kind/signal` when it is an asset kind; a name that matches several devices
of the asset makes one evaluator for each. `device-kind.tag/signal` narrows it to the devices with that tag.
"""

from __future__ import annotations

import enum
import re
from datetime import date, time, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from firewatch.model.alarm import AlarmClass, Priority
from firewatch.model.duration import parse_duration
from firewatch.model.topic import ID_PATTERN

WRITTEN_QUANTITY = re.compile(r"^([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(.*)$")


class SpecModel(BaseModel):
    """Unknown keys are mistakes, numbers are finite, and nothing is converted behind the writer's back."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _read_duration(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(_read_duration), Field(ge=timedelta(0), le=timedelta(days=31))]
"""`30s`, `5min`, `1h30min`."""


class Quantity(SpecModel):
    """A number with the unit it was written in; `firewatch.config` converts it to the signal's own unit."""

    value: float
    unit: str = ""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError(f"expected a number with its unit, found {str(value).lower()}")
        if isinstance(value, int | float):
            return {"value": float(value)}
        if isinstance(value, str):
            match = WRITTEN_QUANTITY.match(value.strip())
            if not match:
                raise ValueError(f'expected a number with its unit such as "0.07 MPa", found "{value}"')
            return {"value": float(match[1]), "unit": match[2].strip()}
        return value


class TextSpec(SpecModel):
    """Text in Chinese and English. Placeholders: {value}, {unit}, {place}, {device}."""

    zh: str = Field(min_length=1, max_length=500)
    en: str = Field(min_length=1, max_length=500)


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Kinds = Annotated[
    tuple[str, ...],
    BeforeValidator(_listed, json_schema_input_type=str | tuple[str, ...]),
    Field(strict=False, max_length=100),
]
"""One name, or a list of them."""


class ScopeSpec(SpecModel):
    """Which subjects a rule is for: every device, or every asset, of a kind or of several; fewer with the others.

    Each of `systems`, `sites`, `buildings` and `subjects` (ids, or `site/id`) asks for one of those listed, `tags` for
    all of them.
    """

    device: Kinds = ()
    asset: Kinds = ()
    systems: tuple[str, ...] = Field(default=(), strict=False)
    sites: tuple[str, ...] = Field(default=(), strict=False)
    buildings: tuple[str, ...] = Field(default=(), strict=False)
    tags: tuple[str, ...] = Field(default=(), strict=False)
    subjects: tuple[str, ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _one_sort(self) -> ScopeSpec:
        if bool(self.device) == bool(self.asset):
            raise ValueError("a scope names either device kinds or asset kinds")
        return self


class LimitSpec(SpecModel):
    """The signal is beyond a limit; it must come back by `deadband` to be inactive again (ISA-18.2)."""

    signal: str
    limit: Quantity
    deadband: Quantity = Quantity(value=0.0)


class RateOfChangeSpec(SpecModel):
    """The signal rose by more than `rises_by`, or fell by more than `falls_by`, within `within`.

    It stays active until the change within that time is smaller by `deadband`.
    """

    signal: str
    within: Annotated[Duration, Field(gt=timedelta(0))]
    rises_by: Quantity | None = None
    falls_by: Quantity | None = None
    deadband: Quantity = Quantity(value=0.0)

    @model_validator(mode="after")
    def _a_direction(self) -> RateOfChangeSpec:
        if self.rises_by is None and self.falls_by is None:
            raise ValueError("write `rises_by`, `falls_by` or both")
        return self


class DifferenceSpec(SpecModel):
    """`signal` less `minus` is above, below or (whatever its sign) apart by more than a limit, with a deadband.

    A value older than `max_age` by the other's event time says nothing: the condition is then unknown.
    """

    signal: str
    minus: str
    above: Quantity | None = None
    below: Quantity | None = None
    apart: Quantity | None = None
    deadband: Quantity = Quantity(value=0.0)
    max_age: Annotated[Duration, Field(gt=timedelta(0))] = timedelta(minutes=1)

    @model_validator(mode="after")
    def _one_limit(self) -> DifferenceSpec:
        if sum(limit is not None for limit in (self.above, self.below, self.apart)) != 1:
            raise ValueError("write exactly one of `above`, `below` and `apart`")
        return self


class DeviationSpec(SpecModel):
    """The signal is further from its own usual value at this hour of the week than `apart`.

    The usual value is the mean of the hour's values in the last `weeks` weeks; until `learn_weeks` of them were heard
    the condition is unknown.
    """

    signal: str
    apart: Quantity
    deadband: Quantity = Quantity(value=0.0)
    weeks: int = Field(default=4, ge=1, le=52)
    learn_weeks: int = Field(default=2, ge=1, le=52)

    @model_validator(mode="after")
    def _can_be_learnt(self) -> DeviationSpec:
        if self.learn_weeks > self.weeks:
            raise ValueError("`learn_weeks` is at most `weeks`")
        return self


class StateChangedSpec(SpecModel):
    """The signal changed, from one of `from` to one of `to` (any, where left out), no longer than `hold` ago."""

    signal: str
    from_: tuple[str | bool | float, ...] = Field(default=(), alias="from", strict=False)
    to: tuple[str | bool | float, ...] = Field(default=(), strict=False)
    hold: Annotated[Duration, Field(gt=timedelta(0))] = timedelta(seconds=10)


class StuckSpec(SpecModel):
    """The signal was heard, and moved by no more than `band` for `after`: a sensor that lives and measures nothing."""

    signal: str
    after: Annotated[Duration, Field(gt=timedelta(0))]
    band: Quantity = Quantity(value=0.0)


class ChatterSpec(SpecModel):
    """The signal changed its value at least `changes` times within `within` (a state, or true and false)."""

    signal: str
    changes: int = Field(ge=2, le=1000)
    within: Annotated[Duration, Field(gt=timedelta(0))]


class StateSpec(SpecModel):
    """The signal has the value `is`, or one of those in `in`; with `until`, then until it has one of those."""

    signal: str
    is_: str | bool | float | None = Field(default=None, alias="is")
    in_: tuple[str | bool | float, ...] = Field(default=(), alias="in", strict=False)
    until: tuple[str | bool | float, ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _one_form(self) -> StateSpec:
        if (self.is_ is None) == (not self.in_):
            raise ValueError("write either `is: VALUE` or `in: [VALUE, ...]`")
        return self

    @property
    def values(self) -> tuple[str | bool | float, ...]:
        """The values that make the condition active."""
        return self.in_ if self.is_ is None else (self.is_,)


class AbsenceSpec(SpecModel):
    """Nothing was heard for `after`: from one signal, or with `signal` left out from the whole device."""

    after: Duration
    signal: str | None = None


class CoincidenceSpec(SpecModel):
    """At least `k` of the conditions (and of the devices each one matches) were active within `within`."""

    k: int = Field(ge=1, le=100)
    within: Duration
    of: tuple[ConditionSpec, ...] = Field(min_length=1, max_length=50, strict=False)


class CameraSessionSpec(SpecModel):
    """One visit of something a camera's detector scores from 0 to 1: suspect, confirm, hold, quiet.

    The first frame scored at `enter` or more starts a session (phase `suspected`). It is confirmed, and the
    condition active, as soon as `frames` frames voted and their share of the frames seen in the session reaches
    `share`; within a session a frame votes from `stay` on. A session not confirmed after `decide_within` is
    rejected. A confirmed one ends `hold` after the last vote; for `quiet` after any end nothing is suspected.
    A session begins only while the condition `while` is not inactive; once it has begun every frame counts.
    """

    signal: str
    enter: float = Field(default=0.55, ge=0, le=1)
    stay: float = Field(default=0.10, ge=0, le=1)
    frames: int = Field(default=2, ge=1, le=100)
    share: float = Field(default=0.40, gt=0, le=1)
    decide_within: Duration = timedelta(seconds=2.4)
    hold: Duration = timedelta(seconds=7)
    quiet: Duration = timedelta(seconds=10)
    while_: ConditionSpec | None = Field(default=None, alias="while")


class SequenceSpec(SpecModel):
    """`first` became active, and within `within` of that `then` did (active while `then` is), or, with `without`
    instead of `then`, that did not (active from then on, until it does or `first` is over).
    """

    first: ConditionSpec
    then: ConditionSpec | None = None
    without: ConditionSpec | None = None
    within: Annotated[Duration, Field(gt=timedelta(0))]

    @model_validator(mode="after")
    def _one_ending(self) -> SequenceSpec:
        if (self.then is None) == (self.without is None):
            raise ValueError("write either `then` or `without`")
        return self


class CountSpec(SpecModel):
    """The condition `of` became active at least `at_least` times within `within`."""

    of: ConditionSpec
    at_least: int = Field(ge=1, le=1000)
    within: Annotated[Duration, Field(gt=timedelta(0))]


class DutyCycleSpec(SpecModel):
    """The condition `of` was active for a share of the last `within` that is above `share`."""

    of: ConditionSpec
    share: float = Field(gt=0, lt=1)
    within: Annotated[Duration, Field(gt=timedelta(0))]


def _read_clock_time(value: Any) -> Any:
    if value == "24:00":
        return time.max
    try:
        clock_time = value if isinstance(value, time) else time.fromisoformat(value)
    except (TypeError, ValueError):
        clock_time = None
    if clock_time is None or clock_time.tzinfo is not None:
        raise ValueError('expected a time of day in quotes, from "00:00" to "24:00"')
    return clock_time


def _read_date(value: Any) -> Any:
    try:
        return value if isinstance(value, date) else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("expected a date that there is, such as 2026-10-01") from None


ClockTime = Annotated[time, BeforeValidator(_read_clock_time)]
"""A time of day at the site, `"08:00"`; `"24:00"` is the end of the day."""

Day = Annotated[date, BeforeValidator(_read_date)]
"""A date at the site, `2026-10-01`."""

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class DaysSpec(SpecModel):
    """A run of dates, both ends included."""

    first: Day
    last: Day

    @model_validator(mode="before")
    @classmethod
    def _one_day(cls, value: Any) -> Any:
        return {"first": value, "last": value} if isinstance(value, str | date) else value

    @model_validator(mode="after")
    def _in_order(self) -> DaysSpec:
        if self.last < self.first:
            raise ValueError("`last` lies before `first`")
        return self


class WindowSpec(SpecModel):
    """Times of day on some days. `to` before `from` goes on past midnight; days are those on which it begins."""

    days: tuple[Weekday, ...] = Field(default=("mon", "tue", "wed", "thu", "fri", "sat", "sun"), strict=False)
    dates: tuple[DaysSpec, ...] = Field(default=(), strict=False, max_length=400)
    from_: ClockTime = Field(default=time.min, alias="from")
    to: ClockTime = time.max


class CalendarSpec(SpecModel):
    """A named schedule: some windows, without the dates under `except`. Times are the site's own."""

    id: str = Field(pattern=ID_PATTERN)
    windows: tuple[WindowSpec, ...] = Field(min_length=1, max_length=100, strict=False)
    except_: tuple[DaysSpec, ...] = Field(default=(), alias="except", strict=False, max_length=400)


class ScheduleSpec(SpecModel):
    """The time is in a calendar: one named by its id (`schedule: work-hours`), or one written here.

    `firewatch.config` puts the named calendar's windows in the place of its name.
    """

    calendar: str | None = None
    windows: tuple[WindowSpec, ...] = Field(default=(), max_length=100, strict=False)
    except_: tuple[DaysSpec, ...] = Field(default=(), alias="except", strict=False, max_length=400)

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return {"calendar": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _some_time(self) -> ScheduleSpec:
        if self.calendar is None and not self.windows:
            raise ValueError("write a calendar's id, or `windows`")
        return self


class ExpressionSpec(SpecModel):
    """A CEL expression over the values of signals, each under a name of its own; it gives true or false.

    Unknown as long as a signal it needs is not known, is of bad quality, or is older than `max_age` by the event time
    of the newest; and where the expression gives an error.
    """

    cel: str = Field(min_length=1, max_length=1000)
    signals: dict[str, str] = Field(min_length=1, max_length=20)
    max_age: Annotated[Duration, Field(gt=timedelta(0))] = timedelta(minutes=5)


Conditions = Annotated[tuple["ConditionSpec", ...], Field(min_length=1, max_length=50, strict=False)]

CONDITION_KINDS = (
    "high_high",
    "high",
    "low",
    "low_low",
    "rate_of_change",
    "difference",
    "deviation",
    "state",
    "state_changed",
    "absence",
    "stuck",
    "chatter",
    "k_of_n",
    "sequence",
    "count",
    "duty_cycle",
    "schedule",
    "all",
    "any",
    "not",
    "expression",
    "camera_session",
)

Form = (
    LimitSpec
    | RateOfChangeSpec
    | DifferenceSpec
    | DeviationSpec
    | StateSpec
    | StateChangedSpec
    | AbsenceSpec
    | StuckSpec
    | ChatterSpec
    | CoincidenceSpec
    | SequenceSpec
    | CountSpec
    | DutyCycleSpec
    | ScheduleSpec
    | ExpressionSpec
    | CameraSessionSpec
)
"""What stands under a condition's key, where it is not a condition or a list of them."""


class ConditionSpec(SpecModel):
    """A mapping with exactly one key: the kind of condition. `all`, `any` and `not` are three-valued (Kleene)."""

    high_high: LimitSpec | None = None
    high: LimitSpec | None = None
    low: LimitSpec | None = None
    low_low: LimitSpec | None = None
    rate_of_change: RateOfChangeSpec | None = None
    difference: DifferenceSpec | None = None
    deviation: DeviationSpec | None = None
    state: StateSpec | None = None
    state_changed: StateChangedSpec | None = None
    absence: AbsenceSpec | None = None
    stuck: StuckSpec | None = None
    chatter: ChatterSpec | None = None
    k_of_n: CoincidenceSpec | None = None
    sequence: SequenceSpec | None = None
    count: CountSpec | None = None
    duty_cycle: DutyCycleSpec | None = None
    schedule: ScheduleSpec | None = None
    all_: Conditions | None = Field(default=None, alias="all")
    any_: Conditions | None = Field(default=None, alias="any")
    not_: ConditionSpec | None = Field(default=None, alias="not")
    expression: ExpressionSpec | None = None
    camera_session: CameraSessionSpec | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> ConditionSpec:
        if len(self.model_fields_set) > 1:
            kinds = ", ".join(sorted(name.rstrip("_") for name in self.model_fields_set))
            raise ValueError(f"a condition has one key, its kind, this one has {kinds}; put them under `all` or `any`")
        if not self.model_fields_set or self.form is None:
            raise ValueError(f"a condition has exactly one of the keys {', '.join(CONDITION_KINDS)}")
        return self

    @property
    def kind(self) -> str:
        """The name of the condition's kind, as it is written."""
        return next(iter(self.model_fields_set)).rstrip("_")

    @property
    def form(self) -> Form | ConditionSpec | tuple[ConditionSpec, ...] | None:
        """What stands under that key."""
        form: Form | ConditionSpec | tuple[ConditionSpec, ...] | None = getattr(self, next(iter(self.model_fields_set)))
        return form

    def with_form(self, form: object) -> ConditionSpec:
        """The same kind of condition with another thing under its key."""
        return self.model_copy(update={next(iter(self.model_fields_set)): form})


class ActionSpec(SpecModel):
    """A command for every device of kind `device` near the subject: of the same asset, building or site.

    Unless it says which: the subject itself, or else those of its asset, or of its building where it has none.
    """

    device: str
    action: str
    parameters: dict[str, str | float | bool] = {}
    same: Literal["asset", "building", "site"] | None = None
    every: Annotated[Duration, Field(ge=timedelta(seconds=1))] | None = None
    """Given again and again while the phase lasts, such as a hold that lets go by itself."""


class ActionsSpec(SpecModel):
    """What to do at each phase. `suspected` and `rejected` exist for camera sessions only; what ends something is
    asked for once.
    """

    suspected: tuple[ActionSpec, ...] = Field(default=(), strict=False)
    rejected: tuple[ActionSpec, ...] = Field(default=(), strict=False)
    active: tuple[ActionSpec, ...] = Field(default=(), strict=False)
    inactive: tuple[ActionSpec, ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _repeats_what_lasts(self) -> ActionsSpec:
        if any(action.every is not None for action in (*self.rejected, *self.inactive)):
            raise ValueError("`every` belongs to actions under `suspected` or `active`; what ends does not last")
        return self


class StepSpec(SpecModel):
    """One step of a ladder: its condition with delays of its own, its priority, and texts if they differ."""

    when: ConditionSpec
    priority: Annotated[Priority, Field(strict=False)]
    on_delay: Duration = timedelta(0)
    off_delay: Duration = timedelta(0)
    text: TextSpec | None = None
    advice: TextSpec | None = None


class ShelvingSpec(SpecModel):
    """Whether an operator may shelve the rule's alarms, and for how long at the most (OPC UA MaxTimeShelved).

    Unless it is said here, alarms of class fire may not be shelved, and all others may.
    """

    allowed: bool | None = None
    at_most: Annotated[Duration, Field(gt=timedelta(0))] = timedelta(hours=8)


class Reach(enum.StrEnum):
    """How near a suppressing alarm's subject has to be."""

    SUBJECT = "subject"
    ASSET = "asset"
    BUILDING = "building"
    SITE = "site"


class SuppressionSpec(SpecModel):
    """While an alarm of `rule` stands active on the `same` subject, asset, building or site, this rule's alarms are
    suppressed by design (ISA-18.2).
    """

    rule: str = Field(pattern=ID_PATTERN)
    same: Annotated[Reach, Field(strict=False)] = Reach.ASSET


class Mode(enum.StrEnum):
    """Whether a rule acts. A shadow rule judges and is counted; nobody is told, nothing is done."""

    LIVE = "live"
    SHADOW = "shadow"


class RuleSpec(SpecModel):
    """One rule. `when` must hold for `on_delay` before the alarm, and be gone for `off_delay` before it clears.

    Instead of `when`, `priority` and the delays there may be a `ladder`, mild to severe: the most severe active step
    decides. A `latched` alarm stays, after its condition is gone, until an operator resets it. An alarm that nobody
    acknowledged is annunciated again every `realarm_after`.
    """

    id: str = Field(pattern=ID_PATTERN)
    extends: str | None = None
    """The template whose keys it took; they are among its own by now."""

    scope: ScopeSpec
    when: ConditionSpec | None = None
    ladder: tuple[StepSpec, ...] = Field(default=(), strict=False, max_length=10)
    priority: Annotated[Priority, Field(strict=False)] | None = None
    alarm_class: Annotated[AlarmClass, Field(strict=False, alias="class")]
    text: TextSpec
    advice: TextSpec
    on_delay: Duration = timedelta(0)
    off_delay: Duration = timedelta(0)
    latched: bool = False
    shelving: ShelvingSpec = ShelvingSpec()
    suppressed_by: tuple[SuppressionSpec, ...] = Field(default=(), strict=False, max_length=50)
    realarm_after: Annotated[Duration, Field(ge=timedelta(seconds=10))] | None = None
    mode: Annotated[Mode, Field(strict=False)] = Mode.LIVE
    actions: ActionsSpec = ActionsSpec()

    @model_validator(mode="after")
    def _one_way(self) -> RuleSpec:
        if (self.when is None) == (not self.ladder):
            raise ValueError("a rule has either `when` or a `ladder`")
        if self.when is not None and self.priority is None:
            raise ValueError("a rule with `when` has a `priority`")
        if self.ladder and self.model_fields_set & {"priority", "on_delay", "off_delay"}:
            raise ValueError("in a ladder `priority`, `on_delay` and `off_delay` belong to its steps")
        return self

    @property
    def shelved_at_most(self) -> timedelta | None:
        """How long its alarms may be shelved at a time; None if they may not be."""
        allowed = self.alarm_class is not AlarmClass.FIRE if self.shelving.allowed is None else self.shelving.allowed
        return self.shelving.at_most if allowed else None

    @property
    def steps(self) -> tuple[StepSpec, ...]:
        """The ladder, mild to severe; a rule without one is a ladder of one step."""
        if self.when is None:
            return self.ladder
        assert self.priority is not None
        return (StepSpec(when=self.when, priority=self.priority, on_delay=self.on_delay, off_delay=self.off_delay),)


class OverrideSpec(SpecModel):
    """Other values for some of a rule's subjects: `set` names them by their dotted path in the rule.

    `{rule: hydrant-pressure-low, buildings: [tower-a], set: {when.low.limit: 0.10 MPa}}`. The narrowest wins:
    `subjects` over `buildings` over `sites` over everywhere; among equals the one read last.
    """

    rule: str = Field(pattern=ID_PATTERN)
    sites: tuple[str, ...] = Field(default=(), strict=False)
    buildings: tuple[str, ...] = Field(default=(), strict=False)
    subjects: tuple[str, ...] = Field(default=(), strict=False)
    set_: dict[str, Any] = Field(alias="set", min_length=1, max_length=50)


class RuleFile(SpecModel):
    """A rule file: rules, and what they share. A rule that `extends` one of the `templates` takes every key from it
    that it does not write itself.
    """

    version: Literal[1] = 1
    calendars: tuple[CalendarSpec, ...] = Field(default=(), max_length=100, strict=False)
    templates: dict[str, dict[str, Any]] = Field(default={}, max_length=100)
    rules: tuple[RuleSpec, ...] = Field(default=(), max_length=1000, strict=False)
    overrides: tuple[OverrideSpec, ...] = Field(default=(), max_length=1000, strict=False)
