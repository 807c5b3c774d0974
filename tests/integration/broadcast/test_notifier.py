"""The notifier with receivers over real sockets: one that hangs, one that answers 500, one that is away for an hour."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from firewatch.broadcast.channel import Notification, PermanentDeliveryError, TemporaryDeliveryError
from firewatch.broadcast.notifier import Notifier
from firewatch.broadcast.outlet import Surroundings
from firewatch.config.notification_spec import TargetSpec, WebhookSpec
from firewatch.errors import ConfigError, RefusedCommandError
from firewatch.model.alarm import AlarmClass, AlarmTransition, Priority, Stage
from firewatch.model.delivery import Delivery, DeliveryState, NotificationReason
from firewatch.model.text import LocalText
from firewatch.telemetry.telemetry import Telemetry
from firewatch.testing.clock import FakeClock
from firewatch.testing.history import InMemoryHistory
from tests.integration.broadcast.receivers import Receiver, hangs, receiver, says
from tests.unit.broadcast.alarms import START, smoke
from tests.unit.broadcast.book import INVENTORY, Tale, notification_file

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 30


class PlainHttp:
    """The least that a channel can be: the delivery's id in a header, the words in the body."""

    def __init__(self, spec: TargetSpec) -> None:
        assert isinstance(spec.webhook, WebhookSpec)
        assert isinstance(spec.webhook.url, str)
        self._url = spec.webhook.url
        self._client = httpx.AsyncClient(timeout=None)

    async def deliver(self, message: Notification) -> None:
        headers = {"X-Delivery": message.delivery_id, "X-Reason": message.reason.value}
        try:
            answer = await self._client.post(
                self._url, headers=headers, content=f"{message.title}\n{message.body}".encode()
            )
        except httpx.TransportError as error:
            raise TemporaryDeliveryError(type(error).__name__) from None
        if answer.status_code == 400:
            raise PermanentDeliveryError("400")
        if answer.status_code >= 300:
            after = answer.headers.get("Retry-After")
            raise TemporaryDeliveryError(
                str(answer.status_code), None if after is None else timedelta(seconds=float(after))
            )

    async def close(self) -> None:
        await self._client.aclose()


class World:
    """A notifier at work over one history, through restarts; time passes when the test says."""

    def __init__(self, file: str) -> None:
        self.file = notification_file(file)
        self.clock = FakeClock(START)
        self.history = InMemoryHistory()
        self.telemetry = Telemetry()
        self.standing: dict[str, AlarmTransition] = {}
        self.rehearsed = {"chat", "trainer"}
        """Whom a drill's plan lets be told."""
        self.notifier = self._fresh()

    def _fresh(self) -> Notifier:
        around = Surroundings(
            self.clock,
            self.history,
            self.history,
            self.telemetry,
            PlainHttp,
            lambda each: each.target in self.rehearsed,
        )
        return Notifier(self.file, INVENTORY, around)

    @asynccontextmanager
    async def running(self, settled: tuple[AlarmTransition, ...] = ()) -> AsyncIterator[World]:
        """From a start to a kill; `settled` is what a replay of the engine tells again."""
        self.notifier = self._fresh()
        alarms = [change.alarm for change in self.standing.values() if change.alarm.stands]
        changes = [change for alarm in alarms for change in await self.history.transitions(alarm.alarm_id)]
        await self.notifier.recover(alarms, changes, [change.alarm_id for change in settled])
        self.history.write(self.notifier.take(settled))
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.notifier.run())
            yield self
            task.cancel()

    def happens(self, *changes: AlarmTransition) -> list[Delivery]:
        self.standing |= {change.alarm_id: change for change in changes}
        planned = self.notifier.take(changes)
        self.history.write([*changes, *planned])
        return planned

    def passes(self, **span: float) -> None:
        self.clock.advance(timedelta(**span))
        self.notifier.wake()

    async def settled(self, *names: str) -> None:
        """Return when these targets were tried with everything that is due."""
        await until(lambda: all(self.is_settled(name) for name in names))

    def is_settled(self, name: str) -> bool:
        (target,) = (each for each in self.notifier.targets() if each.target == name)
        return target.next_attempt_time is None or target.next_attempt_time > self.clock.now()

    async def states(self, target: str) -> list[DeliveryState]:
        found = await self.history.deliveries(target=target, limit=1000)
        return [each.state for each in reversed(found)]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.005)


