"""How far commands are, as the rules, the history and a restart know it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from firewatch.broadcast.actuators import ATTEMPTS
from firewatch.model.alarm import Alarm, Stage, StageReached
from firewatch.model.command import ActuatorAnswer, AnswerState, CommandState
from firewatch.model.observation import Observation, Quality
from firewatch.model.site import Action, Proof, Signal, SignalType
from firewatch.ports import CommandRecord
from firewatch.rules.spec import RuleSpec
from firewatch.storage.snapshot import Snapshot
from tests.inventory import LABEL
from tests.unit.app.test_loop_and_recovery import INVENTORY, SMOKE, TEXT_SPEC, Daemon

WITHIN = timedelta(seconds=3)
HELD = Signal(name="held", type=SignalType.BOOLEAN, label=LABEL)
DOOR = msgspec.structs.replace(
    INVENTORY.kinds["door_controller"],
    signals=(HELD,),
    actions=(
        Action("hold_door", LABEL, proof=Proof("held", True, WITHIN)),
        Action("release_door", LABEL, proof=Proof("held", False, WITHIN)),
    ),
)
PROVING = msgspec.structs.replace(INVENTORY, kinds=INVENTORY.kinds | {"door_controller": DOOR})
NOT_CARRIED_OUT = RuleSpec.model_validate(
    {
        "id": "door-not-held",
        "scope": {"device": "door_controller"},
        "when": {"state": {"signal": "command", "in": ["failed", "unproven"], "until": ["done", "proven"]}},
        "priority": "medium",
        "class": "trouble",
        "text": TEXT_SPEC,
        "advice": TEXT_SPEC,
    }
)


class ProvingDaemon(Daemon):
    """A daemon whose door has a second signal, `s/door/held`."""

    inventory = PROVING

    async def start(self) -> None:
        await self.boot(SMOKE, NOT_CARRIED_OUT)

    async def answer(self, state: AnswerState, detail: str = "held") -> None:
        now = self.clock.now()
        self.loop.offer_answer(ActuatorAnswer(self.newest.command.command_id, "s/door", state, detail, now, now))
        await self.settle()

    async def see(self, held: bool | None) -> None:
        now = self.clock.now()
        quality = Quality.GOOD if held is not None else Quality.BAD
        self.loop.offer_observations([Observation("s/door/held", held, quality, now, now, now)])
        await self.settle()

    async def wait(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))
        self.loop._wake.set()
        await asyncio.sleep(0)
        await self.settle()

    async def never_prove(self) -> None:
        for _ in range(ATTEMPTS):
            await self.wait(WITHIN.total_seconds())
            await self.see(False)

    @property
    def newest(self) -> CommandRecord:
        return [event for event in self.feed.events if isinstance(event, CommandRecord)][-1]

    @property
    def state(self) -> str | None:
        heard = self.loop.last.get("s/door/command")
        return None if heard is None else str(heard.value)

    def trouble(self) -> list[Alarm]:
        return [alarm for alarm in self.loop.alarms() if alarm.rule == "door-not-held"]

    async def stored(self) -> CommandRecord:
        (newest,) = await self.history.newest_commands()
        return newest

    @contextlib.asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        await self.start()
        async with self.running():
            await self.settle()
            yield


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[ProvingDaemon]:
    daemon = ProvingDaemon(tmp_path)
    async with daemon.up():
        await daemon.hear(b"true")
        yield daemon


async def test_every_step_of_a_command_is_observed_shown_and_stored(daemon: ProvingDaemon) -> None:
    assert daemon.state == "sent"
    await daemon.wait(0.2)
    await daemon.answer(AnswerState.ACCEPTED)
    assert daemon.state == "accepted"
    await daemon.answer(AnswerState.DONE)
    assert (daemon.state, daemon.newest.state) == ("accepted", CommandState.DONE)
    await daemon.wait(1)
    await daemon.see(True)
    assert daemon.state == "proven"
    assert daemon.newest == await daemon.stored()
    assert daemon.newest.proven_time == daemon.clock.now()
    start, end = daemon.newest.command.issued_time, daemon.clock.now() + timedelta(seconds=1)
    observed = await daemon.history.observations("s/door/command", start, end, 10)
    assert [each.value for each in observed] == ["sent", "accepted", "accepted", "proven"]


async def test_a_proof_is_a_stage_of_the_alarm_that_asked(daemon: ProvingDaemon) -> None:
    await daemon.answer(AnswerState.DONE)
    await daemon.see(True)
    (alarm,) = daemon.loop.alarms()
    stages = await daemon.history.stages([alarm.alarm_id])
    assert stages == [StageReached(alarm.alarm_id, Stage.PROVEN, daemon.clock.now(), daemon.newest.command.command_id)]


async def test_a_door_that_only_says_done_is_asked_again_and_becomes_a_trouble_of_its_own(
    daemon: ProvingDaemon,
) -> None:
    await daemon.answer(AnswerState.DONE)
    await daemon.never_prove()
    assert daemon.commands_sent == ["hold_door"] * ATTEMPTS
    assert (daemon.state, (await daemon.stored()).state) == ("unproven", CommandState.UNPROVEN)
    (trouble,) = daemon.trouble()
    assert (trouble.subject, trouble.value) == ("s/door", "unproven")


async def test_the_next_command_that_is_proven_clears_the_trouble(daemon: ProvingDaemon) -> None:
    await daemon.answer(AnswerState.DONE)
    await daemon.never_prove()
    await daemon.hear(b"false")
    assert daemon.commands_sent[-1] == "release_door"
    await daemon.answer(AnswerState.DONE)
    (trouble,) = daemon.trouble()
    assert trouble.state == "unacknowledged", "its own word is what was not believed before"
    await daemon.see(False)
    assert daemon.state == "proven"
    (trouble,) = daemon.trouble()
    assert trouble.state == "rtn_unacknowledged"


@pytest.mark.parametrize("held", [False, None])
async def test_a_second_signal_that_cannot_tell_proves_nothing(daemon: ProvingDaemon, held: bool | None) -> None:
    await daemon.answer(AnswerState.DONE)
    await daemon.see(held)
    assert daemon.newest.state is CommandState.DONE


@pytest.mark.parametrize("kept", [True, False])
async def test_a_restart_goes_on_proving_what_was_not_proven(tmp_path: Path, kept: bool) -> None:
    daemon = ProvingDaemon(tmp_path)
    async with daemon.up():
        if kept:
            daemon.snapshots.write(Snapshot(*daemon.loop.snapshot()))
        await daemon.hear(b"true")
        await daemon.answer(AnswerState.DONE)
    async with daemon.up():
        assert daemon.commands_sent == ["hold_door"], "sent again"
        await daemon.answer(AnswerState.DONE)
        await daemon.never_prove()
        assert daemon.state == "unproven"
        assert len(daemon.trouble()) == 1


async def test_a_restart_leaves_alone_what_was_proven_or_given_up(tmp_path: Path) -> None:
    daemon = ProvingDaemon(tmp_path)
    async with daemon.up():
        await daemon.hear(b"true")
        await daemon.answer(AnswerState.DONE)
        await daemon.see(True)
    async with daemon.up():
        assert daemon.commands_sent == []
        await daemon.hear(b"false")
        await daemon.answer(AnswerState.FAILED, "jammed")
        assert len(daemon.trouble()) == 1
    async with daemon.up():
        assert daemon.commands_sent == []
        assert len(daemon.trouble()) == 1, "the trouble outlives the restart"


async def test_the_rules_hear_of_an_end_before_the_history_has_it(daemon: ProvingDaemon) -> None:
    """After a kill in between, the command is open and is followed again; otherwise nobody would ever be told."""
    daemon.history.hold = True
    await daemon.answer(AnswerState.FAILED, "jammed")
    written = [type(record).__name__ for records, _ in daemon.history._waiting for record in records]
    assert written.index("EngineInput") < written.index("ActuatorAnswer")


async def test_a_strangers_answer_over_another_way_changes_nothing(daemon: ProvingDaemon) -> None:
    now = daemon.clock.now()
    stranger = ActuatorAnswer(daemon.newest.command.command_id, "s/other", AnswerState.DONE, "", now, now)
    daemon.loop.offer_answer(stranger)
    await daemon.settle()
    assert daemon.state == "sent"
    assert (await daemon.stored()).answer is None
