"""What firewatch itself writes into the log, and that it writes it once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from firewatch.app.log_entries import LONGEST_TEXT, entries_of, start_entry
from firewatch.app.log_keeper import LogKeeper
from firewatch.model.alarm import AlarmState, AlarmTransition, Maintenance, TransitionReason
from firewatch.model.control_room import Drill, DutyCheck, DutyState, EntryKind, LogEntry
from firewatch.model.delivery import Delivery, DeliveryState, NotificationReason
from firewatch.model.drill import DrillOutcome
from firewatch.model.reload import (
    ReloadOutcome,
    ReloadReport,
    ReloadTrigger,
    RuleDifference,
    RuleReload,
    RulesProblem,
    RulesReload,
)
from firewatch.model.seat import ControlRoom, Seat
from firewatch.model.text import LocalText
from firewatch.ports import Record
from firewatch.testing.clock import FakeClock
from firewatch.testing.history import InMemoryHistory
from tests.unit.model.test_seat import ALARM, TEXT

NOW = datetime(2026, 7, 1, 8, tzinfo=UTC)
ROOM = ControlRoom((Seat("east", TEXT, sites=("east",)), Seat("water", TEXT, sites=("west",), systems=("water",))))
CHECK = DutyCheck("c1", "east", "中心", NOW, NOW + timedelta(minutes=10), site="east", question_id="q")


def change(reason: TransitionReason, subject: str = "east/tank", rule: str = "r", **alarm: object) -> AlarmTransition:
    changed = msgspec.structs.replace(ALARM, alarm_id=f"{rule}-{subject}", rule=rule, subject=subject, **alarm)
    by, comment = "li", "检修"
    return AlarmTransition(changed.alarm_id, 1, NOW, reason, AlarmState.NORMAL, changed, by, comment)


def taken_out(**alarm: object) -> AlarmTransition:
    held = Maintenance("li", NOW, "换表", "WO-7", NOW + timedelta(hours=2))
    return change(TransitionReason.TAKEN_OUT_OF_SERVICE, **({"out_of_service": held} | alarm))


def dead(target: str, number: int, at: datetime = NOW) -> Delivery:
    return Delivery(
        f"{target}-{number}",
        target,
        f"a{number}",
        1,
        NotificationReason.ONSET,
        at,
        at,
        state=DeliveryState.DEAD,
        attempts=9,
        ended_time=at,
        error="503",
    )


def reload(outcome: ReloadOutcome, **fields: object) -> RulesReload:
    return msgspec.structs.replace(RulesReload(NOW, ReloadTrigger.OPERATOR, outcome, by="li"), **fields)


REPORT = ReloadReport(
    NOW, (RuleReload("a", RuleDifference.ADDED), RuleReload("b", RuleDifference.CHANGED)), unchanged=3
)
PROBLEM = RulesProblem("r.yaml", 1, 2, "", "what", "", "r.yaml:1:2: what")


@pytest.mark.parametrize(
    ("record", "kind", "english"),
    [
        (
            taken_out(),
            EntryKind.OUT_OF_SERVICE,
            "test was taken out of service by li (work order WO-7, until 2026-07-01 18:00): 换表",
        ),
        (
            taken_out(out_of_service=Maintenance("li", NOW, "换表")),
            EntryKind.OUT_OF_SERVICE,
            "test was taken out of service by li: 换表",
        ),
        (
            change(TransitionReason.RETURNED_TO_SERVICE),
            EntryKind.OUT_OF_SERVICE,
            "test was returned to service by li: 检修",
        ),
        (
            change(
                TransitionReason.MAINTENANCE_REMINDED,
                out_of_service=Maintenance("li", NOW, "换表", "WO-7", NOW + timedelta(minutes=30), reminded=True),
            ),
            EntryKind.OUT_OF_SERVICE,
            "test will be in service again at 2026-07-01 16:30",
        ),
        (
            change(TransitionReason.MAINTENANCE_ENDED),
            EntryKind.OUT_OF_SERVICE,
            "test is in service again: its time out of service is over",
        ),
        (
            reload(ReloadOutcome.TAKEN, report=REPORT),
            EntryKind.RULES,
            "Other rules were taken over (li): 1 added, 1 changed, 0 removed",
        ),
        (
            reload(ReloadOutcome.REFUSED, problems=(PROBLEM,), by="", trigger=ReloadTrigger.FILES),
            EntryKind.RULES,
            "The rules on disk were refused (changed files), those before go on; the first of 1 problems: "
            "r.yaml:1:2: what",
        ),
        (CHECK, EntryKind.DUTY_CHECK, "中心 asks whether anybody is there; 10 min to answer"),
        (
            msgspec.structs.replace(
                CHECK, state=DutyState.ANSWERED, ended_time=NOW + timedelta(seconds=42), answered_by="li"
            ),
            EntryKind.DUTY_CHECK,
            "li answered the duty check after 42 s",
        ),
        (
            msgspec.structs.replace(CHECK, state=DutyState.MISSED, ended_time=CHECK.until_time),
            EntryKind.DUTY_CHECK,
            "Nobody answered the duty check within 10 min",
        ),
        (
            msgspec.structs.replace(CHECK, state=DutyState.REPLACED, ended_time=NOW + timedelta(seconds=9)),
            EntryKind.DUTY_CHECK,
            "A new duty check took the place of one not yet answered",
        ),
        (Drill("d", "lift", NOW, "li"), EntryKind.DRILL, "li began a drill: lift"),
        (
            Drill("d", "lift", NOW, "li", NOW + timedelta(minutes=7), DrillOutcome.REAL_ALARM),
            EntryKind.DRILL,
            "The drill lift ended after 7 min (ended at once by a real alarm)",
        ),
        (
            dead("phone", 1),
            EntryKind.NOTIFICATION,
            "The receiver phone could not be reached and was given up after 9 attempts: 503",
        ),
    ],
    ids=lambda part: type(part).__name__,
)
def test_what_happens_is_written_down_in_both_languages(record: Record, kind: EntryKind, english: str) -> None:
    (entry,) = entries_of([record], ROOM)
    assert (entry.author, entry.kind, entry.text.en) == ("firewatch", kind, english)
    assert any("\u4e00" <= character <= "\u9fff" for character in entry.text.zh)
    assert entries_of([record], ROOM) == [entry]


@pytest.mark.parametrize(
    "record",
    [
        change(TransitionReason.CONDITION_ACTIVE),
        taken_out(shadow=True),
        taken_out(drill="d1"),
        reload(ReloadOutcome.UNCHANGED),
        msgspec.structs.replace(dead("phone", 1), state=DeliveryState.WAITING),
        msgspec.structs.replace(dead("phone", 1), alarm_id=""),
    ],
)
def test_what_is_shown_elsewhere_or_is_no_alarm_is_not_written_down(record: Record) -> None:
    assert entries_of([record], ROOM) == []


def test_a_subject_that_is_taken_out_with_all_its_rules_is_one_entry() -> None:
    assert len(entries_of([taken_out(rule="a"), taken_out(rule="b")], ROOM)) == 1
    assert len(entries_of([taken_out(rule="a"), taken_out(subject="east/other")], ROOM)) == 2


def test_an_entry_about_an_alarm_stands_in_the_log_of_the_seat_that_answers_for_it() -> None:
    (entry,) = entries_of([taken_out()], ROOM)
    assert (entry.seat, entry.alarm_id) == ("east", "r-east/tank")
    shared = ControlRoom((Seat("a", TEXT), Seat("b", TEXT)))
    assert entries_of([taken_out()], shared)[0].seat == ""


def test_a_receiver_that_is_away_is_told_of_once_an_hour() -> None:
    an_hour = timedelta(hours=1)
    flood = [dead("phone", number, NOW + timedelta(seconds=number)) for number in range(500)]
    entries = entries_of([*flood, dead("mail", 1), dead("phone", 900, NOW + an_hour)], ROOM)
    assert sorted(entry.text.en.split()[2] for entry in entries) == ["mail", "phone", "phone"]


def test_how_a_check_began_and_how_it_ended_are_two_entries() -> None:
    ended = msgspec.structs.replace(CHECK, state=DutyState.MISSED, ended_time=CHECK.until_time)
    first, second = entries_of([CHECK, ended], ROOM)
    assert first.entry_id != second.entry_id


def test_texts_are_bounded_and_printable() -> None:
    (entry,) = entries_of([msgspec.structs.replace(dead("phone", 1), error="x\0\n" * 4000)], ROOM)
    assert len(entry.text.en) == len(entry.text.zh) == LONGEST_TEXT
    assert entry.text.en.isprintable()


@pytest.mark.parametrize(
    ("heard_until", "stopped", "english"),
    [
        (None, True, "firewatch was started for the first time"),
        (
            NOW - timedelta(hours=3),
            True,
            "firewatch was started; it had last heard something at 2026-07-01 13:00, 3 h before",
        ),
        (
            NOW - timedelta(seconds=8),
            False,
            "firewatch was started again after it broke off; "
            "it had last heard something at 2026-07-01 15:59, 8 s before",
        ),
    ],
)
def test_a_start_says_what_it_follows(heard_until: datetime | None, stopped: bool, english: str) -> None:
    assert start_entry(NOW, heard_until, stopped=stopped, room=ROOM).text.en == english


class TestTheKeeper:
    def setup_method(self) -> None:
        self.clock = FakeClock(NOW)
        self.history = InMemoryHistory()
        self.keeper = LogKeeper(self.history, ROOM, self.clock)

    async def entries(self) -> list[LogEntry]:
        long_ago = self.clock.now() - timedelta(days=365)
        return await self.history.log_entries(long_ago, self.clock.now() + timedelta(days=365))

    async def test_entries_are_as_safe_as_what_they_tell_of(self) -> None:
        self.history.hold = True
        safe: list[str] = []
        self.keeper.write([CHECK], on_safe=lambda: safe.append("safe"))
        assert (safe, await self.entries()) == ([], [])
        self.history.release()
        assert safe == ["safe"]
        assert [entry.kind for entry in await self.entries()] == [EntryKind.DUTY_CHECK]

    async def test_what_a_replay_writes_again_is_written_once(self) -> None:
        self.keeper.write([taken_out(), CHECK])
        self.keeper.write([CHECK])
        self.keeper.write([taken_out()])
        assert len(await self.entries()) == 2

    async def test_a_clean_stop_and_a_crash_are_told_apart(self) -> None:
        async def starts() -> None:
            self.clock.advance(timedelta(minutes=1))
            await self.keeper.begin(self.history, self.clock.now() - timedelta(seconds=30))

        await starts()
        self.clock.advance(timedelta(minutes=1))
        await self.keeper.end()
        await starts()
        await starts()
        texts = [entry.text.en.split(";")[0] for entry in await self.entries()]
        assert texts == [
            "firewatch was started again after it broke off",
            "firewatch was started",
            "firewatch was stopped",
            "firewatch was started",
        ]

    async def test_notes_of_operators_do_not_hide_the_last_start(self) -> None:
        await self.keeper.begin(self.history, None)
        note = LogEntry("n", self.clock.now(), "east", "li", EntryKind.NOTE, LocalText("巡检", "round"))
        self.history.write([note])
        self.clock.advance(timedelta(minutes=1))
        await self.keeper.begin(self.history, self.clock.now())
        assert "broke off" in (await self.entries())[0].text.en
