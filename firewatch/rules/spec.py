"""The grammar of rule files, as pydantic models: what may be written, not what it does.

A condition is a mapping with exactly one key, the name of its kind. Signals are named `signal` when the rule's
scope is a device kind, and `device-kind/signal` when it is an asset kind; a name that matches several devices
of the asset makes one evaluator for each.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from firewatch.model.alarm import AlarmClass, Priority
from firewatch.model.duration import parse_duration
from firewatch.model.topic import ID_PATTERN

_QUANTITY = re.compile(r"^([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(.*)$")


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
            match = _QUANTITY.match(value.strip())
            if not match:
                raise ValueError(f'expected a number with its unit such as "0.07 MPa", found "{value}"')
            return {"value": float(match[1]), "unit": match[2].strip()}
        return value


class TextSpec(SpecModel):
    """Text in Chinese and English. Placeholders: {value}, {unit}, {place}, {device}."""

    zh: str = Field(min_length=1, max_length=500)
    en: str = Field(min_length=1, max_length=500)


class ScopeSpec(SpecModel):
    """Which subjects a rule is for: every device, or every asset, of a kind; fewer with sites, buildings or tags."""

    device: str | None = None
    asset: str | None = None
    sites: tuple[str, ...] = Field(default=(), strict=False)
    buildings: tuple[str, ...] = Field(default=(), strict=False)
    tags: tuple[str, ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _one_kind(self) -> ScopeSpec:
        if (self.device is None) == (self.asset is None):
            raise ValueError("a scope names either a device kind or an asset kind")
        return self


class LimitSpec(SpecModel):
    """The signal is beyond a limit; it must come back by `deadband` to be inactive again (ISA-18.2)."""

    signal: str
    limit: Quantity
    deadband: Quantity = Quantity(value=0.0)


class StateSpec(SpecModel):
    """The signal has the value `is`, or one of those in `in`."""

    signal: str
    is_: str | bool | float | None = Field(default=None, alias="is")
    in_: tuple[str | bool | float, ...] = Field(default=(), alias="in", strict=False)

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
    Frames count only while the condition `while` is not inactive.
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


CONDITION_KINDS = ("high_high", "high", "low", "low_low", "state", "absence", "k_of_n", "camera_session")


class ConditionSpec(SpecModel):
    """A mapping with exactly one key: the kind of condition."""

    high_high: LimitSpec | None = None
    high: LimitSpec | None = None
    low: LimitSpec | None = None
    low_low: LimitSpec | None = None
    state: StateSpec | None = None
    absence: AbsenceSpec | None = None
    k_of_n: CoincidenceSpec | None = None
    camera_session: CameraSessionSpec | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> ConditionSpec:
        if len(self.model_fields_set) != 1 or self.form is None:
            raise ValueError(f"a condition has exactly one of the keys {', '.join(CONDITION_KINDS)}")
        return self

    @property
    def kind(self) -> str:
        """The name of the condition's kind."""
        return next(iter(self.model_fields_set))

    @property
    def form(self) -> LimitSpec | StateSpec | AbsenceSpec | CoincidenceSpec | CameraSessionSpec | None:
        """What stands under that key."""
        form: LimitSpec | StateSpec | AbsenceSpec | CoincidenceSpec | CameraSessionSpec | None = getattr(
            self, self.kind
        )
        return form


class ActionSpec(SpecModel):
    """A command for every device of kind `device` that belongs to the subject (its asset, or its building)."""

    device: str
    action: str
    parameters: dict[str, str | float | bool] = {}


class ActionsSpec(SpecModel):
    """What to do at each phase. `suspected` and `rejected` exist for camera sessions only."""

    suspected: tuple[ActionSpec, ...] = Field(default=(), strict=False)
    rejected: tuple[ActionSpec, ...] = Field(default=(), strict=False)
    active: tuple[ActionSpec, ...] = Field(default=(), strict=False)
    inactive: tuple[ActionSpec, ...] = Field(default=(), strict=False)


class RuleSpec(SpecModel):
    """One rule. `when` must hold for `on_delay` before the alarm, and be gone for `off_delay` before it clears."""

    id: str = Field(pattern=ID_PATTERN)
    scope: ScopeSpec
    when: ConditionSpec
    priority: Annotated[Priority, Field(strict=False)]
    alarm_class: Annotated[AlarmClass, Field(strict=False, alias="class")]
    text: TextSpec
    advice: TextSpec
    on_delay: Duration = timedelta(0)
    off_delay: Duration = timedelta(0)
    actions: ActionsSpec = ActionsSpec()


class RuleFile(SpecModel):
    """A rule file: `rules:` and a list of them."""

    version: Literal[1] = 1
    rules: tuple[RuleSpec, ...] = Field(max_length=1000, strict=False)
