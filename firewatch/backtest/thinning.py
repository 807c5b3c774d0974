"""Which observations of a history cannot change anything, so that the engine need not be asked about them.

Most readings repeat what is known: a pressure as good as the one before, a sign of life after a sign of life. Python
takes microseconds for each; here they are found by the column. What is left over goes to the very same engine, and
the transitions are exactly those of the whole history (tests/property/test_thinning_properties.py holds that).

What may be left out is decided for each kind of condition by what its evaluator promises:

* Limits and states judge each reading alone. One that is judged as the one before it only moves the newest event time,
  and the next reading moves it again. So it may go if none of the signal's readings around it comes late.
* Absence remembers when something was last heard. Of what is heard before that would have become silence only the last
  has to stay.
* A camera's frame without a vote only moves the newest frame's time while no session can be open.
* `state_changed` and `chatter` wait for another value; one that repeats only moves the newest event time, too.
* What is made of other conditions (delays, ladders, `all`, `count`, ...) follows their changes, and hears nothing else.

Every other kind is given everything. An observation stays if anybody may need it; keeping more than needed is harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from firewatch.rules.compile import RuleInstance
from firewatch.rules.evaluator import Finding
from firewatch.storage.columns import BAD, NUMBER, Array, Columns

_FOLLOWERS = frozenset(
    {"delay", "ladder", "all", "any", "not", "k_of_n", "sequence", "count", "duty_cycle", "schedule"}
)
_REPEATERS = frozenset({"state", "state_changed", "chatter"})
_HIGH_LIMITS = frozenset({"high_high", "high"})
_LOW_LIMITS = frozenset({"low", "low_low"})

_INACTIVE, _ACTIVE, _UNJUDGED, _NOBODY_KNOWS = 0, 1, 2, -1


class Thinning:
    """Says, chunk by chunk of one history, what the engine has to see. `signals` gives the columns' codes."""

    def __init__(self, instances: Iterable[RuleInstance], signals: Sequence[str]) -> None:
        needs = _Needs({signal: code for code, signal in enumerate(signals)})
        for instance in instances:
            needs.add(instance.evaluator.explain(instance.evaluator.initial()))
        size = len(signals)
        self._whole = _mask(size, needs.whole)
        self._values = _mask(size, {*needs.limits, *needs.equals, *(session.code for session in needs.sessions)})
        self._sessions = needs.sessions
        self._repetition = _Repetition(size, needs.equals)
        self._limits = [_Limits(size, layer) for layer in _layers(needs.limits)]
        self._silences = [_Silences(size, layer) for layer in _layers(needs.silences())]
        self._newest = np.full(size, np.iinfo(np.int64).min, dtype=np.int64)

    def keep(self, columns: Columns) -> npt.NDArray[np.bool_]:
        """A mask of the observations that have to stay. `taken` must not go backwards."""
        keep = self._whole[columns.signal]
        order = np.argsort(_compact(columns.signal, len(self._whole)), kind="stable")
        order = order[self._values[columns.signal[order]]]
        if len(order):
            runs = _Runs(columns.where(order), order, self._newest)
            needed = runs.is_last | runs.disordered
            needed |= self._repetition.changes(runs)
            for limits in self._limits:
                limits.mark_changes(runs, needed)
            for session in self._sessions:
                session.mark_needed(runs, needed)
            keep[order] |= needed
        for silences in self._silences:
            silences.mark_needed(columns, keep)
        return keep


