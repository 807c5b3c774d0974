"""The handover as a page to be printed: one HTML document without scripts, in one of the two languages.

Whatever comes from outside passes `_Text` and is escaped; only tags written here are markup.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Literal

from starlette.responses import Response

from firewatch.model.alarm import Alarm, AlarmClass, AlarmState, Priority
from firewatch.model.command import CommandState
from firewatch.model.control_room import DutyCheck, DutyState
from firewatch.model.text import LocalText
from firewatch.web.handover import Handover

Lang = Literal["zh", "en"]

STYLE = """
body {
  font: 10.5pt/1.45 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif;
  color: #111; margin: 1.5rem auto; max-width: 60rem; padding: 0 1rem;
}
h1 { font-size: 1.4rem; margin: 0 0 .3rem; }
h2 { font-size: 1.05rem; margin: 1.4rem 0 .3rem; border-bottom: 1px solid #999; break-after: avoid; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #bbb; padding: .2rem .4rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { background: #eee; font-weight: 600; }
tr { break-inside: avoid; }
.none { color: #555; }
.warn { border: 2px solid #b00; padding: .4rem .6rem; }
.fire { font-weight: 700; }
.counts { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; list-style: none; margin: .5rem 0; padding: 0; }
.counts b { font-size: 1.15rem; }
.sign { display: grid; grid-template-columns: 1fr 1fr; gap: 2.5rem; margin-top: 2.5rem; }
.sign div { border-top: 1px solid #111; padding-top: .2rem; }
@page { size: A4; margin: 14mm; }
@media print {
  body { margin: 0; max-width: none; padding: 0; font-size: 9.5pt; }
}
"""

_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing but the page's own style."""


def page(state: Handover, lang: Lang) -> Response:
    """The page, which a browser keeps nowhere and in which nothing runs."""
    document = _Page(state, lang).document()
    return Response(document, media_type="text/html; charset=utf-8", headers={"Content-Security-Policy": POLICY})


class _Page:
    """Writes one handover in one language."""

    def __init__(self, state: Handover, lang: Lang) -> None:
        self._state = state
        self._lang = lang

    def document(self) -> str:
        state = self._state
        title = f"{self._say('title')} · {self._text(state.seat.label)}"
        parts = [
            f"<h1>{title}</h1>",
            f"<p>{self._period()}</p>",
            "" if state.complete else f'<p class="warn">{self._say("incomplete")}</p>',
            self._counts(),
            self._alarms("unacknowledged", state.unacknowledged),
            self._alarms("acknowledged", state.acknowledged),
            self._alarms("latched", state.latched),
            self._alarms("shelved", state.shelved),
            self._alarms("out_of_service", state.out_of_service),
            self._alarms("suppressed", state.suppressed),
            self._commands(),
            self._parts(),
            self._workload(),
            self._duty_checks(),
            self._log(),
            f'<div class="sign"><div>{self._say("hands_over")}</div><div>{self._say("takes_over")}</div></div>',
        ]
        html_lang = "zh-CN" if self._lang == "zh" else "en"
        return (
            f'<!doctype html><html lang="{html_lang}"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
            f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>"
        )

    # Its parts.

    def _period(self) -> str:
        state = self._state
        shift = self._text(state.turn.shift.name) if state.turn is not None else self._say("no_shift")
        span = f"{self._time(state.since)} – {self._time(state.now)}"
        return f"{shift} · {span} ({escape(state.seat.time_zone)})"

    def _counts(self) -> str:
        items = (
            f"<li>{self._say(name)} <b>{count}</b></li>" for name, count in self._state.counts.items() if name in _WORDS
        )
        return f'<ul class="counts">{"".join(items)}</ul>'

    def _alarms(self, name: str, alarms: Sequence[Alarm]) -> str:
        rows = [
            (
                self._time(alarm.onset_time),
                self._kind(alarm),
                self._text(alarm.place),
                self._text(alarm.text),
                self._held(name, alarm),
            )
            for alarm in sorted(alarms, key=lambda alarm: (list(Priority).index(alarm.priority), alarm.onset_time))
        ]
        return self._table(name, ("since", "class", "place", "what", "remark"), rows)

    def _kind(self, alarm: Alarm) -> str:
        words = f"{self._say(alarm.alarm_class)} · {self._say(alarm.priority)}"
        return f'<span class="fire">{words}</span>' if alarm.alarm_class is AlarmClass.FIRE else words

    def _held(self, name: str, alarm: Alarm) -> str:
        """Who had a hand in it, until when, and why."""
        if name == "shelved" and alarm.shelf is not None:
            until = self._say("until", self._time(alarm.shelf.until_time))
            return self._joined(escape(alarm.shelf.by), until, escape(alarm.shelf.reason))
        held = alarm.out_of_service
        if name == "out_of_service" and held is not None:
            until = self._say("until", self._time(held.until_time)) if held.until_time else ""
            order = self._say("work_order", escape(held.work_order)) if held.work_order else ""
            return self._joined(escape(held.by), order, until, escape(held.reason))
        if alarm.acknowledged_by is not None and alarm.acknowledged_time is not None:
            return self._joined(
                escape(alarm.acknowledged_by), self._time(alarm.acknowledged_time), escape(alarm.acknowledge_comment)
            )
        return self._say(alarm.state) if alarm.state is AlarmState.RTN_UNACKNOWLEDGED else ""

    def _commands(self) -> str:
        rows = [
            (
                self._time(record.command.issued_time),
                escape(record.command.device),
                escape(record.command.action),
                self._say(f"command.{record.state}"),
            )
            for record in self._state.commands
        ]
        return self._table("commands", ("at", "device", "action", "state"), rows)

    def _parts(self) -> str:
        parts = [(escape(part.name), escape(part.detail)) for part in self._state.parts]
        cameras = [(self._text(camera.label), self._say("lost")) for camera in self._state.cameras]
        return self._table("parts", ("part", "state"), parts) + self._table("cameras", ("camera", "state"), cameras)

    def _workload(self) -> str:
        figures = self._state.workload
        if figures is None:
            return ""
        rows = [
            (self._say("load.told"), str(figures.alarm_count.of_their_own)),
            (self._say("load.grouped"), str(figures.alarm_count.grouped)),
            (self._say("load.peak"), str(figures.maximum_alarm_rate)),
            (self._say("load.flood"), self._span(figures.flood_time)),
            (self._say("load.unseen"), self._span(figures.maximum_un_ack)),
            (self._say("load.answer"), self._span(figures.answers.median) if figures.answers else "–"),
        ]
        return self._table("workload", ("figure", "value"), rows)

    def _duty_checks(self) -> str:
        rows = [(self._time(c.asked_time), escape(c.asked_by), self._outcome(c)) for c in self._state.duty_checks]
        return self._table("duty_checks", ("at", "asked_by", "outcome"), rows)

    def _outcome(self, check: DutyCheck) -> str:
        words = self._say(f"duty.{check.state}")
        if check.answered_by is None:
            return words
        return self._joined(words, escape(check.answered_by), self._span(check.changed_time - check.asked_time))

    def _log(self) -> str:
        rows = [
            (self._time(entry.entry_time), escape(entry.author), self._text(entry.text)) for entry in self._state.log
        ]
        return self._table("log", ("at", "author", "entry"), rows)

    # Words.

    def _table(self, name: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
        """A section with its table; the cells are markup already."""
        body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
        head = "".join(f"<th>{self._say(f'head.{each}')}</th>" for each in heads)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"<h2>{self._say(name)}</h2>{table if body else self._none()}"

    def _none(self) -> str:
        return f'<p class="none">{self._say("none")}</p>'

    def _say(self, word: str, *values: str) -> str:
        text = _WORDS[word]
        return escape(text.zh if self._lang == "zh" else text.en).format(*values)

    def _text(self, text: LocalText) -> str:
        return escape(text.zh if self._lang == "zh" else text.en).replace("\n", "<br>")

    def _joined(self, *parts: str) -> str:
        return " · ".join(part for part in parts if part)

    def _time(self, instant: datetime) -> str:
        return f"{self._state.seat.local(instant):%Y-%m-%d %H:%M:%S}"

    def _span(self, span: timedelta) -> str:
        seconds = int(span.total_seconds())
        hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
        return f"{hours}:{minutes:02}:{seconds:02}"


_WORDS = {
    "title": LocalText("消防控制室交接班记录", "Control room handover"),
    "no_shift": LocalText("无排班", "No shift"),
    "incomplete": LocalText(
        "历史记录暂时无法读取：本页缺少指令、日志、查岗和工作量，报警仍为最新。",
        "The history cannot be read at present: commands, log, duty checks and workload are missing here. "
        "The alarms are those of now.",
    ),
    "unacknowledged": LocalText("未确认的报警", "Not acknowledged"),
    "acknowledged": LocalText("已确认、仍存在的报警", "Acknowledged, still active"),
    "latched": LocalText("待复位的报警", "Waiting for a reset"),
    "shelved": LocalText("搁置的报警", "Shelved"),
    "out_of_service": LocalText("停用（检修）", "Out of service"),
    "suppressed": LocalText("被其他报警抑制", "Suppressed by other alarms"),
    "commands": LocalText("未执行或未证实的指令", "Commands not carried out or not proven"),
    "parts": LocalText("firewatch未就绪的部分", "Parts of firewatch that are not ready"),
    "cameras": LocalText("掉线的摄像机", "Cameras lost"),
    "workload": LocalText("本班工作量", "Workload of the shift"),
    "duty_checks": LocalText("本班查岗", "Duty checks of the shift"),
    "open_duty_checks": LocalText("待应答的查岗", "Duty checks to be answered"),
    "log": LocalText("本班日志", "Log of the shift"),
    "told": LocalText("本班发声的报警", "Alarms that sounded in the shift"),
    "none": LocalText("无", "None"),
    "hands_over": LocalText("交班人（签字）", "Hands over (signature)"),
    "takes_over": LocalText("接班人（签字）", "Takes over (signature)"),
    "until": LocalText("至{}", "until {}"),
    "work_order": LocalText("工单{}", "work order {}"),
    "lost": LocalText("掉线", "lost"),
    "head.since": LocalText("发生时间", "Since"),
    "head.at": LocalText("时间", "Time"),
    "head.class": LocalText("类别·优先级", "Class · priority"),
    "head.place": LocalText("位置", "Place"),
    "head.what": LocalText("内容", "What"),
    "head.remark": LocalText("说明", "Remarks"),
    "head.device": LocalText("设备", "Device"),
    "head.action": LocalText("动作", "Action"),
    "head.state": LocalText("状态", "State"),
    "head.part": LocalText("部分", "Part"),
    "head.camera": LocalText("摄像机", "Camera"),
    "head.figure": LocalText("指标", "Figure"),
    "head.value": LocalText("数值", "Value"),
    "head.asked_by": LocalText("查岗方", "Asked by"),
    "head.outcome": LocalText("结果", "Outcome"),
    "head.author": LocalText("记录人", "Author"),
    "head.entry": LocalText("内容", "Entry"),
    "load.told": LocalText("发声的报警", "Alarms that sounded"),
    "load.grouped": LocalText("并入事件、不单独发声的报警", "Shown in an incident, without a sound of their own"),
    "load.peak": LocalText("10分钟内最多", "Most within 10 min"),
    "load.flood": LocalText("报警泛滥时长", "Time in flood"),
    "load.unseen": LocalText("最长未确认时间", "Longest unacknowledged"),
    "load.answer": LocalText("确认用时（中位数）", "Time to acknowledge (median)"),
    AlarmState.RTN_UNACKNOWLEDGED: LocalText("已恢复，未确认", "Over, not acknowledged"),
    AlarmClass.FIRE: LocalText("火警", "Fire"),
    AlarmClass.SUPERVISORY: LocalText("监管", "Supervisory"),
    AlarmClass.SECURITY: LocalText("安防", "Security"),
    AlarmClass.TROUBLE: LocalText("故障", "Trouble"),
    Priority.HIGHEST: LocalText("最高", "highest"),
    Priority.HIGH: LocalText("高", "high"),
    Priority.MEDIUM: LocalText("中", "medium"),
    Priority.LOW: LocalText("低", "low"),
    f"command.{CommandState.SENT}": LocalText("已发出，无应答", "sent, no answer"),
    f"command.{CommandState.ACCEPTED}": LocalText("已接受，未完成", "accepted, not done"),
    f"command.{CommandState.FAILED}": LocalText("失败", "failed"),
    f"command.{CommandState.UNPROVEN}": LocalText("未得到证实", "not proven"),
    f"duty.{DutyState.ASKED}": LocalText("待应答", "not yet answered"),
    f"duty.{DutyState.ANSWERED}": LocalText("已应答", "answered"),
    f"duty.{DutyState.MISSED}": LocalText("无人应答", "missed"),
    f"duty.{DutyState.REPLACED}": LocalText("被新的查岗取代", "replaced"),
}
