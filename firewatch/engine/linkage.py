"""Which of those who want something of an actuator is heeded.

Several rules may want different things of one actuator: a lift's door held for an e-bike and, a moment later, for a
fire. Each of them has a claim on it, from when it asks until what it asks for is over. The most urgent claim is heeded,
and among equals the newest: what it wants is what the actuator was asked last. A claim that is less urgent waits. When
the heeded one ends, the next is asked for again; the actuator is let go only when the last one ends.

Claims follow from what instances have begun, and nothing else is remembered: after a restart, a replay or a reload they
are claimed anew, in any order, with the same outcome.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from firewatch.engine.engagement import Engagement
from firewatch.engine.snapshot import Judged
from firewatch.model.alarm import Alarm, AlarmClass, Priority
from firewatch.rules.compile import Target
from firewatch.rules.evaluator import Phase
from firewatch.rules.spec import RuleSpec

_PRIORITIES = tuple(Priority)


class Urgency(NamedTuple):
    """How urgent a claim is: a suspicion less than any alarm, a fire more than any other class, then by priority.

    The greater one is the more urgent.
    """

    is_alarm: bool
    is_fire: bool
    by_priority: int

    @classmethod
    def of(cls, engagement: Engagement, alarm: Alarm | None, rule: RuleSpec | None) -> Urgency:
        """That of the alarm that stands, or else of the one that the suspicion may become by the rule (if it is not
        gone).
        """
        if engagement.phase is Phase.ACTIVE and alarm is not None:
            return cls(True, alarm.alarm_class is AlarmClass.FIRE, -_PRIORITIES.index(alarm.priority))
        if rule is None:
            return cls(False, False, -len(_PRIORITIES))
        return cls(False, rule.alarm_class is AlarmClass.FIRE, -_PRIORITIES.index(rule.steps[0].priority))


class Claim(msgspec.Struct, frozen=True):
    """What a rule wants, for one of its subjects, of one actuator: its `wish`, since when, and what lets go of it."""

    device: str
    claimant: Judged
    urgency: Urgency
    begun_time: datetime
    wish: tuple[Target, ...]
    release: tuple[Target, ...] = ()

    @property
    def rank(self) -> tuple[Urgency, datetime, Judged]:
        """The greatest is heeded. Claims as urgent as each other that begin at the same instant go by their names."""
        return (self.urgency, self.begun_time, self.claimant)


def claims_of(claimant: Judged, engagement: Engagement | None, urgency: Urgency) -> list[Claim]:
    """What follows from what was begun, as long as it is not over."""
    if engagement is None or not engagement.is_open:
        return []
    wishes, releases = _by_device(engagement.wish), _by_device(engagement.undo)
    return [
        Claim(device, claimant, urgency, engagement.begun_time, tuple(wish), tuple(releases.get(device, ())))
        for device, wish in wishes.items()
    ]


def _by_device(targets: Iterable[Target]) -> dict[str, list[Target]]:
    found: defaultdict[str, list[Target]] = defaultdict(list)
    for target in targets:
        found[target.device].append(target)
    return found


class Ending(NamedTuple):
    """What follows from the end of a claim: the actuator is to be let go, or another claim asked for again.

    `heir` is a claim that did not say how to let go, and now does as the ended one did.
    """

    release: tuple[Target, ...] = ()
    next: Claim | None = None
    heir: Claim | None = None


class Linkage:
    """The open claims on all actuators (`site/device`)."""

    def __init__(self, claims: Iterable[Claim] = ()) -> None:
        self._open: dict[str, dict[Judged, Claim]] = {}
        self._heeded: dict[str, Claim] = {}
        for claim in claims:
            self.claim(claim)

    def heeded(self, device: str) -> Claim | None:
        """The claim whose wish the actuator was asked last; None if nobody claims it."""
        return self._heeded.get(device)

    def claims(self, device: str) -> list[Claim]:
        """All open claims on it, the heeded one first and then in the order in which they would be."""
        return sorted(self._open.get(device, {}).values(), key=lambda claim: claim.rank, reverse=True)

    def claim(self, claim: Claim) -> Claim | None:
        """Make a claim, or make it another than it was. Returns the claim that is heeded now and was not before."""
        device = claim.device
        before = self._heeded.get(device)
        is_own = before is not None and before.claimant == claim.claimant
        self._open.setdefault(device, {})[claim.claimant] = claim
        if is_own:
            self._choose(device)
        elif before is None or claim.rank > before.rank:
            self._heeded[device] = claim
        heeded = self._heeded[device]
        return heeded if before is None or heeded.claimant != before.claimant else None

    def end(self, device: str, claimant: Judged) -> Ending:
        """End a claim; nothing follows from the end of one that is not open."""
        open_claims = self._open.get(device, {})
        ended = open_claims.pop(claimant, None)
        if ended is None:
            return Ending()
        if not open_claims:
            del self._open[device], self._heeded[device]
            return Ending(release=ended.release)
        was_heeded = self._heeded[device].claimant == claimant
        if was_heeded:
            self._choose(device)
        heeded, heir = self._heeded[device], None
        if ended.release and not heeded.release:
            heir = heeded = replace(heeded, release=ended.release)
            self._open[device][heir.claimant] = self._heeded[device] = heir
        return Ending(next=heeded if was_heeded else None, heir=heir)

    def _choose(self, device: str) -> None:
        self._heeded[device] = max(self._open[device].values(), key=lambda claim: claim.rank)