class _Needs:
    """What the conditions want to see, by the code of the signal."""

    def __init__(self, codes: dict[str, int]) -> None:
        self._codes = codes
        self._sets: dict[tuple[int, ...], timedelta] = {}
        self.whole: set[int] = set()
        self.equals: set[int] = set()
        self.limits: dict[int, list[tuple[float, float, float]]] = {}
        self.sessions: list[_Session] = []

    def add(self, finding: Finding) -> None:
        """Take a condition and its parts, as it explains itself."""
        if finding.kind in _FOLLOWERS and not finding.signals:
            for part in finding.parts:
                self.add(part)
        elif finding.kind in _HIGH_LIMITS | _LOW_LIMITS:
            sign = 1.0 if finding.kind in _HIGH_LIMITS else -1.0
            limit, back = (sign * _number(finding.facts[name]) for name in ("limit", "returns_at"))
            for signal in finding.signals:
                known = self.limits.setdefault(self._codes[signal], [])
                if (sign, limit, back) not in known:
                    known.append((sign, limit, back))
        elif finding.kind in _REPEATERS:
            self.equals.update(self._codes[signal] for signal in finding.signals)
        elif finding.kind == "absence":
            after = finding.facts["after"]
            assert isinstance(after, timedelta)
            codes = tuple(sorted(self._codes[signal] for signal in finding.signals))
            self._sets[codes] = min(after, self._sets.get(codes, after))
        elif finding.kind == "camera_session" and all(map(_follows_readings, finding.parts)):
            self._add_session(finding)
        else:
            self.whole.update(self._codes[signal] for signal in _all_signals(finding))

    def _add_session(self, finding: Finding) -> None:
        for guard in finding.parts:
            self.add(guard)
        hold, decide_within = finding.facts["hold"], finding.facts["decide_within"]
        assert isinstance(hold, timedelta)
        assert isinstance(decide_within, timedelta)
        (signal,) = finding.signals
        guards = {self._codes[guard] for part in finding.parts for guard in _all_signals(part)}
        vote = min(_number(finding.facts["enter"]), _number(finding.facts["stay"]))
        self.sessions.append(_Session(self._codes[signal], tuple(guards), vote, max(hold, decide_within)))

    def silences(self) -> dict[int, list[tuple[int, timedelta]]]:
        """For every signal, the sets it is a sign of life for: their numbers, and how long they may be silent."""
        found: dict[int, list[tuple[int, timedelta]]] = {}
        for number, (codes, after) in enumerate(self._sets.items()):
            for code in codes:
                found.setdefault(code, []).append((number, after))
        return found


class _Runs:
    """A chunk in the order of signals, and of arrival within each."""

    def __init__(self, columns: Columns, rows: Array, newest: Array) -> None:
        self.columns = columns
        self.rows = rows
        self.signal = columns.signal
        begins = np.empty(len(columns), dtype=np.bool_)
        begins[0] = True
        np.not_equal(self.signal[1:], self.signal[:-1], out=begins[1:])
        self.firsts = np.flatnonzero(begins)
        self.lasts = np.append(self.firsts[1:], len(columns)) - 1
        self.is_last = np.zeros(len(columns), dtype=np.bool_)
        self.is_last[self.lasts] = True
        self.codes = self.signal[self.firsts]
        self._find_disorder(newest)

    def _find_disorder(self, newest: Array) -> None:
        event = self.columns.event
        late = event < self.before(event, newest)
        self.disordered_codes = np.unique(self.signal[late])
        is_disordered = np.zeros(len(newest), dtype=np.bool_)
        is_disordered[self.disordered_codes] = True
        self.disordered = is_disordered[self.signal]
        np.maximum.at(newest, self.codes, np.maximum.reduceat(event, self.firsts))

    def of(self, code: int) -> slice:
        """Where the signal's rows are."""
        place = int(np.searchsorted(self.codes, code))
        if place == len(self.codes) or self.codes[place] != code:
            return slice(0, 0)
        return slice(int(self.firsts[place]), int(self.lasts[place]) + 1)

    def before(self, values: Array, carried: Array) -> Array:
        """For each row the value of the signal's row before it; that of an earlier chunk is `carried`."""
        found = np.empty_like(values)
        found[1:] = values[:-1]
        found[self.firsts] = carried[self.codes]
        return found

    def carry(self, values: Array, carried: Array, unknown: Any) -> None:
        """Remember the last row of each signal; `unknown` where lateness makes it worthless."""
        carried[self.codes] = values[self.lasts]
        carried[self.disordered_codes] = unknown


