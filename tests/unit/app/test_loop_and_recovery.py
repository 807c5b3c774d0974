"""The one task that owns the engine, and what a start owes to the time before it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from firewatch.alarms.nuisance import Mark
from firewatch.app import loop as loop_module
from firewatch.app.loop import STORED_REJECTIONS_A_SECOND, EngineLoop
from firewatch.app.recovery import is_worth_sending_again, recover
from firewatch.broadcast.actuators import Actuators
from firewatch.broadcast.carrier import MqttCarrier
from firewatch.broadcast.proof import Proofs
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import Alarm, AlarmState, Priority, Verdict
from firewatch.model.command import (
    Acknowledge,
    AcknowledgeIncident,
    ActuatorAnswer,
    ActuatorCommand,
    AnswerState,
    Confirm,
    OutOfService,
    ReturnSubjectToService,
    ReturnToService,
    Shelve,
)
from firewatch.model.effect import Annunciate
from firewatch.model.observation import Observation, Quality
from firewatch.model.site import Action, Asset, Building, Device, DeviceKind, Signal, SignalType
from firewatch.model.topic import Channel, Topic
from firewatch.mqtt.packet import IncomingMessage
from firewatch.ports import CommandRecord, EngineInput, FeedEvent, Picture, Rejection
from firewatch.rules.spec import RuleSpec
from firewatch.storage.rule_set import RuleSet, RuleSetFolder
from firewatch.storage.snapshot import Snapshot, SnapshotFile
from firewatch.telemetry.rejections import RejectionLog
from firewatch.telemetry.telemetry import Telemetry
from firewatch.testing.clock import FakeClock
from firewatch.testing.history import InMemoryHistory
from firewatch.testing.publisher import RecordingPublisher
from tests.inventory import LABEL, one_site

TEXT_SPEC = {"zh": "测试", "en": "test"}
INVENTORY = one_site(
    Device(id="smoke", kind="smoke_detector", label=LABEL, building="b", asset="lift"),
    Device(id="door", kind="door_controller", label=LABEL, building="b", asset="lift"),
    site="s",
    buildings=(Building(id="b", label=LABEL, grid=LABEL),),
    assets=(Asset(id="lift", kind="lift", label=LABEL, building="b", system="lift"),),
    kinds=(
        DeviceKind(
            kind="smoke_detector",
            label=LABEL,
            system="garage",
            signals=(Signal(name="alarm", type=SignalType.BOOLEAN, label=LABEL),),
        ),
        DeviceKind(
            kind="door_controller",
            label=LABEL,
            system="lift",
            signals=(),
            actions=(Action("hold_door", LABEL), Action("release_door", LABEL)),
        ),
    ),
)
SMOKE = RuleSpec.model_validate(
    {
        "id": "smoke",
        "scope": {"device": "smoke_detector"},
        "when": {"state": {"signal": "alarm", "is": True}},
        "priority": "high",
        "class": "supervisory",
        "text": TEXT_SPEC,
        "advice": TEXT_SPEC,
        "actions": {
            "active": [{"device": "door_controller", "action": "hold_door"}],
            "inactive": [{"device": "door_controller", "action": "release_door"}],
        },
    }
)


class RecordingSource(RecordingPublisher):
    def __init__(self) -> None:
        super().__init__()
        self.acknowledged: list[IncomingMessage] = []
        self.reading = True

    def acknowledge(self, messages: Iterable[IncomingMessage]) -> None:
        self.acknowledged.extend(messages)

    def pause(self) -> None:
        self.reading = False

    def resume(self) -> None:
        self.reading = True


class Feed:
    def __init__(self) -> None:
        self.events: list[FeedEvent] = []

    def push(self, event: FeedEvent) -> None:
        self.events.append(event)


class Daemon:
    """An engine loop among fakes; `boot` again stands for a restart with the same history and disk."""

    inventory = INVENTORY

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.history = InMemoryHistory()
        self.snapshots = SnapshotFile(folder)
        self.kept_rules = RuleSetFolder(folder / "rule-sets")

    async def boot(self, *rules: RuleSpec) -> None:
        self.source = RecordingSource()
        self.feed = Feed()
        self.telemetry = Telemetry()
        self.rule_set = RuleSet(rules or (SMOKE,), self.inventory)
        self.kept_rules.keep(self.rule_set)
        recovered = await recover(self.rule_set, self.kept_rules, self.snapshots, self.history, self.clock.now())
        actuators = Actuators(MqttCarrier(self.source, "firewatch/v1/"), Proofs(self.inventory).of, self.telemetry)
        self.loop = EngineLoop(
            recovered.engine,
            self.clock,
            self.history,
            self.source,
            self,
            actuators,
            self.feed,
            prefix="firewatch/v1/",
            rules=self.rule_set.digest,
            last_ordinal=recovered.last_ordinal,
            take_picture=lambda _: None,
            telemetry=self.telemetry,
            rejections=RejectionLog(self.telemetry),
        )
        self.loop.already_annunciated(recovered.annunciated)
        self.loop.remember(recovered.changes)
        self.loop.settle(recovered.effects, recovered.taken)

    def decode(
        self, message_topic: str, payload: bytes, retain: bool, receive_time: object
    ) -> list[Observation] | ActuatorAnswer | Rejection:
        """`true`, `false` and `null` are readings; everything else is refused."""
        now = self.clock.now()
        try:
            value = msgspec.json.decode(payload, type=bool | None)
        except msgspec.DecodeError:
            return Rejection(now, message_topic, "broken_json", "", "")
        quality = Quality.GOOD if value is not None else Quality.BAD
        return [Observation("s/smoke/alarm", value, quality, now, now, now)]

    def connected(self, now: object) -> None:
        """Nothing of this decoder depends on it."""

    async def hear(self, *payloads: bytes) -> list[IncomingMessage]:
        messages = [IncomingMessage("t", payload, False, mid, 1, 1) for mid, payload in enumerate(payloads, 1)]
        self.loop.offer_messages(messages)
        await self.settle()
        return messages

    async def settle(self) -> None:
        """Let the loop take everything offered."""
        async with asyncio.timeout(5):
            while self.loop._inbox:
                await asyncio.sleep(0)
        for _ in range(3):  # the task's turn, the history's callbacks, their receivers
            await asyncio.sleep(0)

    @property
    def alarm_messages(self) -> list[Alarm]:
        return [
            msgspec.json.decode(message.payload, type=Alarm)
            for message in self.source.messages
            if "/alarm/" in message.topic and message.payload
        ]

    @property
    def commands_sent(self) -> list[str]:
        return [
            msgspec.json.decode(message.payload)["action"]
            for message in self.source.messages
            if "/command/" in message.topic
        ]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.loop.run())
        try:
            await asyncio.sleep(0)
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    daemon = Daemon(tmp_path)
    await daemon.boot()
    async with daemon.running():
        yield daemon


async def test_people_are_told_before_anything_is_stored_and_the_broker_after(daemon: Daemon) -> None:
    daemon.history.hold = True
    messages = await daemon.hear(b"true")
    [alarm] = daemon.alarm_messages
    assert alarm.state is AlarmState.UNACKNOWLEDGED
    assert alarm.clock.annunciated_time is not None
    assert daemon.commands_sent == ["hold_door"]
    assert daemon.source.acknowledged == [], "what is not safe is not acknowledged"
    daemon.history.release()
    assert daemon.source.acknowledged == messages


async def test_one_bad_payload_costs_the_others_nothing(daemon: Daemon) -> None:
    messages = await daemon.hear(b"oops", b"true", b"{")
    assert len(daemon.alarm_messages) == 1
    assert daemon.source.acknowledged == messages
    assert [each.reason for each in daemon.history.rejections] == ["broken_json", "broken_json"]


async def test_a_flood_of_bad_input_is_counted_and_does_not_fill_the_history(daemon: Daemon) -> None:
    flood = 3 * STORED_REJECTIONS_A_SECOND
    await daemon.hear(*[b"{"] * flood)
    assert len(daemon.history.rejections) == STORED_REJECTIONS_A_SECOND
    counted = daemon.telemetry.registry.get_sample_value("firewatch_rejected_payloads_total", {"reason": "broken_json"})
    assert counted == flood


async def test_an_operator_gets_the_alarm_once_the_command_is_safe(daemon: Daemon) -> None:
    await daemon.hear(b"true")
    [alarm] = daemon.loop.alarms()
    daemon.history.hold = True
    answer = asyncio.ensure_future(daemon.loop.submit(Acknowledge(alarm.alarm_id, "seat 1")))
    await daemon.settle()
    assert not answer.done()
    daemon.history.release()
    (acknowledged,) = await answer
    assert acknowledged.state is AlarmState.ACKNOWLEDGED


async def test_a_refused_command_changes_nothing(daemon: Daemon) -> None:
    await daemon.hear(b"true")
    before = daemon.loop.alarms()
    with pytest.raises(RefusedCommandError):
        await daemon.loop.submit(Acknowledge("no-such-alarm", "seat 1"))
    assert daemon.loop.alarms() == before


async def test_an_alarm_back_to_normal_is_taken_off_the_feed(daemon: Daemon) -> None:
    await daemon.hear(b"true")
    [alarm] = daemon.loop.alarms()
    await daemon.loop.submit(Acknowledge(alarm.alarm_id, "seat 1"))
    await daemon.hear(b"false")
    assert daemon.loop.alarms() == []
    assert daemon.source.retained() == {}
    assert daemon.alarm_messages[-1].state is AlarmState.NORMAL


async def test_a_full_history_leaves_messages_with_the_broker_until_it_has_room(daemon: Daemon) -> None:
    daemon.history.full = True
    await daemon.hear(b"false")
    assert not daemon.source.reading
    daemon.history.full = False
    async with asyncio.timeout(5):
        while not daemon.source.reading:
            await asyncio.sleep(0.01)


def told(daemon: Daemon) -> float | None:
    labels = {"rule": SMOKE.id, "priority": str(SMOKE.priority)}
    return daemon.telemetry.registry.get_sample_value("firewatch_annunciated_alarms_total", labels)


async def test_what_is_hidden_stays_on_the_feed_marked_and_nobody_is_told(daemon: Daemon) -> None:
    (taken_out,) = await daemon.loop.submit(OutOfService("smoke", "s/smoke", "seat 1", "work order 7"))
    assert (taken_out.state, taken_out.hidden) == (AlarmState.NORMAL, True)
    await daemon.hear(b"true", b"false")
    assert [alarm.hidden for alarm in daemon.alarm_messages] == [True, True, True]
    assert len(daemon.source.retained()) == 1
    assert told(daemon) is None
    await daemon.loop.submit(ReturnToService(taken_out.alarm_id, "seat 1", "done"))
    assert daemon.source.retained() == {}


async def test_a_shelf_that_ends_while_firewatch_is_down_is_told_when_it_is_up(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    await daemon.boot()
    daemon.snapshots.write(Snapshot(*daemon.loop.snapshot()))
    async with daemon.running():
        await daemon.hear(b"true")
        [alarm] = daemon.loop.alarms()
        await daemon.loop.submit(Acknowledge(alarm.alarm_id, "seat 1"))
        (shelved,) = await daemon.loop.submit(Shelve(alarm.alarm_id, "seat 1", "nuisance", timedelta(minutes=5)))
        assert shelved.hidden
    daemon.clock.advance(timedelta(minutes=9))
    await daemon.boot()
    [again] = daemon.loop.alarms()
    assert (again.state, again.hidden) == (AlarmState.UNACKNOWLEDGED, False)
    assert told(daemon) == 1
    await daemon.boot()
    reasons = [change.reason for change in await daemon.history.transitions(alarm.alarm_id)]
    assert reasons == ["condition_active", "acknowledged", "shelved", "shelf_ended"], "one story, once"


async def test_what_is_over_is_confirmed_with_the_time_at_which_it_was_told_after_a_kill_too(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    await daemon.boot()
    async with daemon.running():
        await daemon.hear(b"true")
        [alarm] = daemon.loop.alarms()
        await daemon.loop.submit(Acknowledge(alarm.alarm_id, "seat 1"))
        await daemon.hear(b"false")
        (confirmed,) = await daemon.loop.submit(Confirm(alarm.alarm_id, "seat 1", Verdict.FALSE))
        assert confirmed.clock.annunciated_time == alarm.clock.annunciated_time is not None
    await daemon.boot()
    async with daemon.running():
        (corrected,) = await daemon.loop.submit(Confirm(alarm.alarm_id, "seat 2", Verdict.REAL))
        assert corrected.clock.annunciated_time == alarm.clock.annunciated_time
    assert daemon.loop.alarms() == []
    assert daemon.source.retained() == {}
    last = (await daemon.history.transitions(alarm.alarm_id))[-1]
    assert (last.reason, last.by, last.alarm.confirmation) == ("confirmed", "seat 2", corrected.confirmation)


async def test_a_maintenance_that_ends_while_firewatch_is_down_ended_then_and_is_one_story(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    await daemon.boot()
    daemon.snapshots.write(Snapshot(*daemon.loop.snapshot()))
    end = daemon.clock.now() + timedelta(minutes=20)
    async with daemon.running():
        taken = OutOfService(None, "s/smoke", "seat 1", "new battery", "WO-7", end)
        [alarm] = await daemon.loop.submit(taken)
        await daemon.hear(b"true")
    daemon.clock.advance(timedelta(minutes=12))
    await daemon.boot()
    [reminded] = daemon.loop.alarms()
    assert reminded.out_of_service is not None
    assert (reminded.out_of_service.reminded, reminded.hidden, told(daemon)) == (True, True, None)
    daemon.clock.advance(timedelta(minutes=12))
    await daemon.boot()
    [ended] = daemon.loop.alarms()
    assert (ended.state, ended.hidden, told(daemon)) == (AlarmState.UNACKNOWLEDGED, False, 1)
    await daemon.boot()
    changes = await daemon.history.transitions(alarm.alarm_id)
    assert [change.reason for change in changes] == [
        "taken_out_of_service",
        "condition_active",
        "maintenance_reminded",
        "maintenance_ended",
    ]
    assert changes[-1].transition_time == end


async def test_a_subject_is_returned_whole_and_answered_with_what_returned(daemon: Daemon) -> None:
    [out] = await daemon.loop.submit(
        OutOfService(None, "s/smoke", "seat 1", "new battery", until_time=daemon.clock.now() + timedelta(hours=1))
    )
    [back] = await daemon.loop.submit(ReturnSubjectToService("s/smoke", "seat 2", "done"))
    assert (back.alarm_id, back.out_of_service) == (out.alarm_id, None)


async def test_silence_that_was_told_before_a_kill_is_known_after_it(tmp_path: Path) -> None:
    silent = SMOKE.model_validate(
        SMOKE.model_dump(by_alias=True, exclude_unset=True)
        | {"when": {"absence": {"after": "10s"}}, "class": "trouble"}
    )
    daemon = Daemon(tmp_path)
    await daemon.boot(silent)
    daemon.snapshots.write(Snapshot(*daemon.loop.snapshot()))
    async with daemon.running():
        await daemon.hear(b"false")
        daemon.clock.advance(timedelta(seconds=12))
        [before] = await daemon.loop.ask(lambda engine: engine.alarms())
    daemon.clock.advance(timedelta(seconds=3))
    await daemon.boot(silent)
    assert [alarm.alarm_id for alarm in daemon.loop.alarms()] == [before.alarm_id]
    changes = await daemon.history.transitions(before.alarm_id)
    assert [change.reason for change in changes] == ["condition_active"]


@pytest.mark.parametrize("snapshot_after", [0, 1, 2, 3])
async def test_a_restart_goes_on_wherever_the_snapshot_was_taken(tmp_path: Path, snapshot_after: int) -> None:
    daemon = Daemon(tmp_path)
    await daemon.boot()
    payloads = [b"false", b"true", b"null"]
    async with daemon.running():
        for count, payload in enumerate([None, *payloads]):
            if payload is not None:
                daemon.clock.advance(timedelta(seconds=1))
                await daemon.hear(payload)
            if count == snapshot_after:
                daemon.snapshots.write(Snapshot(*daemon.loop.snapshot()))
        [before] = daemon.loop.alarms()

    daemon.clock.advance(timedelta(seconds=5))
    await daemon.boot()
    async with daemon.running():
        assert daemon.loop.alarms() == [before]
        assert [alarm.alarm_id for alarm in daemon.alarm_messages] == [before.alarm_id], "shown again, not doubled"
        await daemon.hear(b"false")
        assert daemon.commands_sent[-1] == "release_door"
        reasons = [transition.reason for transition in await daemon.history.transitions(before.alarm_id)]
        assert reasons == ["condition_active", "condition_unknown", "condition_inactive"]


async def test_a_command_without_an_answer_is_sent_again_after_a_restart(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    await daemon.boot()
    daemon.snapshots.write(Snapshot(*daemon.loop.snapshot()))
    async with daemon.running():
        await daemon.hear(b"true")
        first = [message for message in daemon.source.messages if "/command/" in message.topic]
    await daemon.boot()
    again = [message for message in daemon.source.messages if "/command/" in message.topic]
    assert [message.payload for message in again] == [message.payload for message in first]


async def test_a_start_without_a_snapshot_never_uses_an_ordinal_twice(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    await daemon.boot()
    async with daemon.running():
        await daemon.hear(b"false")
    ordinal = await daemon.history.last_ordinal()
    await daemon.boot()
    async with daemon.running():
        await daemon.hear(b"true")
    assert await daemon.history.last_ordinal() == ordinal + 2, "the reading, and that the door was asked"


@pytest.mark.parametrize(
    ("age", "answer", "awaits_proof", "is_proven", "again"),
    [
        (5, None, False, False, True),
        (5, AnswerState.ACCEPTED, False, False, True),
        (5, AnswerState.DONE, False, False, False),
        (5, AnswerState.FAILED, False, False, False),
        (5, AnswerState.DONE, True, False, True),
        (5, AnswerState.DONE, True, True, False),
        (5, AnswerState.ACCEPTED, True, True, False),
        (5, AnswerState.FAILED, True, False, False),
        (2_592_000, None, False, False, False),
        (2_592_000, AnswerState.ACCEPTED, False, False, False),
        (2_592_000, AnswerState.DONE, True, False, False),
    ],
)
def test_which_commands_a_restart_sends_again(
    age: int, answer: AnswerState | None, awaits_proof: bool, is_proven: bool, again: bool
) -> None:
    now = FakeClock().now()
    then = now - timedelta(seconds=age)
    command = ActuatorCommand("c", "s/door", "hold_door", {}, "cause", "rule", then)
    said = ActuatorAnswer("c", "s/door", answer, "", then, then) if answer is not None else None
    record = CommandRecord.of(command, said, then if is_proven else None)
    assert is_worth_sending_again(record, now, awaits_proof=awaits_proof) is again


async def test_what_the_restart_decides_comes_after_what_is_sent_again(tmp_path: Path) -> None:
    """A door must not be held by an old command after the new one released it."""
    daemon = Daemon(tmp_path)
    await daemon.boot()
    async with daemon.running():
        daemon.snapshots.write(Snapshot(*daemon.loop.snapshot()))
        await daemon.hear(b"true")
        daemon.history.hold = True  # the next input is taken and stored, but its consequences are not
        await daemon.hear(b"false")
    released = [records for records, _ in daemon.history._waiting for records in records]
    daemon.history._waiting.clear()
    daemon.history.hold = False
    daemon.history.write([record for record in released if isinstance(record, EngineInput)])
    await daemon.boot()
    assert daemon.commands_sent == ["release_door"]


async def test_an_alarm_that_has_come_and_gone_is_not_told_again(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    await daemon.boot()
    daemon.snapshots.write(Snapshot(*daemon.loop.snapshot()))
    async with daemon.running():
        await daemon.hear(b"true")
        [alarm] = daemon.loop.alarms()
        await daemon.loop.submit(Acknowledge(alarm.alarm_id, "seat 1"))
        await daemon.hear(b"false")
    await daemon.boot()
    assert [each.state for each in daemon.alarm_messages] == [AlarmState.NORMAL]
    assert daemon.source.retained() == {}


@pytest.mark.parametrize("damage", ["missing", "damaged"])
async def test_without_a_snapshot_the_last_inputs_bring_the_alarm_back(tmp_path: Path, damage: str) -> None:
    daemon = Daemon(tmp_path)
    await daemon.boot()
    async with daemon.running():
        await daemon.hear(b"true")
        [before] = daemon.loop.alarms()
    if damage == "damaged":
        daemon.snapshots.write(Snapshot(ordinal=1, state=b"of another version"))
    await daemon.boot()
    async with daemon.running():
        assert daemon.loop.alarms() == [before]
        await daemon.hear(b"false")
        assert daemon.commands_sent[-1] == "release_door"


async def test_back_pressure_works_under_a_load_that_never_ends(daemon: Daemon) -> None:
    daemon.history.full = True
    message = IncomingMessage("t", b"false", False, 1, 1, 1)
    running_loop = asyncio.get_running_loop()

    def flood() -> None:
        if daemon.source.reading:
            daemon.loop.offer_messages([message] * 200)
            running_loop.call_soon(flood)

    async with asyncio.timeout(10):
        flood()
        while daemon.source.reading:
            await asyncio.sleep(0)


async def test_an_input_that_fails_costs_neither_the_others_nor_their_records(daemon: Daemon) -> None:
    publish = daemon.source.publish

    def fail_once(topic: str, payload: bytes, **how: bool) -> None:
        daemon.source.publish = publish
        raise RuntimeError("nobody foresaw this")

    daemon.source.publish = fail_once
    messages = await daemon.hear(b"true", b"null")
    assert daemon.source.acknowledged == messages
    assert await daemon.history.last_ordinal() == 2
    [alarm] = daemon.loop.alarms()
    assert [each.number for each in await daemon.history.transitions(alarm.alarm_id)] == [1, 2]
    assert daemon.telemetry.registry.get_sample_value("firewatch_failed_inputs_total") == 1


async def test_a_command_is_answered_even_if_telling_people_of_it_fails(daemon: Daemon) -> None:
    await daemon.hear(b"true")
    [alarm] = daemon.loop.alarms()

    def fail(topic: str, payload: bytes, **how: bool) -> None:
        raise RuntimeError("nobody foresaw this")

    daemon.source.publish = fail
    async with asyncio.timeout(5):
        (after,) = await daemon.loop.submit(Acknowledge(alarm.alarm_id, "seat 1"))
    assert after.state is AlarmState.ACKNOWLEDGED
    assert len(await daemon.history.transitions(alarm.alarm_id)) == 2


async def test_a_command_that_nobody_waits_for_any_more_is_not_carried_out(daemon: Daemon) -> None:
    await daemon.hear(b"true")
    [alarm] = daemon.loop.alarms()
    for alarm_id in (alarm.alarm_id, "no-such-alarm"):
        waiting = asyncio.ensure_future(daemon.loop.submit(Acknowledge(alarm_id, "seat 1")))
        await asyncio.sleep(0)
        waiting.cancel()
        await daemon.settle()
    assert daemon.loop.alarms() == [alarm]
    await daemon.hear(b"false")
    assert daemon.commands_sent[-1] == "release_door", "the engine's task goes on"


async def test_a_retained_alarm_that_does_not_stand_is_cleared(daemon: Daemon) -> None:
    await daemon.hear(b"true")
    [alarm] = daemon.loop.alarms()
    daemon.loop.clear_unless_standing(Topic(Channel.ALARM, "s", "0123456789abcdef"))
    daemon.loop.clear_unless_standing(Topic(Channel.ALARM, "s", alarm.alarm_id))
    assert daemon.source.messages[-1] == ("firewatch/v1/alarm/s/0123456789abcdef", b"", True)
    assert list(daemon.source.retained()) == [f"firewatch/v1/alarm/s/{alarm.alarm_id}"]


async def test_a_picture_is_kept_with_the_alarm_that_it_shows(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    await daemon.boot()
    picture = Picture("p1", "s/smoke", daemon.clock.now(), b"\xff\xd8")
    daemon.loop._take_picture = lambda picture_id: picture if picture_id == "p1" else None
    now = daemon.clock.now()
    async with daemon.running():
        daemon.loop.offer_observations([Observation("s/smoke/alarm", True, Quality.GOOD, now, now, now, picture="p1")])
        await daemon.settle()
    [alarm] = daemon.loop.alarms()
    assert alarm.picture == "p1"
    assert await daemon.history.picture("p1") == picture


# -- incidents and marks -----------------------------------------------------------------------------------------------

OTHER = SMOKE.model_copy(update={"id": "other"})
WORSE = SMOKE.model_copy(update={"id": "worse", "priority": Priority.HIGHEST})


async def test_what_is_grouped_is_shown_and_published_like_any_other_and_calls_for_nobody(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    await daemon.boot(SMOKE, OTHER, WORSE)
    async with daemon.running():
        await daemon.hear(b"true")
    pushed = [event for event in daemon.feed.events if isinstance(event, Annunciate | Alarm)]
    assert [(type(event).__name__, alarm_of(event).rule) for event in pushed] == [
        ("Annunciate", "smoke"),
        ("Annunciate", "worse"),
        ("Alarm", "other"),
    ]
    assert {alarm.rule for alarm in daemon.alarm_messages} == {"smoke", "other", "worse"}
    assert all(alarm.clock.annunciated_time is not None for alarm in daemon.alarm_messages)
    [incident] = daemon.loop.incidents()
    assert (incident.count, incident.first_out.rule) == (3, "smoke")
    assert incident.first_out.clock.annunciated_time is not None


async def test_what_is_grouped_and_changes_at_once_is_shown_as_it_stands(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    await daemon.boot(SMOKE, OTHER)
    async with daemon.running():
        await daemon.hear(b"true", b"false")
    newest = {alarm.rule: alarm.state for alarm in daemon.alarm_messages}
    assert newest == {"smoke": AlarmState.RTN_UNACKNOWLEDGED, "other": AlarmState.RTN_UNACKNOWLEDGED}


async def test_all_of_an_incident_is_acknowledged_in_one_go_and_the_answer_tells_of_each(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    await daemon.boot(SMOKE, OTHER)
    async with daemon.running():
        await daemon.hear(b"true")
        [incident] = daemon.loop.incidents()
        alarms = await daemon.loop.submit(AcknowledgeIncident(incident.incident, "seat 1", incident.count))
        assert [(alarm.rule, alarm.state) for alarm in alarms] == [
            ("smoke", AlarmState.ACKNOWLEDGED),
            ("other", AlarmState.ACKNOWLEDGED),
        ]
        with pytest.raises(RefusedCommandError):
            await daemon.loop.submit(AcknowledgeIncident(incident.incident, "seat 2", incident.count))


async def test_a_restart_remembers_incidents_and_what_wears_people_out(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    await daemon.boot(SMOKE, OTHER)
    daemon.snapshots.write(Snapshot(*daemon.loop.snapshot()))
    async with daemon.running():
        for _ in range(3):
            await daemon.hear(b"true", b"false")
    before, marks = daemon.loop.incidents(), daemon.loop.marks(daemon.loop.alarms())
    assert {mark for of_one in marks.values() for mark in of_one} == {Mark.CHATTERING}
    await daemon.boot(SMOKE, OTHER)
    assert daemon.loop.incidents() == before
    assert daemon.loop.marks(daemon.loop.alarms()) == marks
    daemon.clock.advance(timedelta(minutes=6))
    await daemon.boot(SMOKE, OTHER)
    assert set(daemon.loop.marks(daemon.loop.alarms()).values()) == {(Mark.FLEETING,)}


async def test_a_batch_that_takes_long_leaves_others_their_turn_and_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop_module, "SLICE_SECONDS", 0.0)
    daemon = Daemon(tmp_path)
    await daemon.boot()
    async with daemon.running():
        messages = [IncomingMessage("t", b"true", False, number, 1, 1) for number in range(1, 21)]
        daemon.loop.offer_messages(messages)
        turns = 0
        async with asyncio.timeout(5):
            while len(daemon.source.acknowledged) < len(messages):
                await asyncio.sleep(0)
                turns += 1
    assert turns >= len(messages) / 2
    assert daemon.source.acknowledged == messages


def alarm_of(event: Annunciate | Alarm) -> Alarm:
    return event.alarm if isinstance(event, Annunciate) else event
