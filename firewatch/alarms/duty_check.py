"""Is anybody there? A seat is asked, and its console sounds until somebody answers, until another question comes, or
until the time is over (GB 26875.1-2011: 10 min). Each check ends in exactly one of these ways. One that was missed may
be answered late, until another question comes: it stays missed, and somebody is there again.

Time is an argument: whatever is done at a time, what fell due before it has ended first, at the time it fell due.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from firewatch.errors import RefusedCommandError
from firewatch.model.control_room import DutyCheck, DutyQuestion, DutyState

LONGEST_LIMIT = timedelta(minutes=10)
"""GB 26875.1-2011: the sound ends after 10 min at the latest."""

LEAST_INTERVAL = timedelta(seconds=1)
"""Nobody can answer faster; more questions would only fill the log."""

REMEMBERED = 200
"""Questions that are known again when they are asked twice: a broker may deliver a message again."""


class DutyChecks:
    """The checks of all seats; at most one is open at each."""

    def __init__(self, known: Iterable[DutyCheck] = ()) -> None:
        """Go on with `known` checks, oldest first: those of before a restart, open or not."""
        self._newest: dict[str, DutyCheck] = {}
        self._known: dict[str, DutyCheck] = {}
        self._order: deque[str] = deque()
        for check in known:
            self._keep(check)

    def ask(self, question: DutyQuestion, now: datetime) -> list[DutyCheck]:
        """Ask a seat: returns what changed, the new check last; nothing if the question is known.

        Raises:
            RefusedCommandError: the seat was asked something else a moment ago; nothing was changed.
        """
        if check_id(question) in self._known:
            return []
        newest = self._newest.get(question.seat)
        if newest is not None and newest.asked_time <= now < newest.asked_time + LEAST_INTERVAL:
            raise RefusedCommandError(f"{question.seat} was asked less than a second ago")
        changed = self.advance(now)
        unanswered = self._newest.get(question.seat)
        if unanswered is not None and unanswered.is_open:
            changed.append(self._end(unanswered, DutyState.REPLACED, now))
        check = DutyCheck(
            check_id=check_id(question),
            seat=question.seat,
            asked_by=question.asked_by,
            asked_time=now,
            until_time=now + min(question.limit, LONGEST_LIMIT),
            site=question.site,
            question_id=question.question_id,
        )
        self._keep(check)
        return [*changed, check]

    def answer(self, name: str, operator: str, now: datetime) -> list[DutyCheck]:
        """Somebody is there: returns what changed, the answered check last.

        Raises:
            RefusedCommandError: it was answered, or another question came after it, or nobody asked it; nothing was
                changed.
        """
        check = self.get(name)
        if check is None:
            raise RefusedCommandError(f"There is no duty check {name}")
        if check.answered_by is not None:
            raise RefusedCommandError(f"The duty check was answered by {check.answered_by}")
        if check != self._newest[check.seat]:
            raise RefusedCommandError("The seat was asked again since; answer the newest duty check")
        changed = self.advance(now)
        check = self._newest[check.seat]
        if check.is_open:
            return [*changed, self._end(check, DutyState.ANSWERED, now, operator)]
        late = msgspec.structs.replace(check, answered_by=operator, late_answer_time=now)
        self._keep(late)
        return [*changed, late]

    def advance(self, now: datetime) -> list[DutyCheck]:
        """End what nobody answered in time: returns what was missed, first to last."""
        overdue = [check for check in self.open() if check.until_time <= now]
        return [
            self._end(check, DutyState.MISSED, check.until_time)
            for check in sorted(overdue, key=lambda check: check.until_time)
        ]

    def next_wake(self) -> datetime | None:
        """When `advance` has something to do next; None while nothing is open."""
        return min((check.until_time for check in self.open()), default=None)

    def open(self) -> list[DutyCheck]:
        """Those that wait for an answer, oldest first."""
        waiting = [check for check in self._newest.values() if check.is_open]
        return sorted(waiting, key=lambda check: check.asked_time)

    def newest(self) -> list[DutyCheck]:
        """The newest check of each seat, open or not."""
        return list(self._newest.values())

    def get(self, name: str) -> DutyCheck | None:
        """A check that is open or was not long ago."""
        return self._known.get(name) or next((each for each in self.newest() if each.check_id == name), None)

    def _end(self, check: DutyCheck, state: DutyState, time: datetime, by: str | None = None) -> DutyCheck:
        ended = msgspec.structs.replace(check, state=state, ended_time=time, answered_by=by)
        self._keep(ended)
        return ended

    def _keep(self, check: DutyCheck) -> None:
        if check.check_id not in self._known:
            self._order.append(check.check_id)
            if len(self._order) > REMEMBERED:
                self._known.pop(self._order.popleft(), None)
        self._known[check.check_id] = check
        newest = self._newest.get(check.seat)
        if newest is None or newest.asked_time <= check.asked_time:
            self._newest[check.seat] = check


def check_id(question: DutyQuestion) -> str:
    """The identity of a check: the same however often the question comes."""
    text = f"{question.site}/{question.seat}|{question.question_id}"
    return hashlib.blake2s(text.encode(), digest_size=8).hexdigest()
