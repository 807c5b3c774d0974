"""The grammar of the control room's file, as pydantic models: what may be written."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from firewatch.config.site_spec import Id, LabelSpec, Name
from firewatch.rules.spec import ClockTime, SpecModel

Path_ = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}/[a-z0-9-]{1,64}$")]


class ShiftSpec(SpecModel):
    """A turn of duty of every day. `to` not after `from` is on the day after."""

    name: LabelSpec
    from_: ClockTime = Field(alias="from")
    to: ClockTime


class SeatSpec(SpecModel):
    """A seat and what it answers for: sites, buildings and systems, each left out for all."""

    id: Id
    label: LabelSpec
    desk: Path_ | None = None
    sites: tuple[Id, ...] = Field(default=(), strict=False, max_length=100)
    buildings: tuple[Path_, ...] = Field(default=(), strict=False, max_length=1000)
    systems: tuple[Name, ...] = Field(default=(), strict=False, max_length=100)
    shifts: tuple[ShiftSpec, ...] = Field(default=(), strict=False, max_length=12)


class ControlRoomFile(SpecModel):
    """The control room's file: its seats, and the time zone of its clock."""

    version: Literal[1] = 1
    time_zone: str = Field(max_length=64)
    seats: tuple[SeatSpec, ...] = Field(strict=False, max_length=50)
