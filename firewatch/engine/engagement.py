"""What a rule has asked of actuators: begun on suspicion or alarm, repeated while it lasts, undone when it is over."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from firewatch.rules.compile import Target
from firewatch.rules.evaluator import Phase


class Engagement(msgspec.Struct, frozen=True, omit_defaults=True):
    """What firewatch has asked of actuators since a session or condition began at `onset_time`.

    `phase` is the last one acted on: suspected or active while engaged, rejected or inactive when over; `begun_time`
    is when, and `repeated_time` up to when repetitions are done with. `sent` are the ids of the commands given, so
    that none is given twice. `undo` is how the rule of then said to end it, should today's rule not say so any more.
    """

    onset_time: datetime
    cause: str
    phase: Phase
    begun_time: datetime
    repeated_time: datetime
    sent: tuple[str, ...] = ()
    undo: tuple[Target, ...] = ()

    @property
    def is_open(self) -> bool:
        """Something was begun that has to be undone."""
        return self.phase is Phase.SUSPECTED or self.phase is Phase.ACTIVE

    @property
    def over(self) -> Phase:
        """The phase that ends the present one."""
        return Phase.INACTIVE if self.phase is Phase.ACTIVE else Phase.REJECTED

    def next_repetition(self, targets: Iterable[Target]) -> datetime | None:
        """When the first of the targets is to be asked again; None if none is."""
        if not self.is_open:
            return None
        dues = [
            self.begun_time + (self._turn(target.every, self.repeated_time) + 1) * target.every
            for target in targets
            if target.every is not None
        ]
        return min(dues, default=None)

    def repetitions(self, targets: Iterable[Target], now: datetime) -> list[tuple[Target, int]]:
        """The targets to ask again by now, each with the number of its turn; turns that were missed are left out."""
        return [
            (target, turn)
            for target in targets
            if target.every is not None
            and (turn := self._turn(target.every, now)) > self._turn(target.every, self.repeated_time)
        ]

    def _turn(self, every: timedelta, at: datetime) -> int:
        return (at - self.begun_time) // every


def command_id(rule: str, subject: str, engagement: Engagement, target: Target, turn: int = 0) -> str:
    """The identity of a command, the same however often it is worked out."""
    what = [
        rule,
        subject,
        f"{engagement.onset_time.timestamp():.6f}",
        engagement.phase,
        target.device,
        target.action,
        msgspec.json.encode(target.parameters, order="deterministic").decode(),
    ]
    if turn:
        what.append(f"{engagement.begun_time.timestamp():.6f}+{turn}")
    return hashlib.blake2s("|".join(what).encode(), digest_size=8).hexdigest()
