"""Drills: what is planned, and how one ended.

A plan says which readings are sent as if devices had sent them, which actuators and receivers may really be reached,
and what is to come of it. Times are counted from the drill's beginning.
"""

from __future__ import annotations

import enum
from datetime import timedelta

import msgspec

from firewatch.model.observation import Value
from firewatch.model.text import LocalText


class PlannedReading(msgspec.Struct, frozen=True):
    """`device` (an id within the plan's site) reports a value of its `signal`, in the signal's own unit."""

    after: timedelta
    device: str
    signal: str
    value: Value


class Expectation(msgspec.Struct, frozen=True):
    """What is to be so within a time of the beginning: an alarm of `rule` about `subject` was told; or `device` (both
    `site/device`) did what `action` asks, `proven` by a second signal; or the notification target `told` took a
    message.
    """

    within: timedelta
    rule: str | None = None
    subject: str | None = None
    device: str | None = None
    action: str | None = None
    proven: bool = False
    told: str | None = None


class DrillPlan(msgspec.Struct, frozen=True):
    """One drill, ready to be run: its readings in the order of time, the actuators (`site/device`) that may really be
    asked, the notification targets that may really be told, and when it is over at the latest.
    """

    plan: str
    label: LocalText
    site: str
    readings: tuple[PlannedReading, ...]
    may_ask: frozenset[str]
    may_tell: frozenset[str]
    expect: tuple[Expectation, ...]
    longest: timedelta


class DrillOutcome(enum.StrEnum):
    """How a drill ended: `completed` by its plan, whether what was expected came or not; at its longest time; by an
    operator; by a real alarm; by a stop or a crash of firewatch; by a fault of firewatch's own.
    """

    COMPLETED = "completed"
    TIME_OVER = "time_over"
    STOPPED = "stopped"
    REAL_ALARM = "real_alarm"
    INTERRUPTED = "interrupted"
    FAILED = "failed"

    @property
    def text(self) -> LocalText:
        """The same for people."""
        return _OUTCOMES[self]


_OUTCOMES = {
    DrillOutcome.COMPLETED: LocalText("按预案完成", "completed by its plan"),
    DrillOutcome.TIME_OVER: LocalText("已到最长时间", "its longest time was over"),
    DrillOutcome.STOPPED: LocalText("人工结束", "stopped by an operator"),
    DrillOutcome.REAL_ALARM: LocalText("因真实报警立即中止", "ended at once by a real alarm"),
    DrillOutcome.INTERRUPTED: LocalText("因firewatch停止而中断", "interrupted by a stop of firewatch"),
    DrillOutcome.FAILED: LocalText("因firewatch自身故障中止", "ended by a fault of firewatch's own"),
}


class Withheld(enum.StrEnum):
    """Why a drill did not really do something: the plan does not allow it, or the actuator was wanted in earnest."""

    NOT_PLANNED = "not_planned"
    REAL_COMMAND = "real_command"
