"""The grammar of rule tests (`.test.yaml`), as pydantic models: what may be written."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from firewatch.config.problem import did_you_mean
from firewatch.model.alarm import AlarmState, ConditionState, Priority
from firewatch.rules.spec import Duration, SpecModel
from firewatch.testing.operator import COMMANDS, arguments


def _read_local_time(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        time = None
    if time is None or time.tzinfo is not None or time.year not in range(2000, 2100):
        raise ValueError(f'expected a time at the site such as "2026-03-02 08:00", found "{value}"')
    return time


LocalTime = Annotated[datetime, BeforeValidator(_read_local_time)]
"""A date and time of day at the site, without an offset."""


class SeriesSpec(SpecModel):
    """What a signal says: a part, or a list of them, one reading `every` so long (the test's `every` unless set)."""

    every: Annotated[Duration, Field(gt=timedelta(0))] | None = None
    values: tuple[str | float | bool, ...] = Field(strict=False, min_length=1, max_length=10_000)

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        if isinstance(value, dict):
            values = value.get("values")
            return value if isinstance(values, list | None) else {**value, "values": [values]}
        return {"values": value if isinstance(value, list) else [value]}


class StepSpec(SpecModel):
    """Something that happens at an instant.

    An operator gives a command: the command's word with the rule whose alarm is meant, and its arguments as further
    keys; `refused: true` if firewatch must refuse it. Or firewatch goes down for a time, orderly (`restart`) or not
    (`kill`), or goes on with other rule files (`reload`).
    """

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    __pydantic_extra__: dict[str, str | float | bool] = Field(init=False)

    at: Duration
    subject: str | None = None
    refused: bool = False
    restart: Duration | None = None
    kill: Duration | None = None
    reload: tuple[str, ...] = Field(default=(), strict=False, max_length=100)

    @model_validator(mode="after")
    def _one_thing(self) -> StepSpec:
        things = (self.verb is not None, self.restart is not None, self.kill is not None, bool(self.reload))
        if sum(things) != 1:
            raise ValueError(
                f"a step is one of {', '.join(COMMANDS)}, each with a rule's id; "
                "or `restart: DURATION`, `kill: DURATION`, `reload: [FILE, ...]`"
            )
        known = arguments(self.verb) if self.verb is not None else {}
        for key in self.given:
            if key not in known:
                raise ValueError(f'unknown key "{key}"; {did_you_mean(key, known) or "leave it out"}')
        missing = [name for name, field in known.items() if field.required and name not in {"operator", *self.given}]
        if missing:
            raise ValueError(f"{self.verb} needs {' and '.join(missing)}")
        return self

    @property
    def verb(self) -> str | None:
        """The command's word, None if it is no command."""
        return next((key for key in self.__pydantic_extra__ if key in COMMANDS), None)

    @property
    def rule(self) -> str:
        """The rule whose alarm the command is about."""
        return str(self.__pydantic_extra__[self.verb]) if self.verb is not None else ""

    @property
    def given(self) -> dict[str, str | float | bool]:
        """The command's arguments."""
        return {key: value for key, value in self.__pydantic_extra__.items() if key != self.verb}

    @property
    def down(self) -> timedelta | None:
        """How long firewatch is down, None if it is not."""
        return self.restart if self.restart is not None else self.kill


class ExpectSpec(SpecModel):
    """What must be true at an instant, after everything that happens then.

    Any other key is a rule's id with the state its alarm must be in; the keys below speak of the alarms of the rules
    named beside them. `annunciated`, `commands` and `nothing` speak of what happened since the expectation before:
    whether one of these alarms was annunciated; exactly which commands were sent for these rules, each as `device
    action`; that nobody was told anything, nothing was commanded and no alarm stands.
    """

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    __pydantic_extra__: dict[str, Annotated[AlarmState, Field(strict=False)]] = Field(init=False)

    at: Duration
    subject: str | None = None
    condition: Annotated[ConditionState, Field(strict=False)] | None = None
    priority: Annotated[Priority, Field(strict=False)] | None = None
    activations: int | None = None
    shelved: bool | None = None
    suppressed: bool | None = None
    out_of_service: bool | None = None
    annunciated: bool | None = None
    commands: Annotated[tuple[str, ...], Field(strict=False)] | None = None
    nothing: Literal[True] | None = None

    @property
    def states(self) -> dict[str, AlarmState]:
        """The alarm's state expected of each rule."""
        return dict(self.__pydantic_extra__)


ABOUT_ALARMS = frozenset(
    {"condition", "priority", "activations", "shelved", "suppressed", "out_of_service", "annunciated"}
)
"""What an expectation may say of the alarms of the rules it names, besides their states."""


class CaseSpec(SpecModel):
    """One test: what is heard, what people do, what must come of it."""

    name: str = Field(min_length=1, max_length=200)
    start: LocalTime | None = None
    every: Annotated[Duration, Field(gt=timedelta(0))] = timedelta(seconds=1)
    subject: str | None = None
    observations: dict[str, SeriesSpec] = Field(default={}, max_length=1000)
    steps: tuple[StepSpec, ...] = Field(default=(), strict=False, max_length=1000)
    expect: tuple[ExpectSpec, ...] = Field(strict=False, min_length=1, max_length=10_000)


class ScenarioFile(SpecModel):
    """A test file: the rule files it is about, and the tests."""

    version: Literal[1] = 1
    rules: tuple[str, ...] = Field(strict=False, min_length=1, max_length=100)
    tests: tuple[CaseSpec, ...] = Field(strict=False, max_length=10_000)
