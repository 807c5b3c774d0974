"""What the API answers and the feed says, as values; `openapi.py` describes them from here.

Alarms, commands, parts and rejections travel as the model has them. Devices are described without their topic,
decoder and stream address: the last may carry a camera's password.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from firewatch.model.alarm import Alarm, AlarmTransition
from firewatch.model.observation import Observation
from firewatch.model.reload import RulesReload
from firewatch.model.site import Asset, Building
from firewatch.model.text import LocalText
from firewatch.ports import CommandRecord, PartStatus, Rejection, StoredObservation


class Error(msgspec.Struct, frozen=True):
    """What is wrong, and the way out."""

    what: str
    hint: str


class ErrorAnswer(msgspec.Struct, frozen=True):
    """The answer to every request that was not carried out."""

    error: Error


class AlarmPage(msgspec.Struct, frozen=True):
    """Alarms, newest onset first. `next` is the `before` of the following page, null on the last."""

    alarms: list[Alarm]
    next: str | None


class TransitionList(msgspec.Struct, frozen=True):
    """All changes of one alarm, first to last."""

    transitions: list[AlarmTransition]


class LastReading(msgspec.Struct, frozen=True):
    """The newest reading of a signal."""

    value: float | bool | str | None
    quality: str
    source_time: datetime
    receive_time: datetime


class SignalView(msgspec.Struct, frozen=True):
    """A signal of a device. `last` is null when it was never heard: its state is unknown, not normal."""

    signal: str
    name: str
    label: LocalText
    type: str
    unit: str
    supervisory: bool
    last: LastReading | None


class DeviceView(msgspec.Struct, frozen=True):
    """A device, where it stands and what it last said. `online` is null while nothing is known of it."""

    site: str
    device: str
    kind: str
    kind_label: LocalText
    label: LocalText
    system: str
    building: str
    asset: str | None
    tags: tuple[str, ...]
    camera: bool
    actions: tuple[str, ...]
    online: bool | None
    signals: list[SignalView]


class DeviceList(msgspec.Struct, frozen=True):
    """The inventory with its last values."""

    devices: list[DeviceView]


class ObservationList(msgspec.Struct, frozen=True):
    """The newest observations of a signal within the range, oldest first."""

    signal: str
    observations: list[StoredObservation]


class CommandList(msgspec.Struct, frozen=True):
    """Commands with their last answers, newest first."""

    commands: list[CommandRecord]


class ReloadList(msgspec.Struct, frozen=True):
    """Reloads of the rules, newest first."""

    reloads: list[RulesReload]


class SiteView(msgspec.Struct, frozen=True):
    """A compound in its administrative ladder, with its buildings and assets."""

    id: str
    label: LocalText
    district: LocalText
    street: LocalText
    community: LocalText
    time_zone: str
    buildings: tuple[Building, ...]
    assets: tuple[Asset, ...]


class SiteList(msgspec.Struct, frozen=True):
    """All compounds this daemon watches."""

    sites: list[SiteView]


class ClassCount(msgspec.Struct, frozen=True):
    """How many alarms of a class stand and are told of, how many of those nobody has acknowledged, and how many more
    are hidden: shelved, suppressed by design, or out of service.
    """

    standing: int
    unacknowledged: int
    hidden: int


class DeviceCount(msgspec.Struct, frozen=True):
    """Devices by what is known of them."""

    online: int
    offline: int
    unknown: int


class Status(msgspec.Struct, frozen=True):
    """How the daemon is. `alarms` has one entry for each class, `screens` counts connected live feeds."""

    now: datetime
    ready: bool
    parts: list[PartStatus]
    alarms: dict[str, ClassCount]
    devices: DeviceCount
    rejection_counts: dict[str, int]
    rejections: list[Rejection]
    screens: int


class Readiness(msgspec.Struct, frozen=True):
    """Whether every part is ready; `waiting_for` lists those that are not."""

    ready: bool
    waiting_for: list[PartStatus]


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot"):
    """Everything a screen shows, sent first and after a resynchronisation: replace what you have by it."""

    now: datetime
    sites: list[SiteView]
    devices: list[DeviceView]
    alarms: list[Alarm]
    commands: list[CommandRecord]
    parts: list[PartStatus]
    rejections: list[Rejection]
    rejection_counts: dict[str, int]


class Resynchronise(msgspec.Struct, frozen=True, tag="resynchronise"):
    """The reader was too slow and `missed` messages were dropped for it; a snapshot follows."""

    missed: int


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat"):
    """Sent every two seconds. A reader that hears nothing for three of these has lost the connection."""

    now: datetime
    parts: list[PartStatus]
    rejection_counts: dict[str, int]


class AlarmEvent(msgspec.Struct, frozen=True, tag="alarm"):
    """An alarm as it stands now; one in state `normal` that is not hidden has left the list."""

    alarm: Alarm


class ObservationEvent(msgspec.Struct, frozen=True, tag="observation"):
    """The newest observation of each signal heard since the last such message."""

    observations: list[Observation]


class CommandEvent(msgspec.Struct, frozen=True, tag="command"):
    """A command was sent or answered."""

    command: CommandRecord


class RejectionEvent(msgspec.Struct, frozen=True, tag="rejection"):
    """An input could not be used. Of many in a short time only the first are sent; all are in the next counts."""

    rejection: Rejection


FeedMessage = Snapshot | Resynchronise | Heartbeat | AlarmEvent | ObservationEvent | CommandEvent | RejectionEvent
"""What travels on the WebSocket, told apart by `type`."""
