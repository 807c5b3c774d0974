"""The words of a message: the notifications' own templates, or firewatch's, filled with what an alarm says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from firewatch.broadcast.channel import Language
from firewatch.config.notification_spec import TemplatesSpec
from firewatch.model.alarm import Alarm, AlarmClass, Priority
from firewatch.model.delivery import Delivery, NotificationReason
from firewatch.model.site import Inventory
from firewatch.model.text import LocalText

LISTED = 10
"""Alarms that a summary names; the others it counts."""

_PLACEHOLDER = re.compile(r"\{([a-z]+)\}")

_CLASSES = {
    AlarmClass.FIRE: LocalText("火警", "Fire"),
    AlarmClass.SUPERVISORY: LocalText("监管", "Supervisory"),
    AlarmClass.SECURITY: LocalText("安防", "Security"),
    AlarmClass.TROUBLE: LocalText("故障", "Trouble"),
}
_PRIORITIES = {
    Priority.HIGHEST: LocalText("最高", "highest"),
    Priority.HIGH: LocalText("高", "high"),
    Priority.MEDIUM: LocalText("中", "medium"),
    Priority.LOW: LocalText("低", "low"),
}
_TRUTH = {True: LocalText("是", "yes"), False: LocalText("否", "no")}

_TITLES = {
    NotificationReason.ONSET: LocalText("[{class}] {text}", "[{class}] {text}"),
    NotificationReason.REALARMED: LocalText("[{class}·仍未确认] {text}", "[{class}, still unanswered] {text}"),
    NotificationReason.ESCALATED: LocalText(
        "[{class}·{waited}无人确认] {text}", "[{class}, unanswered for {waited}] {text}"
    ),
    NotificationReason.ACKNOWLEDGED: LocalText("[已确认] {text}", "[Acknowledged] {text}"),
    NotificationReason.RETURNED: LocalText("[已恢复] {text}", "[Returned to normal] {text}"),
    NotificationReason.CHANGED: LocalText("[状态变化] {text}", "[Changed] {text}"),
}
_CALL = LocalText(
    "{site} {place}\n{advice}\n优先级：{priority}\n发生时间：{onset}",
    "{site} {place}\n{advice}\nPriority: {priority}\nSince: {onset}",
)
_BODIES = {
    NotificationReason.ONSET: _CALL,
    NotificationReason.REALARMED: _CALL,
    NotificationReason.ESCALATED: _CALL,
    NotificationReason.ACKNOWLEDGED: LocalText(
        "{site} {place}\n确认人：{by}\n{comment}\n时间：{time}", "{site} {place}\nBy: {by}\n{comment}\nAt: {time}"
    ),
    NotificationReason.RETURNED: LocalText("{site} {place}\n时间：{time}", "{site} {place}\nAt: {time}"),
    NotificationReason.CHANGED: LocalText("{site} {place}\n时间：{time}", "{site} {place}\nAt: {time}"),
}
_DRILL_TITLE = LocalText("【演练】", "[DRILL] ")
_DRILL_BODY = LocalText("这是演练，并非真实报警。\n", "This is a drill, not an alarm.\n")
_SUMMARY_TITLE = LocalText("另有{count}条消息", "{count} more messages")
_SUMMARY_REST = LocalText("……及其他{count}条", "... and {count} others")
_TEST = (
    LocalText("firewatch测试消息", "Test message from firewatch"),
    LocalText("{by}正在测试此通知渠道，无需处理。", "{by} is testing this way to you. Nothing has happened."),
)


class Wording:
    """Writes messages."""

    def __init__(self, templates: TemplatesSpec, inventory: Inventory) -> None:
        self._templates = templates
        self._sites = {site.id: site.label for site in inventory.sites}
        self._zones = {site.id: ZoneInfo(site.time_zone) for site in inventory.sites}

    def of_one(self, delivery: Delivery, alarm: Alarm, language: Language) -> tuple[str, str]:
        """The title and body of one delivery; a line in which a placeholder left nothing is left out."""
        written = getattr(self._templates, delivery.reason.value, None)
        title = written.title if written is not None else _TITLES[delivery.reason]
        body = written.body if written is not None else _BODIES[delivery.reason]
        words = self._words(delivery, alarm, language)
        title, body = _filled(getattr(title, language), words), _filled(getattr(body, language), words)
        if alarm.drill is not None:
            return getattr(_DRILL_TITLE, language) + title, getattr(_DRILL_BODY, language) + body
        return title, body

    def of_several(self, told: list[tuple[Delivery, Alarm]], total: int, language: Language) -> tuple[str, str]:
        """The title and body of what sums several deliveries up; `told` are the first of them."""
        lines = [self.of_one(delivery, alarm, language)[0] for delivery, alarm in told[:LISTED]]
        if total > len(lines):
            lines.append(_filled(getattr(_SUMMARY_REST, language), {"count": str(total - len(lines))}))
        title = _filled(getattr(_SUMMARY_TITLE, language), {"count": str(total)})
        if all(alarm.drill is not None for _, alarm in told):
            title = getattr(_DRILL_TITLE, language) + title
        return title, "\n".join(lines)

    def _words(self, delivery: Delivery, alarm: Alarm, language: Language) -> Mapping[str, str]:
        site = self._sites.get(alarm.site)
        return {
            "text": getattr(alarm.text, language),
            "advice": getattr(alarm.advice, language),
            "place": getattr(alarm.place, language),
            "site": getattr(site, language) if site is not None else alarm.site,
            "class": getattr(_CLASSES[alarm.alarm_class], language),
            "priority": getattr(_PRIORITIES[alarm.priority], language),
            "value": _value(alarm.value, language),
            "unit": alarm.unit,
            "onset": self._at(alarm.onset_time, alarm.site),
            "time": self._at(delivery.created_time, alarm.site),
            "waited": _span(delivery.due_time - delivery.created_time, language),
            "by": alarm.acknowledged_by or "",
            "comment": alarm.acknowledge_comment,
            "activations": str(alarm.activations),
        }

    def _at(self, instant: datetime, site: str) -> str:
        """By the clock on the site's wall."""
        zone = self._zones.get(site)
        return f"{instant.astimezone(zone):%Y-%m-%d %H:%M:%S}" if zone is not None else f"{instant:%Y-%m-%d %H:%M:%SZ}"


def words_of_test(operator: str, language: Language) -> tuple[str, str]:
    """The title and body of a test."""
    title, body = (getattr(text, language) for text in _TEST)
    return title, _filled(body, {"by": operator})


def _filled(text: str, words: Mapping[str, str]) -> str:
    """Filled; what is no placeholder stays as it is written."""
    lines = text.split("\n")
    filled = [(line, _PLACEHOLDER.sub(lambda match: words.get(match[1], match[0]), line)) for line in lines]
    return "\n".join(after for before, after in filled if after.strip() or not before.strip())


def _value(value: float | bool | str | None, language: Language) -> str:
    if isinstance(value, bool):
        return str(getattr(_TRUTH[value], language))
    return "" if value is None else f"{value:.6g}" if isinstance(value, int | float) else value


def _span(span: timedelta, language: Language) -> str:
    seconds = round(span.total_seconds())
    if seconds % 60:
        return f"{seconds}秒" if language == "zh" else f"{seconds} s"
    return f"{seconds // 60}分钟" if language == "zh" else f"{seconds // 60} min"
