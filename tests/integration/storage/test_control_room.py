"""The control room's records come back as they were, from the database and from the history in memory alike."""

from __future__ import annotations

from typing import Any, LiteralString

import msgspec
import psycopg
import pytest

from firewatch.alarms.deadline import Milestone, StageWay
from firewatch.model.alarm import AlarmState, Annunciation, Shelf, Stage, StageReached, TransitionReason
from firewatch.model.command import Acknowledge
from firewatch.model.control_room import Drill, DutyCheck, DutyState, EntryKind, LogEntry
from firewatch.model.delivery import Delivery, DeliveryState, NotificationReason
from firewatch.model.text import LocalText
from firewatch.ports import AlarmFilter, EngineInput
from firewatch.storage import reader
from firewatch.storage.history import PostgresHistory
from firewatch.testing.history import InMemoryHistory

from .records import at, command, taken, transition

pytestmark = pytest.mark.slow

CHECK = DutyCheck("c1", "seat-1", "中心", asked_time=at(10), until_time=at(610))
WAITING = Delivery("d1", "phone", "a1", number=1, reason=NotificationReason.ONSET, created_time=at(1), due_time=at(1))
SHELF = Shelf("li", since_time=at(2), reason="检修", until_time=at(99))
DRILL = Drill("r1", "lift", begun_time=at(5), by="li")


def entry(number: int, seat: str = "seat-1") -> LogEntry:
    return LogEntry(f"e{number}", at(number), seat, "li", EntryKind.NOTE, LocalText("检查", "checked"), alarm_id="a1")


