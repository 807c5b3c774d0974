"""How many readings a second a receiver takes without losing one.

A trial publishes at a fixed rate. It is passed if the generator kept the rate, and every reading had arrived (for
firewatch: as a row of the database) soon after the last was published, so that no backlog was growing. Short trials
find the neighbourhood, a long one confirms.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from tests.bench.process import run_load

FIRST_RATE = 2_000.0
HIGHEST_RATE = 200_000.0
RESOLUTION = 0.05
"""The search ends when the rates passed and failed are this close."""
CONFIRM_STEP = 0.10
"""How far the rate is lowered after a trial of full length that was not passed."""
KEPT_RATE_SHARE = 0.98
DRAIN_SECONDS = 2.0
"""A receiver that is further behind than this when the load ends could not have gone on."""
GIVE_UP_SECONDS = 60.0
"""How long a failed trial's backlog is waited for before the next trial."""


class Receiver(Protocol):
    """Whoever the readings are for."""

    name: str

    def begin(self) -> None:
        """A trial is about to start."""
        ...

    def arrived(self, first_sequence: int, last_sequence: int) -> int:
        """How many different readings of these sequence numbers have arrived."""
        ...


class Verdict(enum.StrEnum):
    """What came of a trial. `load` says nothing of the receiver: the rate could not be produced on this machine."""

    PASSED = "passed"
    LOST = "lost"
    LATE = "late"
    LOAD = "load"


class Trial(msgspec.Struct, frozen=True):
    """What came of one rate. `missing` counts what had not arrived `DRAIN_SECONDS` after the load's end, and `lost`
    what had not after waiting `GIVE_UP_SECONDS`.
    """

    rate: float
    seconds: float
    published: int
    published_per_second: float
    missing: int
    lost: int
    drain_seconds: float | None
    verdict: Verdict

    @property
    def passed(self) -> bool:
        """Whether the receiver could go on like this."""
        return self.verdict is Verdict.PASSED


class IngestResult(msgspec.Struct, frozen=True):
    """`rate` is the highest at which a trial of full length was passed, None if none was. `ended_by` is what came of
    the lowest rate above it, None if the search reached `HIGHEST_RATE`.
    """

    receiver: str
    rate: float | None
    ended_by: Verdict | None
    trials: list[Trial]


class IngestBench:
    """Looks for the highest rate of one receiver. `say` prints a line for each trial."""

    def __init__(self, port: int, receiver: Receiver, say: Callable[[str], None]) -> None:
        self._port = port
        self._receiver = receiver
        self._say = say
        self._sequence = 1
        self._trials: list[Trial] = []

    def search(self, full_seconds: float, trial_seconds: float) -> IngestResult:
        """Find the rate: double, halve the gap, confirm at full length."""
        passed, failed = 0.0, None
        rate = FIRST_RATE
        while failed is None and rate <= HIGHEST_RATE:
            if self.trial(rate, trial_seconds).passed:
                passed, rate = rate, rate * 2
            else:
                failed = rate
        failed = failed or HIGHEST_RATE
        while (failed - passed) / failed > RESOLUTION:
            middle = (passed + failed) / 2
            if self.trial(middle, trial_seconds).passed:
                passed = middle
            else:
                failed = middle
        rate = self._confirm(passed, full_seconds)
        above = [trial for trial in self._trials if not trial.passed and trial.rate > rate]
        return IngestResult(
            receiver=self._receiver.name,
            rate=rate or None,
            ended_by=min(above, key=lambda trial: trial.rate).verdict if above else None,
            trials=self._trials,
        )

    def _confirm(self, rate: float, full_seconds: float) -> float:
        """The highest rate not above `rate` that is passed at full length, 0 if none is down to its half."""
        lowest = rate / 2
        while rate > lowest:
            if self.trial(rate, full_seconds).passed:
                return rate
            rate *= 1 - CONFIRM_STEP
        return 0.0

    def trial(self, rate: float, seconds: float) -> Trial:
        """Publish at one rate and see what arrives."""
        first = self._sequence
        self._receiver.begin()
        load = run_load(self._port, rate, seconds, first)
        end = time.monotonic()
        published = int(load["published"])
        self._sequence += published
        last = self._sequence - 1
        drain_seconds, missing = None, published - self._receiver.arrived(first, last)
        while missing and time.monotonic() - end < DRAIN_SECONDS:
            time.sleep(0.1)
            missing = published - self._receiver.arrived(first, last)
        if not missing:
            drain_seconds = time.monotonic() - end
        lost = missing
        while lost and time.monotonic() - end < GIVE_UP_SECONDS:
            time.sleep(0.5)
            lost = published - self._receiver.arrived(first, last)
        per_second = published / load["seconds"]
        trial = Trial(
            rate=rate,
            seconds=seconds,
            published=published,
            published_per_second=per_second,
            missing=missing,
            lost=lost,
            drain_seconds=drain_seconds,
            verdict=_verdict(lost, missing, per_second / rate),
        )
        self._trials.append(trial)
        self._say(f"    {rate:>9,.0f}/s for {seconds:.0f} s: {_sentence(trial)}")
        return trial


def _verdict(lost: int, missing: int, kept_share: float) -> Verdict:
    if lost:
        return Verdict.LOST
    if missing:
        return Verdict.LATE
    return Verdict.PASSED if kept_share >= KEPT_RATE_SHARE else Verdict.LOAD


def _sentence(trial: Trial) -> str:
    match trial.verdict:
        case Verdict.PASSED:
            return f"all {trial.published:,} arrived"
        case Verdict.LOST:
            return f"{trial.lost:,} of {trial.published:,} lost"
        case Verdict.LATE:
            return f"{trial.missing:,} of {trial.published:,} were late"
        case Verdict.LOAD:
            return f"the load came to {trial.published_per_second:,.0f}/s only"
