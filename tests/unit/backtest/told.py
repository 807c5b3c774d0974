"""Alarms told, in minutes after a beginning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from firewatch.backtest.log import Told
from firewatch.model.alarm import AlarmClass, Priority

START = datetime(2026, 3, 1, 8, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def told(
    minutes: float, until: float | None = None, *, rule: str = "r", subject: str = "s/d", confirmed: bool = False
) -> Told:
    return Told(
        rule=rule,
        site="s",
        subject=subject,
        alarm_id=f"{rule}-{minutes}",
        priority=Priority.HIGH,
        alarm_class=AlarmClass.FIRE,
        told_time=at(minutes),
        onset_time=at(minutes),
        until_time=None if until is None else at(until),
        confirmed=confirmed,
    )