class _Repetition:
    """Signals of which every other value than the one before counts."""

    def __init__(self, size: int, codes: Iterable[int]) -> None:
        self._counts = _mask(size, codes)
        self._kind = np.full(size, _NOBODY_KNOWS, dtype="i2")
        self._bits = np.zeros(size, dtype="i8")
        self._state = np.zeros(size, dtype="i4")
        self._quality = np.zeros(size, dtype="i2")

    def changes(self, runs: _Runs) -> npt.NDArray[np.bool_]:
        """Where such a signal has another value, or another quality."""
        columns = runs.columns
        bits = columns.number.view("i8")  # so that NaN equals NaN
        differs = columns.kind != runs.before(columns.kind, self._kind)
        differs |= bits != runs.before(bits, self._bits)
        differs |= columns.state != runs.before(columns.state, self._state)
        differs |= columns.quality != runs.before(columns.quality, self._quality)
        runs.carry(columns.kind, self._kind, _NOBODY_KNOWS)
        runs.carry(bits, self._bits, 0)
        runs.carry(columns.state, self._state, 0)
        runs.carry(columns.quality, self._quality, 0)
        changed: npt.NDArray[np.bool_] = differs & self._counts[runs.signal]
        return changed


class _Limits:
    """At most one limit for each signal. A low limit is a high limit of the negated value."""

    def __init__(self, size: int, layer: dict[int, tuple[float, float, float]]) -> None:
        self._sign, self._limit, self._back = (np.full(size, np.nan) for _ in range(3))
        for code, (sign, limit, back) in layer.items():
            self._sign[code], self._limit[code], self._back[code] = sign, limit, back
        self._counts = _mask(size, layer)
        self._was_active = np.full(size, _INACTIVE, dtype="i1")
        self._condition = np.full(size, _NOBODY_KNOWS, dtype="i1")

    def mark_changes(self, runs: _Runs, needed: Array) -> None:
        """Mark where a reading is judged otherwise than the one before it."""
        columns, signal = runs.columns, runs.signal
        height = columns.number * self._sign[signal]
        judged = (columns.kind == NUMBER) & (columns.quality != BAD) & ~np.isnan(height)
        above = judged & (height > self._limit[signal])
        decided = above | (judged & (height <= self._back[signal]))
        active = above.astype("i1")
        open_firsts = runs.firsts[~decided[runs.firsts]]
        active[open_firsts] = self._was_active[signal[open_firsts]]
        decided[open_firsts] = True
        decided_by = np.maximum.accumulate(np.where(decided, np.arange(len(signal)), 0))
        was_active = active[decided_by]
        condition = np.where(judged, was_active, _UNJUDGED).astype("i1")
        before = runs.before(condition, self._condition)
        needed |= self._counts[signal] & ((condition != before) | (condition == _NOBODY_KNOWS))
        runs.carry(was_active, self._was_active, _NOBODY_KNOWS)
        runs.carry(condition, self._condition, _NOBODY_KNOWS)


class _Session:
    """A camera's score and what guards it. A frame below `vote` is empty.

    Between two frames that are not empty, or two changes of the guard, nothing begins, and whatever session was open is
    over with the first frame that comes `length` after the first of them. What follows only moves the time of the
    newest frame, and the last of them has it.
    """

    def __init__(self, code: int, guards: tuple[int, ...], vote: float, length: timedelta) -> None:
        self.code = code
        self._guards = guards
        self._vote = vote
        self._length = length // timedelta(microseconds=1)

    def mark_needed(self, runs: _Runs, needed: Array) -> None:
        """Mark the frames that count for a session, and those that may end one."""
        place = runs.of(self.code)
        event, receive = runs.columns.event[place], runs.columns.receive[place]
        if not len(event):
            return
        if np.any(event[1:] <= event[:-1]) or np.any(receive[1:] < receive[:-1]):
            needed[place] = True
            return
        judged = (runs.columns.kind[place] == NUMBER) & (runs.columns.quality[place] != BAD)
        empty = judged & (runs.columns.number[place] < self._vote)
        rows = runs.rows[place]
        guards = [runs.rows[runs.of(code)][needed[runs.of(code)]] for code in self._guards]
        breaks = np.sort(np.concatenate([rows[~empty], *guards]))
        stretch = np.searchsorted(breaks, rows, side="right")
        begins = np.append(True, (stretch[1:] != stretch[:-1]) | ~empty[:-1])
        first_times = event[np.flatnonzero(begins)][np.cumsum(begins) - 1]
        is_young = event - first_times < self._length
        follows_young = np.append(False, is_young[:-1])
        precedes_break = np.append(begins[1:], True)
        needed[place] |= ~empty | is_young | follows_young | precedes_break


