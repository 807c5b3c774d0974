"""Records of every type, as the daemon would hand them to the history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

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
from firewatch.model.command import Acknowledge, ActuatorAnswer, ActuatorCommand, AnswerState
from firewatch.model.observation import Observation, Quality, Value
from firewatch.model.text import LocalText
from firewatch.ports import EngineInput, Picture, Rejection

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
SIGNAL = "sample/hydrant-a-roof/pressure"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def taken(
    ordinal: int,
    value: Value | None = 0.31,
    *,
    signal: str = SIGNAL,
    source_time: datetime | None = None,
    quality: Quality = Quality.GOOD,
    sequence: int | None = None,
    picture: str | None = None,
) -> EngineInput:
    source_time = source_time or at(ordinal)
    return EngineInput(
        ordinal=ordinal,
        now=at(ordinal + 0.002),
        observation=Observation(
            signal=signal,
            value=value,
            quality=quality,
            source_time=source_time,
            receive_time=at(ordinal + 0.001),
            event_time=source_time,
            sequence=sequence,
            picture=picture,
        ),
    )


def acknowledged(ordinal: int, alarm_id: str = "a1") -> EngineInput:
    command = Acknowledge(alarm_id=alarm_id, operator="控制室", comment="在路上")
    return EngineInput(ordinal=ordinal, now=at(ordinal), command=command)


def alarm(alarm_id: str = "a1", state: AlarmState = AlarmState.UNACKNOWLEDGED, onset: float = 0, **changes) -> Alarm:
    fields = {
        "alarm_id": alarm_id,
        "rule": "hydrant-pressure-low",
        "site": "sample",
        "subject": "sample/hydrant-a-roof",
        "building": "tower-a",
        "system": "water",
        "priority": Priority.HIGH,
        "alarm_class": AlarmClass.SUPERVISORY,
        "state": state,
        "condition": ConditionState.ACTIVE,
        "text": LocalText(zh="消火栓压力低", en="Hydrant pressure low"),
        "advice": LocalText(zh="检查水泵", en="Look at the pumps"),
        "place": LocalText(zh="A 座屋顶", en="Roof of tower A"),
        "onset_time": at(onset),
        "clock": AlarmClock(source_time=at(onset), receive_time=at(onset), decided_time=at(onset)),
        "value": 0.05,
        "unit": "MPa",
    }
    return Alarm(**(fields | changes))


def transition(number: int = 1, state: AlarmState = AlarmState.UNACKNOWLEDGED, **changes) -> AlarmTransition:
    after = alarm(state=state, **changes)
    return AlarmTransition(
        alarm_id=after.alarm_id,
        number=number,
        transition_time=at(number),
        reason=TransitionReason.CONDITION_ACTIVE,
        previous_state=AlarmState.NORMAL,
        alarm=after,
    )


def command(
    command_id: str = "c1", issued: float = 0, cause: str = "a1", device: str = "sample/a-lift-2-door"
) -> ActuatorCommand:
    return ActuatorCommand(
        command_id=command_id,
        device=device,
        action="hold_door",
        parameters={"max_seconds": 60.0, "gently": True, "text_zh": "请离开"},
        cause=cause,
        rule="e-bike-in-lift",
        issued_time=at(issued),
    )


def answer(state: AnswerState, seconds: float = 1, command_id: str = "c1", detail: str = "held") -> ActuatorAnswer:
    return ActuatorAnswer(
        command_id=command_id,
        device="sample/a-lift-2-door",
        state=state,
        detail=detail,
        source_time=at(seconds),
        receive_time=at(seconds + 0.01),
    )


def picture() -> Picture:
    return Picture(picture_id="p1", device="sample/a-lift-2-camera", taken_time=at(3), jpeg=b"\xff\xd8\x00\xff\xd9")


def rejection(payload: str = "{") -> Rejection:
    return Rejection(
        receive_time=at(4),
        source="firewatch/v1/telemetry/sample/x",
        reason="not_json",
        detail="cut off",
        payload=payload,
    )
