"""What is watched: a compound, its buildings, the assets in them, their devices and signals.

The administrative ladder is the one a Chinese district uses: district, street, community, grid, building.
A *subject* is what a rule speaks about, an asset (`site/asset`) or a device (`site/device`); ids are unique
within a site across both.
"""

from __future__ import annotations

import enum

import msgspec

from firewatch.model.text import LocalText


class SignalType(enum.StrEnum):
    """What kind of value a signal carries."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    STATE = "state"


class Signal(msgspec.Struct, frozen=True):
    """One quantity a device reports. `unit` is the unit everything inside firewatch uses for it.

    `states` names the values a STATE signal may take, `range` the least and the most that a NUMBER can be, in its unit.
    `supervisory` marks the signals that firewatch itself derives about a device (`online`, `clock_fault`).
    """

    name: str
    type: SignalType
    label: LocalText
    unit: str = ""
    states: tuple[str, ...] = ()
    range: tuple[float, float] | None = None
    supervisory: bool = False


ONLINE = Signal(name="online", type=SignalType.BOOLEAN, label=LocalText(zh="在线", en="Online"), supervisory=True)
"""True after a device's birth message or any telemetry, false after its will (last testament)."""

CLOCK_FAULT = Signal(
    name="clock_fault", type=SignalType.BOOLEAN, label=LocalText(zh="时钟故障", en="Clock fault"), supervisory=True
)
"""True while a device's clock is further from firewatch's than the settings allow."""

SUPERVISORY_SIGNALS = (ONLINE, CLOCK_FAULT)


class FieldMapping(msgspec.Struct, frozen=True):
    """Where one signal stands in a vendor's payload: a dotted path, its unit, a scale and named values."""

    path: str
    unit: str = ""
    scale: float = 1.0
    enum: dict[str, str | bool | float] = {}


class TimeFormat(enum.StrEnum):
    """How a vendor writes the time of a reading."""

    ISO8601 = "iso8601"
    UNIX_SECONDS = "unix_seconds"
    UNIX_MILLISECONDS = "unix_milliseconds"


class Decoder(msgspec.Struct, frozen=True):
    """How to read a vendor's JSON payload without code."""

    readings: dict[str, FieldMapping]
    time_path: str | None = None
    time_format: TimeFormat = TimeFormat.ISO8601
    sequence_path: str | None = None


class DeviceKind(msgspec.Struct, frozen=True):
    """What all devices of one make have in common.

    `system` groups kinds on the screen: water, lift, garage, camera, broadcast.
    `actions` are the commands the device answers.
    """

    kind: str
    label: LocalText
    system: str
    signals: tuple[Signal, ...]
    actions: tuple[str, ...] = ()

    def signal(self, name: str) -> Signal | None:
        """The signal of that name, derived ones included; None if the kind has none."""
        for signal in (*self.signals, *SUPERVISORY_SIGNALS):
            if signal.name == name:
                return signal
        return None


class Device(msgspec.Struct, frozen=True):
    """One device at its place.

    `topic` is set where a vendor's device publishes under a topic of its own, `decoder` where its payload differs
    from the contract's; `stream` is a camera's video address, absolute or relative to `vision.stream_base_url`.
    """

    id: str
    kind: str
    label: LocalText
    building: str
    asset: str | None = None
    tags: tuple[str, ...] = ()
    topic: str | None = None
    stream: str | None = None
    decoder: Decoder | None = None


class Asset(msgspec.Struct, frozen=True):
    """A thing made of several devices, such as a lift with its camera, loudspeaker and door controller."""

    id: str
    kind: str
    label: LocalText
    building: str
    system: str
    tags: tuple[str, ...] = ()


class Building(msgspec.Struct, frozen=True):
    """A building or underground space of the compound; `grid` is the ward's smallest unit of duty."""

    id: str
    label: LocalText
    grid: LocalText


class Site(msgspec.Struct, frozen=True):
    """One compound. `time_zone` is an IANA name."""

    id: str
    label: LocalText
    district: LocalText
    street: LocalText
    community: LocalText
    time_zone: str
    buildings: tuple[Building, ...]
    assets: tuple[Asset, ...]
    devices: tuple[Device, ...]


class Inventory(msgspec.Struct, frozen=True):
    """All compounds one daemon watches, with the kinds of device found in them."""

    sites: tuple[Site, ...]
    kinds: dict[str, DeviceKind]
