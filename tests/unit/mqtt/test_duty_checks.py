"""Duty checks that come over MQTT: which are taken, and what becomes of the others."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from firewatch.config.settings import IngestSettings
from firewatch.errors import RefusedCommandError
from firewatch.model.control_room import DutyQuestion
from firewatch.model.seat import ControlRoom, Seat
from firewatch.mqtt.decode import PayloadDecoder
from firewatch.mqtt.rejection import RejectionReason
from firewatch.ports import Rejection
from tests.inventory import LABEL
from tests.unit.mqtt.conftest import INVENTORY, NOW

ROOM = ControlRoom(
    (Seat("east", LABEL, sites=("sample",)), Seat("west", LABEL, sites=("elsewhere",)), Seat("all", LABEL))
)
QUESTION = {"id": "q1", "asked_by": "中心", "minutes": 5}
TOPIC = "firewatch/v1/duty-check/sample/east"


class Asked:
    def __init__(self) -> None:
        self.questions: list[DutyQuestion] = []
        self.refuses = False
        self.decoder = PayloadDecoder(INVENTORY, IngestSettings(), notice=self.fail, room=ROOM, ask=self.ask)

    def ask(self, question: DutyQuestion) -> None:
        if self.refuses:
            raise RefusedCommandError("east was asked less than a second ago")
        self.questions.append(question)

    def fail(self, rejection: Rejection) -> None:
        raise AssertionError(rejection)

    def decode(self, payload: object, topic: str = TOPIC, retain: bool = False) -> object:
        encoded = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return self.decoder.decode(topic, encoded, retain, NOW)


@pytest.fixture
def asked() -> Asked:
    return Asked()


def test_a_question_is_handed_on_with_the_seat_that_its_topic_names(asked: Asked) -> None:
    assert asked.decode(QUESTION) == []
    assert asked.questions == [DutyQuestion("q1", "sample", "east", "中心", timedelta(minutes=5))]


def test_without_a_number_of_minutes_there_are_ten(asked: Asked) -> None:
    asked.decode({"id": "q1", "asked_by": "centre"}, "firewatch/v1/duty-check/sample/all")
    assert [(question.seat, question.limit) for question in asked.questions] == [("all", timedelta(minutes=10))]


@pytest.mark.parametrize(
    ("payload", "topic", "retain", "reason"),
    [
        (QUESTION, "firewatch/v1/duty-check/sample/north", False, RejectionReason.UNKNOWN_DEVICE),
        (QUESTION, "firewatch/v1/duty-check/sample/west", False, RejectionReason.UNKNOWN_DEVICE),
        (QUESTION, "firewatch/v1/duty-answer/sample/east", False, RejectionReason.BAD_TOPIC),
        (QUESTION, TOPIC, True, RejectionReason.RETAINED),
        (b"", TOPIC, False, RejectionReason.EMPTY_PAYLOAD),
        (b"{", TOPIC, False, RejectionReason.BROKEN_JSON),
        (b'"\\ud800"', TOPIC, False, RejectionReason.BROKEN_JSON),
        ({"id": "q1"}, TOPIC, False, RejectionReason.MISSING_FIELD),
        (QUESTION | {"minutes": 60}, TOPIC, False, RejectionReason.WRONG_TYPE),
        (QUESTION | {"id": "x" * 65}, TOPIC, False, RejectionReason.WRONG_TYPE),
        (QUESTION | {"shout": True}, TOPIC, False, RejectionReason.WRONG_TYPE),
    ],
)
def test_what_is_no_question_is_refused_for_its_reason(
    asked: Asked, payload: object, topic: str, retain: bool, reason: RejectionReason
) -> None:
    rejection = asked.decode(payload, topic, retain)
    assert isinstance(rejection, Rejection)
    assert rejection.reason == reason
    assert asked.questions == []


def test_a_question_that_the_desk_refuses_is_a_rejection_with_its_word(asked: Asked) -> None:
    asked.refuses = True
    rejection = asked.decode(QUESTION)
    assert isinstance(rejection, Rejection)
    assert (rejection.reason, rejection.detail) == (
        RejectionReason.TOO_OFTEN,
        "east was asked less than a second ago",
    )


def test_names_are_kept_printable(asked: Asked) -> None:
    asked.decode(QUESTION | {"asked_by": "a\u0000b"})
    assert asked.questions[0].asked_by == "a\ufffdb"


def test_the_channel_is_subscribed_to_where_somebody_listens(asked: Asked) -> None:
    assert "firewatch/v1/duty-check/+/+" in asked.decoder.subscriptions
    deaf = PayloadDecoder(INVENTORY, IngestSettings(), notice=asked.fail)
    assert "firewatch/v1/duty-check/+/+" not in deaf.subscriptions
