"""A small site with one device of each sort."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from firewatch.config.settings import IngestSettings
from firewatch.model.site import (
    Action,
    Decoder,
    Device,
    DeviceKind,
    FieldMapping,
    Signal,
    SignalType,
    TimeFormat,
)
from firewatch.mqtt.decode import PayloadDecoder
from firewatch.ports import Rejection
from tests.inventory import LABEL, one_site

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def _kind(kind: str, *signals: Signal, actions: tuple[str, ...] = ()) -> DeviceKind:
    answered = tuple(Action(action, LABEL) for action in actions)
    return DeviceKind(kind=kind, label=LABEL, system="water", signals=signals, actions=answered)


def _number(name: str, unit: str) -> Signal:
    return Signal(name=name, type=SignalType.NUMBER, label=LABEL, unit=unit)


def _boolean(name: str) -> Signal:
    return Signal(name=name, type=SignalType.BOOLEAN, label=LABEL)


def _device(name: str, kind: str, topic: str | None = None, decoder: Decoder | None = None) -> Device:
    return Device(id=name, kind=kind, label=LABEL, building="tower-a", topic=topic, decoder=decoder)


VENDOR = Decoder(
    readings={
        "pressure": FieldMapping(path="d.p", unit="kPa"),
        "leaking": FieldMapping(path="d.st", enum={"0": False, "1": True}),
        "position": FieldMapping(path="d.v.0", enum={"10": "open", "20": "closed"}),
        "level": FieldMapping(path="d.l", scale=0.01),
    },
    time_path="ts",
    time_format=TimeFormat.UNIX_MILLISECONDS,
    sequence_path="n",
)

INVENTORY = one_site(
    _device("hydrant", "pressure_transmitter"),
    _device("pump", "pump"),
    _device("valve", "valve"),
    _device("door", "door"),
    _device("box", "box", "vendor/acme/box-1/up", VENDOR),
    _device("plain", "pump", "vendor/acme/plain/up", Decoder(readings={"running": FieldMapping(path="run")})),
    _device("iso", "pump", None, Decoder(readings={"running": FieldMapping(path="run")}, time_path="t")),
    kinds=(
        _kind("pressure_transmitter", _number("pressure", "MPa"), _number("temperature", "degC")),
        _kind("pump", _boolean("running"), _boolean("fault")),
        _kind("valve", Signal("position", SignalType.STATE, LABEL, states=("open", "closed"))),
        _kind("door", _boolean("held"), actions=("hold_door", "release_door")),
        _kind(
            "box",
            _number("pressure", "MPa"),
            _number("level", "m"),
            _boolean("leaking"),
            Signal("position", SignalType.STATE, LABEL, states=("open", "closed")),
        ),
    ),
)


@pytest.fixture
def notices() -> list[Rejection]:
    return []


@pytest.fixture
def decoder(notices: list[Rejection]) -> PayloadDecoder:
    return PayloadDecoder(INVENTORY, IngestSettings(), notice=notices.append)
