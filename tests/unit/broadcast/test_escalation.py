"""Who is told of an alarm, by plans and by the roster, and who next."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from firewatch.broadcast.escalation import fits
from firewatch.config.notification_spec import AlarmsSpec
from firewatch.model.alarm import AlarmClass, Priority
from firewatch.model.delivery import Delivery, NotificationReason
from tests.unit.broadcast.alarms import START, smoke
from tests.unit.broadcast.book import Tale, after, book

TARGETS = """
targets:
  - {id: chat, webhook: {url: "http://chat.example/"}, acknowledged: true}
  - {id: li-phone, webhook: {url: "http://li.example/"}, returned: false}
  - {id: li-mail, webhook: {url: "http://mail.example/"}, alarms: {classes: [trouble]}}
  - {id: wang-phone, webhook: {url: "http://wang.example/"}}
  - {id: trainer, webhook: {url: "http://trainer.example/"}, drills: true}
people:
  - {id: li, label: {zh: 李, en: Li}, targets: [li-phone, li-mail]}
  - {id: wang, label: {zh: 王, en: Wang}, targets: [wang-phone]}
roles:
  - id: duty
    label: {zh: 值班, en: duty}
    shifts:
      - {people: [li], schedule: {windows: [{from: "08:00", to: "20:00"}]}}
      - {people: [wang], schedule: {windows: [{from: "20:00", to: "06:00"}]}}
"""
PLANS = (
    TARGETS
    + """
plans:
  - id: fire
    alarms: {classes: [fire]}
    steps:
      - {targets: [chat], roles: [duty]}
      - {after: 2min, people: [li, wang]}
      - {after: 5min, targets: [chat]}
"""
)


def brief(deliveries: list[Delivery]) -> list[tuple[str, float, str]]:
    return [(each.target, (each.due_time - each.created_time).total_seconds(), each.reason) for each in deliveries]


def wall(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-25T{clock}").replace(tzinfo=ZoneInfo("Asia/Shanghai"))


def test_a_fire_is_told_by_the_steps_of_its_plan_to_whoever_is_on_duty() -> None:
    assert brief(book(PLANS).told(Tale().told(START))) == [
        ("chat", 0, "onset"),
        ("li-phone", 0, "onset"),
        ("li-phone", 120, "escalated"),
        ("wang-phone", 120, "escalated"),
        ("chat", 300, "escalated"),
    ]


def test_each_delivery_says_which_step_asked_for_it_and_whom_it_is_for() -> None:
    told = book(PLANS).told(Tale().told())
    assert [(each.plan, each.step, each.person) for each in told] == [
        ("fire", 1, None),
        ("fire", 1, "li"),
        ("fire", 2, "li"),
        ("fire", 2, "wang"),
        ("fire", 3, None),
    ]
    assert {each.next_attempt_time for each in told} == {each.due_time for each in told}


def test_what_no_plan_is_for_is_told_to_nobody() -> None:
    assert book(PLANS).told(Tale(smoke(alarm_class=AlarmClass.TROUBLE)).told()) == []


def test_a_target_gets_only_what_it_takes() -> None:
    everything = PLANS.replace("    alarms: {classes: [fire]}\n", "")
    told = book(everything).told(Tale(smoke(alarm_class=AlarmClass.TROUBLE)).told())
    assert "li-mail" in {each.target for each in told}
    assert "li-mail" not in {each.target for each in book(everything).told(Tale().told())}


@pytest.mark.parametrize(
    ("clock", "on_duty"),
    [("08:00", ["li"]), ("19:59:59", ["li"]), ("20:00", ["wang"]), ("02:00", ["wang"]), ("07:00", ["li", "wang"])],
)
def test_who_is_on_duty_is_read_off_the_clock_at_the_site_and_a_gap_calls_everybody(
    clock: str, on_duty: list[str]
) -> None:
    assert list(book(PLANS).on_duty("duty", wall(clock), "sample")) == on_duty


def test_a_step_that_falls_due_after_the_shift_changed_goes_to_the_next_shift() -> None:
    plan = (
        TARGETS
        + """
plans:
  - {id: all, steps: [{roles: [duty]}, {after: 2min, roles: [duty]}]}
"""
    )
    told = book(plan).told(Tale().told(wall("19:59:00")))
    assert brief(told) == [("li-phone", 0, "onset"), ("wang-phone", 120, "escalated")]


def test_a_target_is_told_once_for_each_wait_however_many_lead_to_it() -> None:
    twice = (
        PLANS
        + """  - id: all
    steps:
      - {targets: [chat, li-phone], people: [li]}
