"""How two logs differ, as a table, and what must hold for any two."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firewatch.backtest.difference import check, counts_of, differences, loads_of, realities_of
from firewatch.backtest.log import Told
from firewatch.backtest.result import Fate, Reality
from tests.unit.backtest.told import at, told


def fates(before: list[Told], after: list[Told]) -> list[str]:
    """`fate before->after`, in minutes."""
    return [
        f"{one.fate} {_minute(one.before)}->{_minute(one.after)}".replace("None", "")
        for one in differences(before, after)
    ]


def _minute(one: Told | None) -> str:
    return "" if one is None else f"{(one.told_time - at(0)) / timedelta(minutes=1):g}"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([], [], []),
        ([told(5, 6)], [told(5, 6)], ["same 5->5"]),
        ([told(5, 6)], [], ["removed 5->"]),
        ([], [told(5, 6)], ["added ->5"]),
        ([told(5, 6)], [told(8, 9)], ["moved 5->8"]),
        ([told(5, 6)], [told(15, 16)], ["moved 5->15"]),
        ([told(5, 6)], [told(15.1, 16)], ["removed 5->", "added ->15.1"]),
        ([told(5, 60)], [told(50, 55)], ["moved 5->50"]),
        ([told(50, 55)], [told(5, None)], ["moved 50->5"]),
        ([told(1, 2), told(3, 4), told(5, 6)], [told(1, 6)], ["same 1->1", "removed 3->", "removed 5->"]),
        ([told(1, 2), told(3, 4), told(5, 6)], [told(3, 6)], ["removed 1->", "same 3->3", "removed 5->"]),
        ([told(1, 2), told(30, 31)], [told(2, 3), told(31, 32)], ["moved 1->2", "moved 30->31"]),
        ([told(40, 41)], [told(1, 2), told(42, 43)], ["added ->1", "moved 40->42"]),
        ([told(5, 6), told(5, 6)], [told(5, 6)], ["same 5->5", "removed 5->"]),
        ([told(5, 6, rule="a")], [told(5, 6, rule="b")], ["removed 5->", "added ->5"]),
        ([told(5, 6, subject="s/a")], [told(5, 6, subject="s/b")], ["removed 5->", "added ->5"]),
    ],
)
def test_alarms_of_two_logs_are_paired(before: list[Told], after: list[Told], expected: list[str]) -> None:
    assert sorted(fates(before, after)) == sorted(expected)


alarms = st.builds(
    lambda minutes, lasts, rule: told(minutes, None if lasts is None else minutes + lasts, rule=rule),
    st.integers(0, 60),
    st.none() | st.integers(0, 30),
    st.sampled_from("ab"),
)
logs = st.lists(alarms, max_size=8).map(lambda log: sorted(log, key=lambda one: one.told_time))


@given(before=logs, after=logs)
def test_every_alarm_is_in_exactly_one_difference(before: list[Told], after: list[Told]) -> None:
    found = differences(before, after)
    assert sorted((one.before for one in found if one.before), key=repr) == sorted(before, key=repr)
    assert sorted((one.after for one in found if one.after), key=repr) == sorted(after, key=repr)
    for one in found:
        expected = {Fate.ADDED: (False, True), Fate.REMOVED: (True, False)}.get(one.fate, (True, True))
        assert (one.before is not None, one.after is not None) == expected
        if one.before and one.after:
            assert (one.before.rule, one.before.subject) == (one.after.rule, one.after.subject)
            assert (one.fate is Fate.SAME) == (one.before.told_time == one.after.told_time)


@given(log=logs)
def test_a_log_does_not_differ_from_itself(log: list[Told]) -> None:
    assert {one.fate for one in differences(log, log)} <= {Fate.SAME}


@given(before=logs, after=logs)
def test_the_counts_of_rules_add_up(before: list[Told], after: list[Told]) -> None:
    counts = counts_of(differences(before, after), {})
    assert sum(count.before for count in counts) == len(before)
    assert sum(count.after for count in counts) == len(after)
    assert all(count.after - count.before == count.added - count.removed for count in counts)
    loads = loads_of(before, after)
    assert sum(load.before for load in loads) == len(before)
    assert sum(load.after for load in loads) == len(after)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([told(5, 20)], [told(5, 20)], (True, True, 0)),
        ([told(5, 20)], [told(7, 20)], (True, True, 2)),
        ([told(5, 20)], [told(4, 20, rule="other")], (True, True, -1)),
        ([told(5, 20)], [told(1, 20, rule="other"), told(6, 20)], (True, True, 1)),
        ([told(5, 20)], [], (True, False, None)),
        ([told(5, 20)], [told(16, 20)], (True, False, None)),
        ([told(5, 20)], [told(-60, None)], (True, True, -65)),
        ([told(5, 20)], [told(-60, -50)], (True, False, None)),
        ([told(5, 20)], [told(5, 20, subject="s/other")], (True, False, None)),
        ([], [told(5, 20)], (False, True, None)),
    ],
)
def test_what_was_real_is_alarmed_if_its_subject_is_about_that_time(
    before: list[Told], after: list[Told], expected: tuple[bool, bool, float | None]
) -> None:
    found = check(Reality(at(5), "s/d", "r"), before, after)
    minutes = None if found.delay is None else found.delay / timedelta(minutes=1)
    assert (found.alarmed_before, found.alarmed_after, minutes) == expected
    assert found.is_lost == (expected[:2] == (True, False))


def test_what_an_operator_confirmed_was_real() -> None:
    assert realities_of([told(1), told(5, confirmed=True)]) == [Reality(at(5), "s/d", "r")]
