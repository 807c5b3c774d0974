"""What docs/mqtt-contract/ says is what the code accepts."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from ruamel.yaml import YAML

from firewatch.config.settings import IngestSettings
from firewatch.model.contract import (
    PAYLOAD_LIMIT_BYTES,
    READINGS_LIMIT,
    AlarmMessage,
    CommandMessage,
    DutyAnswerMessage,
)
from firewatch.model.control_room import DutyQuestion
from firewatch.model.observation import Observation
from firewatch.model.site import Action, Device, DeviceKind, Signal, SignalType
from firewatch.model.topic import Channel, Topic
from firewatch.mqtt.decode import PayloadDecoder
from firewatch.mqtt.rejection import RejectionReason
from firewatch.ports import Rejection
from tests.inventory import LABEL, one_site

FOLDER = Path(__file__).parents[3] / "docs" / "mqtt-contract"
DOCUMENT: dict[str, Any] = YAML(typ="safe", pure=True).load((FOLDER / "asyncapi.yaml").read_text(encoding="utf-8"))
NOW = datetime(2026, 3, 1, 8, 0, 1, tzinfo=UTC)

KIND = DeviceKind(
    kind="everything",
    label=LABEL,
    system="water",
    signals=(
        Signal("pressure", SignalType.NUMBER, LABEL, unit="MPa"),
        Signal("temperature", SignalType.NUMBER, LABEL, unit="degC"),
        Signal("running", SignalType.BOOLEAN, LABEL),
        Signal("position", SignalType.STATE, LABEL, states=("open", "closed")),
    ),
    actions=(Action("hold_door", LABEL),),
)
INVENTORY = one_site(Device(id="device-1", kind="everything", label=LABEL, building="tower-a"), kinds=(KIND,))


LAST = {
    Channel.ALARM: "{alarm}",
    Channel.DRILL_ALARM: "{alarm}",
    Channel.DUTY_CHECK: "{seat}",
    Channel.DUTY_ANSWER: "{seat}",
}


def examples() -> Iterator[Any]:
    for channel, spec in DOCUMENT["channels"].items():
        for name in spec["messages"]:
            for example in DOCUMENT["components"]["messages"][name].get("examples", []):
                yield pytest.param(channel, name, example["payload"], id=f"{channel}-{name}-{example['name']}")


def test_the_schemas_are_those_of_the_code() -> None:
    spec = importlib.util.spec_from_file_location("generate_contract", FOLDER / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)

    assert generate.main(check=True) == 0, "run docs/mqtt-contract/generate.py"


def test_every_channel_of_the_code_is_in_the_document_under_its_address() -> None:
    assert set(DOCUMENT["channels"]) == {channel.value for channel in Channel}
    for channel in Channel:
        last = LAST.get(channel, "{device}")
        assert DOCUMENT["channels"][channel.value]["address"] == Topic(channel, "{site}", last).name()


def test_every_reference_in_the_document_leads_somewhere() -> None:
    def check(part: Any) -> None:
        if isinstance(part, dict):
            reference = part.get("$ref")
            if reference is not None and reference.startswith("#/"):
                target: Any = DOCUMENT
                for step in reference[2:].split("/"):
                    target = target[step]
            elif reference is not None:
                assert (FOLDER / reference).is_file()
            for inner in part.values():
                check(inner)
        elif isinstance(part, list):
            for inner in part:
                check(inner)

    check(DOCUMENT)


def _no_notice(rejection: Rejection) -> None:
    raise AssertionError(rejection)


@pytest.mark.parametrize(("channel", "name", "payload"), list(examples()))
def test_every_example_is_valid_and_accepted(channel: str, name: str, payload: Any) -> None:
    reference = DOCUMENT["components"]["messages"][name]["payload"]["$ref"]
    schema = json.loads((FOLDER / reference).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER).validate(
        payload
    )

    encoded = json.dumps(payload).encode()
    if channel == "command":
        msgspec.json.decode(encoded, type=CommandMessage)
    elif channel in ("alarm", "drill-alarm"):
        msgspec.json.decode(encoded, type=AlarmMessage)
    elif channel == "duty-answer":
        msgspec.json.decode(encoded, type=DutyAnswerMessage)
    elif channel == "drill":
        rehearsed: list[Observation] = []

        def rehearse(drill: str, index: int, observation: Observation) -> bool:
            rehearsed.append(observation)
            return (drill, index) == (payload["drill"], payload["index"])

        decoder = PayloadDecoder(INVENTORY, IngestSettings(), notice=_no_notice, rehearse=rehearse)
        assert decoder.decode("firewatch/v1/drill/sample/device-1", encoded, False, NOW) == []
        assert [observation.signal for observation in rehearsed] == [f"sample/device-1/{payload['signal']}"]
    elif channel == "duty-check":
        asked: list[DutyQuestion] = []
        decoder = PayloadDecoder(INVENTORY, IngestSettings(), notice=_no_notice, ask=asked.append)
        assert decoder.decode("firewatch/v1/duty-check/sample/control-room", encoded, False, NOW) == []
        assert [question.question_id for question in asked] == [payload["id"]]
    else:
        notices: list[Rejection] = []
        decoder = PayloadDecoder(INVENTORY, IngestSettings(), notice=notices.append)
        decoded = decoder.decode(f"firewatch/v1/{channel}/sample/device-1", encoded, channel == "state", NOW)
        assert not isinstance(decoded, Rejection), decoded.detail
        assert notices == []


@pytest.mark.parametrize(
    ("schema", "payload"),
    [
        ("one-reading", {"time": "2026-03-01T08:00:00Z", "signal": "pressure", "value": {}}),
        ("one-reading", {"signal": "pressure", "value": 1}),
        ("many-readings", {"time": "2026-03-01T08:00:00Z", "readings": []}),
        ("device-state", {"online": "yes"}),
        ("answer", {"id": "a", "state": "soon", "time": "2026-03-01T08:00:00Z"}),
        ("duty-check", {"id": "a", "asked_by": "centre", "minutes": 11}),
        ("duty-check", {"id": "a", "asked_by": "centre", "minutes": 0}),
        ("duty-check", {"id": "a", "asked_by": "", "minutes": 1}),
    ],
)
def test_the_schemas_refuse_what_the_decoder_refuses(schema: str, payload: Any) -> None:
    document = json.loads((FOLDER / "schemas" / f"{schema}.json").read_text(encoding="utf-8"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(payload, document)


@pytest.mark.parametrize(("file", "language"), [("README.md", "en"), ("README.zh-CN.md", "zh")])
def test_the_page_lists_every_reason_and_the_limits(file: str, language: str) -> None:
    page = (FOLDER / file).read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `([a-z_]+)` \| (.+) \|$", page, re.MULTILINE))
    assert listed == {reason.value: getattr(reason.text, language) for reason in RejectionReason}
    assert str(READINGS_LIMIT) in page
    assert f"{PAYLOAD_LIMIT_BYTES:,}" in DOCUMENT["info"]["description"]
