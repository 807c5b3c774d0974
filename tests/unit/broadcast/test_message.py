"""The words of messages: firewatch's own, and those of templates."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from firewatch.broadcast.channel import Language
from firewatch.broadcast.message import LISTED, Wording, words_of_test
from firewatch.config.notification_spec import TemplatesSpec
from firewatch.config.notifications import PLACEHOLDERS
from firewatch.model.alarm import Alarm
from firewatch.model.delivery import Delivery, NotificationReason
from firewatch.model.text import LocalText
from tests.unit.broadcast.alarms import at, smoke
from tests.unit.broadcast.book import INVENTORY

WORDING = Wording(TemplatesSpec(), INVENTORY)


def delivery(reason: NotificationReason, due: float = 0) -> Delivery:
    return Delivery("d1", "chat", smoke().alarm_id, 1, reason, created_time=at(0), due_time=at(due))


def words(reason: NotificationReason, language: Language, due: float = 0, **changes: Any) -> tuple[str, str]:
    return WORDING.of_one(delivery(reason, due), replace(smoke(), **changes), language)


@pytest.mark.parametrize(
    ("reason", "language", "title", "body"),
    [
        (
            NotificationReason.ONSET,
            "zh",
            "[火警] 地下车库 1 区烟感报警",
            "测试 A座·地下车库\n立即派人到现场核实\n优先级：最高\n发生时间：2026-11-25 16:00:00",
        ),
        (
            NotificationReason.ONSET,
            "en",
            "[Fire] Smoke in garage zone 1",
            "test Tower A, garage\nSend somebody to look at once\nPriority: highest\nSince: 2026-11-25 16:00:00",
        ),
        (NotificationReason.REALARMED, "en", "[Fire, still unanswered] Smoke in garage zone 1", None),
        (NotificationReason.ESCALATED, "zh", "[火警·2分钟无人确认] 地下车库 1 区烟感报警", None),
        (NotificationReason.ESCALATED, "en", "[Fire, unanswered for 2 min] Smoke in garage zone 1", None),
        (NotificationReason.RETURNED, "zh", "[已恢复] 地下车库 1 区烟感报警", None),
    ],
)
def test_firewatchs_own_words(reason: NotificationReason, language: Language, title: str, body: str | None) -> None:
    found = words(reason, language, due=120)
    assert found[0] == title
    assert body is None or found[1] == body


def test_an_acknowledgement_names_who_and_what_they_wrote_and_leaves_an_empty_line_out() -> None:
    seen = {"acknowledged_by": "li", "acknowledged_time": at(60)}
    told = words(NotificationReason.ACKNOWLEDGED, "zh", **seen, acknowledge_comment="已到现场")
    assert told[1].splitlines()[1:3] == ["确认人：li", "已到现场"]
    assert "\n\n" not in words(NotificationReason.ACKNOWLEDGED, "zh", **seen)[1]


@pytest.mark.parametrize(
    ("seconds", "zh", "en"), [(90, "90秒", "90 s"), (60, "1分钟", "1 min"), (3600, "60分钟", "60 min")]
)
def test_how_long_nobody_answered_is_said_in_whole_minutes_or_seconds(seconds: float, zh: str, en: str) -> None:
    assert zh in words(NotificationReason.ESCALATED, "zh", due=seconds)[0]
    assert en in words(NotificationReason.ESCALATED, "en", due=seconds)[0]


def test_a_drill_is_said_to_be_one_whatever_the_template() -> None:
    title = {"zh": "{text}", "en": "{text}"}
    templates = TemplatesSpec.model_validate({"onset": {"title": title, "body": title}})
    drill = replace(smoke(), drill="d1")
    title_zh, body_zh = Wording(templates, INVENTORY).of_one(delivery(NotificationReason.ONSET), drill, "zh")
    assert (title_zh, body_zh.splitlines()[0]) == ("【演练】地下车库 1 区烟感报警", "这是演练，并非真实报警。")
    assert words(NotificationReason.ONSET, "en", drill="d1")[0].startswith("[DRILL] ")


@pytest.mark.parametrize("name", PLACEHOLDERS)
def test_every_placeholder_is_filled(name: str) -> None:
    template = {"zh": f"<{{{name}}}>", "en": f"<{{{name}}}>"}
    templates = TemplatesSpec.model_validate({"onset": {"title": template, "body": template}})
    alarm = replace(smoke(), unit="MPa", value=0.051, acknowledged_by="li", acknowledge_comment="seen")
    for language in ("zh", "en"):
        title, _ = Wording(templates, INVENTORY).of_one(delivery(NotificationReason.ONSET), alarm, language)
        assert "{" not in title
        assert title != "<>"


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0712345678, "0.0712346"), (True, "是"), (False, "否"), ("open", "open"), (None, "")]
)
def test_a_value_is_shown_as_people_write_it(value: float | bool | str | None, shown: str) -> None:
    template = {"zh": "[{value}]", "en": "[{value}]"}
    templates = TemplatesSpec.model_validate({"onset": {"title": template, "body": template}})
    alarm = replace(smoke(), value=value)
    assert Wording(templates, INVENTORY).of_one(delivery(NotificationReason.ONSET), alarm, "zh")[0] == f"[{shown}]"


def test_what_an_alarm_says_is_never_taken_for_a_placeholder() -> None:
    alarm: Alarm = replace(smoke(), text=LocalText(zh="{advice}", en="{advice} {0} {text.zh}"))
    assert WORDING.of_one(delivery(NotificationReason.ONSET), alarm, "en")[0] == "[Fire] {advice} {0} {text.zh}"


@pytest.mark.parametrize(("count", "lines"), [(2, 2), (LISTED, LISTED), (LISTED + 5, LISTED + 1)])
def test_a_summary_names_the_first_and_counts_the_others(count: int, lines: int) -> None:
    told = [(delivery(NotificationReason.ONSET), smoke())] * count
    title, body = WORDING.of_several(told, count, "en")
    assert (title, len(body.splitlines())) == (f"{count} more messages", lines)
    assert body.endswith("... and 5 others") is (count > LISTED)


def test_a_test_says_that_nothing_has_happened_and_who_asked() -> None:
    assert words_of_test("Wang", "en") == (
        "Test message from firewatch",
        "Wang is testing this way to you. Nothing has happened.",
    )


def test_a_site_that_is_gone_is_named_by_its_id_and_its_times_are_utc() -> None:
    _, body = words(NotificationReason.ONSET, "en", site="gone")
    assert body.startswith("gone ")
    assert body.endswith("2026-11-25 08:00:00Z")
