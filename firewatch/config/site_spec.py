"""The grammar of site files and of device-kind files, as pydantic models: what may be written."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from firewatch.model.site import SignalType, TimeFormat
from firewatch.model.topic import ID_PATTERN
from firewatch.rules.spec import SpecModel

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


class KindSpec(SpecModel):
    """What all devices of one make have in common."""

    kind: Name
    label: LabelSpec
    system: Name
    signals: Annotated[tuple[SignalSpec, ...], Field(strict=False, min_length=1, max_length=200)]
    actions: Annotated[tuple[Name, ...], Field(strict=False, max_length=50)] = ()


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