def ids(taken: Receiver) -> list[str]:
    return [request.headers["x-delivery"] for request in taken.taken]


def reasons(taken: Receiver) -> list[str]:
    return [request.headers["x-reason"] for request in taken.taken]


def to(name: str, where: Receiver, more: str = "") -> str:
    return f"  - {{id: {name}, webhook: {{url: '{where.url}'}}{more}}}\n"


PLAN = """plans:
  - id: all
    steps:
      - {targets: [TARGETS]}
"""


class Locked(PlainHttp):
    """Its secret is not there."""

    def __init__(self, spec: TargetSpec) -> None:
        raise ConfigError(f"target {spec.id}: the file is not there")


async def test_a_secret_that_is_missing_is_known_before_there_is_anything_to_send(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(globals(), "PlainHttp", Locked)
    async with receiver() as well:
        world = World("targets:\n" + to("well", well) + PLAN.replace("TARGETS", "well"))
        async with world.running():
            await until(lambda: not world.notifier.targets()[0].ready)
            assert world.notifier.targets()[0].error == "target well: the file is not there"
            [part] = world.notifier.parts()
            assert not part.ready
            assert not part.vital


async def test_a_receiver_that_hangs_delays_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firewatch.broadcast.outlet.ATTEMPT_TIMEOUT", timedelta(seconds=0.3))
    released = asyncio.Event()
    async with receiver() as stuck, receiver() as well:
        stuck.answer = hangs(released)
        world = World("targets:\n" + to("stuck", stuck) + to("well", well) + PLAN.replace("TARGETS", "stuck, well"))
        async with world.running():
            world.happens(*(Tale(smoke(f"{number:016x}")).told() for number in range(20)))
            await until(lambda: len(well.taken) == 20)
            await world.settled("well")
            assert await world.states("well") == [DeliveryState.DELIVERED] * 20
            await until(lambda: not next(each for each in world.notifier.targets() if each.target == "stuck").ready)
            assert await world.states("stuck") == [DeliveryState.WAITING] * 20
            released.set()
            stuck.answer = says(200)
            while not all(state is DeliveryState.DELIVERED for state in await world.states("stuck")):
                world.passes(seconds=10)
                await world.settled("stuck")
            assert set(ids(stuck)) == {each.delivery_id for each in await world.history.deliveries(target="stuck")}


async def test_a_receiver_that_answers_500_gets_everything_later_and_what_it_took_only_once() -> None:
    async with receiver() as ill, receiver() as well:
        ill.answer = says(500)
        world = World("targets:\n" + to("ill", ill) + to("well", well) + PLAN.replace("TARGETS", "ill, well"))
        async with world.running():
            world.happens(*(Tale(smoke(f"{number:016x}")).told() for number in range(5)))
            await world.settled("ill", "well")
            assert (len(well.taken), await world.states("ill")) == (5, [DeliveryState.WAITING] * 5)
            ill.taken.clear()
            ill.answer = says(200)
            for _ in range(10):
                world.passes(seconds=10)
                await world.settled("ill")
            assert sorted(ids(ill)) == sorted(
                {each.delivery_id for each in await world.history.deliveries(target="ill")}
            )
            assert len(well.taken) == 5


async def test_a_receiver_that_is_away_for_an_hour_misses_nothing_and_hears_nothing_twice() -> None:
    tales = [Tale(smoke(f"{number:016x}")) for number in range(30)]
    async with AsyncExitStack() as gone:
        away = await gone.enter_async_context(receiver())
        async with receiver() as well:
            file = "targets:\n" + to("away", away) + to("well", well) + PLAN.replace("TARGETS", "away, well")
            world = World(file)
            async with world.running():
                world.happens(tales[0].told())
                await until(lambda: bool(away.taken))
                port = int(away.url.rsplit(":", 1)[1])
                await gone.aclose()
                for tale in tales[1:]:
                    world.happens(tale.told(world.clock.now()))
                    world.passes(minutes=2)
                    await world.settled("away", "well")
                assert len(well.taken) == 30
                assert world.clock.now() - START >= timedelta(minutes=58)
                async with receiver(port=port) as back:
                    for _ in range(20):
                        world.passes(seconds=10)
                        await world.settled("away")
                    assert len(ids(back)) == len(set(ids(back))) == 29
                    assert not set(ids(back)) & set(ids(away))
                    assert await world.states("away") == [DeliveryState.DELIVERED] * 30


async def test_over_a_kill_nothing_is_lost_and_nothing_that_was_taken_is_told_again() -> None:
    first, second = Tale(smoke("a" * 16)), Tale(smoke("b" * 16))
    async with receiver() as chat:
        world = World("targets:\n" + to("chat", chat) + PLAN.replace("TARGETS", "chat"))
        async with world.running():
            begun = first.told()
            world.happens(begun)
            await until(lambda: bool(chat.taken))
            chat.answer = says(503)
            world.happens(second.told())
            await world.settled("chat")
        chat.answer = says(200)
        before = len(chat.taken)
        async with world.running(settled=(begun,)):
            world.passes(minutes=1)
            await world.settled("chat")
            assert len(chat.taken) == before + 1
            assert await world.states("chat") == [DeliveryState.DELIVERED] * 2
        async with world.running(settled=(begun,)):
            world.passes(minutes=1)
            await world.settled("chat")
            assert len(chat.taken) == before + 1


async def test_what_a_start_settles_and_nobody_was_told_of_is_told() -> None:
    async with receiver() as chat:
        world = World("targets:\n" + to("chat", chat) + PLAN.replace("TARGETS", "chat"))
        begun = Tale().told()
        async with world.running(settled=(begun,)):
            await until(lambda: bool(chat.taken))
            assert reasons(chat) == ["onset"]


ESCALATING = """plans:
  - id: all
    steps:
      - {targets: [chat]}
      - {after: 2min, targets: [head]}
"""


async def test_an_alarm_that_nobody_acknowledges_is_escalated_also_when_firewatch_was_down_meanwhile() -> None:
    async with receiver() as chat, receiver() as head:
        world = World("targets:\n" + to("chat", chat) + to("head", head) + ESCALATING)
        async with world.running():
            world.happens(Tale().told())
            await until(lambda: bool(chat.taken))
            world.passes(seconds=119)
            await world.settled("head")
            assert head.taken == []
        world.clock.advance(timedelta(seconds=5))
        async with world.running():
            await until(lambda: bool(head.taken))
            assert reasons(head) == ["escalated"]
            assert "2分钟" in head.taken[0].body.decode()


@pytest.mark.parametrize("down", [False, True])
async def test_who_is_called_later_hears_how_the_alarm_is_by_then(down: bool) -> None:
    async with receiver() as chat, receiver() as head:
        world = World("targets:\n" + to("chat", chat) + to("head", head, ", changes: true") + ESCALATING)
        tale = Tale()
        async with world.running():
            world.happens(tale.told())
            world.passes(minutes=1)
            world.happens(tale.changed(world.clock.now(), text=LocalText(zh="浓烟", en="Dense smoke")))
            if not down:
                world.passes(minutes=2)
                await until(lambda: bool(head.taken))
        if down:
            world.clock.advance(timedelta(minutes=2))
            async with world.running():
                await until(lambda: bool(head.taken))
        assert reasons(head) == ["escalated"]
        assert "浓烟" in head.taken[0].body.decode()


async def test_an_acknowledgement_ends_the_escalation_and_the_record_says_so() -> None:
    async with receiver() as chat, receiver() as head:
        world = World("targets:\n" + to("chat", chat, ", acknowledged: true") + to("head", head) + ESCALATING)
        async with world.running():
            tale = Tale()
            world.happens(tale.told())
            world.passes(seconds=60)
            world.happens(tale.acknowledged(world.clock.now()))
            world.passes(minutes=10)
            await world.settled("chat", "head")
            assert (reasons(chat), head.taken) == (["onset", "acknowledged"], [])
            assert "li" in chat.taken[1].body.decode()
            assert await world.states("head") == [DeliveryState.WITHDRAWN]


async def test_an_acknowledgement_that_came_while_firewatch_was_down_ends_the_escalation_too() -> None:
    async with receiver() as chat, receiver() as head:
        world = World("targets:\n" + to("chat", chat) + to("head", head) + ESCALATING)
        tale = Tale()
        async with world.running():
            world.happens(tale.told())
            await until(lambda: bool(chat.taken))
        world.standing[tale.alarm.alarm_id] = tale.acknowledged(world.clock.now())
        async with world.running():
            world.passes(minutes=5)
            await world.settled("head")
            assert (head.taken, await world.states("head")) == ([], [DeliveryState.WITHDRAWN])


async def test_an_alarm_that_is_told_again_and_again_is_escalated_at_its_first_time_and_then_anew() -> None:
    async with receiver() as chat, receiver() as head:
        world = World("targets:\n" + to("chat", chat) + to("head", head) + ESCALATING)
        async with world.running():
            tale = Tale()
            world.happens(tale.told())
            for _ in range(8):
                world.passes(seconds=30)
                world.happens(tale.realarmed(world.clock.now()))
                await world.settled("chat", "head")
            assert reasons(chat) == ["onset", *["realarmed"] * 8]
            assert reasons(head) == ["escalated"]
            world.passes(minutes=1)
            await world.settled("head")
            assert reasons(head) == ["escalated", "escalated"]


async def test_what_joins_an_incident_calls_nobody_by_itself() -> None:
    async with receiver() as chat:
        world = World("targets:\n" + to("chat", chat) + PLAN.replace("TARGETS", "chat"))
        async with world.running():
            grouped = Tale(smoke("b" * 16))
            assert world.happens(grouped.told(grouped=True)) == []
            assert world.happens(grouped.returned(START)) == []


async def test_the_first_arrival_of_an_alarm_is_a_stage_on_its_way() -> None:
    async with receiver() as chat:
        world = World("targets:\n" + to("chat", chat) + PLAN.replace("TARGETS", "chat"))
        async with world.running():
            tale = Tale()
            world.happens(tale.told())
            await world.settled("chat")
            (stage,) = await world.history.stages([tale.alarm.alarm_id])
            assert (stage.stage, stage.by) == (Stage.DELIVERED, "chat")


def incident(*priorities: Priority) -> list[Tale]:
    """Alarms of one incident, first to last."""
    first = f"{0:016x}"
    return [
        Tale(replace(smoke(f"{place:016x}", priority=priority), incident=first, incident_number=place + 1))
        for place, priority in enumerate(priorities)
    ]


async def test_what_stays_unanswered_in_an_incident_is_escalated_once_the_one_that_called_is_answered() -> None:
    """Through two restarts: before the answer, and after it."""
    async with receiver() as chat, receiver() as head:
        world = World("targets:\n" + to("chat", chat) + to("head", head) + ESCALATING)
        called, *others = incident(Priority.HIGHEST, Priority.LOW, Priority.HIGH, Priority.HIGH)
        async with world.running():
            world.happens(called.told(), *(each.told(grouped=True) for each in others))
            await world.settled("chat")
        async with world.running():
            world.passes(minutes=1)
            world.happens(called.acknowledged(world.clock.now()))
        async with world.running():
            world.passes(seconds=119)
            await world.settled("chat", "head")
            assert (reasons(chat), reasons(head)) == (["onset"], [])
            world.passes(seconds=1)
            await world.settled("head")
            (told,) = await world.history.deliveries(target="head", state=DeliveryState.DELIVERED)
            assert told.alarm_id == others[1].alarm.alarm_id, "the most urgent, of these the first"
            world.happens(others[1].acknowledged(world.clock.now()))
            world.passes(minutes=2)
            await until(lambda: len(head.taken) == 2)


async def test_an_incident_that_is_answered_as_a_whole_is_escalated_no_more() -> None:
    async with receiver() as chat, receiver() as head:
        world = World("targets:\n" + to("chat", chat) + to("head", head) + ESCALATING)
        called, *others = incident(*[Priority.HIGH] * 20)
        async with world.running():
            world.happens(called.told(), *(each.told(grouped=True) for each in others))
            planned = world.happens(*(each.acknowledged(world.clock.now()) for each in (called, *others)))
            world.passes(minutes=10)
            await world.settled("chat", "head")
            assert (reasons(chat), reasons(head)) == (["onset"], [])
            assert [each.state for each in planned] == [DeliveryState.WITHDRAWN]


async def test_an_alarm_of_an_incident_with_a_plan_of_its_own_needs_no_other_to_be_escalated() -> None:
    async with receiver() as chat, receiver() as head:
        world = World("targets:\n" + to("chat", chat) + to("head", head) + ESCALATING)
        first, worse, other = incident(Priority.LOW, Priority.HIGH, Priority.LOW)
        async with world.running():
            world.happens(first.told(), worse.told(), other.told(grouped=True))
            assert [each.alarm_id for each in world.happens(first.acknowledged(world.clock.now()))] == [
                first.alarm.alarm_id
            ]
            assert {each.alarm_id for each in world.happens(worse.hidden(world.clock.now()))} == {
                worse.alarm.alarm_id,
                other.alarm.alarm_id,
            }


async def test_what_is_beyond_the_limit_is_summed_up_and_fire_never_is() -> None:
    async with receiver() as chat:
        limited = to("chat", chat, ", limit: {messages: 3}, language: en")
        world = World("targets:\n" + limited + PLAN.replace("TARGETS", "chat"))
        async with world.running():
            trouble = [Tale(smoke(f"{number:016x}", alarm_class=AlarmClass.TROUBLE)) for number in range(20)]
            fires = [Tale(smoke(f"f{number:015x}")) for number in range(10)]
            world.happens(*(tale.told() for tale in (*trouble, *fires)))
            await world.settled("chat")
            assert reasons(chat).count("onset") == 12
            assert reasons(chat).count("summary") == 1
            (summary,) = (each.body.decode() for each in chat.taken if each.headers["x-reason"] == "summary")
            assert summary.splitlines()[0] == "18 more messages"
            assert await world.states("chat") == [DeliveryState.DELIVERED] * 30


async def test_what_is_dead_is_kept_and_can_be_sent_again() -> None:
    async with receiver() as chat:
        chat.answer = says(400)
        world = World("targets:\n" + to("chat", chat) + PLAN.replace("TARGETS", "chat"))
        async with world.running():
            world.happens(Tale().told())
            await world.settled("chat")
            (dead,) = await world.history.deliveries(state=DeliveryState.DEAD)
            assert (dead.error, dead.attempts) == ("400", 1)
            chat.answer = says(200)
            again = await world.notifier.send_again(dead.delivery_id, "wang")
            assert again is not None
            assert (again.state, again.by) == (DeliveryState.WAITING, "wang")
            await world.settled("chat")
            assert ids(chat) == [dead.delivery_id] * 2
            with pytest.raises(RefusedCommandError, match="delivered, not dead"):
                await world.notifier.send_again(dead.delivery_id, "wang")
            assert await world.notifier.send_again("unknown", "wang") is None


async def test_a_test_goes_past_everything_that_waits_and_says_what_came_of_it() -> None:
    async with receiver() as chat:
        chat.answer = says(503)
        world = World("targets:\n" + to("chat", chat) + PLAN.replace("TARGETS", "chat"))
        async with world.running():
            world.happens(Tale().told())
            await world.settled("chat")
            failed = await world.notifier.test("chat", "wang")
            assert failed is not None
            assert (failed.state, failed.error) == (DeliveryState.DEAD, "503")
            chat.answer = says(200)
            taken = await world.notifier.test("chat", "wang")
            assert taken is not None
            assert (taken.state, taken.reason) == (DeliveryState.DELIVERED, NotificationReason.TEST)
            assert await world.history.delivery(taken.delivery_id) == taken
            assert "wang" in chat.taken[-1].body.decode()
            assert await world.notifier.test("unknown", "wang") is None


async def test_a_receiver_that_asks_to_wait_is_not_asked_before() -> None:
    async with receiver() as chat:
        chat.answer = says(429, Retry_After="120")
        world = World("targets:\n" + to("chat", chat) + PLAN.replace("TARGETS", "chat"))
        async with world.running():
            world.happens(Tale().told())
            await world.settled("chat")
            world.passes(seconds=119)
            await world.settled("chat")
            assert len(chat.taken) == 1
            world.passes(seconds=1)
            await until(lambda: len(chat.taken) == 2)


async def test_another_file_is_gone_by_at_once_and_what_waits_goes_on() -> None:
    async with receiver() as old, receiver() as new:
        old.answer = says(503)
        both = "targets:\n" + to("chat", old) + to("gone", old) + PLAN.replace("TARGETS", "chat, gone")
        world = World(both)
        async with world.running():
            world.happens(Tale(smoke("a" * 16)).told())
            await world.settled("chat", "gone")
            world.notifier.go_by(notification_file("targets:\n" + to("chat", new) + PLAN.replace("TARGETS", "chat")))
            world.happens(Tale(smoke("b" * 16)).told())
            world.passes(minutes=1)
            await world.settled("chat")
            assert len(new.taken) == 2
            assert await world.states("chat") == [DeliveryState.DELIVERED] * 2
            await until(lambda: "gone" not in {each.target for each in world.notifier.targets()})
            assert await world.states("gone") == [DeliveryState.DEAD]


async def test_a_drill_is_sent_where_drills_are_wanted_and_says_that_it_is_one() -> None:
    async with receiver() as chat, receiver() as trainer:
        file = to("chat", chat) + to("trainer", trainer, ", drills: true")
        world = World("targets:\n" + file + PLAN.replace("TARGETS", "chat, trainer"))
        async with world.running():
            world.happens(Tale(replace(smoke(), drill="d1")).told())
            await world.settled("chat", "trainer")
            assert chat.taken == []
            assert trainer.taken[0].body.decode().startswith("【演练】")


async def test_a_drill_is_not_sent_where_its_plan_does_not_let_it() -> None:
    async with receiver() as trainer, receiver() as other:
        file = to("trainer", trainer, ", drills: true") + to("other", other, ", drills: true")
        world = World("targets:\n" + file + PLAN.replace("TARGETS", "trainer, other"))
        async with world.running():
            planned = world.happens(Tale(replace(smoke(), drill="d1")).told(), Tale(smoke("b" * 16)).told())
            await world.settled("trainer", "other")
            assert [each.target for each in planned].count("trainer") == 2
            assert len(trainer.taken) == 2
            assert len(other.taken) == 1, "what is real goes to everybody"


async def test_planning_that_fails_for_one_alarm_is_told_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver() as chat:
        world = World("targets:\n" + to("chat", chat) + PLAN.replace("TARGETS", "chat"))
        async with world.running():
            broken, well = Tale(smoke("a" * 16)).told(), Tale(smoke("b" * 16)).told()
            world.happens(msgspec.structs.replace(broken, transition_time=None), well)
            await world.settled("chat")
            assert len(chat.taken) == 1
            assert b"firewatch_unplanned_notifications_total 1.0" in world.telemetry.metrics()


async def test_a_clean_stop_waits_for_what_is_on_its_way_so_that_it_is_not_told_again() -> None:
    released = asyncio.Event()
    async with receiver() as chat:
        chat.answer = hangs(released)
        world = World("targets:\n" + to("chat", chat) + PLAN.replace("TARGETS", "chat"))
        async with world.running():
            world.happens(Tale(smoke("a" * 16)).told())
            await until(lambda: bool(chat.taken))
            world.happens(Tale(smoke("b" * 16)).told())
            finished = asyncio.ensure_future(world.notifier.finish(timedelta(seconds=PATIENCE_SECONDS)))
            await asyncio.sleep(0)
            released.set()
            await finished
            assert await world.states("chat") == [DeliveryState.DELIVERED, DeliveryState.WAITING]
        async with world.running():
            await until(lambda: len(chat.taken) == 2)


async def test_a_clean_stop_does_not_wait_for_ever() -> None:
    async with receiver() as chat:
        chat.answer = hangs(asyncio.Event())
        world = World("targets:\n" + to("chat", chat) + PLAN.replace("TARGETS", "chat"))
        async with world.running():
            world.happens(Tale().told())
            await until(lambda: bool(chat.taken))
            await world.notifier.finish(timedelta(milliseconds=50))
            assert await world.states("chat") == [DeliveryState.WAITING]


async def test_an_onset_that_was_not_taken_is_told_before_its_return() -> None:
    async with receiver() as chat:
        chat.answer = says(503)
        world = World("targets:\n" + to("chat", chat) + PLAN.replace("TARGETS", "chat"))
        async with world.running():
            tale = Tale()
            world.happens(tale.told())
            await world.settled("chat")
            world.happens(tale.returned(world.clock.now()))
            chat.taken.clear()
            chat.answer = says(200)
            world.passes(seconds=30)
            await until(lambda: len(chat.taken) == 2)
            assert reasons(chat) == ["onset", "returned"]
