from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firewatch.mqtt.outbox import Outbox, OutgoingMessage


def alarm(topic: str, payload: bytes = b"x") -> OutgoingMessage:
    return OutgoingMessage(topic, payload, True)


def command(topic: str, payload: bytes = b"x") -> OutgoingMessage:
    return OutgoingMessage(topic, payload, False)


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


def test_what_is_not_an_alarm_is_given_up_first() -> None:
    outbox = Outbox(2)
    outbox.put(alarm("a"))
    outbox.put(command("c"))
    assert outbox.put(alarm("b")) == command("c")
    assert outbox.put(alarm("d")) == alarm("a")
    assert emptied(outbox) == [alarm("b"), alarm("d")]


@pytest.mark.slow
@given(
    puts=st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.binary(max_size=2)), max_size=30),
    limit=st.integers(1, 6),
)
def test_it_never_holds_more_than_its_limit_and_never_gives_up_the_message_just_put_unless_it_is_all_alarms(
    puts: list[tuple[str, bool, bytes]], limit: int
) -> None:
    outbox = Outbox(limit)
    for topic, retain, payload in puts:
        message = OutgoingMessage(topic, payload, retain)
        given_up = outbox.put(message)
        assert len(outbox) <= limit
        assert given_up is None or not (retain and given_up is message)
    last: dict[str, bytes] = {topic: payload for topic, retain, payload in puts if retain}
    kept = {message.topic: message.payload for message in emptied(outbox) if message.retain}
    assert kept.items() <= last.items()
