"""A small compound with everything the web server needs, held still or moved by the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from firewatch.config.settings import HttpSettings
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import (
    Alarm,
    AlarmClass,
    AlarmClock,
    AlarmState,
    AlarmTransition,
    ConditionState,
    Priority,
    TransitionReason,
)
from firewatch.model.command import Acknowledge, ActuatorAnswer, ActuatorCommand, AnswerState, OperatorCommand
from firewatch.model.observation import Observation, Quality
from firewatch.model.site import Asset, Building, Device, DeviceKind, Inventory, Signal, SignalType, Site
from firewatch.model.text import LocalText
from firewatch.ports import (
    AlarmFilter,
    CommandRecord,
    EngineInput,
    PartStatus,
    Picture,
    Rejection,
    StoredObservation,
)
from firewatch.web.server import WebServer

NOON = datetime(2025, 11, 25, 4, 0, tzinfo=UTC)
NUMBER, BOOLEAN, STATE = SignalType.NUMBER, SignalType.BOOLEAN, SignalType.STATE


def both(zh: str, en: str) -> LocalText:
    return LocalText(zh=zh, en=en)


KINDS = {
    kind.kind: kind
    for kind in (
        DeviceKind(
            "lift_camera",
            both("轿厢摄像机", "Lift cabin camera"),
            "camera",
            (
                Signal("e_bike", NUMBER, both("电动自行车识别分值", "E-bike score")),
                Signal("picture_fault", BOOLEAN, both("画面故障", "Picture fault")),
            ),
        ),
        DeviceKind(
            "lift_controller",
            both("电梯控制器", "Lift controller"),
            "lift",
            (
                Signal("floor", NUMBER, both("楼层", "Floor")),
                Signal("door", STATE, both("轿门", "Door"), states=("open", "opening", "closing", "closed")),
                Signal("moving", BOOLEAN, both("运行中", "Moving")),
                Signal("emergency_button", BOOLEAN, both("紧急呼叫按钮", "Emergency button")),
            ),
        ),
        DeviceKind(
            "door_controller",
            both("电梯门控制器", "Lift door controller"),
            "lift",
            (Signal("held", BOOLEAN, both("门已保持", "Door held")),),
            ("hold_door", "release_door"),
        ),
        DeviceKind(
            "loudspeaker",
            both("广播扬声器", "Loudspeaker"),
            "broadcast",
            (Signal("playing", BOOLEAN, both("播放中", "Playing")),),
            ("play", "stop"),
        ),
        DeviceKind(
            "smoke_detector",
            both("感烟火灾探测器", "Smoke detector"),
            "garage",
            (
                Signal("alarm", BOOLEAN, both("火警", "Alarm")),
                Signal("smoke", NUMBER, both("烟雾减光率", "Smoke obscuration"), unit="%/m"),
            ),
        ),
        DeviceKind(
            "heat_detector",
            both("感温火灾探测器", "Heat detector"),
            "garage",
            (Signal("temperature", NUMBER, both("温度", "Temperature"), unit="degC"),),
        ),
        DeviceKind(
            "co_detector",
            both("一氧化碳探测器", "Carbon monoxide detector"),
            "garage",
            (Signal("co", NUMBER, both("一氧化碳浓度", "Carbon monoxide"), unit="mg/m3"),),
        ),
        DeviceKind(
            "lane_camera",
            both("消防通道摄像机", "Fire lane camera"),
            "camera",
            (
                Signal("vehicle", NUMBER, both("车辆识别分值", "Vehicle score")),
                Signal("picture_fault", BOOLEAN, both("画面故障", "Picture fault")),
            ),
        ),
        DeviceKind(
            "ev_charger",
            both("充电桩", "EV charger"),
            "garage",
            (
                Signal("power", NUMBER, both("功率", "Power"), unit="kW"),
                Signal("cable_temperature", NUMBER, both("电缆温度", "Cable temperature"), unit="degC"),
                Signal("residual_current", NUMBER, both("剩余电流", "Residual current"), unit="mA"),
                Signal("charging", BOOLEAN, both("充电中", "Charging")),
            ),
        ),
        DeviceKind(
            "water_tank",
            both("高位消防水箱", "Roof water tank"),
            "water",
            (Signal("level", NUMBER, both("水位", "Level"), unit="m"),),
        ),
        DeviceKind(
            "pressure_transmitter",
            both("压力变送器", "Pressure transmitter"),
            "water",
            (Signal("pressure", NUMBER, both("压力", "Pressure"), unit="MPa"),),
        ),
        DeviceKind(
            "pump",
            both("消防水泵", "Fire pump"),
            "water",
            (
                Signal("running", BOOLEAN, both("运行", "Running")),
                Signal("fault", BOOLEAN, both("故障", "Fault")),
            ),
        ),
        DeviceKind(
            "signal_valve",
            both("信号阀", "Signal valve"),
            "water",
            (Signal("position", STATE, both("阀位", "Position"), states=("open", "closed")),),
        ),
        DeviceKind(
            "flow_switch",
            both("水流指示器", "Flow switch"),
            "water",
            (Signal("flowing", BOOLEAN, both("水流", "Flowing")),),
        ),
    )
}


def _lift(tower: str, number: int) -> list[Device]:
    lift = f"{tower}-lift-{number}"
    place = both(f"{tower.upper()}栋{number}号电梯", f"Tower {tower.upper()} lift {number}")

    def device(suffix: str, kind: str, zh: str, en: str, stream: str | None = None) -> Device:
        return Device(
            id=f"{lift}-{suffix}",
            kind=kind,
            label=both(place.zh + zh, f"{place.en} {en}"),
            building=f"tower-{tower}",
            asset=lift,
            stream=stream,
        )

    return [
        device("camera", "lift_camera", "轿厢摄像机", "cabin camera", f"http://user:secret@camera/{lift}.mjpg"),
        device("controller", "lift_controller", "控制器", "controller"),
        device("door", "door_controller", "门控制器", "door controller"),
        device("loudspeaker", "loudspeaker", "扬声器", "loudspeaker"),
    ]


def _garage() -> list[Device]:
    rows = [
        *((f"garage-smoke-{n}", "smoke_detector", f"车库{n}号感烟探测器", f"Garage smoke {n}", n) for n in range(1, 5)),
        *((f"garage-heat-{n}", "heat_detector", f"车库{n}号感温探测器", f"Garage heat {n}", 2 * n) for n in (1, 2)),
        *((f"garage-co-{n}", "co_detector", f"车库{n}号一氧化碳探测器", f"Garage CO {n}", 2 * n) for n in (1, 2)),
        *((f"garage-charger-{n}", "ev_charger", f"{n}号充电桩", f"Charger {n}", n) for n in range(1, 5)),
    ]
    detectors = [
        Device(name, kind, both(zh, en), "garage", asset=f"garage-zone-{1 if n <= 2 else 2}")
        for name, kind, zh, en, n in rows
    ]
    camera = Device(
        "garage-lane-camera",
        "lane_camera",
        both("车库消防通道摄像机", "Garage lane camera"),
        "garage",
        stream="http://camera/garage.mjpg",
    )
    return [*detectors, camera]


def _water() -> list[Device]:
    rows = [
        ("tank-1", "water_tank", "1号消防水箱", "Roof tank 1", "tower-a"),
        ("hydrant-a-roof", "pressure_transmitter", "A栋屋顶消火栓", "Tower A roof hydrant", "tower-a"),
        ("hydrant-b-roof", "pressure_transmitter", "B栋屋顶消火栓", "Tower B roof hydrant", "tower-b"),
        ("pump-room-pressure", "pressure_transmitter", "泵房压力", "Pump room pressure", "pump-house"),
        ("jockey-pump", "pump", "稳压泵", "Jockey pump", "pump-house"),
        ("main-pump-1", "pump", "1号主泵", "Main pump 1", "pump-house"),
        ("main-pump-2", "pump", "2号主泵", "Main pump 2", "pump-house"),
        ("valve-a-riser", "signal_valve", "A栋立管信号阀", "Tower A riser valve", "tower-a"),
        ("valve-b-riser", "signal_valve", "B栋立管信号阀", "Tower B riser valve", "tower-b"),
        ("flow-a", "flow_switch", "A栋水流指示器", "Tower A flow switch", "tower-a"),
        ("flow-b", "flow_switch", "B栋水流指示器", "Tower B flow switch", "tower-b"),
    ]
    return [Device(name, kind, both(zh, en), building, asset="water-supply") for name, kind, zh, en, building in rows]


SITE = Site(
    id="sample",
    label=both("示例小区", "Sample Compound"),
    district=both("上城区", "Shangcheng District"),
    street=both("示例街道", "Sample Street"),
    community=both("示例社区", "Sample Community"),
    time_zone="Asia/Shanghai",
    buildings=(
        Building("tower-a", both("A栋", "Tower A"), both("第一网格", "Grid 1")),
        Building("tower-b", both("B栋", "Tower B"), both("第一网格", "Grid 1")),
        Building("garage", both("地下车库", "Underground garage"), both("第二网格", "Grid 2")),
        Building("pump-house", both("消防泵房", "Fire pump house"), both("第二网格", "Grid 2")),
    ),
    assets=(
        *(
            Asset(
                f"{tower}-lift-{n}",
                "lift",
                both(f"{tower.upper()}栋{n}号电梯", f"Tower {tower.upper()} lift {n}"),
                f"tower-{tower}",
                "lift",
            )
            for tower in "ab"
            for n in (1, 2)
        ),
        Asset("garage-zone-1", "fire_zone", both("车库1号防火分区", "Garage fire zone 1"), "garage", "garage"),
        Asset("garage-zone-2", "fire_zone", both("车库2号防火分区", "Garage fire zone 2"), "garage", "garage"),
        Asset("water-supply", "water_supply", both("消防给水系统", "Fire water supply"), "pump-house", "water"),
    ),
    devices=(
        *(device for tower in "ab" for number in (1, 2) for device in _lift(tower, number)),
        *_garage(),
        *_water(),
    ),
)
INVENTORY = Inventory(sites=(SITE,), kinds=KINDS)


class MovableClock:
    def __init__(self, now: datetime = NOON) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time


class FakeLive:
    def __init__(self) -> None:
        self.standing: dict[str, Alarm] = {}
        self.newest: dict[str, Observation] = {}
        self.refused: list[Rejection] = []
        self.part: dict[str, PartStatus] = {}
        self.frames: dict[str, bytes] = {}

    def alarms(self) -> list[Alarm]:
        return list(self.standing.values())

    def last(self, signal: str) -> Observation | None:
        return self.newest.get(signal)

    def rejections(self) -> list[Rejection]:
        return self.refused[::-1]

    def rejection_counts(self) -> dict[str, int]:
        reasons = [rejection.reason for rejection in self.refused]
        return {reason: reasons.count(reason) for reason in reasons}

    def parts(self) -> list[PartStatus]:
        return list(self.part.values())

    def frame(self, device: str) -> bytes | None:
        return self.frames.get(device)


class FakeReader:
    def __init__(self) -> None:
        self.stored: dict[str, Alarm] = {}
        self.changes: dict[str, list[AlarmTransition]] = {}
        self.readings: list[StoredObservation] = []
        self.records: list[CommandRecord] = []
        self.pictures: dict[str, Picture] = {}
        self.fault: Exception | None = None
        self.asked: list[AlarmFilter] = []

    def _fail(self) -> None:
        if self.fault:
            raise self.fault

    async def alarms(self, wanted: AlarmFilter) -> list[Alarm]:
        self._fail()
        self.asked.append(wanted)
        found = [
            alarm
            for alarm in self.stored.values()
            if (wanted.standing is None or wanted.standing == (alarm.state is not AlarmState.NORMAL))
            and (wanted.before is None or (alarm.onset_time, alarm.alarm_id) < wanted.before)
        ]
        return sorted(found, key=lambda alarm: (alarm.onset_time, alarm.alarm_id), reverse=True)[: wanted.limit]

    async def transitions(self, alarm_id: str) -> list[AlarmTransition]:
        self._fail()
        return self.changes.get(alarm_id, [])

    async def observations(self, signal: str, start: datetime, end: datetime, limit: int) -> list[StoredObservation]:
        self._fail()
        found = [one for one in self.readings if one.signal == signal and start <= one.source_time < end]
        return found[-limit:]

    async def commands(
        self, *, cause: str | None = None, unanswered: bool = False, limit: int = 100
    ) -> list[CommandRecord]:
        self._fail()
        found = [
            record
            for record in self.records
            if cause in (None, record.command.cause) and not (unanswered and record.answer)
        ]
        return found[:limit]

    async def picture(self, picture_id: str) -> Picture | None:
        self._fail()
        return self.pictures.get(picture_id)

    async def inputs_after(self, ordinal: int) -> AsyncIterator[EngineInput]:
        for one in ():
            yield one

    async def last_ordinal(self) -> int:
        return 0


class World:
    """The web server with fakes behind it; what the daemon would do is done by these methods."""

    def __init__(self, clock: MovableClock | None = None, settings: HttpSettings | None = None) -> None:
        self.clock = clock or MovableClock()
        self.live = FakeLive()
        self.reader = FakeReader()
        self.submitted: list[OperatorCommand] = []
        self.part("mqtt", True, "connected to 127.0.0.1:1883")
        self.server = WebServer(
            settings or HttpSettings(port=0),
            INVENTORY,
            self.live,
            self.reader,
            self,
            self.clock,
            lambda: b"firewatch_observations_total 7\n",
        )

    async def submit(self, command: OperatorCommand) -> Alarm:
        assert isinstance(command, Acknowledge)
        self.submitted.append(command)
        alarm = self.live.standing.get(command.alarm_id)
        if alarm is None or alarm.state is AlarmState.ACKNOWLEDGED:
            raise RefusedCommandError("The alarm is acknowledged already.")
        state = AlarmState.NORMAL if alarm.state is AlarmState.RTN_UNACKNOWLEDGED else AlarmState.ACKNOWLEDGED
        return self.change(
            alarm,
            state=state,
            reason=TransitionReason.ACKNOWLEDGED,
            by=command.operator,
            acknowledged_by=command.operator,
            acknowledged_time=self.clock.now(),
        )

    def alarm(self, **fields: object) -> Alarm:
        """Raise the e-bike alarm, or another with these fields."""
        now = self.clock.now()
        values: dict[str, object] = {
            "alarm_id": "00c0ffee00c0ffee",
            "rule": "e-bike-in-lift",
            "site": "sample",
            "subject": "sample/a-lift-2",
            "building": "tower-a",
            "system": "lift",
            "priority": Priority.HIGH,
            "alarm_class": AlarmClass.SECURITY,
            "state": AlarmState.UNACKNOWLEDGED,
            "condition": ConditionState.ACTIVE,
            "text": both("电动自行车进入电梯", "E-bike in the lift"),
            "advice": both("通过对讲劝离；必要时派人到场", "Ask the resident to leave over the intercom; send someone"),
            "place": both("A栋2号电梯", "Tower A lift 2"),
            "onset_time": now - timedelta(seconds=1.2),
            "clock": AlarmClock(
                source_time=now - timedelta(seconds=1.2),
                receive_time=now - timedelta(seconds=1),
                decided_time=now,
                annunciated_time=now,
            ),
        }
        alarm = Alarm(**(values | fields))  # type: ignore[arg-type]
        self._keep(alarm, AlarmState.NORMAL, TransitionReason.CONDITION_ACTIVE, "firewatch")
        return alarm

    def change(
        self,
        alarm: Alarm,
        *,
        reason: TransitionReason = TransitionReason.CONDITION_INACTIVE,
        by: str = "firewatch",
        **fields: object,
    ) -> Alarm:
        changed = Alarm(**({name: getattr(alarm, name) for name in alarm.__struct_fields__} | fields))
        self._keep(changed, alarm.state, reason, by)
        return changed

    def observe(self, signal: str, value: float | bool | str | None, quality: Quality = Quality.GOOD) -> None:
        now = self.clock.now()
        observation = Observation(signal, value, quality, now, now, now)
        self.live.newest[signal] = observation
        self.server.feed.push(observation)

    def command(
        self, command_id: str, device: str, action: str, cause: str, answer: tuple[AnswerState, str] | None = None
    ) -> None:
        now = self.clock.now()
        command = ActuatorCommand(command_id, device, action, {}, cause, "e-bike-in-lift", now)
        said = None if answer is None else ActuatorAnswer(command_id, device, *answer, now, now)
        self.server.feed.push(CommandRecord(command, said))

    def reject(self, reason: str, source: str = "firewatch/v1/telemetry/sample/tank-1") -> None:
        rejection = Rejection(self.clock.now(), source, reason, "value: expected a number, found NaN", '{"value": NaN}')
        self.live.refused.append(rejection)
        self.server.feed.push(rejection)

    def part(self, name: str, ready: bool, detail: str) -> None:
        self.live.part[name] = PartStatus(name, ready, detail)
        if hasattr(self, "server"):
            self.server.feed.push(self.live.part[name])

    def _keep(self, alarm: Alarm, previous: AlarmState, reason: TransitionReason, by: str) -> None:
        if alarm.state is AlarmState.NORMAL:
            self.live.standing.pop(alarm.alarm_id, None)
        else:
            self.live.standing[alarm.alarm_id] = alarm
        self.reader.stored[alarm.alarm_id] = alarm
        changes = self.reader.changes.setdefault(alarm.alarm_id, [])
        changes.append(
            AlarmTransition(alarm.alarm_id, len(changes) + 1, self.clock.now(), reason, previous, alarm, by=by)
        )
        self.server.feed.push(alarm)


async def until(condition, what: str, seconds: float = 5) -> None:
    """Wait for a condition, or fail saying what did not happen."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)
    assert condition(), what
