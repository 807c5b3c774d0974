"""The routes about actuators: what they can be asked for, and what an operator asks of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from firewatch.engine.actuation import cause_of, command_of
from firewatch.errors import RefusedCommandError
from firewatch.model.command import Actuate
from firewatch.model.site import Action, DeviceKind, Inventory, Site
from firewatch.model.text import LocalText
from firewatch.ports import Clock, CommandSink
from firewatch.rules.parameter import MOST_PARAMETERS
from firewatch.web.api import NOT_REFUSED_BY_STATE
from firewatch.web.endpoint import ApiError, Endpoint, NoParameters
from firewatch.web.query import Id, Operator

MOST_LOUDSPEAKERS = 2_000
"""In one broadcast."""

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Text = Annotated[str, msgspec.Meta(max_length=1_000)]
Number = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]
Parameters = Annotated[dict[Name, Text | Number | bool], msgspec.Meta(max_length=MOST_PARAMETERS)]
Reason = Annotated[str, msgspec.Meta(max_length=500)]


class ActuateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who asks an actuator for which of its actions, with what, and why; a reason is needed for fire linkage."""

    site: Id
    device: Id
    operator: Operator
    action: Name
    parameters: Parameters = {}
    reason: Reason = ""


class BroadcastBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who speaks, or stops what is spoken, over all loudspeakers of some buildings, or over some loudspeakers, at once;
    a reason is needed for an evacuation. What is left out is as the loudspeakers' kind says.
    """

    operator: Operator
    site: Id
    buildings: Annotated[list[Id], msgspec.Meta(max_length=1_000)] = []
    devices: Annotated[list[Id], msgspec.Meta(max_length=200)] = []
    action: Literal["play", "evacuate", "stop"] = "play"
    text_zh: Text | None = None
    text_en: Text | None = None
    message: Name | None = None
    tone_seconds: Number | None = None
    message_seconds: Number | None = None
    repeat: Number | None = None
    reason: Reason = ""

    def __post_init__(self) -> None:
        if bool(self.buildings) is bool(self.devices):
            raise ValueError("write either `buildings` or `devices`")

    @property
    def parameters(self) -> dict[str, str | float | bool]:
        """What was written."""
        names = ("text_zh", "text_en", "message", "tone_seconds", "message_seconds", "repeat")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class KindView(msgspec.Struct, frozen=True):
    """A kind of device and the actions that its devices answer."""

    kind: str
    label: LocalText
    system: str
    actions: tuple[Action, ...]


class KindList(msgspec.Struct, frozen=True):
    """The kinds of device that answer any."""

    kinds: list[KindView]


class Asked(msgspec.Struct, frozen=True):
    """What was asked of a device; `parameters` with those that hold by default."""

    device: str
    action: str
    parameters: dict[str, str | float | bool]


class AskedList(msgspec.Struct, frozen=True):
    """What was asked, and the `cause` that its commands carry."""

    cause: str
    asked: list[Asked]


class ActuatorRoutes:
    """The handlers."""

    def __init__(self, inventory: Inventory, sink: CommandSink, clock: Clock) -> None:
        self._sink = sink
        self._clock = clock
        self._sites = {site.id: site for site in inventory.sites}
        self._actuating = [kind for kind in inventory.kinds.values() if kind.actions]
        self._kinds: dict[str, DeviceKind] = {
            f"{site.id}/{device.id}": inventory.kinds[device.kind]
            for site in inventory.sites
            for device in site.devices
        }

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every route, with what it takes and gives."""
        refusals = NOT_REFUSED_BY_STATE | {409: "It cannot be asked for that; nothing was asked."}
        return (
            Endpoint(
                path="/api/v1/actions",
                handler=self.actions,
                answer=KindList,
                summary="What the actuators of each kind can be asked for, and what each action takes",
            ),
            Endpoint(
                path="/api/v1/actuators/{site}/{device}/commands",
                handler=self.actuate,
                parameters=ActuateBody,
                method="POST",
                body=True,
                answer=AskedList,
                summary="An operator asks an actuator for something",
                refusals=refusals | {404: "There is no such device."},
            ),
            Endpoint(
                path="/api/v1/broadcasts",
                handler=self.broadcast,
                parameters=BroadcastBody,
                method="POST",
                body=True,
                answer=AskedList,
                summary="An operator speaks over several loudspeakers, or those of whole buildings, at once",
                refusals=refusals | {404: "There is no such site or building, or no loudspeaker in it."},
            ),
        )

    async def actions(self, _: NoParameters) -> KindList:
        """From the kinds of device."""
        return KindList([KindView(kind.kind, kind.label, kind.system, kind.actions) for kind in self._actuating])

    async def actuate(self, body: ActuateBody) -> AskedList:
        """Hand the wish to the engine."""
        device = f"{body.site}/{body.device}"
        if device not in self._kinds:
            raise ApiError(404, f"There is no device {device}.", "/api/v1/devices lists those there are.")
        return await self._ask([Actuate(device, body.action, body.parameters, body.operator, body.reason)])

    async def broadcast(self, body: BroadcastBody) -> AskedList:
        """Hand the wish to the engine, once for each loudspeaker."""
        site = self._sites.get(body.site)
        if site is None:
            raise ApiError(404, f"There is no site {body.site}.", "/api/v1/site lists those there are.")
        devices = [f"{site.id}/{device}" for device in body.devices] or self._loudspeakers(site, body.buildings)
        unknown = [device for device in devices if device not in self._kinds]
        if unknown:
            raise ApiError(404, f"There is no device {unknown[0]}.", "/api/v1/devices lists those there are.")
        if len(devices) > MOST_LOUDSPEAKERS:
            what = f"{len(devices)} loudspeakers are more than the {MOST_LOUDSPEAKERS} of one broadcast."
            raise ApiError(400, what, "Name fewer buildings at a time.")
        wishes = [Actuate(one, body.action, body.parameters, body.operator, body.reason) for one in devices]
        return await self._ask(wishes)

    def _loudspeakers(self, site: Site, buildings: Sequence[str]) -> list[str]:
        wanted = set(buildings)
        unknown = wanted - {building.id for building in site.buildings}
        if unknown:
            raise ApiError(404, f"There is no building {min(unknown)}.", "/api/v1/site lists those there are.")
        devices = [f"{site.id}/{device.id}" for device in site.devices if device.building in wanted]
        found = [device for device in devices if self._kinds[device].action("play") is not None]
        if not found:
            raise ApiError(404, f"There is no loudspeaker in {', '.join(sorted(wanted))}.", "Name another building.")
        return found

    async def _ask(self, wishes: Sequence[Actuate]) -> AskedList:
        """All of it, or nothing."""
        hint = "/api/v1/actions says what each kind can be asked for."
        try:
            asked = [command_of(wish, self._kinds, self._clock.now()) for wish in wishes]
        except RefusedCommandError as error:
            raise ApiError(409, str(error), hint) from None
        try:
            async with asyncio.TaskGroup() as group:
                for wish in wishes:
                    group.create_task(self._sink.submit(wish))
        except* RefusedCommandError as refused:
            raise ApiError(409, str(refused.exceptions[0]), hint) from None
        cause = cause_of(wishes[0].operator)
        return AskedList(cause, [Asked(each.device, each.action, each.parameters) for each in asked])
