"""The grammar of rule tests (`.test.yaml`), as pydantic models: what may be written."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from firewatch.model.alarm import AlarmState, ConditionState
from firewatch.rules.spec import Duration, SpecModel


class StepSpec(SpecModel):
    """Something that happens at an instant: an operator acknowledges, or firewatch restarts after being down."""

    at: Duration
    acknowledge: str | None = None
    restart: Duration | None = None
    subject: str | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> StepSpec:
        if (self.acknowledge is None) == (self.restart is None):
            raise ValueError("a step has either `acknowledge: RULE` or `restart: DURATION` (how long it was down)")
        return self


class ExpectSpec(SpecModel):
    """What must be true at an instant, after everything that happens then.

    Any other key is a rule's id with the state its alarm must be in. `annunciated` and `commands` speak of what
    happened since the expectation before: whether one of these alarms was annunciated, and exactly which commands
    were sent for these rules, each as `device action`.
    """

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    __pydantic_extra__: dict[str, Annotated[AlarmState, Field(strict=False)]] = Field(init=False)

    at: Duration
    subject: str | None = None
    condition: Annotated[ConditionState, Field(strict=False)] | None = None
    annunciated: bool | None = None
    commands: Annotated[tuple[str, ...], Field(strict=False)] | None = None

    @property
    def states(self) -> dict[str, AlarmState]:
        """The alarm's state expected of each rule."""
        return dict(self.__pydantic_extra__)


class CaseSpec(SpecModel):
    """One test: what is heard, what people do, what must come of it."""

    name: str = Field(min_length=1, max_length=200)
    every: Annotated[Duration, Field(gt=timedelta(0))] = timedelta(seconds=1)
    subject: str | None = None
    observations: dict[str, str | float | bool]
    steps: tuple[StepSpec, ...] = Field(default=(), strict=False, max_length=1000)
    expect: tuple[ExpectSpec, ...] = Field(strict=False, min_length=1, max_length=10_000)


class ScenarioFile(SpecModel):
    """A test file: the rule files it is about, and the tests."""

    version: Literal[1] = 1
    rules: tuple[str, ...] = Field(strict=False, min_length=1, max_length=100)
    tests: tuple[CaseSpec, ...] = Field(strict=False, max_length=10_000)
