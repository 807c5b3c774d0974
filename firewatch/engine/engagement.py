"""What a rule has asked of actuators: begun on suspicion or alarm, repeated while it lasts, undone when it is over."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from firewatch.rules.compile import Target, beside
from firewatch.rules.evaluator import Phase


class Engagement(msgspec.Struct, frozen=True, omit_defaults=True):
    """What firewatch has asked of actuators since a session or condition began at `onset_time`.

    `phase` is the last one acted on: suspected or active while engaged, rejected or inactive when over; `begun_time`
    is when, and `repeated_time` up to when repetitions are done with. `sent` are the ids of the commands given, so
    that none is given twice, and `turns` counts those given again because another rule had asked for something else.
    `wish` is what is wanted of actuators until it is over, and `undo` what ends it, as the rule said when it last named
    the actuator.
    """

    onset_time: datetime
    cause: str
    phase: Phase
    begun_time: datetime
    repeated_time: datetime
    sent: tuple[str, ...] = ()
    undo: tuple[Target, ...] = ()
    wish: tuple[Target, ...] = ()
    turns: int = 0

    @property
    def is_open(self) -> bool:
        """Something was begun that has to be undone."""
        return self.phase is Phase.SUSPECTED or self.phase is Phase.ACTIVE

    @property
    def over(self) -> Phase:
        """The phase that ends the present one."""
        return Phase.INACTIVE if self.phase is Phase.ACTIVE else Phase.REJECTED

    @property
    def devices(self) -> Collection[str]:
        """The actuators of which something is wanted, in the order in which the rule names them."""
        return dict.fromkeys(target.device for target in self.wish)

    def under(self, targets: Mapping[Phase, tuple[Target, ...]]) -> Engagement:
        """The same under a rule that may have changed: what it had begun it goes on with in the new rule's words."""
        if not self.is_open:
            return self
        is_from_before_wishes_were_kept = bool(self.sent) and not self.wish
        claimed = {target.device for target in self.wish}
        wished = tuple(
            target
            for target in targets[self.phase]
            if target.device in claimed or target.every is not None or is_from_before_wishes_were_kept
        )
        return replace(self, wish=beside(wished, self.wish), undo=beside(targets[self.over], self.undo))

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


def begin(
    before: Engagement | None,
    onset: datetime,
    cause: str,
    phase: Phase,
    now: datetime,
    targets: Mapping[Phase, tuple[Target, ...]],
) -> Engagement:
    """What a phase begins; what went before it is taken along, as far as it is not over."""
    same = before if before is not None and before.onset_time == onset else None
    begun = Engagement(
        onset,
        cause,
        phase,
        begun_time=now,
        repeated_time=now,
        sent=same.sent if same is not None else (),
        turns=same.turns if same is not None else 0,
        wish=targets[phase],
    )
    if before is None or not before.is_open:
        return replace(begun, undo=targets[begun.over])
    begun = replace(begun, wish=beside(begun.wish, before.wish))
    devices = begun.devices
    undo = [target for target in before.undo if target.device in devices]
    return replace(begun, undo=beside(targets[begun.over], undo))


def command_id(rule: str, subject: str, engagement: Engagement, target: Target, turn: str = "") -> str:
    """The identity of a command, the same however often it is worked out; `turn` tells apart those given again."""
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
        what.append(f"{engagement.begun_time.timestamp():.6f}{turn}")
    return hashlib.blake2s("|".join(what).encode(), digest_size=8).hexdigest()