"""
    )
    told = book(twice).told(Tale().told())
    assert [each.target for each in told if not each.due_time > each.created_time] == ["chat", "li-phone"]
    assert len({each.delivery_id for each in told}) == len(told)


def test_a_drill_goes_only_to_targets_that_take_drills() -> None:
    plan = TARGETS + "plans: [{id: all, steps: [{targets: [chat, trainer]}]}]\n"
    assert [each.target for each in book(plan).told(Tale(replace(smoke(), drill="d1")).told())] == ["trainer"]
    assert [each.target for each in book(plan).told(Tale().told())] == ["chat", "trainer"]


def test_a_re_alarm_and_a_new_onset_are_deliveries_of_their_own() -> None:
    tale = Tale()
    first, second, third = tale.told(), tale.realarmed(after(minutes=3)), tale.told(after(minutes=4))
    told = [book(PLANS).told(each) for each in (first, second, third)]
    assert [each[0].reason for each in told] == [
        NotificationReason.ONSET,
        NotificationReason.REALARMED,
        NotificationReason.ONSET,
    ]
    assert len({each.delivery_id for deliveries in told for each in deliveries}) == 15


def test_the_same_telling_always_leads_to_the_same_deliveries() -> None:
    assert book(PLANS).told(Tale().told()) == book(PLANS).told(Tale().told())


def test_a_return_and_an_acknowledgement_are_told_to_those_who_were_told_and_want_to_know() -> None:
    tale = Tale()
    tale.told()
    acknowledged, returned = tale.acknowledged(after(minutes=1)), tale.returned(after(minutes=2))
    told = {"chat", "li-phone", "gone"}
    assert brief(book(PLANS).told_since(acknowledged, told)) == [("chat", 0, "acknowledged")]
    assert brief(book(PLANS).told_since(returned, told)) == [("chat", 0, "returned")]
    assert book(PLANS).told_since(returned, ()) == []


FOLLOWERS = """
targets:
  - {id: centre, cap: {url: "http://centre.example/"}}
  - {id: platform, webhook: {url: "http://platform.example/"}, changes: true, acknowledged: true}
  - {id: chat, webhook: {url: "http://chat.example/"}}
plans:
  - {id: all, steps: [{targets: [centre, platform, chat]}]}
"""


def test_who_follows_alarms_hears_of_every_change_once() -> None:
    tale, told = Tale(), {"centre", "platform", "chat"}
    tale.told()
    heard = book(FOLLOWERS)
    assert brief(heard.told_since(tale.acknowledged(after(minutes=1)), told)) == [
        ("centre", 0, "changed"),
        ("platform", 0, "acknowledged"),
    ]
    assert brief(heard.told_since(tale.hidden(after(minutes=2)), told)) == [
        ("centre", 0, "changed"),
        ("platform", 0, "changed"),
    ]
    assert brief(heard.told_since(tale.returned(after(minutes=3)), told)) == [
        ("centre", 0, "changed"),
        ("platform", 0, "changed"),
    ]


def test_what_is_told_anew_is_no_change_besides() -> None:
    tale, told = Tale(), {"centre", "platform", "chat"}
    tale.told()
    assert book(FOLLOWERS).told_since(tale.realarmed(after(minutes=1)), told) == []
    assert book(FOLLOWERS).told_since(tale.told(after(minutes=2)), told) == []


def test_what_happens_to_a_hidden_alarm_is_told_to_nobody_else() -> None:
    tale = Tale()
    tale.told()
    tale.hidden(after(minutes=1))
    assert book(PLANS).told_since(tale.returned(after(minutes=2)), {"chat"}) == []


@pytest.mark.parametrize(
    ("wanted", "fitting"),
    [
        ({}, True),
        ({"classes": ["fire"]}, True),
        ({"classes": ["trouble", "security"]}, False),
        ({"minimum_priority": "medium"}, True),
        ({"minimum_priority": "high"}, True),
        ({"minimum_priority": "highest"}, False),
        ({"sites": ["sample"]}, True),
        ({"sites": ["elsewhere"]}, False),
        ({"buildings": ["tower-a", "tower-b"]}, True),
        ({"buildings": ["tower-b"]}, False),
        ({"systems": ["smoke"]}, True),
        ({"systems": ["water"]}, False),
        ({"classes": ["fire"], "systems": ["water"]}, False),
    ],
)
def test_an_alarm_has_to_fit_everything_that_is_written(wanted: dict[str, Any], fitting: bool) -> None:
    assert fits(AlarmsSpec.model_validate(wanted), smoke(priority=Priority.HIGH)) is fitting


def test_an_unknown_site_is_read_by_utc() -> None:
    noon = datetime.fromisoformat("2026-11-25T12:00:00+00:00")
    assert book(PLANS).on_duty("duty", noon, "elsewhere") == ("li",)
    assert book(PLANS).on_duty("duty", noon, "sample") == ("wang",)