class _Silences:
    """At most one set of signals for each signal; something from any of them ends the set's silence."""

    def __init__(self, size: int, layer: dict[int, tuple[int, timedelta]]) -> None:
        self._set = np.full(size, -1, dtype="i4")
        self._after = np.zeros(size, dtype="i8")
        for code, (number, after) in layer.items():
            self._set[code] = number
            self._after[code] = after // timedelta(microseconds=1)

    def mark_needed(self, columns: Columns, keep: Array) -> None:
        """Mark the last sign of life before each moment at which the one marked before would have become silence.

        What lies between two of them comes before that moment, and is heard no later than the second.
        """
        rows = np.flatnonzero(self._set[columns.signal] >= 0)
        if not len(rows):
            return
        sets = self._set[columns.signal[rows]]
        order = np.argsort(sets, kind="stable")
        rows, sets = rows[order], sets[order]
        begins = np.append(True, sets[1:] != sets[:-1])
        ends = np.append(np.flatnonzero(begins)[1:], len(rows))
        run = np.cumsum(begins) - 1
        heard = columns.receive[rows]
        due = heard + self._after[columns.signal[rows]]
        heard_before_due = np.searchsorted(columns.taken, due, side="left")
        following = np.arange(1, len(rows) + 1)
        size = len(columns)
        last_before_due = np.searchsorted(run * (size + 1) + rows, run * (size + 1) + heard_before_due, "left") - 1
        backwards = np.append(False, (heard[1:] < heard[:-1]) & ~begins[1:])
        in_order = ~np.logical_or.reduceat(backwards, np.flatnonzero(begins))[run]
        jumps = np.where(in_order, np.maximum(last_before_due, following), following)
        assert int(jumps[-1]) == len(rows) == int(ends[-1])
        keep[rows[list(_chain(jumps.tolist()))]] = True


def _chain(jumps: list[int]) -> Iterator[int]:
    place, end = 0, len(jumps)
    while place < end:
        yield place
        place = jumps[place]


def _layers(needs: dict[int, list[Any]]) -> list[dict[int, Any]]:
    """The first need of each signal, then the second of those that have two, and so on."""
    deepest = max(map(len, needs.values()), default=0)
    return [{code: found[depth] for code, found in needs.items() if len(found) > depth} for depth in range(deepest)]


def _compact(codes: Array, size: int) -> Array:
    """Numbers of 16 bits are sorted by radix, ten times as fast."""
    return codes.astype(np.uint16) if size <= np.iinfo(np.uint16).max else codes


def _mask(size: int, codes: Iterable[int]) -> npt.NDArray[np.bool_]:
    mask = np.zeros(size, dtype=np.bool_)
    mask[list(codes)] = True
    return mask


def _number(fact: object) -> float:
    assert isinstance(fact, float | int)
    return float(fact)


def _follows_readings(finding: Finding) -> bool:
    """Whether only readings change it, and time alone does not."""
    if finding.kind in {"all", "any", "not"} and not finding.signals:
        return all(map(_follows_readings, finding.parts))
    return finding.kind in _HIGH_LIMITS | _LOW_LIMITS | {"state"}


def _all_signals(finding: Finding) -> Iterator[str]:
    yield from finding.signals
    for part in finding.parts:
        yield from _all_signals(part)
