"""The control room's file: what it comes to, and what there is without one."""

from __future__ import annotations

from datetime import time
from pathlib import Path

from firewatch.config.control_room import one_seat, read_control_room
from firewatch.config.document import parse_document
from firewatch.config.problem import Problem, Severity
from firewatch.config.project import load_project, read_project
from firewatch.config.settings import Settings
from firewatch.model.seat import ControlRoom, Seat, Shift
from firewatch.model.site import Inventory
from firewatch.model.text import LocalText
from tests.unit.config.test_bad_files import NO_RULES, sample

SHIPPED = Path("config/control-room.yaml")


def read(text: str, *, inventory_whole: bool = True) -> tuple[ControlRoom, list[Problem]]:
    document, problems = parse_document("seats.yaml", text)
    assert document is not None
    assert problems == []
    return read_control_room(document, sample(), inventory_whole=inventory_whole)


def test_what_is_written_becomes_seats() -> None:
    room, problems = read(
        """
time_zone: Europe/Berlin
seats:
  - {id: all, label: {zh: 全, en: all}, desk: sample/duty-desk}
  - id: garage
    label: {zh: 车库, en: garage}
    sites: [sample]
    buildings: [sample/garage]
    systems: [garage]
    shifts: [{name: {zh: 班, en: shift}, from: "00:00", to: "24:00"}]
"""
    )
    assert problems == []
    assert room.seats == (
        Seat("all", LocalText("全", "all"), "Europe/Berlin", desk="sample/duty-desk"),
        Seat(
            "garage",
            LocalText("车库", "garage"),
            "Europe/Berlin",
            sites=("sample",),
            buildings=("sample/garage",),
            systems=("garage",),
            shifts=(Shift(LocalText("班", "shift"), time(0), time(0)),),
        ),
    )


def test_what_is_wrong_leaves_one_seat_for_everything() -> None:
    room, problems = read("time_zone: Asia/Shanghai\nseats: [{id: A, label: {zh: 席, en: desk}}]")
    assert [problem.severity for problem in problems] == [Severity.WRONG]
    assert room == one_seat(sample())


def test_names_are_not_looked_up_in_compounds_that_could_not_be_read() -> None:
    seats = "time_zone: Asia/Shanghai\nseats: [{id: a, label: {zh: 席, en: desk}, sites: [there], desk: there/desk}]"
    assert read(seats, inventory_whole=False)[1] == []


def test_the_shipped_file_is_right() -> None:
    project, problems = read_project(Settings(control_room=SHIPPED, rules=NO_RULES))
    assert problems == ()
    assert [seat.id for seat in project.control_room.seats] == ["control-room"]


def test_without_a_file_one_seat_at_the_first_desk_answers_for_everything() -> None:
    (seat,) = load_project(Settings(rules=NO_RULES)).control_room.seats
    assert (seat.id, seat.time_zone, seat.desk) == ("control-room", "Asia/Shanghai", "sample/duty-desk")
    assert one_seat(Inventory(sites=(), kinds={})).seats[0].desk is None


def test_a_file_that_is_named_and_missing_is_a_problem() -> None:
    problems = read_project(Settings(control_room=Path("nowhere.yaml"), rules=NO_RULES))[1]
    assert [str(problem) for problem in problems] == [
        "nowhere.yaml: no such file or folder; create it, or correct `control_room` in the settings"
    ]


def test_a_file_of_seats_is_checked_as_one_wherever_it_lies(tmp_path: Path) -> None:
    file = tmp_path / "seats.yaml"
    file.write_text("time_zone: Asia/Shanghai\nseats: []\n", encoding="utf-8")
    problems = read_project(Settings(rules=NO_RULES), [file])[1]
    assert [problem.what for problem in problems] == ["there is no seat"]
