"""What is written comes back as it was, once, however often it is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import psycopg
import pytest

from firewatch.model.alarm import AlarmState, Stage, StageReached
from firewatch.model.command import AnswerState, CommandState, OutOfService, Shelve
from firewatch.model.observation import Quality
from firewatch.model.reload import (
    ReloadOutcome,
    ReloadReport,
    ReloadTrigger,
    RuleDifference,
    RuleReload,
    RulesProblem,
    RulesReload,
)
from firewatch.ports import AlarmFilter, CommandRecord, EngineInput
from firewatch.storage.history import PostgresHistory
from firewatch.telemetry.events import RowIsolated

from . import records
from .records import SIGNAL, acknowledged, answer, at, command, picture, rejection, taken, transition

pytestmark = pytest.mark.slow

EVERY_VALUE = [
    taken(1, 0.31, sequence=17),
    taken(2, 5.0),
    taken(3, True),
    taken(4, False),
    taken(5, "closed"),
    taken(6, "true"),
    taken(7, None, quality=Quality.BAD),
    taken(8, 1e-300, quality=Quality.UNCERTAIN, picture="p1"),
    acknowledged(9),
    taken(10, -0.0, source_time=datetime(1970, 1, 1, tzinfo=UTC)),
    taken(11, 1.0, source_time=datetime(2099, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    EngineInput(ordinal=12, now=at(12), command=Shelve("a1", "li", "误报", timedelta(hours=1, microseconds=1))),
    EngineInput(ordinal=13, now=at(13), command=Shelve("a1", "li", "误报")),
    EngineInput(ordinal=14, now=at(14), command=OutOfService("low", "s/h", "li", "工单 7")),
]


async def count(dsn: str, table: str) -> int:
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        cursor = await connection.execute(f"SELECT count(*) FROM {table}")
        row = await cursor.fetchone()
        assert row
        return row[0]


async def test_inputs_come_back_in_order_exactly_as_the_engine_took_them(history: PostgresHistory) -> None:
    history.write(list(reversed(EVERY_VALUE)))
    await history.flush()
    assert [each async for each in history.inputs_after(0)] == EVERY_VALUE
    assert [each async for each in history.inputs_after(9)] == EVERY_VALUE[9:]
    assert await history.last_ordinal() == 14


async def test_a_flag_stays_a_flag_and_a_number_a_number(history: PostgresHistory) -> None:
    history.write([taken(1, True), taken(2, 1.0)])
    await history.flush()
    assert [type(each.observation.value) async for each in history.inputs_after(0)] == [bool, float]


async def test_an_empty_history_has_nothing_after_ordinal_0(history: PostgresHistory) -> None:
    assert await history.last_ordinal() == 0
    assert [each async for each in history.inputs_after(0)] == []


async def test_an_alarm_stands_as_its_last_transition_left_it(history: PostgresHistory) -> None:
    first = transition(1)
    second = transition(2, AlarmState.ACKNOWLEDGED, acknowledged_by="控制室", value=True)
    history.write([first, second])
    await history.flush()
    (stored,) = await history.alarms(AlarmFilter())
    assert stored.clock.journalled_time is not None
    assert msgspec.structs.replace(stored, clock=second.alarm.clock) == second.alarm
    assert await history.transitions("a1") == [first, second]
    assert await history.transitions("unheard-of") == []


async def test_a_transition_that_comes_late_does_not_turn_an_alarm_back(history: PostgresHistory) -> None:
    history.write([transition(2, AlarmState.NORMAL)])
    history.write([transition(1)])
    await history.flush()
    assert [each.state for each in await history.alarms(AlarmFilter())] == [AlarmState.NORMAL]
    assert [each.number for each in await history.transitions("a1")] == [1, 2]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (AlarmFilter(), ["d", "c", "b", "a", "held"]),
        (AlarmFilter(limit=2), ["d", "c"]),
        (AlarmFilter(standing=True), ["d", "a", "held"]),
        (AlarmFilter(hidden=True), ["held"]),
        (AlarmFilter(hidden=False, standing=True), ["d", "a"]),
        (AlarmFilter(standing=False), ["c", "b"]),
        (AlarmFilter(site="other"), ["c"]),
        (AlarmFilter(rule="garage-smoke"), ["b"]),
        (AlarmFilter(subject="sample/tank-1"), ["a"]),
        (AlarmFilter(before=(at(2), "c")), ["b", "a", "held"]),
        (AlarmFilter(before=(at(2), "b")), ["a", "held"]),
        (AlarmFilter(site="sample", standing=True, before=(at(3), "d")), ["a", "held"]),
        (AlarmFilter(rule="unheard-of"), []),
    ],
)
async def test_alarms_are_found_newest_first(history: PostgresHistory, wanted: AlarmFilter, found: list[str]) -> None:
    history.write(
        [
            transition(1, alarm_id="a", onset=1, subject="sample/tank-1"),
            transition(1, AlarmState.NORMAL, alarm_id="b", onset=2, rule="garage-smoke"),
            transition(1, AlarmState.NORMAL, alarm_id="c", onset=2, site="other"),
            transition(1, alarm_id="d", onset=3),
            transition(1, AlarmState.NORMAL, alarm_id="held", onset=0, hidden=True),
            transition(1, alarm_id="shadow", onset=9, shadow=True),
        ]
    )
    await history.flush()
    assert [each.alarm_id for each in await history.alarms(wanted)] == found


async def test_observations_are_the_newest_ones_in_the_window_oldest_first(history: PostgresHistory) -> None:
    history.write([taken(number, float(number)) for number in range(1, 8)])
    history.write([taken(8, 99.0, signal="sample/tank-1/level", source_time=at(3))])
    await history.flush()
    found = await history.observations(SIGNAL, at(2), at(6), 3)
    assert [each.value for each in found] == [3.0, 4.0, 5.0]
    assert (found[0].signal, found[0].quality, found[0].source_time) == (SIGNAL, "good", at(3))


async def test_a_reading_delivered_twice_was_taken_twice_and_is_read_once(history: PostgresHistory) -> None:
    history.write([taken(1, 0.3, source_time=at(1), sequence=7), taken(2, 0.3, source_time=at(1), sequence=7)])
    await history.flush()
    assert len([each async for each in history.inputs_after(0)]) == 2
    assert [each.value for each in await history.observations(SIGNAL, at(0), at(9), 100)] == [0.3]


async def test_a_device_whose_clock_stands_still_loses_no_reading(history: PostgresHistory) -> None:
    history.write([taken(number, number / 10, source_time=at(0)) for number in range(1, 6)])
    await history.flush()
    assert [each.value for each in await history.observations(SIGNAL, at(0), at(1), 100)] == [0.1, 0.2, 0.3, 0.4, 0.5]


@pytest.mark.parametrize(
    ("answers", "shown"),
    [
        ([], None),
        ([answer(AnswerState.ACCEPTED, 1)], answer(AnswerState.ACCEPTED, 1)),
        ([answer(AnswerState.ACCEPTED, 1), answer(AnswerState.DONE, 2)], answer(AnswerState.DONE, 2)),
        ([answer(AnswerState.DONE, 2), answer(AnswerState.ACCEPTED, 3)], answer(AnswerState.DONE, 2)),
        ([answer(AnswerState.DONE, 2), answer(AnswerState.FAILED, 3)], answer(AnswerState.FAILED, 3)),
        ([answer(AnswerState.FAILED, 2), answer(AnswerState.DONE, 3)], answer(AnswerState.FAILED, 2)),
        ([answer(AnswerState.ACCEPTED, 1), answer(AnswerState.ACCEPTED, 3)], answer(AnswerState.ACCEPTED, 3)),
    ],
)
async def test_a_command_shows_that_it_failed_else_that_it_is_done_else_its_last_answer(
    history: PostgresHistory, answers: list, shown: object
) -> None:
    history.write([command(), *answers])
    await history.flush()
    assert await history.commands() == [CommandRecord.of(command(), shown)]


async def test_commands_are_found_by_cause_and_by_what_is_still_owed(history: PostgresHistory) -> None:
    history.write([command("c1", 1), command("c2", 2, cause="session-1"), command("c3", 3)])
    history.write([answer(AnswerState.DONE, command_id="c3"), answer(AnswerState.ACCEPTED, command_id="c1")])
    await history.flush()
    assert [each.command.command_id for each in await history.commands(limit=2)] == ["c3", "c2"]
    assert [each.command.command_id for each in await history.commands(cause="a1")] == ["c3", "c1"]
    assert [each.command.command_id for each in await history.commands(unanswered=True)] == ["c2", "c1"]


async def test_a_command_that_was_given_up_is_owed_no_more(history: PostgresHistory) -> None:
    given_up = answer(AnswerState.FAILED, 70, detail="unanswered")
    history.write([command(), answer(AnswerState.ACCEPTED, 1)])
    history.write([given_up])
    await history.flush()
    assert await history.commands(unanswered=True) == []
    assert await history.commands() == [CommandRecord.of(command(), given_up)]


async def test_a_command_shows_when_a_second_signal_proved_it(history: PostgresHistory) -> None:
    proven = StageReached("a1", Stage.PROVEN, at(3), by="c1")
    history.write([command("c1", 1), command("c2", 2), answer(AnswerState.DONE, 2, command_id="c1"), proven])
    await history.flush()
    shown = {each.command.command_id: (each.state, each.proven_time) for each in await history.commands()}
    assert shown == {"c1": (CommandState.PROVEN, proven.stage_time), "c2": (CommandState.SENT, None)}
    (newest,) = await history.newest_commands()
    assert newest.state is CommandState.SENT


async def test_the_newest_command_of_every_device_comes_with_its_answer(history: PostgresHistory) -> None:
    door = [command("held", 1), command("released", 9)]
    loudspeaker = [command("stopped", 8, device="other/z"), command("played", 2, device="other/z")]
    at_once = [command(each, 5, device="sample/b") for each in ("x", "y", "w")]
    done = answer(AnswerState.DONE, 10, command_id="released")
    accepted = answer(AnswerState.ACCEPTED, 11, command_id="released")
    history.write([*door, *loudspeaker, *at_once, answer(AnswerState.DONE, command_id="played"), done, accepted])
    await history.flush()
    assert await history.newest_commands() == [
        CommandRecord.of(loudspeaker[0], None),
        CommandRecord.of(door[1], done),
        CommandRecord.of(at_once[1], None),
    ]


async def test_a_history_without_commands_has_no_newest_ones(history: PostgresHistory) -> None:
    assert await history.newest_commands() == []


async def test_a_picture_comes_back_byte_for_byte(history: PostgresHistory) -> None:
    history.write([picture()])
    await history.flush()
    assert await history.picture("p1") == picture()
    assert await history.picture("p2") is None


async def test_writing_everything_again_changes_nothing(history: PostgresHistory, dsn: str) -> None:
    everything = [
        *EVERY_VALUE,
        transition(1),
        transition(2, AlarmState.ACKNOWLEDGED),
        command(),
        answer(AnswerState.DONE),
        picture(),
        rejection(),
    ]
    for _ in range(3):
        history.write(everything)
        await history.flush()
    tables = ["observation", "operator_command", "alarm", "alarm_transition", "actuator_command", "actuator_answer"]
    counts = {table: await count(dsn, table) for table in [*tables, "picture", "rejection"]}
    assert counts == {
        "observation": 10,
        "operator_command": 4,
        "alarm": 1,
        "alarm_transition": 2,
        "actuator_command": 1,
        "actuator_answer": 1,
        "picture": 1,
        "rejection": 1,
    }


async def test_a_transition_recorded_again_at_another_time_is_still_one(history: PostgresHistory, dsn: str) -> None:
    history.write([transition(1), msgspec.structs.replace(transition(1), transition_time=at(9))])
    await history.flush()
    assert await count(dsn, "alarm_transition") == 1


async def test_a_row_the_database_refuses_is_put_aside_and_its_batch_goes_through(
    history: PostgresHistory, dsn: str, telemetry
) -> None:
    poison = taken(250, "no\x00such state")
    whole = [taken(number) for number in range(1, 500) if number != 250]
    history.write([*whole[:249], poison, *whole[249:], transition(1), transition(2)])
    await history.flush()
    assert [each async for each in history.inputs_after(0)] == whole
    assert [each.number for each in await history.transitions("a1")] == [1, 2]
    (told,) = telemetry.of(RowIsolated)
    assert told.table == "observation"
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        cursor = await connection.execute("SELECT source, reason, payload FROM rejection")
        ((source, reason, payload),) = await cursor.fetchall()
    assert (source, reason) == ("history", "refused_by_history")
    assert "ordinal=250" in payload


@pytest.mark.parametrize(
    "poison",
    [
        taken(2, "half a \ud800 character"),
        taken(2, sequence=2**70),
        taken(2, signal="".join(map(chr, range(0x4E00, 0x4E00 + 5000)))),
        acknowledged(2, "a\x00"),
        transition(1, alarm_id="a\x00"),
        msgspec.structs.replace(transition(1), number=2**40),
        msgspec.structs.replace(picture(), device="a\x00"),
        rejection("payload with \x00 and \ud800"),
    ],
    ids=[
        "surrogate",
        "long-sequence",
        "longer-than-an-index-takes",
        "command",
        "transition",
        "long-number",
        "picture",
        "rejection",
    ],
)
async def test_no_row_whatever_is_in_it_keeps_others_from_being_written(
    history: PostgresHistory, dsn: str, poison
) -> None:
    history.write([taken(1), poison, taken(3)])
    await history.flush()
    assert [each.ordinal async for each in history.inputs_after(0)] == [1, 3]
    assert await count(dsn, "rejection") == 1
    assert history.status().ready


async def test_on_safe_is_called_in_order_and_only_once_rows_are_there(history: PostgresHistory, dsn: str) -> None:
    safe: list[int] = []
    for number in range(1, 4):
        history.write([taken(number)], on_safe=lambda number=number: safe.append(number))
    assert safe == []
    await history.flush()
    assert safe == [1, 2, 3]
    assert await count(dsn, "observation") == 3


async def test_nothing_to_write_is_safe_as_well(history: PostgresHistory) -> None:
    safe: list[bool] = []
    history.write([], on_safe=lambda: safe.append(True))
    await history.flush()
    assert safe == [True]


async def test_room_is_gone_while_too_much_waits_and_comes_back(history: PostgresHistory) -> None:
    history.write([taken(number) for number in range(1, 60_000)])
    assert not history.room()
    await history.flush()
    assert history.room()


async def test_the_status_says_what_the_history_is_kept_in(history: PostgresHistory) -> None:
    status = history.status()
    assert status.ready
    assert "PostgreSQL" in status.detail
    assert "plain tables" in status.detail or "hypertables" in status.detail


async def test_a_reload_is_an_input_in_its_place_and_a_record_of_the_audit(history: PostgresHistory) -> None:
    report = ReloadReport(at(2), (RuleReload("low", RuleDifference.REMOVED, removed=2, closed=("a1",)),), unchanged=40)
    taken = RulesReload(
        at(2.5), ReloadTrigger.OPERATOR, ReloadOutcome.TAKEN, "王", "digest", 2, report, "low:\n  - on_delay: 0s"
    )
    problem = RulesProblem("水.yaml", 3, 5, "low", "wrong", "mend it", "水.yaml:3:5: low: wrong; mend it")
    refused = RulesReload(at(3), ReloadTrigger.FILES, ReloadOutcome.REFUSED, problems=(problem,))
    for _ in range(2):
        history.write([records.taken(1), taken, records.taken(3), refused])
    await history.flush()
    inputs = [each async for each in history.inputs_after(0)]
    assert inputs == [records.taken(1), EngineInput(ordinal=2, now=at(2), rules="digest"), records.taken(3)]
    assert await history.reloads() == [refused, taken]
    assert await history.reloads(before=at(3)) == [taken]
    assert await history.reloads(limit=1) == [refused]


async def test_a_reload_counts_for_the_last_ordinal(history: PostgresHistory) -> None:
    report = ReloadReport(at(9), (), unchanged=1)
    history.write([RulesReload(at(9), ReloadTrigger.START, ReloadOutcome.TAKEN, "", "digest", 9, report)])
    await history.flush()
    assert await history.last_ordinal() == 9
