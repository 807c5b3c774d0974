"""Every duty check ends in exactly one way, at the right time, whatever is asked and answered, and over restarts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firewatch.alarms.duty_check import LONGEST_LIMIT, REMEMBERED, DutyChecks, check_id
from firewatch.errors import RefusedCommandError
from firewatch.model.control_room import DutyCheck, DutyQuestion, DutyState

START = datetime(2026, 7, 1, 8, tzinfo=UTC)
SEATS = ("east", "west")

steps = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from(SEATS), st.integers(0, 30), st.integers(1, 900)),
    st.tuples(st.just("answer"), st.integers(0, 30)),
    st.tuples(st.just("pass"), st.integers(0, 900)),
    st.tuples(st.just("restart")),
)


def question(number: int, seat: str, seconds: float = 600) -> DutyQuestion:
    return DutyQuestion(str(number), "sample", seat, "centre", timedelta(seconds=seconds))


class Book:
    """What was recorded, as a history keeps it, and what the model expects of it."""

    def __init__(self) -> None:
        self.now = START
        self.checks = DutyChecks()
        self.records: dict[str, list[DutyCheck]] = {}
        self.expected: dict[str, tuple[datetime, datetime, DutyState | None, datetime | None]] = {}
        self.late: dict[str, datetime] = {}
        self.seat_of: dict[str, str] = {}

    def keep(self, changed: list[DutyCheck]) -> None:
        for check in changed:
            self.records.setdefault(check.check_id, []).append(check)

    def expect_misses(self) -> None:
        for name, (asked, until, outcome, _) in self.expected.items():
            if outcome is None and until <= self.now:
                self.expected[name] = (asked, until, DutyState.MISSED, until)

    def ask(self, seat: str, number: int, seconds: int) -> None:
        self.expect_misses()
        name = check_id(question(number, seat))
        newest = max((asked for each, (asked, *_) in self.expected.items() if self.seat_of[each] == seat), default=None)
        try:
            self.keep(self.checks.ask(question(number, seat, seconds), self.now))
        except RefusedCommandError:
            assert newest is not None
            assert name not in self.expected
            assert self.now - newest < timedelta(seconds=1)
            return
        if name in self.expected:
            return
        for other, (asked, until, outcome, _) in self.expected.items():
            if self.seat_of[other] == seat and outcome is None:
                self.expected[other] = (asked, until, DutyState.REPLACED, self.now)
        until = self.now + min(timedelta(seconds=seconds), LONGEST_LIMIT)
        self.expected[name], self.seat_of[name] = (self.now, until, None, None), seat

    def answer(self, number: int) -> None:
        self.expect_misses()
        for name in (check_id(question(number, seat)) for seat in SEATS):
            asked, until, outcome, _ = self.expected.get(name, (START, START, DutyState.REPLACED, None))
            if outcome is None:
                self.keep(self.checks.answer(name, "li", self.now))
                self.expected[name] = (asked, until, DutyState.ANSWERED, self.now)
            elif outcome is DutyState.MISSED and name == self.newest(self.seat_of[name]) and name not in self.late:
                self.keep(self.checks.answer(name, "li", self.now))
                self.late[name] = self.now
            else:
                with pytest.raises(RefusedCommandError):
                    self.checks.answer(name, "li", self.now)

    def newest(self, seat: str) -> str:
        return [name for name in self.expected if self.seat_of[name] == seat][-1]

    def restart(self) -> None:
        stored = [versions[-1] for versions in self.records.values()]
        self.checks = DutyChecks(sorted(stored, key=lambda check: check.asked_time))

    def settle(self) -> None:
        self.keep(self.checks.advance(self.now))
        self.expect_misses()


@given(st.lists(steps, max_size=40))
def test_every_check_ends_once_in_the_way_and_at_the_time_that_it_should(story: list[tuple]) -> None:
    book = Book()
    for what, *arguments in story:
        if what == "ask":
            book.ask(*arguments)
        elif what == "answer":
            book.answer(*arguments)
        elif what == "restart":
            book.restart()
        else:
            book.now += timedelta(seconds=arguments[0])
        if what == "pass":
            book.settle()
        waiting = [check.seat for check in book.checks.open()]
        assert len(waiting) == len(set(waiting))
        wake = book.checks.next_wake()
        assert wake is None or wake <= book.now + LONGEST_LIMIT
    book.now += LONGEST_LIMIT
    book.settle()

    assert book.checks.open() == []
    assert book.checks.next_wake() is None
    assert book.records.keys() == book.expected.keys()
    for name, versions in book.records.items():
        first, *ended = versions
        last = ended[-1]
        assert first.is_open
        assert len(ended) == 1 + (name in book.late)
        assert (last.asked_time, last.until_time, last.state, last.ended_time) == book.expected[name]
        assert last.ended_time is not None
        assert last.asked_time <= last.ended_time <= last.until_time
        assert last.late_answer_time == book.late.get(name)
        assert (last.answered_by is not None) is (last.state is DutyState.ANSWERED or name in book.late)


def test_a_question_that_comes_twice_is_one_and_does_not_sound_again_once_it_is_answered() -> None:
    checks = DutyChecks()
    (check,) = checks.ask(question(1, "east"), START)
    assert checks.ask(question(1, "east"), START + timedelta(seconds=5)) == []
    checks.answer(check.check_id, "li", START + timedelta(seconds=9))
    assert checks.ask(question(1, "east"), START + timedelta(minutes=1)) == []
    assert checks.open() == []


def test_an_open_check_can_be_answered_however_many_others_came_since() -> None:
    checks = DutyChecks()
    (check,) = checks.ask(question(0, "east"), START)
    for number in range(REMEMBERED + 5):
        checks.ask(question(number, "west"), START + timedelta(seconds=number + 1))
    (answered,) = checks.answer(check.check_id, "li", START + timedelta(minutes=9))
    assert answered.state is DutyState.ANSWERED


def test_a_missed_check_is_answered_late_once_and_not_when_the_seat_was_asked_again() -> None:
    checks = DutyChecks()
    (first,) = checks.ask(question(1, "east", seconds=60), START)
    missed, late = checks.answer(first.check_id, "li", START + timedelta(minutes=3))
    assert (missed.state, missed.late_answer_time) == (DutyState.MISSED, None)
    assert (late.state, late.ended_time, late.answered_by) == (DutyState.MISSED, START + timedelta(minutes=1), "li")
    assert late.late_answer_time == START + timedelta(minutes=3)
    with pytest.raises(RefusedCommandError, match="answered by li"):
        checks.answer(first.check_id, "wang", START + timedelta(minutes=4))
    (second,) = checks.ask(question(2, "east", seconds=60), START + timedelta(minutes=5))
    checks.advance(START + timedelta(minutes=7))
    checks.ask(question(3, "east"), START + timedelta(minutes=8))
    with pytest.raises(RefusedCommandError, match="asked again"):
        checks.answer(second.check_id, "li", START + timedelta(minutes=8))


def test_nobody_is_asked_for_longer_than_ten_minutes() -> None:
    (check,) = DutyChecks().ask(question(1, "east", seconds=3600), START)
    assert check.until_time == START + timedelta(minutes=10)


def test_what_could_not_be_told_in_time_is_told_in_the_order_it_fell_due() -> None:
    checks = DutyChecks()
    checks.ask(question(1, "east", seconds=300), START)
    checks.ask(question(1, "west", seconds=60), START + timedelta(seconds=10))
    missed = checks.advance(START + timedelta(hours=1))
    assert [(check.seat, check.ended_time) for check in missed] == [
        ("west", START + timedelta(seconds=70)),
        ("east", START + timedelta(seconds=300)),
    ]
