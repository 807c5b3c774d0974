"""What firewatch itself writes into the log of the control room, read off the records that it keeps anyway.

An entry's id follows from what happened, so that a record written again, by a replay after a crash, gives the same
entry, which the history has already. What happens to many alarms by one word is one entry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from firewatch.model.alarm import AlarmTransition, TransitionReason
from firewatch.model.control_room import Drill, DutyCheck, DutyState, EntryKind, LogEntry
from firewatch.model.delivery import Delivery, DeliveryState
from firewatch.model.drill import DrillOutcome
from firewatch.model.reload import ReloadOutcome, ReloadTrigger, RuleDifference, RulesReload
from firewatch.model.seat import ControlRoom
from firewatch.model.text import LocalText
from firewatch.ports import Record

AUTHOR = "firewatch"
LONGEST_TEXT = 500
"""Characters of an automatic entry, in each language; what is longer is cut."""

DEAD_LETTERS_EVERY = timedelta(hours=1)
"""A receiver that is away for long is told of once in this time, however many messages it misses."""


def entries_of(records: Iterable[Record], room: ControlRoom) -> list[LogEntry]:
    """What the records are worth an entry for."""
    entries: dict[str, LogEntry] = {}
    for record in records:
        write = _WRITERS.get(type(record))
        entry = write(record, room) if write is not None else None
        if entry is not None:
            entries.setdefault(entry.entry_id, entry)
    return list(entries.values())


def start_entry(now: datetime, heard_until: datetime | None, *, stopped: bool, room: ControlRoom) -> LogEntry:
    """The daemon runs again; `stopped` says that it had been stopped as it should before."""
    if heard_until is None:
        text = LocalText("firewatch首次启动", "firewatch was started for the first time")
    else:
        since, before = _written(heard_until, room), _span(now - heard_until)
        how = (
            LocalText("启动", "started")
            if stopped
            else LocalText("异常中断后重新启动", "started again after it broke off")
        )
        text = LocalText(
            f"firewatch{how.zh}；此前最后一次收到数据为{since}（{before.zh}前）",
            f"firewatch was {how.en}; it had last heard something at {since}, {before.en} before",
        )
    return _entry(EntryKind.START, now, text, "start", now)


def stop_entry(now: datetime) -> LogEntry:
    """The daemon is being stopped as it should be."""
    return _entry(EntryKind.STOP, now, LocalText("firewatch正常停止", "firewatch was stopped"), "stop", now)


def entry_id(*parts: object) -> str:
    """The identity of an entry, from what it tells of."""
    return hashlib.blake2s("|".join(map(str, parts)).encode(), digest_size=8).hexdigest()


# One sort of record each.


def _transition(record: AlarmTransition, room: ControlRoom) -> LogEntry | None:
    alarm = record.alarm
    if alarm.shadow or alarm.drill is not None:
        return None
    place, by, why = alarm.place, record.by, record.comment
    match record.reason:
        case TransitionReason.TAKEN_OUT_OF_SERVICE if alarm.out_of_service is not None:
            held = alarm.out_of_service
            end = None if held.until_time is None else _written(held.until_time, room)
            zh = [f"工单{held.work_order}"] * bool(held.work_order) + ([f"至{end}"] if end else [])
            en = [f"work order {held.work_order}"] * bool(held.work_order) + ([f"until {end}"] if end else [])
            text = LocalText(
                f"{by}将{place.zh}停用{_aside(zh, '（', '，', '）')}：{held.reason}",
                f"{place.en} was taken out of service by {by}{_aside(en, ' (', ', ', ')')}: {held.reason}",
            )
        case TransitionReason.MAINTENANCE_REMINDED if alarm.out_of_service is not None:
            end = _written(alarm.out_of_service.until_time or record.transition_time, room)
            text = LocalText(f"{place.zh}停用将于{end}到期", f"{place.en} will be in service again at {end}")
        case TransitionReason.RETURNED_TO_SERVICE:
            text = LocalText(f"{by}将{place.zh}恢复启用：{why}", f"{place.en} was returned to service by {by}: {why}")
        case TransitionReason.MAINTENANCE_ENDED:
            text = LocalText(
                f"{place.zh}停用期满，自动恢复启用", f"{place.en} is in service again: its time out of service is over"
            )
        case _:
            return None
    seats = room.answering(alarm)
    return _entry(
        EntryKind.OUT_OF_SERVICE,
        record.transition_time,
        text,
        *(alarm.subject, record.reason, record.transition_time),
        seat=seats[0].id if len(seats) == 1 else "",
        alarm_id=record.alarm_id,
    )


def _reload(record: RulesReload, room: ControlRoom) -> LogEntry | None:
    by = record.by or _TRIGGERS[record.trigger].en
    by_zh = record.by or _TRIGGERS[record.trigger].zh
    if record.outcome is ReloadOutcome.REFUSED:
        first = record.problems[0].text if record.problems else ""
        text = LocalText(
            f"规则未能更换（{by_zh}），共{len(record.problems)}处错误，原规则继续运行：{first}",
            f"The rules on disk were refused ({by}), those before go on; "
            f"the first of {len(record.problems)} problems: {first}",
        )
    elif record.outcome is ReloadOutcome.TAKEN and record.report is not None:
        counts = [len(record.report.named(each)) for each in _DIFFERENCES]
        text = LocalText(
            f"规则已更换（{by_zh}）：新增{counts[0]}条，修改{counts[1] + counts[2]}条，删除{counts[3]}条",
            f"Other rules were taken over ({by}): {counts[0]} added, {counts[1] + counts[2]} changed, "
            f"{counts[3]} removed",
        )
    else:
        return None
    return _entry(EntryKind.RULES, record.time, text, "rules", record.time, record.trigger, record.outcome)


def _duty_check(record: DutyCheck, room: ControlRoom) -> LogEntry:
    time = record.changed_time
    waited = _span(time - record.asked_time)
    match record.state:
        case DutyState.ASKED:
            limit = _span(record.until_time - record.asked_time)
            text = LocalText(
                f"{record.asked_by}查岗，限{limit.zh}内应答",
                f"{record.asked_by} asks whether anybody is there; {limit.en} to answer",
            )
        case DutyState.ANSWERED:
            text = LocalText(
                f"{record.answered_by}应答查岗，用时{waited.zh}",
                f"{record.answered_by} answered the duty check after {waited.en}",
            )
        case DutyState.MISSED if record.late_answer_time is not None:
            text = LocalText(
                f"{record.answered_by}补答逾期查岗，距查岗{waited.zh}",
                f"{record.answered_by} answered the missed duty check {waited.en} after it was asked",
            )
        case DutyState.MISSED:
            text = LocalText(f"查岗{waited.zh}无人应答", f"Nobody answered the duty check within {waited.en}")
        case DutyState.REPLACED:
            text = LocalText("查岗未应答即被新的查岗取代", "A new duty check took the place of one not yet answered")
    identity = ("duty check", record.check_id, record.state, *(["late"] if record.late_answer_time else []))
    return _entry(EntryKind.DUTY_CHECK, time, text, *identity, seat=record.seat)


def _drill(record: Drill, room: ControlRoom) -> LogEntry:
    if record.ended_time is None:
        text = LocalText(f"{record.by}开始演练：{record.plan}", f"{record.by} began a drill: {record.plan}")
        return _entry(EntryKind.DRILL, record.begun_time, text, "drill", record.drill_id, "begun")
    lasted = _span(record.ended_time - record.begun_time)
    outcome = DrillOutcome(record.outcome).text
    text = LocalText(
        f"演练结束：{record.plan}，历时{lasted.zh}（{outcome.zh}）",
        f"The drill {record.plan} ended after {lasted.en} ({outcome.en})",
    )
    return _entry(EntryKind.DRILL, record.ended_time, text, "drill", record.drill_id, "ended")


def _delivery(record: Delivery, room: ControlRoom) -> LogEntry | None:
    if record.state is not DeliveryState.DEAD or not record.alarm_id:
        return None
    time = record.ended_time or record.created_time
    text = LocalText(
        f"接收方{record.target}无法送达，已放弃（尝试{record.attempts}次）：{record.error}",
        f"The receiver {record.target} could not be reached and was given up after {record.attempts} attempts: "
        f"{record.error}",
    )
    period = int(time.timestamp() // DEAD_LETTERS_EVERY.total_seconds())
    return _entry(EntryKind.NOTIFICATION, time, text, "dead letters", record.target, period, alarm_id=record.alarm_id)


_WRITERS: dict[type, Callable[[Any, ControlRoom], LogEntry | None]] = {
    AlarmTransition: _transition,
    RulesReload: _reload,
    DutyCheck: _duty_check,
    Drill: _drill,
    Delivery: _delivery,
}

_TRIGGERS = {
    ReloadTrigger.OPERATOR: LocalText("操作员", "an operator"),
    ReloadTrigger.SIGNAL: LocalText("系统信号", "a signal"),
    ReloadTrigger.FILES: LocalText("文件变更", "changed files"),
    ReloadTrigger.START: LocalText("启动时", "at the start"),
}
_DIFFERENCES = (RuleDifference.ADDED, RuleDifference.CHANGED, RuleDifference.ADJUSTED, RuleDifference.REMOVED)


def _entry(
    kind: EntryKind, time: datetime, text: LocalText, *identity: object, seat: str = "", alarm_id: str | None = None
) -> LogEntry:
    return LogEntry(
        entry_id=entry_id(kind, *identity),
        entry_time=time,
        seat=seat,
        author=AUTHOR,
        kind=kind,
        text=LocalText(_bounded(text.zh), _bounded(text.en)),
        alarm_id=alarm_id,
    )


def _bounded(text: str) -> str:
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def _aside(parts: list[str], begin: str, between: str, end: str) -> str:
    return f"{begin}{between.join(parts)}{end}" if parts else ""


def _written(instant: datetime, room: ControlRoom) -> str:
    return f"{room.seats[0].local(instant):%Y-%m-%d %H:%M}"


def _span(span: timedelta) -> LocalText:
    seconds = max(int(span.total_seconds()), 0)
    if seconds < 120:
        return LocalText(f"{seconds}秒", f"{seconds} s")
    if seconds < 7200:
        return LocalText(f"{seconds // 60}分钟", f"{seconds // 60} min")
    if seconds < 172_800:
        return LocalText(f"{seconds // 3600}小时", f"{seconds // 3600} h")
    return LocalText(f"{seconds // 86_400}天", f"{seconds // 86_400} days")
