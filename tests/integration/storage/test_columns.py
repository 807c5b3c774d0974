"""A replay reads what was written, by the column, on a real database."""

from __future__ import annotations

import math
from typing import Any

import pytest

from firewatch.model.alarm import AlarmState
from firewatch.model.observation import Quality
from firewatch.ports import Listening
from firewatch.storage import columns as columns_module
from firewatch.storage.columns import FLAG, NUMBER, STATE, ColumnReader, Columns, Extent, Start
from firewatch.storage.history import PostgresHistory
from tests.integration.storage.records import SIGNAL, acknowledged, at, taken, transition
from tests.stored import microseconds

pytestmark = pytest.mark.slow

OTHER = "sample/valve-a-riser/position"
NOBODY_ASKS = "sample/tank-1/level"


async def kept(history: PostgresHistory, *records: Any) -> None:
    history.write(list(records))
    await history.flush()


def pages(dsn: str, first: float, last: float, states: list[str] | None = None) -> list[Columns]:
    with ColumnReader(dsn) as reader:
        states = states if states is not None else ["open", "closed"]
        return [page for _, page in reader.pages([OTHER, SIGNAL], states, at(first), at(last))]


async def test_what_was_written_comes_back_by_the_column(dsn: str, history: PostgresHistory) -> None:
    await kept(
        history,
        taken(1, 0.3),
        taken(2, "closed", signal=OTHER),
        taken(3, True, quality=Quality.UNCERTAIN),
        taken(4, None, quality=Quality.BAD, source_time=at(1)),
        taken(5, 0.1, signal=NOBODY_ASKS),
        taken(6, math.nan),
    )
    (page,) = pages(dsn, 0, 100)
    assert page.ordinal.tolist() == [1, 2, 3, 4, 6]
    assert page.signal.tolist() == [1, 0, 1, 1, 1]
    assert page.kind.tolist() == [NUMBER, STATE, FLAG, 0, NUMBER]
    assert page.number.tolist()[:4] == [0.3, 0.0, 1.0, 0.0]
    assert math.isnan(page.number[4])
    assert page.state.tolist() == [-1, 1, -1, -1, -1]
    assert page.quality.tolist() == [0, 0, 1, 2, 0]
    assert page.taken.tolist() == [microseconds(at(ordinal + 0.002)) for ordinal in (1, 2, 3, 4, 6)]
    assert page.receive.tolist() == [microseconds(at(ordinal + 0.001)) for ordinal in (1, 2, 3, 4, 6)]
    assert page.source.tolist() == page.event.tolist() == [microseconds(at(second)) for second in (1, 2, 3, 1, 6)]


async def test_a_state_that_the_sites_do_not_name_is_named(dsn: str, history: PostgresHistory) -> None:
    await kept(history, taken(1, "half", signal=OTHER), taken(2, "open", signal=OTHER), taken(3, "half", signal=OTHER))
    states = ["open"]
    (page,) = pages(dsn, 0, 100, states)
    assert [states[code] for code in page.state.tolist()] == ["half", "open", "half"]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [(0, 100, [1, 2, 3, 4, 5]), (2.002, 4.002, [2, 3]), (2.003, 4.003, [3, 4]), (5.003, 9, []), (-9, 0, [])],
)
async def test_the_time_asked_for_is_cut_by_when_it_was_taken(
    dsn: str, history: PostgresHistory, monkeypatch: pytest.MonkeyPatch, first: float, last: float, expected: list[int]
) -> None:
    monkeypatch.setattr(columns_module, "PAGE_ORDINALS", 2)
    await kept(history, *(taken(ordinal) for ordinal in range(1, 6)))
    found = pages(dsn, first, last)
    assert [ordinal for page in found for ordinal in page.ordinal.tolist()] == expected
    assert all(len(page) <= 2 for page in found)


async def test_the_share_that_is_done_grows_to_the_whole(
    dsn: str, history: PostgresHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns_module, "PAGE_ORDINALS", 2)
    await kept(history, *(taken(ordinal) for ordinal in range(1, 8)))
    with ColumnReader(dsn) as reader:
        shares = [share for share, _ in reader.pages([SIGNAL], [], at(0), at(100))]
    assert shares == sorted(shares)
    assert shares[-1] == 1


async def test_an_empty_history_has_no_extent_and_no_pages(dsn: str, history: PostgresHistory) -> None:
    with ColumnReader(dsn) as reader:
        assert reader.extent() is None
    assert pages(dsn, 0, 100) == []


async def test_commands_starts_and_transitions_come_with_their_times(dsn: str, history: PostgresHistory) -> None:
    command = acknowledged(2)
    changes = [transition(1), transition(2, AlarmState.ACKNOWLEDGED)]
    await kept(history, Listening(at(0)), taken(1), command, *changes, Listening(at(50), at(2)))
    with ColumnReader(dsn) as reader:
        assert reader.extent() == Extent(at(1.002), at(1.002))
        assert reader.commands(at(0), at(100)) == [command]
        assert reader.commands(at(3), at(100)) == []
        assert reader.starts(at(0), at(100)) == [Start(at(0)), Start(at(50), heard_until=at(2))]
        assert reader.starts(at(1), at(50)) == []
        assert list(reader.transitions(at(0), at(100))) == changes
        assert list(reader.transitions(at(-100), at(0))) == []


async def test_a_file_has_everything_that_was_taken(dsn: str, history: PostgresHistory) -> None:
    await kept(history, taken(1, 0.25), taken(2, "closed", signal=OTHER), taken(3, True, signal=NOBODY_ASKS))
    with ColumnReader(dsn) as reader:
        text = b"".join(map(bytes, reader.copy_csv(at(0), at(3.002)))).decode()
    head, *lines = text.splitlines()
    assert head == "ordinal,taken_time,signal,number,flag,state,quality,source_time,receive_time,event_time"
    assert [line.split(",")[:7:2] for line in lines] == [["1", SIGNAL, "", "good"], ["2", OTHER, "", "good"]]
