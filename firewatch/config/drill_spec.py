"""The grammar of drill plans, as pydantic models: what may be written."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from firewatch.config.site_spec import Id, LabelSpec, Name
from firewatch.rules.spec import Duration, SpecModel

LONGEST = timedelta(hours=1)
"""How long a drill may go on: nobody looks for longer at what may be in earnest."""

Moment = Annotated[Duration, Field(le=LONGEST)]
Ids = Annotated[tuple[Id, ...], Field(strict=False, max_length=500)]


class ReadingSpec(SpecModel):
    """A device of the site reports a value; again `every` so long `for` a time, if that is written."""

    after: Moment = timedelta(0)
    device: Id
    signal: Name
    value: str | float | bool
    every: Annotated[Duration, Field(ge=timedelta(milliseconds=20))] | None = None
    for_: Moment | None = Field(default=None, alias="for")

    @model_validator(mode="after")
    def _both_or_none(self) -> ReadingSpec:
        if (self.every is None) is not (self.for_ is None):
            raise ValueError("`every` says how often and `for` how long: write both, or neither")
        return self


class MayAskSpec(SpecModel):
    """Which actuators of the site may really be asked: some devices, and all of some kinds."""

    devices: Ids = ()
    kinds: Annotated[tuple[Name, ...], Field(strict=False, max_length=100)] = ()


class ExpectationSpec(SpecModel):
    """What has to come within a time of the beginning: an `alarm` of a rule about a `subject`, or that a `device` did
    what an `action` asks (`proven` by a second signal), or that a target was `told`.
    """

    within: Moment
    alarm: Id | None = None
    subject: Id | None = None
    device: Id | None = None
    action: Name | None = None
    proven: bool = False
    told: Id | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> ExpectationSpec:
        written = (self.alarm is not None, self.device is not None, self.told is not None)
        pairs = (self.alarm is None) is (self.subject is None) and (self.device is None) is (self.action is None)
        if sum(written) != 1 or not pairs or (self.proven and self.device is None):
            raise ValueError("write `alarm` with `subject`, or `device` with `action`, or `told`")
        return self


class PlanSpec(SpecModel):
    """One drill: what is reported, what may really happen, what has to come of it, and when it ends at the latest."""

    id: Id
    label: LabelSpec
    site: Id
    longest: Annotated[Duration, Field(ge=timedelta(seconds=1), le=LONGEST)] = timedelta(minutes=5)
    may_ask: MayAskSpec = MayAskSpec()
    may_tell: Ids = ()
    readings: Annotated[tuple[ReadingSpec, ...], Field(strict=False, min_length=1, max_length=500)]
    expect: Annotated[tuple[ExpectationSpec, ...], Field(strict=False, min_length=1, max_length=100)]


class DrillFile(SpecModel):
    """A file of drill plans."""

    version: Literal[1] = 1
    drills: tuple[PlanSpec, ...] = Field(strict=False, max_length=200)
