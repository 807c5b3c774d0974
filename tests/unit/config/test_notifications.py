"""The notifications' file: what it comes to, and what there is without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from firewatch.config.document import parse_document
from firewatch.config.notification_spec import NOBODY, NotificationFile
from firewatch.config.notifications import read_notifications
from firewatch.config.problem import Problem, ProblemsError
from firewatch.config.project import load_notifications, load_project, read_project
from firewatch.config.settings import Settings
from tests.unit.config.test_bad_files import NO_RULES, sample

SHIPPED = Path("config/notification.yaml")


def read(text: str, *, inventory_whole: bool = True) -> tuple[NotificationFile, list[Problem]]:
    document, problems = parse_document("notification.yaml", text)
    assert document is not None
    assert problems == []
    return read_notifications(document, sample(), inventory_whole=inventory_whole)


def test_the_shipped_file_is_right() -> None:
    project, problems = read_project(Settings(notifications=SHIPPED, rules=NO_RULES))
    assert problems == ()
    assert [plan.id for plan in project.notifications.plans] == ["everything", "fire", "what-cannot-wait"]


def test_without_a_file_nobody_is_notified() -> None:
    assert load_project(Settings(rules=NO_RULES)).notifications == NOBODY


def test_a_shift_by_a_named_calendar_has_the_calendars_windows() -> None:
    told, problems = read(
        """
targets: [{id: chat, webhook: {url: "http://chat.example/"}}]
people: [{id: li, label: {zh: 李, en: Li}, targets: [chat]}]
calendars: [{id: night, windows: [{from: "20:00", to: "08:00"}], except: [2026-10-01]}]
roles: [{id: duty, label: {zh: 值班, en: duty}, shifts: [{people: [li], schedule: night}]}]
plans: [{id: all, steps: [{roles: [duty]}]}]
"""
    )
    assert problems == []
    ((shift,),) = (role.shifts for role in told.roles)
    assert shift.schedule is not None
    assert [(str(window.from_), str(window.to)) for window in shift.schedule.windows] == [("20:00:00", "08:00:00")]
    assert len(shift.schedule.except_) == 1


def test_one_broken_target_does_not_hide_what_is_wrong_elsewhere() -> None:
    _, problems = read(
        """
targets: [{id: chat}]
plans: [{id: all, steps: [{targets: [chat, phone]}, {after: 2}]}]
"""
    )
    assert [problem.what.split(":")[0] for problem in problems] == [
        "write exactly one channel",
        'expected a duration such as "30s", "5min" or "1h30min", found 2',
    ]


def test_names_are_not_looked_up_in_compounds_that_could_not_be_read() -> None:
    text = """
targets: [{id: chat, webhook: {url: "http://chat.example/"}, alarms: {sites: [there]}}]
plans: [{id: all, steps: [{targets: [chat]}]}]
"""
    assert read(text, inventory_whole=False)[1] == []
    assert [problem.what for problem in read(text)[1]] == ['there is no site "there"']


def test_a_file_of_notifications_is_checked_as_one_wherever_it_lies(tmp_path: Path) -> None:
    file = tmp_path / "told.yaml"
    file.write_text("targets: []\nplans: [{id: all, steps: []}]\n", encoding="utf-8")
    problems = read_project(Settings(rules=NO_RULES), [file])[1]
    assert [str(problem) for problem in problems] == [f"{file}:2:26: plan all: steps: expected at least 1 items"]


def test_the_file_is_read_again_on_its_own(tmp_path: Path) -> None:
    file = tmp_path / "notification.yaml"
    file.write_text('targets: [{id: chat, webhook: {url: "http://chat.example/"}}]\n', encoding="utf-8")
    assert [target.id for target in load_notifications(Settings(notifications=file), sample()).targets] == ["chat"]
    file.write_text("targets: [{id: chat}]\n", encoding="utf-8")
    with pytest.raises(ProblemsError, match="write exactly one channel"):
        load_notifications(Settings(notifications=file), sample())
