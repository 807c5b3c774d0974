"""What reaches the loop in one breath: whoever comes first, people are told one story and the records tell it, too.

The loop takes things in the order in which they were handed in. So every order of a race is a row here, and after each
the daemon is started anew from before it: what the history tells must lead to the same again.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import Alarm, AlarmTransition, Verdict
from firewatch.model.command import (
    Acknowledge,
    AcknowledgeIncident,
    Confirm,
    OperatorCommand,
    OutOfService,
    Reset,
    ReturnToService,
    Shelve,
    Unshelve,
)
from firewatch.mqtt.packet import IncomingMessage
from firewatch.rules.spec import RuleSpec
from firewatch.storage.snapshot import Snapshot
from tests.unit.app.test_loop_and_recovery import SMOKE, Daemon

LATER = SMOKE.model_copy(update={"id": "later", "on_delay": timedelta(seconds=30)})
LATCHED = SMOKE.model_copy(update={"latched": True})
MINUTE = timedelta(minutes=1)

Asked = Callable[[Alarm], OperatorCommand]
Happening = bytes | Asked
ON, OFF, LOST = b"true", b"false", b"null"


def acknowledge(operator: str, seen: int | None = None) -> Asked:
    """`seen` is how often it had become active by what their screen showed."""
    return lambda alarm: Acknowledge(alarm.alarm_id, operator, seen=seen)


def acknowledge_all(operator: str, seen: int) -> Asked:
    return lambda alarm: AcknowledgeIncident(alarm.incident, operator, seen)


def confirm(operator: str, verdict: Verdict = Verdict.FALSE) -> Asked:
    return lambda alarm: Confirm(alarm.alarm_id, operator, verdict)


def shelve(operator: str) -> Asked:
    return lambda alarm: Shelve(alarm.alarm_id, operator, "welding", MINUTE)


def unshelve(operator: str) -> Asked:
    return lambda alarm: Unshelve(alarm.alarm_id, operator)


def reset(operator: str) -> Asked:
    return lambda alarm: Reset(alarm.alarm_id, operator)


def back(operator: str) -> Asked:
    return lambda alarm: ReturnToService(alarm.alarm_id, operator, "done")


class ControlRoom:
    """A daemon among fakes, and the alarm that was told first."""

    def __init__(self, folder: Path, *rules: RuleSpec) -> None:
        self.daemon = Daemon(folder)
        self.rules = rules
        self.alarm: Alarm | None = None

    async def boot(self) -> None:
        await self.daemon.boot(*self.rules)

    async def begin(self) -> None:
        await self.boot()
        self.daemon.snapshots.write(Snapshot(*self.daemon.loop.snapshot()))

    async def at_once(self, *happenings: Happening) -> list[str]:
        """Hand all of it in before the loop takes any of it; returns what each command was answered."""
        self.daemon.clock.advance(timedelta(seconds=1))
        answers = await asyncio.gather(*map(self._hand_in, happenings), return_exceptions=True)
        await self.daemon.settle()
        standing = self.daemon.loop.alarms()
        self.alarm = self.alarm or next(iter(standing), None)
        return [_word(answer) for answer in answers if answer is not None]

    async def _hand_in(self, happening: Happening) -> tuple[Alarm, ...] | None:
        if isinstance(happening, bytes):
            self.daemon.loop.offer_messages([IncomingMessage("t", happening, False, 1, 1, 1)])
            return None
        assert self.alarm is not None
        return await self.daemon.loop.submit(happening(self.alarm))

    async def changes(self) -> list[AlarmTransition]:
        assert self.alarm is not None
        return await self.daemon.history.transitions(self.alarm.alarm_id)

    async def story(self) -> list[str]:
        """Who did what, in the order of the records, which have no gap and no number twice."""
        changes = await self.changes()
        assert [change.number for change in changes] == list(range(1, len(changes) + 1))
        assert all(one.alarm.state is other.previous_state for one, other in itertools.pairwise(changes))
        return [f"{change.reason}{'' if change.by == 'firewatch' else f' by {change.by}'}" for change in changes]


def _word(answer: tuple[Alarm, ...] | BaseException) -> str:
    if isinstance(answer, RefusedCommandError):
        return f"refused: {answer}"
    assert not isinstance(answer, BaseException), answer
    return " ".join(alarm.state for alarm in answer)


@dataclass(frozen=True)
class Race:
    """What was before, what happens in one breath, what the commands are answered, and what the records tell of it.

    An answer is a part of the whole: the states of the alarms, or the words that matter of why it is refused.
    """

    before: list[Happening]
    at_once: list[Happening]
    answers: list[str]
    story: list[str]
    state: str
    rules: tuple[RuleSpec, ...] = (SMOKE,)


RACES = {
    "two acknowledge the same": Race(
        [ON],
        [acknowledge("li"), acknowledge("wang")],
        ["acknowledged", "refused: li did so already"],
        ["condition_active", "acknowledged by li"],
        "acknowledged",
    ),
    "two acknowledge what is over already": Race(
        [ON, OFF],
        [acknowledge("wang"), acknowledge("li")],
        ["normal", "refused: is over: wang acknowledged it"],
        ["condition_active", "condition_inactive", "acknowledged by wang"],
        "normal",
    ),
    "acknowledged, and then it clears": Race(
        [ON],
        [acknowledge("li"), OFF],
        ["acknowledged"],
        ["condition_active", "acknowledged by li", "condition_inactive"],
        "normal",
    ),
    "it clears, and then it is acknowledged": Race(
        [ON],
        [OFF, acknowledge("li")],
        ["normal"],
        ["condition_active", "condition_inactive", "acknowledged by li"],
        "normal",
    ),
    "acknowledged, clears, and the other acknowledges": Race(
        [ON],
        [acknowledge("li"), OFF, acknowledge("wang")],
        ["acknowledged", "refused: is over: li acknowledged it"],
        ["condition_active", "acknowledged by li", "condition_inactive"],
        "normal",
    ),
    "acknowledged, and then it clears and comes again": Race(
        [ON],
        [acknowledge("li", seen=1), OFF, ON],
        ["acknowledged"],
        ["condition_active", "acknowledged by li", "condition_inactive"],
        "normal",
    ),
    "it clears and comes again, and then what was seen before is acknowledged": Race(
        [ON],
        [OFF, ON, acknowledge("li", seen=1), acknowledge("wang", seen=2)],
        ["refused: became active anew since it was looked at", "acknowledged"],
        ["condition_active", "condition_inactive", "condition_active", "acknowledged by wang"],
        "acknowledged",
    ),
    "confirmed, and then a new onset": Race(
        [ON, acknowledge("li"), OFF],
        [confirm("li"), ON],
        ["latched_acknowledged"],
        ["condition_active", "acknowledged by li", "condition_inactive", "confirmed by li", "condition_active"],
        "unacknowledged",
        (LATCHED,),
    ),
    "a new onset, and then a confirmation of what was before it": Race(
        [ON, acknowledge("li"), OFF],
        [ON, confirm("li")],
        ["refused: nobody has acknowledged it"],
        ["condition_active", "acknowledged by li", "condition_inactive", "condition_active"],
        "unacknowledged",
        (LATCHED,),
    ),
    "two confirm, each otherwise": Race(
        [ON, acknowledge("li")],
        [confirm("li", Verdict.REAL), confirm("wang", Verdict.FALSE), confirm("zhao", Verdict.FALSE)],
        ["acknowledged", "acknowledged", "refused: confirmed as false already, by wang"],
        ["condition_active", "acknowledged by li", "confirmed by li", "confirmed by wang"],
        "acknowledged",
    ),
    "reset, and then a new onset": Race(
        [ON, OFF],
        [reset("li"), ON],
        ["rtn_unacknowledged"],
        ["condition_active", "condition_inactive", "reset by li", "condition_active"],
        "unacknowledged",
        (LATCHED,),
    ),
    "a new onset, and then a reset": Race(
        [ON, OFF],
        [ON, reset("li")],
        ["refused: only a latched alarm is reset"],
        ["condition_active", "condition_inactive", "condition_active"],
        "unacknowledged",
        (LATCHED,),
    ),
    "the last good reading is lost, and then a reset": Race(
        [ON, OFF],
        [LOST, reset("li")],
        ["refused: "],
        ["condition_active", "condition_inactive", "condition_unknown"],
        "latched_unacknowledged",
        (LATCHED,),
    ),
    "shelved by one and brought back by the other, and once more": Race(
        [ON],
        [shelve("li"), unshelve("wang"), unshelve("zhao")],
        ["unacknowledged", "unacknowledged", "refused: somebody or time was faster"],
        ["condition_active", "shelved by li", "unshelved by wang"],
        "unacknowledged",
    ),
    "it clears and is over, and then it is shelved": Race(
        [ON, acknowledge("li")],
        [OFF, shelve("wang")],
        ["refused: it may have returned to normal"],
        ["condition_active", "acknowledged by li", "condition_inactive"],
        "normal",
    ),
}


@pytest.mark.parametrize("race", RACES.values(), ids=RACES)
async def test_a_race_is_one_story(race: Race, tmp_path: Path) -> None:
    room = ControlRoom(tmp_path, *race.rules)
    await room.begin()
    async with room.daemon.running():
        for happening in race.before:
            await room.at_once(happening)
        answers = await room.at_once(*race.at_once)
    for answer, expected in zip(answers, race.answers, strict=True):
        assert _is_like(answer, expected), answer
    assert await room.story() == race.story
    standing = {alarm.alarm_id: alarm for alarm in room.daemon.loop.alarms()}
    last = (await room.changes())[-1].alarm
    assert last.state == race.state
    assert (last.alarm_id in standing) == last.stands

    await room.boot()
    assert {alarm.alarm_id: alarm for alarm in room.daemon.loop.alarms()} == standing
    assert await room.story() == race.story, "told again by the start"


def _is_like(answer: str, expected: str) -> bool:
    return (
        answer == expected
        if not expected.startswith("refused: ")
        else (answer.startswith("refused: ") and expected.removeprefix("refused: ") in answer)
    )


async def test_an_incident_is_acknowledged_as_far_as_it_was_seen_whatever_joins_it_meanwhile(tmp_path: Path) -> None:
    """The operator's screen says 1, and as they press the button a second alarm joins."""
    room = ControlRoom(tmp_path, SMOKE, LATER)
    await room.begin()
    async with room.daemon.running():
        await room.at_once(ON)
        room.daemon.clock.advance(timedelta(seconds=30))
        [answer] = await room.at_once(acknowledge_all("li", seen=1))
        assert answer == "acknowledged"
        states = {alarm.rule: (alarm.state, alarm.incident_number) for alarm in room.daemon.loop.alarms()}
        assert states == {"smoke": ("acknowledged", 1), "later": ("unacknowledged", 2)}
        answers = await room.at_once(acknowledge_all("wang", seen=1), acknowledge_all("wang", seen=2), OFF)
    assert answers[0].startswith("refused: ")
    assert answers[1] == "acknowledged"
    assert room.daemon.loop.alarms() == []


