"""What is watched: a compound, its buildings, the assets in them, their devices and signals.

The administrative ladder is the one a Chinese district uses: district, street, community, grid, building.
A *subject* is what a rule speaks about, an asset (`site/asset`) or a device (`site/device`); ids are unique
within a site across both.
"""

from __future__ import annotations

import enum
from datetime import timedelta
from functools import cached_property

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
    `supervisory` marks the signals that firewatch itself derives about a device (`online`, `clock_fault`), `trigger`
    those that fire practice counts as an alarm trigger, of which linkage takes two (GB 50116-2013 4.1.6).
    """

    name: str
    type: SignalType
    label: LocalText
    unit: str = ""
    states: tuple[str, ...] = ()
    range: tuple[float, float] | None = None
    supervisory: bool = False
    trigger: bool = False


ONLINE = Signal(name="online", type=SignalType.BOOLEAN, label=LocalText(zh="在线", en="Online"), supervisory=True)
"""True after a device's birth message or any telemetry, false after its will (last testament)."""

CLOCK_FAULT = Signal(
    name="clock_fault", type=SignalType.BOOLEAN, label=LocalText(zh="时钟故障", en="Clock fault"), supervisory=True
)
"""True while a device's clock is further from firewatch's than the settings allow."""

DUTY_CHECK = Signal(
    name="duty_check",
    type=SignalType.STATE,
    label=LocalText(zh="查岗", en="Duty check"),
    states=("asked", "answered", "missed"),
    supervisory=True,
)
"""What became of the newest duty check, of a desk that can be asked for one (GB 26875.1-2011)."""

SUPERVISORY_SIGNALS = (ONLINE, CLOCK_FAULT)
"""Those that every device has."""

COMMAND = Signal(
    name="command",
    type=SignalType.STATE,
    label=LocalText(zh="指令执行", en="Command"),
    states=("sent", "accepted", "done", "proven", "failed", "unproven"),
    supervisory=True,
)
"""How far a device that answers commands is with the newest one (`model.command.CommandState`)."""

DERIVED_SIGNALS = (*SUPERVISORY_SIGNALS, DUTY_CHECK, COMMAND)
"""All that firewatch derives: no device sends them, and no kind may call a signal so."""


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


class ParameterType(enum.StrEnum):
    """What kind of value a command's parameter takes; a CHOICE is one of some words."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"


class Parameter(msgspec.Struct, frozen=True):
    """One parameter of an action. `range` bounds a NUMBER (`whole` without fractions), `longest` a TEXT's characters.

    Where it is not given, the command carries `default`; None: it carries nothing, and the device decides.
    """

    name: str
    type: ParameterType
    label: LocalText
    unit: str = ""
    range: tuple[float, float] | None = None
    whole: bool = False
    choices: tuple[str, ...] = ()
    longest: int = 500
    required: bool = False
    default: str | float | bool | None = None


class Proof(msgspec.Struct, frozen=True):
    """How it is seen that an action was carried out: `signal` comes to be `value` `within` that time of the command.

    `signal` is a signal of the device itself, or `kind/signal` of a device of that kind in the same asset.
    """

    signal: str
    value: str | float | bool
    within: timedelta


class Action(msgspec.Struct, frozen=True):
    """One command that the devices of a kind answer.

    `parameters` are all that it takes; None: it takes any, and only their number and length are checked. A `linkage`
    needs two independent triggers (GB 50116-2013 4.1.6). `undo` is the action that ends it, where a rule names none.
    """

    name: str
    label: LocalText
    parameters: tuple[Parameter, ...] | None = None
    linkage: bool = False
    undo: str | None = None
    proof: Proof | None = None


class DeviceKind(msgspec.Struct, frozen=True):
    """What all devices of one make have in common.

    `system` groups kinds on the screen: water, lift, garage, camera, broadcast.
    `actions` are the commands the device answers. `certified` equipment, such as a fire alarm controller, answers none:
    it is listened to, and neither silenced nor reset nor switched. Desks with `duty_checks` can be asked whether
    anybody is there.
    """

    kind: str
    label: LocalText
    system: str
    signals: tuple[Signal, ...]
    actions: tuple[Action, ...] = ()
    certified: bool = False
    duty_checks: bool = False

    @property
    def all_signals(self) -> tuple[Signal, ...]:
        """Those that its devices report, and then those that firewatch derives about them."""
        command = (COMMAND,) if self.actions else ()
        duty_check = (DUTY_CHECK,) if self.duty_checks else ()
        return (*self.signals, *SUPERVISORY_SIGNALS, *command, *duty_check)

    def signal(self, name: str) -> Signal | None:
        """The signal of that name, derived ones included; None if the kind has none."""
        for signal in self.all_signals:
            if signal.name == name:
                return signal
        return None

    def action(self, name: str) -> Action | None:
        """The action of that name; None if the kind has none."""
        return next((action for action in self.actions if action.name == name), None)


class HttpAddress(msgspec.Struct, frozen=True):
    """Where a device takes commands by HTTP; its bearer token, if it has one, is in a file or in the environment."""

    url: str
    token_file: str | None = None
    token_env: str | None = None


class Device(msgspec.Struct, frozen=True):
    """One device at its place.

    `topic` is set where a vendor's device publishes under a topic of its own, `decoder` where its payload differs
    from the contract's; `stream` is a camera's video address, absolute or relative to `vision.stream_base_url`; `http`
    is where it takes commands, if not over MQTT.
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
    http: HttpAddress | None = None


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


class Inventory(msgspec.Struct, frozen=True, dict=True):
    """All compounds one daemon watches, with the kinds of device found in them."""

    sites: tuple[Site, ...]
    kinds: dict[str, DeviceKind]

    @cached_property
    def kind_of(self) -> dict[str, DeviceKind]:
        """The kind of each device (`site/device`)."""
        return {
            f"{site.id}/{device.id}": self.kinds[device.kind]
            for site in self.sites
            for device in site.devices
            if device.kind in self.kinds
        }