class Records:
    """What every history does."""

    async def test_entries_of_the_log_are_read_newest_first_by_time_and_seat(self, kept: Any) -> None:
        entries = [entry(1), entry(2, "seat-2"), entry(3)]
        for _ in range(2):
            kept.write(entries)
        await kept.flush()
        assert await kept.log_entries(at(0), at(9)) == entries[::-1]
        assert await kept.log_entries(at(0), at(9), seat="seat-1") == [entries[2], entries[0]]
        assert await kept.log_entries(at(2), at(3)) == [entries[1]]
        assert await kept.log_entries(at(0), at(9), limit=1) == [entries[2]]
        assert await kept.log_entry("e2") == entries[1]
        assert await kept.log_entry("e9") is None

    async def test_a_seats_log_has_what_is_said_to_all_and_kinds_are_found(self, kept: Any) -> None:
        started = msgspec.structs.replace(entry(4, seat=""), kind=EntryKind.START)
        handed_over = msgspec.structs.replace(
            entry(5), kind=EntryKind.HANDOVER, corrects="e1", counts={"unacknowledged": 3}
        )
        kept.write([entry(1), entry(2, "seat-2"), started, handed_over])
        await kept.flush()
        assert await kept.log_entries(at(0), at(9), seat="seat-1") == [handed_over, started, entry(1)]
        assert await kept.log_entries(at(0), at(9), kinds=[EntryKind.START, EntryKind.STOP]) == [started]

    async def test_a_late_answer_is_added_to_a_missed_duty_check_and_stays(self, kept: Any) -> None:
        missed = msgspec.structs.replace(CHECK, state=DutyState.MISSED, ended_time=at(610))
        late = msgspec.structs.replace(missed, answered_by="li", late_answer_time=at(700))
        kept.write([CHECK, missed, late, missed, msgspec.structs.replace(late, answered_by="wang")])
        await kept.flush()
        assert await kept.duty_checks() == [late]

    async def test_duty_checks_of_one_seat_are_found_among_many_of_others(self, kept: Any) -> None:
        others = [msgspec.structs.replace(CHECK, check_id=f"o{n}", seat="other", asked_time=at(n)) for n in (20, 30)]
        kept.write([CHECK, *others])
        await kept.flush()
        assert await kept.duty_checks(seat="seat-1", limit=1) == [CHECK]
        assert await kept.duty_checks(limit=1) == [others[1]]

    async def test_an_answered_duty_check_stays_answered(self, kept: Any) -> None:
        answered = msgspec.structs.replace(CHECK, state=DutyState.ANSWERED, ended_time=at(20), answered_by="li")
        other = msgspec.structs.replace(CHECK, check_id="c2", asked_time=at(30))
        kept.write([CHECK, answered, CHECK, other])
        await kept.flush()
        assert await kept.duty_checks() == [other, answered]
        assert await kept.duty_checks(before=at(30)) == [answered]
        assert await kept.duty_checks(unended=True) == [other]

    async def test_a_delivery_stands_as_its_last_attempt_left_it(self, kept: Any) -> None:
        tried = msgspec.structs.replace(WAITING, revision=1, attempts=1, error="503", next_attempt_time=at(6))
        arrived = msgspec.structs.replace(
            tried, revision=2, attempts=2, state=DeliveryState.DELIVERED, next_attempt_time=None
        )
        other = msgspec.structs.replace(WAITING, delivery_id="d2", alarm_id="a2", created_time=at(2))
        kept.write([WAITING, arrived, tried, other])
        await kept.flush()
        assert await kept.deliveries() == [other, arrived]
        assert await kept.deliveries(state=DeliveryState.WAITING) == [other]
        assert await kept.deliveries(alarm_id="a1") == [arrived]

    async def test_a_drill_that_ended_stays_ended(self, kept: Any) -> None:
        ended = msgspec.structs.replace(DRILL, ended_time=at(65), outcome="done", report='{"stages": []}')
        kept.write([DRILL, ended, DRILL])
        await kept.flush()
        assert await kept.drills() == [ended]

    async def test_one_drill_is_read_by_its_id(self, kept: Any) -> None:
        kept.write([DRILL])
        await kept.flush()
        assert await kept.drill("r1") == DRILL
        assert await kept.drill("r2") is None

    async def test_a_drills_commands_are_read_by_it_and_are_never_the_newest_of_a_device(self, kept: Any) -> None:
        real = command("c1", issued=1)
        rehearsed = msgspec.structs.replace(command("c2", issued=2, cause="a2"), drill="r1")
        kept.write([real, rehearsed])
        await kept.flush()
        assert [record.command for record in await kept.commands(drill="r1")] == [rehearsed]
        assert [record.command for record in await kept.commands()] == [rehearsed, real]
        assert [record.command for record in await kept.newest_commands()] == [real]

    async def test_stages_of_several_alarms_are_read_first_to_last(self, kept: Any) -> None:
        delivered = StageReached("a1", Stage.DELIVERED, at(3), "phone")
        proven = StageReached("a2", Stage.PROVEN, at(2), "command-1")
        kept.write([delivered, proven, msgspec.structs.replace(delivered, stage_time=at(30))])
        await kept.flush()
        assert await kept.stages(["a1", "a2"]) == [proven, delivered]
        assert await kept.stages(["a3"]) == []

    async def test_an_incidents_alarms_are_found_and_a_drills_are_no_alarms(self, kept: Any) -> None:
        kept.write(
            [
                transition(1, alarm_id="a", onset=1, incident="a", incident_number=1),
                transition(1, alarm_id="b", onset=2, incident="a", incident_number=2),
                transition(1, alarm_id="c", onset=3, incident="c", incident_number=1),
                transition(1, alarm_id="d", onset=4, incident="a", drill="r1"),
            ]
        )
        await kept.flush()
        assert [each.alarm_id for each in await kept.alarms(AlarmFilter(incident="a"))] == ["b", "a"]
        assert [each.alarm_id for each in await kept.alarms(AlarmFilter())] == ["c", "b", "a"]

    async def test_the_last_word_is_an_input_or_a_change_of_an_alarm_whichever_came_later(self, kept: Any) -> None:
        assert await kept.last_word() is None
        kept.write([taken(1, 0.3)])
        await kept.flush()
        assert await kept.last_word() == taken(1, 0.3).now
        kept.write([EngineInput(ordinal=2, now=at(50), command=Acknowledge("a1", "li"))])
        await kept.flush()
        assert await kept.last_word() == at(50)
        later = msgspec.structs.replace(transition(1), transition_time=at(70))
        kept.write([later])
        await kept.flush()
        assert await kept.last_word() == at(70)
        assert [each async for each in kept.transitions_between(at(0), at(71))] == [later]
        assert [each async for each in kept.transitions_between(at(0), at(70))] == []

    async def test_the_later_stages_of_an_alarm_say_what_they_wait_for_and_when_it_came(self, kept: Any) -> None:
        kept.write(
            [
                WAITING,
                msgspec.structs.replace(WAITING, delivery_id="d2", target="pager", due_time=at(300)),
                StageReached("a1", Stage.DELIVERED, at(3), "phone"),
                command("c1", issued=2),
                command("c2", issued=4),
                StageReached("a1", Stage.PROVEN, at(9), "c2"),
                command("c3", cause="a2"),
            ]
        )
        await kept.flush()
        lift = {"device": "sample/a-lift-2-door", "action": "hold_door"}
        ways = sorted(await kept.stage_ways(["a1"]), key=lambda way: way.by)
        assert ways == [
            StageWay("a1", Milestone.PROVEN, "c1", at(2), None, **lift),
            StageWay("a1", Milestone.PROVEN, "c2", at(4), at(9), **lift),
            StageWay("a1", Milestone.DELIVERED, "pager", at(300), None),
            StageWay("a1", Milestone.DELIVERED, "phone", at(1), at(3)),
        ]
        assert await kept.stage_ways([]) == []

    async def test_a_change_says_how_people_were_told_of_it(self, kept: Any) -> None:
        told = [
            msgspec.structs.replace(transition(number), annunciation=annunciation)
            for number, annunciation in enumerate((Annunciation.OF_ITS_OWN, Annunciation.GROUPED, None), start=1)
        ]
        kept.write(told)
        await kept.flush()
        assert await kept.transitions("a1") == told
        assert await kept.transitions("a1", newest=2) == told[1:]
        assert [each async for each in kept.transitions_between(at(0), at(60))] == told

    async def test_changes_come_in_the_order_of_time_however_many_pages_they_take(
        self, kept: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reader, "TRANSITIONS_PAGE", 2)
        at_once = [transition(5, alarm_id=name) for name in "bcdef"]
        kept.write([*at_once, transition(1), transition(7), transition(9)])
        await kept.flush()
        found = [each async for each in kept.transitions_between(at(1), at(9))]
        assert found == [transition(1), *at_once, transition(7)]

    async def test_when_conditions_changed_is_told_of_the_newest_changes_alone(self, kept: Any) -> None:
        active, inactive = TransitionReason.CONDITION_ACTIVE, TransitionReason.CONDITION_INACTIVE
        reasons = [active, TransitionReason.ACKNOWLEDGED, inactive, TransitionReason.SHELVED, active]
        changes = [
            msgspec.structs.replace(transition(number), reason=reason) for number, reason in enumerate(reasons, start=1)
        ]
        kept.write([*changes, transition(8, alarm_id="a2"), transition(9, alarm_id="a3")])
        await kept.flush()
        assert await kept.condition_changes(["a1", "a2"], 2) == [changes[2], changes[4], transition(8, alarm_id="a2")]
        assert await kept.condition_changes([], 2) == []

    async def test_what_stood_at_a_time_is_found_whatever_became_of_it(self, kept: Any) -> None:
        gone = [transition(1, alarm_id="gone"), transition(2, AlarmState.NORMAL, alarm_id="gone")]
        closed = [transition(1, alarm_id="closed"), transition(9, AlarmState.NORMAL, alarm_id="closed")]
        stands = [transition(number, alarm_id="stands") for number in (1, 3, 8)]
        shelved = [transition(2, AlarmState.NORMAL, alarm_id="shelved", hidden=True, shelf=SHELF)]
        kept.write([*gone, *closed, *stands, *shelved, transition(6, alarm_id="later")])
        await kept.flush()
        assert await kept.standing_at(at(5)) == [closed[0], shelved[0], stands[1]]
        assert await kept.standing_at(at(0)) == []


class TestInTheDatabase(Records):
    @pytest.fixture
    def kept(self, history: PostgresHistory) -> PostgresHistory:
        return history

    @pytest.mark.parametrize("change", ["UPDATE log_entry SET seat = 'x'", "DELETE FROM log_entry"])
    async def test_the_log_is_never_changed_not_even_by_hand(
        self, kept: PostgresHistory, dsn: str, change: LiteralString
    ) -> None:
        kept.write([entry(1)])
        await kept.flush()
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            with pytest.raises(psycopg.errors.RaiseException, match="log_entry is never changed"):
                await connection.execute(change)
        assert await kept.log_entries(at(0), at(9)) == [entry(1)]


class TestInMemory(Records):
    @pytest.fixture
    def kept(self) -> InMemoryHistory:
        return InMemoryHistory()
