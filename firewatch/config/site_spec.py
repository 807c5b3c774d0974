"""The grammar of site files and of device-kind files, as pydantic models: what may be written."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from firewatch.config.channel_spec import SecretSpec, WebAddress
from firewatch.model.site import ParameterType, SignalType, TimeFormat
from firewatch.model.topic import ID_PATTERN
from firewatch.rules.spec import Duration, SpecModel

NAME_PATTERN = r"^[a-z][a-z0-9_]{0,63}$"
"""What a kind, signal, system or action may be called; it is a key in rule files and payloads."""

Id = Annotated[str, Field(pattern=ID_PATTERN)]
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Unit = Annotated[str, Field(max_length=16)]
FieldPath = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^.\s]+(?:\.[^.\s]+)*$")]
TopicName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^+#\s$][^+#\s]*$")]
Tags = Annotated[tuple[Id, ...], Field(max_length=20, strict=False)]


class LabelSpec(SpecModel):
    """A name in Chinese and English."""

    zh: str = Field(min_length=1, max_length=100)
    en: str = Field(min_length=1, max_length=100)


class SignalSpec(SpecModel):
    """One quantity a kind of device reports."""

    name: Name
    type: Annotated[SignalType, Field(strict=False)]
    label: LabelSpec
    unit: Unit = ""
    states: Annotated[tuple[str, ...], Field(strict=False, max_length=50)] = ()
    range: Annotated[tuple[float, float], Field(strict=False)] | None = None
    """The least and the most that it can be, in `unit`."""
    trigger: bool = False
    """Whether fire practice counts it as an alarm trigger, of which linkage takes two (GB 50116-2013 4.1.6)."""

    @model_validator(mode="after")
    def _fits_its_type(self) -> SignalSpec:
        if (self.type is SignalType.STATE) != bool(self.states):
            raise ValueError("`states` lists the values of a signal of type state, and of no other")
        if self.unit and self.type is not SignalType.NUMBER:
            raise ValueError("only a signal of type number has a unit")
        if self.range is not None and self.type is not SignalType.NUMBER:
            raise ValueError("only a signal of type number has a range")
        if self.range is not None and self.range[0] >= self.range[1]:
            raise ValueError("a range is written from the least to the most")
        return self


class ParameterSpec(SpecModel):
    """One parameter of an action: what may be asked for by it."""

    name: Name
    type: Annotated[ParameterType, Field(strict=False)]
    label: LabelSpec | None = None
    unit: Unit = ""
    range: Annotated[tuple[float, float], Field(strict=False)] | None = None
    """The least and the most that a number can be, in `unit`."""
    whole: bool = False
    """Whether a number has no fractions."""
    choices: Annotated[tuple[str, ...], Field(strict=False, max_length=100)] = ()
    longest: int | None = Field(default=None, ge=1, le=2000)
    """The most characters that a text can have; 500 unless it is said."""
    required: bool = False
    default: str | float | bool | None = None
    """What a command carries where nothing is written; without one the device decides."""

    @model_validator(mode="after")
    def _fits_its_type(self) -> ParameterSpec:
        is_number = self.type is ParameterType.NUMBER
        if (self.type is ParameterType.CHOICE) != bool(self.choices):
            raise ValueError("`choices` lists the values of a parameter of type choice, and of no other")
        if not is_number and (self.unit or self.range is not None or self.whole):
            raise ValueError("`unit`, `range` and `whole` belong to a parameter of type number")
        if self.range is not None and self.range[0] > self.range[1]:
            raise ValueError("a range is written from the least to the most")
        if self.longest is not None and self.type is not ParameterType.TEXT:
            raise ValueError("`longest` belongs to a parameter of type text")
        if self.required and self.default is not None:
            raise ValueError("what is required has no default")
        return self


class ProofSpec(SpecModel):
    """How it is seen that the action was carried out: a signal of the device, or of a kind in the same asset, comes to
    have a value within some time of the command.
    """

    signal: str = Field(max_length=200)
    is_: str | bool | float = Field(alias="is")
    within: Annotated[Duration, Field(gt=timedelta(0), le=timedelta(minutes=10))]


class ActionSpec(SpecModel):
    """A command that a kind of device answers; where its name alone is written, it takes any parameters unchecked."""

    name: Name
    label: LabelSpec | None = None
    parameters: Annotated[tuple[ParameterSpec, ...], Field(strict=False, max_length=20)] | None = ()
    linkage: bool = False
    """Whether fire practice calls it linkage: then it takes two independent triggers (GB 50116-2013 4.1.6)."""
    undo: Name | None = None
    """The action that ends it, where a rule names none."""
    proof: ProofSpec | None = None

    @model_validator(mode="before")
    @classmethod
    def _by_its_name(cls, value: Any) -> Any:
        return {"name": value, "parameters": None} if isinstance(value, str) else value


class KindSpec(SpecModel):
    """What all devices of one make have in common."""

    kind: Name
    label: LabelSpec
    system: Name
    certified: bool = False
    """Whether it is certified fire equipment, such as a fire alarm controller, which firewatch never commands."""
    signals: Annotated[tuple[SignalSpec, ...], Field(strict=False, min_length=1, max_length=200)]
    actions: Annotated[tuple[ActionSpec, ...], Field(strict=False, max_length=50)] = ()
    duty_checks: bool = False
    """Whether its devices are desks that can be asked whether anybody is there."""


class KindFile(SpecModel):
    """A device-kind file: `kinds:` and a list of them."""

    version: Literal[1] = 1
    kinds: tuple[KindSpec, ...] = Field(strict=False, max_length=1000)


class FieldSpec(SpecModel):
    """Where one signal stands in a vendor's payload."""

    path: FieldPath
    unit: Unit = ""
    scale: float = 1.0
    enum: dict[str, str | bool | float] = Field(default={}, max_length=100)


class DecoderSpec(SpecModel):
    """How to read a vendor's JSON payload without code."""

    readings: dict[str, FieldSpec] = Field(min_length=1, max_length=200)
    time_path: FieldPath | None = None
    time_format: Annotated[TimeFormat, Field(strict=False)] = TimeFormat.ISO8601
    sequence_path: FieldPath | None = None


class BuildingSpec(SpecModel):
    """A building or underground space."""

    id: Id
    label: LabelSpec
    grid: LabelSpec


class AssetSpec(SpecModel):
    """A thing made of several devices."""

    id: Id
    kind: Name
    label: LabelSpec
    building: str
    system: Name
    tags: Tags = ()


class HttpSpec(SpecModel):
    """Where a device takes commands by HTTP POST; `token` is sent as a bearer token."""

    url: WebAddress
    token: SecretSpec | None = None


class DeviceSpec(SpecModel):
    """One device. Without `building` it stands in its asset's."""

    id: Id
    kind: str
    label: LabelSpec
    building: str | None = None
    asset: str | None = None
    tags: Tags = ()
    topic: TopicName | None = None
    stream: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    decoder: DecoderSpec | None = None
    http: HttpSpec | None = None


class SiteFile(SpecModel):
    """A site file: one compound."""

    version: Literal[1] = 1
    id: Id
    label: LabelSpec
    district: LabelSpec
    street: LabelSpec
    community: LabelSpec
    time_zone: str
    buildings: tuple[BuildingSpec, ...] = Field(strict=False, max_length=1000)
    assets: tuple[AssetSpec, ...] = Field(default=(), strict=False, max_length=10_000)
    devices: tuple[DeviceSpec, ...] = Field(default=(), strict=False, max_length=100_000)
