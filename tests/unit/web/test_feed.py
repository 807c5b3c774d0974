from __future__ import annotations

import asyncio
import json

import msgspec

from firewatch.model.alarm import AlarmState
from firewatch.model.effect import Annunciate
from firewatch.model.observation import Observation, Quality
from firewatch.testing.clock import START
from firewatch.web import feed as feed_module
from firewatch.web.feed import QUEUE_LIMIT, FeedReader, LiveFeed
from tests.unit.web.world import World

LEVEL = "sample/tank-1/level"


def reading(value: float, signal: str = LEVEL) -> Observation:
    return Observation(signal, value, Quality.GOOD, START, START, START)


async def taken(reader: FeedReader, seconds: float = 2) -> list[dict]:
    messages, missed = await reader.take(seconds)
    assert missed == 0
    return [json.loads(message) for message in messages]


async def test_only_the_newest_of_each_signal_is_sent_after_a_burst(monkeypatch):
    monkeypatch.setattr(feed_module, "GATHER_SECONDS", 0.01)
    feed = LiveFeed()
    with feed.reader() as reader:
        for value in range(1_000):
            feed.push(reading(value))
            feed.push(reading(-value, "sample/tank-2/level"))
        [message] = await taken(reader)
    assert message["type"] == "observation"
    assert {one["signal"]: one["value"] for one in message["observations"]} == {LEVEL: 999, "sample/tank-2/level": -999}


async def test_an_alarm_does_not_wait_for_the_gathering_of_observations():
    world = World()
    with world.feed.reader() as reader:
        world.observe(LEVEL, 1.0)
        world.alarm()
        [message] = await taken(reader)
    assert message["type"] == "alarm"


async def test_a_flood_of_rejections_sends_a_few(monkeypatch):
    monkeypatch.setattr(feed_module, "GATHER_SECONDS", 0.01)
    world = World()
    with world.feed.reader() as reader:
        for _ in range(5_000):
            world.reject("broken_json")
        messages = await taken(reader)
    assert [message["type"] for message in messages] == ["rejection"] * feed_module.REJECTIONS_GATHERED


async def test_a_slow_reader_loses_its_queue_and_is_told_how_much_and_others_lose_nothing():
    world = World()
    with world.feed.reader() as slow, world.feed.reader() as quick:
        told = 0
        for _ in range(QUEUE_LIMIT + 50):
            world.command("sample/a-lift-2-door", "hold_door")
            told += len(await taken(quick))
        assert told == QUEUE_LIMIT + 50
        assert await slow.take(1) == ([], QUEUE_LIMIT + 50)
        # From then on it hears everything again.
        world.command("sample/a-lift-2-door", "hold_door")
        assert len(await taken(slow)) == 1


async def test_a_reader_that_hears_nothing_gets_nothing_after_its_patience():
    with LiveFeed().reader() as reader:
        assert await reader.take(0.001) == ([], 0)


async def test_nothing_is_kept_for_readers_that_are_gone():
    feed = LiveFeed()
    with feed.reader():
        assert feed.screens == 1
    assert feed.screens == 0
    feed.push(reading(1.0))
    await asyncio.sleep(0)
    assert feed.screens == 0


async def test_commands_pushed_lately_stand_over_those_the_history_still_has():
    world = World()
    world.history.hold = True
    world.command("sample/a-lift-2-door", "hold_door")
    stored = await world.history.commands()
    assert stored == []
    assert [record.command.action for record in world.feed.recent_commands(stored)] == ["hold_door"]


async def test_the_alarms_of_a_flood_travel_together_as_they_stand_and_none_that_calls_waits(monkeypatch):
    monkeypatch.setattr(feed_module, "ALARMS_GATHER_SECONDS", 0.01)
    world = World()
    alarms = [world.alarm(alarm_id=f"a{number}") for number in range(5)]
    later = msgspec.structs.replace(alarms[2], state=AlarmState.ACKNOWLEDGED)
    with world.feed.reader() as reader:
        for each in (alarms[0], alarms[1], alarms[2], alarms[3], later):
            world.feed.push(each)
        world.feed.push(Annunciate(alarms[3]))
        world.feed.push(Annunciate(alarms[4]))
        at_once = await taken(reader)
        assert [(each["type"], each["alarm"]["alarm_id"]) for each in at_once] == [
            ("alarm", "a0"),
            ("alarm", "a3"),
            ("alarm", "a4"),
        ]
        [together] = await taken(reader)
        assert together["type"] == "alarms"
        assert [(each["alarm_id"], each["state"]) for each in together["alarms"]] == [
            ("a1", "unacknowledged"),
            ("a2", "acknowledged"),
        ], "not the older word on the one that has called since"
        world.feed.push(alarms[1])
        [alone] = await taken(reader)
        assert (alone["type"], alone["alarm"]["alarm_id"]) == ("alarm", "a1")


async def test_a_thousand_alarms_at_once_leave_no_screen_behind(monkeypatch):
    monkeypatch.setattr(feed_module, "ALARMS_GATHER_SECONDS", 0.01)
    world = World()
    alarms = [world.alarm(alarm_id=f"a{number}") for number in range(QUEUE_LIMIT + 500)]
    with world.feed.reader() as reader:
        for alarm in alarms:
            world.feed.push(alarm)
        [first] = await taken(reader)
        [rest] = await taken(reader)
    assert first["alarm"]["alarm_id"] == "a0"
    assert len(rest["alarms"]) == len(alarms) - 1
