"""A tower with a lift, two hydrants and a garage with four smoke detectors, and an engine that tells what it does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from firewatch.engine.engine import Engine
from firewatch.model.alarm import Alarm
from firewatch.model.command import Acknowledge, OperatorCommand
from firewatch.model.effect import Annunciate, Effect, RecordTransition, SendCommand
from firewatch.model.observation import Observation, Quality, Value
from firewatch.model.site import Action, Asset, Building, Device, DeviceKind, Inventory, Signal, SignalType, Site
from firewatch.model.text import LocalText
from firewatch.rules.spec import RuleSpec

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
BAD = "bad"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def both(text: str) -> LocalText:
    return LocalText(zh=text, en=text)


def signal(name: str, kind: SignalType, unit: str = "") -> Signal:
    return Signal(name=name, type=kind, label=both(name), unit=unit)


KINDS = [
    DeviceKind("lift_camera", both("Camera"), "camera", (signal("e_bike", SignalType.NUMBER),)),
    DeviceKind("lift_controller", both("Controller"), "lift", (signal("door", SignalType.STATE),)),
    DeviceKind(
        "door_controller",
        both("Door"),
        "lift",
        (signal("held", SignalType.BOOLEAN),),
        (Action("hold_door", both("hold")),),
    ),
    DeviceKind(
        "loudspeaker",
        both("Loudspeaker"),
        "broadcast",
        (signal("playing", SignalType.BOOLEAN),),
        (Action("play", both("play")),),
    ),
    DeviceKind("pressure_transmitter", both("Pressure"), "water", (signal("pressure", SignalType.NUMBER, "MPa"),)),
    DeviceKind("smoke_detector", both("Smoke"), "garage", (signal("alarm", SignalType.BOOLEAN),)),
]

SITE = Site(
    id="s",
    label=both("Sample"),
    district=both("d"),
    street=both("s"),
    community=both("c"),
    time_zone="Asia/Shanghai",
    buildings=(
        Building("tower", LocalText(zh="A座", en="Tower A"), both("g")),
        Building("garage", LocalText(zh="车库", en="Garage"), both("g")),
    ),
    assets=(
        Asset("lift", "lift", LocalText(zh="1号梯", en="lift 1"), "tower", "lift"),
        Asset("zone", "fire_zone", LocalText(zh="1区", en="zone 1"), "garage", "garage"),
    ),
    devices=(
        Device("cam", "lift_camera", both("cabin camera"), "tower", "lift"),
        Device("controller", "lift_controller", both("controller"), "tower", "lift"),
        Device("door", "door_controller", both("door"), "tower", "lift"),
        Device("speaker", "loudspeaker", both("loudspeaker"), "tower", "lift"),
        Device("hydrant-1", "pressure_transmitter", LocalText(zh="屋顶栓", en="roof hydrant"), "tower", tags=("roof",)),
        Device("hydrant-2", "pressure_transmitter", both("basement hydrant"), "garage"),
        *(Device(f"smoke-{n}", "smoke_detector", both(f"smoke {n}"), "garage", "zone") for n in (1, 2, 3, 4)),
    ),
)
INVENTORY = Inventory(sites=(SITE,), kinds={kind.kind: kind for kind in KINDS})


def rule(name: str, scope: dict[str, Any], when: dict[str, Any] | None, **fields: Any) -> RuleSpec:
    """A rule with what a test does not speak of filled in; `when` is None for one with a `ladder`."""
    words = {"zh": "{place}：{value} {unit}（{device}）", "en": "{place}: {value} {unit} ({device})"}
    written = {
        "id": name,
        "scope": scope,
        **({} if when is None else {"when": when, "priority": "high"}),
        "class": "fire",
        "text": words,
        "advice": {"zh": "查看", "en": "Look"},
        **fields,
    }
    return RuleSpec.model_validate(written)


def act(device: str, action: str, **parameters: Any) -> dict[str, Any]:
    return {"device": device, "action": action, "parameters": parameters}


E_BIKE = rule(
    "e-bike",
    {"asset": "lift"},
    {
        "camera_session": {
            "signal": "lift_camera/e_bike",
            "while": {"state": {"signal": "lift_controller/door", "in": ["open", "opening"]}},
        }
    },
    actions={
        "suspected": [act("door_controller", "hold_door", max_seconds=120.0)],
        "rejected": [act("door_controller", "release_door")],
        "active": [act("loudspeaker", "play", text_zh="请退出", text_en="Please leave")],
        "inactive": [act("door_controller", "release_door")],
    },
)
LOW = rule(
    "low", {"device": "pressure_transmitter"}, {"low": {"signal": "pressure", "limit": "0.07 MPa", "deadband": 0.005}}
)
SLOW_LOW = rule(
    "slow-low", {"device": "pressure_transmitter"}, {"low": {"signal": "pressure", "limit": 0.07}}, on_delay="10s"
)
SILENT = rule("silent", {"device": "pressure_transmitter"}, {"absence": {"after": "15s"}}, **{"class": "trouble"})
SMOKE = rule("smoke", {"asset": "fire_zone"}, {"state": {"signal": "smoke_detector/alarm", "is": True}})
CONFIRMED = rule(
    "confirmed",
    {"asset": "fire_zone"},
    {"k_of_n": {"k": 2, "within": "60s", "of": [{"state": {"signal": "smoke_detector/alarm", "is": True}}]}},
)
ALL = (E_BIKE, LOW, SLOW_LOW, SILENT, SMOKE, CONFIRMED)


def reading(
    name: str, value: Value | None, now: float, *, event: float | None = None, picture: str | None = None
) -> Observation:
    event_time = at(now if event is None else event)
    return Observation(
        signal=f"s/{name}",
        value=None if value == BAD else value,
        quality=Quality.BAD if value == BAD else Quality.GOOD,
        source_time=event_time,
        receive_time=at(now),
        event_time=event_time,
        picture=picture,
    )


def words(effects: Sequence[Effect]) -> list[str]:
    """`! rule` people are told, `> device action` a command, `rule state (reason)` a record."""
    return [_word(effect) for effect in effects]


def _word(effect: Effect) -> str:
    if isinstance(effect, Annunciate):
        return f"! {effect.alarm.rule}"
    if isinstance(effect, SendCommand):
        return f"> {effect.command.device.removeprefix('s/')} {effect.command.action}"
    assert isinstance(effect, RecordTransition)
    return f"{effect.transition.alarm.rule} {effect.transition.alarm.state} ({effect.transition.reason})"


class World:
    """An engine, its inputs in seconds after the start, and all it ever asked for."""

    def __init__(self, *rules: RuleSpec, engine: Engine | None = None) -> None:
        self.rules = rules
        self.engine = engine or Engine(rules, INVENTORY)
        self.effects: list[Effect] = []
        if engine is None:
            self._took(self.engine.start(START))

    def hear(self, now: float, name: str, value: Value | None, **fields: Any) -> list[str]:
        return self._took(self.engine.observe(reading(name, value, now, **fields), at(now)))

    def advance(self, now: float) -> list[str]:
        return self._took(self.engine.advance(at(now)))

    def resume(self, now: float) -> list[str]:
        return self._took(self.engine.resume(at(now)))

    def acknowledge(self, now: float, alarm_id: str, operator: str = "li") -> list[str]:
        return self.command(now, Acknowledge(alarm_id, operator))

    def command(self, now: float, command: OperatorCommand) -> list[str]:
        return self._took(self.engine.command(command, at(now)))

    def alarm(self, rule_id: str) -> Alarm:
        (alarm,) = [alarm for alarm in self.engine.alarms() if alarm.rule == rule_id]
        return alarm

    def standing(self) -> list[str]:
        return [f"{alarm.rule} {alarm.state} {alarm.condition}" for alarm in self.engine.alarms()]

    def restarted(self, *rules: RuleSpec) -> World:
        """Another engine that took over this one's snapshot."""
        engine = Engine(rules or self.rules, INVENTORY)
        engine.restore(self.engine.snapshot())
        return World(*(rules or self.rules), engine=engine)

    def reload(self, now: float, *rules: RuleSpec, inventory: Inventory = INVENTORY) -> list[str]:
        """Go on with other rules; `report` says what that did."""
        self.rules = rules
        effects, self.report = self.engine.reload(rules, inventory, at(now))
        return self._took(effects)

    def commands(self) -> list[Any]:
        return [effect.command for effect in self.effects if isinstance(effect, SendCommand)]

    def _took(self, effects: list[Effect]) -> list[str]:
        self.effects += effects
        return words(effects)
