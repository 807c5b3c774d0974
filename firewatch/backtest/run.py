"""Runs a backtest: the sites side by side in processes of their own, and what they found put together.

Nothing of one site can reach another, so that each can be played alone.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from msgspec.structs import replace

from firewatch.alarms.lifecycle import CONFIRMED_WITHIN
from firewatch.backtest.difference import check, counts_of, differences, loads_of, realities_of, summary_of
from firewatch.backtest.files import FileHistory
from firewatch.backtest.log import AlarmLog, Told
from firewatch.backtest.replay import HistorySource, Played, replay
from firewatch.backtest.result import (
    LISTED_ALARMS,
    BacktestRequest,
    BacktestResult,
    DatabaseHistory,
    FailedRule,
    Fate,
    StoredFiles,
)
from firewatch.errors import FirewatchError
from firewatch.model.site import Site
from firewatch.model.text import LocalText
from firewatch.rules.spec import Mode, RuleSpec
from firewatch.storage.columns import ColumnReader, Extent

AFTERMATH = CONFIRMED_WITHIN
"""How long after the end it is looked whether an alarm of then was confirmed."""

_POLL_SECONDS = 0.2

Progress = Callable[[float], None]


class NoHistoryError(FirewatchError):
    """There is no history for the time asked for."""


@contextmanager
def opened(history: DatabaseHistory | StoredFiles) -> Iterator[HistorySource]:
    """A history to read from.

    Raises:
        StorageError: the database cannot be reached.
        HistoryFileError: there is no history in that place.
    """
    if isinstance(history, StoredFiles):
        yield FileHistory(history.path)
    else:
        with ColumnReader(history.dsn) as reader:
            yield reader


def run_backtest(request: BacktestRequest, progress: Progress = lambda _: None) -> BacktestResult:
    """Play the history to the rules, and say how what they tell differs. `progress` is told the share that is done.

    Raises:
        NoHistoryError: nothing was taken in that time.
        StorageError, HistoryFileError: the history cannot be read.
    """
    extent = played_extent(request.history, request.start, request.end)
    sites = request.inventory.sites
    jobs = [_Job(request, site, *extent) for site in sites]
    played = _played(jobs, progress)
    before = _in_order(one.before for one in played)
    after = _in_order(one.after.told for one in played)
    found = differences(before, after)
    recorded = _in_order(one.recorded for one in played)
    realities = sorted({*realities_of(recorded), *request.realities}, key=lambda one: (one.time, one.subject))
    result = BacktestResult(
        name=request.name,
        against_name=request.against_name,
        start=extent.first,
        end=extent.last,
        sites=tuple(site.id for site in sites),
        observations=sum(one.after.observations for one in played),
        judged=sum(one.after.taken for one in played),
        before=len(before),
        after=len(after),
        counts=counts_of(found, _texts(request)),
        differences=tuple(one for one in found if one.fate is not Fate.SAME)[:LISTED_ALARMS],
        realities=tuple(check(reality, before, after) for reality in realities),
        loads=loads_of(before, after),
        failures=tuple(
            FailedRule(failure.rule, failure.subject, failure.failed_time, failure.error)
            for one in played
            for failure in one.after.failures
        ),
        summary=LocalText(zh="", en=""),
    )
    return replace(result, summary=summary_of(result))


def played_extent(history: DatabaseHistory | StoredFiles, start: datetime, end: datetime) -> Extent:
    """What of start <= time < end there is, its end included no more.

    Raises:
        NoHistoryError: nothing.
    """
    with opened(history) as source:
        extent = source.extent()
    if extent is None:
        raise NoHistoryError("the history is empty; it fills while `firewatch run` takes readings")
    first, last = max(start, extent.first), min(end, extent.last + timedelta(microseconds=1))
    if first >= last:
        raise NoHistoryError(f"there is no history from {start} to {end}; it goes from {extent.first} to {extent.last}")
    return Extent(first, last)


def as_if_live(rules: Iterable[RuleSpec]) -> tuple[RuleSpec, ...]:
    """The rules, shadow ones promoted."""
    return tuple(rule.model_copy(update={"mode": Mode.LIVE}) for rule in rules)


class _Job(NamedTuple):
    request: BacktestRequest
    site: Site
    start: datetime
    end: datetime


class _SitePlayed(NamedTuple):
    recorded: list[Told]
    before: list[Told]
    after: Played


def _played(jobs: Sequence[_Job], progress: Progress) -> list[_SitePlayed]:
    if len(jobs) == 1:
        return [_play(jobs[0], progress)]
    context = multiprocessing.get_context("spawn")
    shares = context.Array(ctypes.c_double, len(jobs), lock=False)
    workers = min(len(jobs), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_share, initargs=(shares,)) as pool:
        futures = [pool.submit(_play_in_process, number, job) for number, job in enumerate(jobs)]
        waiting: set[Any] = set(futures)
        while waiting:
            _, waiting = wait(waiting, timeout=_POLL_SECONDS)
            progress(sum(shares[:]) / len(jobs))
        return [future.result() for future in futures]


_shares: Any = None


def _share(shares: Any) -> None:
    global _shares
    _shares = shares


def _play_in_process(number: int, job: _Job) -> _SitePlayed:
    def told(share: float) -> None:
        _shares[number] = share

    played = _play(job, told)
    told(1.0)
    return played


def _play(job: _Job, progress: Progress) -> _SitePlayed:
    request, site, start, end = job
    inventory = replace(request.inventory, sites=(site,))
    rule_sets = [as_if_live(request.rules)]
    if request.against is not None:
        rule_sets.append(tuple(rule for rule in request.against if rule.mode is Mode.LIVE))
    with opened(request.history) as source:
        recorded = _recorded(source, site.id, start, end)
        played = replay(source, rule_sets, inventory, start, end, progress)
    before = recorded if request.against is None else played[1].told
    return _SitePlayed(recorded, before, played[0])


def _recorded(source: HistorySource, site: str, start: datetime, end: datetime) -> list[Told]:
    """What people were really told of."""
    log = AlarmLog(start, end)
    for transition in source.transitions(start, end + AFTERMATH):
        if transition.alarm.site == site and not transition.alarm.shadow and transition.alarm.drill is None:
            log.add(transition)
    return log.told()


def _in_order(logs: Iterable[Iterable[Told]]) -> list[Told]:
    return sorted((told for log in logs for told in log), key=lambda told: (told.told_time, told.rule, told.subject))


def _texts(request: BacktestRequest) -> dict[str, LocalText]:
    rules = (*(request.against or ()), *request.rules)
    return {rule.id: LocalText(zh=rule.text.zh, en=rule.text.en) for rule in rules}
