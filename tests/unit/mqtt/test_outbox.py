from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firewatch.mqtt.outbox import Outbox, OutgoingMessage


def alarm(topic: str, payload: bytes = b"x") -> OutgoingMessage:
    return OutgoingMessage(topic, payload, True)


def command(topic: str, payload: bytes = b"x", replaces: str | None = None) -> OutgoingMessage:
    return OutgoingMessage(topic, payload, False, replaces)


def emptied(outbox: Outbox) -> list[OutgoingMessage]:
    taken = []
    while (message := outbox.pop()) is not None:
        taken.append(message)
    return taken


def test_messages_leave_in_the_order_they_came() -> None:
    outbox = Outbox(10)
    sent = [alarm("a"), command("c"), alarm("b"), command("c")]
    for message in sent:
        assert outbox.put(message) is None
    assert emptied(outbox) == sent
    assert len(outbox) == 0


def test_the_last_word_of_an_alarm_replaces_the_one_before_and_takes_its_turn_anew() -> None:
    outbox = Outbox(10)
    for message in (alarm("a", b"1"), command("c"), alarm("a", b"2")):
        outbox.put(message)
    assert emptied(outbox) == [command("c"), alarm("a", b"2")]


def test_commands_of_one_topic_are_all_kept() -> None:
    outbox = Outbox(10)
    outbox.put(command("c", b"hold"))
    outbox.put(command("c", b"release"))
    assert [message.payload for message in emptied(outbox)] == [b"hold", b"release"]


def test_a_message_takes_the_place_of_the_one_with_its_key_and_is_one_with_it() -> None:
    outbox = Outbox(2)
    for number in range(10):
        assert outbox.put(command("c", b"%d" % number, "id-1")) is None
    outbox.put(command("c", b"x", "id-2"))
    outbox.put(command("c", b"10", "id-1"))
    assert emptied(outbox) == [command("c", b"10", "id-1"), command("c", b"x", "id-2")]
    assert outbox.put(command("c", b"later", "id-1")) is None
    assert emptied(outbox) == [command("c", b"later", "id-1")]


def test_the_newest_state_of_an_alarm_may_replace_an_older_one_that_was_retained_otherwise() -> None:
    outbox = Outbox(2)
    states = [OutgoingMessage("a", payload, retain, "a") for payload, retain in ((b"1", True), (b"2", False))]
    for message in states:
        outbox.put(message)
    outbox.put(alarm("b"))
    assert outbox.put(alarm("c")) == states[1]
    assert emptied(outbox) == [alarm("b"), alarm("c")]


def test_a_withdrawn_message_is_not_sent_and_withdrawing_nothing_is_nothing() -> None:
    outbox = Outbox(10)
    outbox.put(command("c", b"hold", "id-1"))
    outbox.put(command("c", b"release", "id-2"))
    outbox.withdraw("id-1")
    outbox.withdraw("id-1")
    assert emptied(outbox) == [command("c", b"release", "id-2")]


def test_what_was_given_back_goes_first_unless_something_newer_has_its_key() -> None:
    outbox = Outbox(10)
    taken = [command("c", b"1"), alarm("a", b"old"), command("d", b"2", "id"), command("d", b"3", "id"), alarm("b")]
    outbox.put(alarm("a", b"new"))
    outbox.give_back(taken)
    assert emptied(outbox) == [command("c", b"1"), command("d", b"3", "id"), alarm("b"), alarm("a", b"new")]


def test_what_is_not_an_alarm_is_given_up_first() -> None:
    outbox = Outbox(2)
    outbox.put(alarm("a"))
    outbox.put(command("c"))
    assert outbox.put(alarm("b")) == command("c")
    assert outbox.put(alarm("d")) == alarm("a")
    assert emptied(outbox) == [alarm("b"), alarm("d")]


class Model:
    """What the outbox promises, in the plainest way: a list."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.waiting: list[OutgoingMessage] = []

    def put(self, message: OutgoingMessage) -> None:
        keys = [waiting.key for waiting in self.waiting]
        if message.key is not None and message.key in keys:
            place = keys.index(message.key)
            del self.waiting[place]
            self.waiting.insert(place if message.replaces else len(self.waiting), message)
        else:
            self.waiting.append(message)
        if len(self.waiting) > self.limit:
            self.waiting.remove(next((waiting for waiting in self.waiting if not waiting.retain), self.waiting[0]))

    def withdraw(self, key: str) -> None:
        self.waiting = [waiting for waiting in self.waiting if waiting.key != key]


keys = st.none() | st.sampled_from("abk")
messages = st.builds(OutgoingMessage, st.sampled_from("abc"), st.binary(max_size=2), st.booleans(), keys)


@pytest.mark.slow
@given(steps=st.lists(messages | st.sampled_from(["pop", "a", "k"]), max_size=30), limit=st.integers(1, 6))
def test_any_sequence_of_steps_leaves_what_a_plain_list_would(steps: list[OutgoingMessage | str], limit: int) -> None:
    outbox, model = Outbox(limit), Model(limit)
    for step in steps:
        if isinstance(step, OutgoingMessage):
            outbox.put(step)
            model.put(step)
        elif step == "pop":
            assert outbox.pop() == (model.waiting.pop(0) if model.waiting else None)
        else:
            outbox.withdraw(step)
            model.withdraw(step)
        assert len(outbox) == len(model.waiting) <= limit
    assert emptied(outbox) == model.waiting