@pytest.mark.parametrize("hidden_by", ["a shelf", "a maintenance"])
@pytest.mark.parametrize("kept", ["before it began", "while it lasted"])
async def test_what_hides_an_alarm_ends_during_a_restart_and_somebody_ends_it_at_the_same_time(
    hidden_by: str, kept: str, tmp_path: Path
) -> None:
    """It ends by time while firewatch starts, and the operator's word that comes then is too late, and told so."""
    room = ControlRoom(tmp_path, SMOKE)
    await room.begin()
    async with room.daemon.running():
        await room.at_once(ON)
        await room.at_once(acknowledge("li"))
        end = room.daemon.clock.now() + 2 * MINUTE

        def out(alarm: Alarm) -> OperatorCommand:
            return OutOfService(alarm.rule, alarm.subject, "li", "painting", until_time=end)

        await room.at_once(shelve("li") if hidden_by == "a shelf" else out)
        if kept == "while it lasted":
            room.daemon.snapshots.write(Snapshot(*room.daemon.loop.snapshot()))
    room.daemon.clock.advance(3 * MINUTE)
    await room.boot()
    async with room.daemon.running():
        late = unshelve("wang") if hidden_by == "a shelf" else back("wang")
        [refused, accepted] = await room.at_once(late, acknowledge("wang"))
    assert "was faster" in refused
    assert accepted == "acknowledged"
    story = await room.story()
    assert story == (
        ["condition_active", "acknowledged by li", "shelved by li", "shelf_ended", "acknowledged by wang"]
        if hidden_by == "a shelf"
        else [
            "condition_active",
            "acknowledged by li",
            "taken_out_of_service by li",
            "maintenance_reminded",
            "maintenance_ended",
            "acknowledged by wang",
        ]
    )
    await room.boot()
    assert await room.story() == story


async def test_many_who_acknowledge_at_once_are_told_of_the_one_who_did(tmp_path: Path) -> None:
    room = ControlRoom(tmp_path, SMOKE)
    await room.begin()
    async with room.daemon.running():
        await room.at_once(ON)
        answers = await room.at_once(*(acknowledge(f"seat {n}") for n in range(50)))
    assert answers[0] == "acknowledged"
    assert all("seat 0 did so already" in answer for answer in answers[1:])
    assert await room.story() == ["condition_active", "acknowledged by seat 0"]
