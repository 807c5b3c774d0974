"""A simulated month with known figures, in a real database, read back from what `firewatch report workload` writes."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from firewatch.app.embedded import EmbeddedDatabase
from firewatch.cli.main import main
from firewatch.config.project import Project, load_project, load_settings
from firewatch.engine.engine import Engine
from firewatch.model.alarm import AlarmTransition, Annunciation, Stage, StageReached, Verdict
from firewatch.model.command import Acknowledge, Confirm, OperatorCommand
from firewatch.model.delivery import Delivery, NotificationReason
from firewatch.model.effect import Annunciate, Effect, RecordTransition
from firewatch.model.observation import Observation, Quality
from firewatch.ports import EngineInput, Record
from firewatch.storage.history import open_history
from firewatch.telemetry.telemetry import Telemetry

pytestmark = pytest.mark.slow

CONFIG = Path(__file__).parents[3] / "config"
RULES = """
version: 1
rules:
  - id: pressure-low
    scope: {device: pressure_transmitter, subjects: [hydrant-a-roof]}
    when: {low: {signal: pressure, limit: 0.07 MPa}}
    priority: high
    class: supervisory
    text: {zh: "{device}", en: "{device}"}
    advice: {zh: 看, en: Look}
"""
SIGNAL = "sample/hydrant-a-roof/pressure"
MONTH = "2024-10"
START = datetime(2024, 9, 30, 16, tzinfo=UTC)
"""Midnight in Shanghai."""
DAYS = 31
CYCLES, UP, DOWN = 15, 20, 20
"""A burst goes below the limit so often, for so many seconds each, and above it in between: 10 minutes in all."""
ANSWERED_BURSTS = 6


class Plan(NamedTuple):
    """When what happens, in minutes since the start."""

    bursts: list[float]
    unanswered: float
    real: float


def plan(seed: int) -> Plan:
    """Bursts that somebody answers each time, one that nobody does, and one low pressure that is real: a day each."""
    chance = random.Random(seed)
    days = chance.sample(range(DAYS - 1), ANSWERED_BURSTS + 2)
    minutes = [1440.0 * day + 10 * chance.randrange(6, 130) for day in days]
    return Plan(sorted(minutes[:-2]), minutes[-2], minutes[-1])


class Month:
    """Plays the plan to an engine and keeps what the daemon would write."""

    def __init__(self, project: Project) -> None:
        self._engine = Engine(project.rules, project.inventory)
        self._ordinal = 0
        self.records: list[Record] = []
        self._engine.start(START - timedelta(minutes=1))

    def play(self, plan: Plan) -> None:
        events: list[tuple[float, float | None, str]] = [
            *((60.0 * 10 * number, 0.3, "") for number in range(DAYS * 144)),
            *(event for minute in plan.bursts for event in burst(60 * minute, answered=True)),
            *burst(60 * plan.unanswered, answered=False),
            (60 * plan.unanswered + 700, None, "acknowledge"),
            *((60 * plan.real + second, 0.03, "") for second in range(1, 7000, 60)),
            (60 * plan.real + 46, None, "acknowledge"),
            (60 * plan.real + 600, None, "confirm"),
        ]
        disturbed = [(60 * minute, 60 * minute + 601) for minute in (*plan.bursts, plan.unanswered)]
        disturbed.append((60 * plan.real, 60 * plan.real + 7200))
        for seconds, value, command in sorted(events, key=lambda event: event[0]):
            if value == 0.3 and any(begin < seconds < end for begin, end in disturbed):
                continue
            self._take(START + timedelta(seconds=seconds), value, command)

    def _take(self, source_time: datetime, value: float | None, command: str) -> None:
        now = source_time + timedelta(milliseconds=200)
        self._ordinal += 1
        if value is not None:
            heard = Observation(SIGNAL, value, Quality.GOOD, source_time, now, source_time)
            self.records.append(EngineInput(self._ordinal, now, observation=heard))
            self._keep(self._engine.observe(heard, now), now)
            return
        said = self._said(command)
        self.records.append(EngineInput(self._ordinal, now, command=said))
        self._keep(self._engine.command(said, now), now)

    def _said(self, command: str) -> OperatorCommand:
        (alarm,) = self._engine.alarms()
        if command == "confirm":
            return Confirm(alarm.alarm_id, "li", Verdict.REAL, "水箱已空")
        return Acknowledge(alarm.alarm_id, "li")

    def _keep(self, effects: list[Effect], now: datetime) -> None:
        told = {id(each.alarm): each for each in effects if isinstance(each, Annunciate)}
        for each in effects:
            if not isinstance(each, RecordTransition):
                continue
            one, how = each.transition, told.get(id(each.transition.alarm))
            if how is not None:
                kind = Annunciation.GROUPED if how.grouped else Annunciation.OF_ITS_OWN
                clock = replace(one.alarm.clock, annunciated_time=now)
                one = replace(one, annunciation=kind, alarm=replace(one.alarm, clock=clock))
            self.records.append(one)

    def told(self) -> list[AlarmTransition]:
        found = (each for each in self.records if isinstance(each, AlarmTransition))
        return [each for each in found if each.annunciation is not None]


def burst(begin: float, *, answered: bool) -> Iterator[tuple[float, float | None, str]]:
    for cycle in range(CYCLES):
        second = begin + cycle * (UP + DOWN)
        yield second, 0.069, ""
        if answered:
            yield second + 5, None, "acknowledge"
        yield second + DOWN, 0.071, ""


class Report(NamedTuple):
    """What the command was asked by: its settings, and when the real alarm was told."""

    config: Path
    plan: Plan

    def asked(self, *arguments: str) -> Result:
        result = CliRunner().invoke(main, ["report", "workload", "--config", str(self.config), *arguments])
        assert result.exit_code == 0, result.output
        return result

    def csv(self, language: str = "en") -> list[dict[str, str]]:
        written = self.asked("--month", MONTH, "--format", "csv", "--language", language).stdout
        return list(csv.DictReader(io.StringIO(written)))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    folder = tmp_path_factory.mktemp("month")
    rules = folder / "rules"
    rules.mkdir()
    (rules / "water.yaml").write_text(RULES, encoding="utf-8")
    database = EmbeddedDatabase(folder / "database")
    with asyncio.Runner() as runner:
        address = runner.run(database.start())
        try:
            config = folder / "firewatch.yaml"
            config.write_text(json.dumps(settings_of(folder, address)))
            planned = plan(seed=7)
            runner.run(written(config, address, planned, folder / "spill"))
            yield Report(config, planned)
        finally:
            runner.run(database.stop())


def settings_of(folder: Path, address: str) -> dict[str, Any]:
    return {
        "database": {"dsn": address},
        "sites": str(CONFIG / "sites"),
        "devices": str(CONFIG / "devices"),
        "rules": str(folder / "rules"),
        "state_directory": str(folder / "state"),
    }


async def written(config: Path, address: str, planned: Plan, spill: Path) -> None:
    """The month, in the database."""
    month = Month(load_project(load_settings(config)))
    month.play(planned)
    history = await open_history(address, spill, telemetry=Telemetry())
    history.write([*month.records, *deliveries(month), *drill(month)])
    await history.flush()
    await history.close()


def deliveries(month: Month) -> Iterator[Record]:
    """The first alarm reached its receiver in 2 s, the second in 130 s."""
    for told, seconds in zip(month.told(), (2, 130), strict=False):
        time = told.transition_time
        yield Delivery(told.alarm_id, "centre", told.alarm_id, 1, NotificationReason.ONSET, time, time)
        yield StageReached(told.alarm_id, Stage.DELIVERED, time + timedelta(seconds=seconds), "centre")


def drill(month: Month) -> Iterator[Record]:
    """Three alarms that were a drill."""
    for number, told in enumerate(month.told()[:3]):
        name = f"drill-{number}"
        yield replace(told, alarm_id=name, alarm=replace(told.alarm, alarm_id=name, drill="d1"))


SOUNDED = ANSWERED_BURSTS * CYCLES + 2
GROUPED = CYCLES - 1


def test_the_figures_are_those_that_were_simulated(report: Report) -> None:
    rows = report.csv()
    figures = {row["key"]: float(row["value"]) for row in rows if row["section"] == "figures"}
    expected = {
        "alarms": SOUNDED,
        "grouped": GROUPED,
        "most_in_10_minutes": CYCLES,
        "crowded": ANSWERED_BURSTS,
        "floods": ANSWERED_BURSTS,
        # From the eleventh alarm of a burst until the eleventh is 10 minutes old.
        "flood_time": ANSWERED_BURSTS * 600,
        "active": 1,
        "shelved": 0,
        "realarms": 0,
        "chattering": 1,
        "fleeting": 0,
        "stale_worst": 0,
        "maximum_active": 7199,
        "maximum_unack": 700,
        "drills": 3,
        "answered": ANSWERED_BURSTS * CYCLES + 2,
        "answer_median": 5,
        "answer_90": 5,
        "answer_99": 700,
        "answer_longest": 700,
    }
    assert {key: figures[key] for key in expected} == expected
    assert figures["average"] == pytest.approx(SOUNDED / (DAYS * 24), rel=1e-3)
    priorities = {row["key"]: int(row["value"]) for row in rows if row["section"] == "priorities"}
    assert priorities == {"highest": 0, "high": SOUNDED, "medium": 0, "low": 0}
    assert {row["key"]: row["value"] for row in rows if row["section"] == "verdicts"} == {
        "real": "1",
        "false": "0",
        "test": "0",
    }


def test_every_day_has_its_row_and_they_add_up(report: Report) -> None:
    days = [row for row in report.csv() if row["section"] == "days" and row["label"] == "Alarms that sounded"]
    assert [row["key"] for row in days] == [f"{MONTH}-{day:02}" for day in range(1, DAYS + 1)]
    assert sum(int(row["value"]) for row in days) == SOUNDED
    busy = {1 + int(minute // 1440) for minute in (*report.plan.bursts, report.plan.unanswered, report.plan.real)}
    assert {place for place, row in enumerate(days, start=1) if row["value"] != "0"} == busy


def test_it_says_what_the_standards_want_and_whether_it_was_so(report: Report) -> None:
    judged = {row["key"]: row for row in report.csv() if row["section"] == "judgements"}
    assert judged["most_in_10_minutes"]["met"] == "no"
    assert judged["alarms_an_hour"]["met"] == "yes"
    assert float(judged["bad_actors_percent"]["value"]) == 100
    assert all(row["source"] for row in judged.values())


def test_what_was_late_is_counted_with_its_slow_stage(report: Report) -> None:
    rows = report.csv()
    late = {row["key"]: row for row in rows if row["section"] == "deadlines" and row["label"] == "Late"}
    assert late["other source delivered"]["value"] == "1"
    assert late["other source annunciated"]["value"] == "0"
    assert late["other source delivered"]["source"] == "GB 25506-2010"
    longest = [row["value"] for row in rows if row["key"] == "other source delivered" and row["label"] == "Longest"]
    assert [float(value) for value in longest] == [pytest.approx(130.2)]
    assert {row["key"]: row["value"] for row in rows if row["section"] == "late"} == {"delivered": "1"}


def test_the_advice_spares_the_chatter_and_keeps_what_was_real(report: Report) -> None:
    (advice,) = json.loads(report.asked("--month", MONTH, "--format", "json").stdout)["advice"]
    assert (advice["rule"], advice["subject"]) == ("pressure-low", "sample/hydrant-a-roof")
    assert advice["finding"] == "suggested"
    assert (advice["played"], advice["realities"]) == ((ANSWERED_BURSTS + 1) * CYCLES + 1, 1)
    suggestion = advice["suggestion"]
    assert suggestion["set"] == {"when.low.deadband": "0.0014 MPa"}
    assert (suggestion["alarms"], suggestion["realities_kept"]) == (ANSWERED_BURSTS + 2, 1)
    assert advice["override"].splitlines()[:3] == [
        "overrides:",
        "  - rule: pressure-low",
        "    subjects: [sample/hydrant-a-roof]",
    ]
    assert {one["means"] for one in advice["alternatives"]} >= {"deadband", "off_delay"}
    # At the third alarm of a burst somebody would have shelved it.
    assert advice["shelving"] == {
        "at_most": "PT28800S",
        "times": ANSWERED_BURSTS + 1,
        "spared": (ANSWERED_BURSTS + 1) * (CYCLES - 3),
    }


def test_the_suggested_override_is_one_that_firewatch_takes(report: Report, tmp_path: Path) -> None:
    (advice,) = json.loads(report.asked("--month", MONTH, "--format", "json").stdout)["advice"]
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    (tmp_path / "override.yaml").write_text("version: 1\n" + advice["override"], encoding="utf-8")
    settings = load_settings(report.config).model_copy(update={"rules": tmp_path})
    (rule,) = load_project(settings).rules
    assert rule.when is not None
    assert rule.when.form.deadband.value == 0.0014


class Balanced(HTMLParser):
    """Holds that every element that is opened is closed, in order, and that nothing is loaded from elsewhere."""

    VOID = frozenset({"meta"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []
        self.language: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert tag not in {"script", "link", "img", "iframe", "object"}
        assert not {"src", "href"} & {name for name, _ in attrs}
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag == "html":
            self.language = dict(attrs)["lang"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize(
    ("language", "tag", "words"),
    [
        ("en", "en", ["Alarm workload", "Control room", "Advice", "Suggested: when.low.deadband", "MISSED"]),
        ("zh", "zh-CN", ["报警负荷月报", "消防控制室", "改进建议", "建议：when.low.deadband", "未达到"]),
    ],
)
def test_the_page_is_whole_in_both_languages(report: Report, language: str, tag: str, words: list[str]) -> None:
    written = report.asked("--month", MONTH, "--language", language).stdout
    assert written.startswith("<!doctype html>")
    page = Balanced()
    page.feed(written)
    page.close()
    assert (page.open, page.language) == ([], tag)
    assert page.tags.count("rect") == ANSWERED_BURSTS + 3  # a bar a day with alarms, two where some were grouped
    text = "\n".join(page.text)
    assert [word for word in words if word not in text] == []


def test_both_languages_have_the_same_rows(report: Report) -> None:
    english, chinese = (
        [row for row in report.csv(language) if row["section"] != "advice"] for language in ("en", "zh")
    )
    for one, other in zip(english, chinese, strict=True):
        assert (one["section"], one["key"], one["value"]) == (other["section"], other["key"], other["value"])
        assert one["label"] != other["label"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--month", "2024-13"], "expected a month"),
        (["--month", "2023-01"], "there is no history of 2023-01"),
        (["--month", MONTH, "--seat", "control-rom"], 'did you mean "control-room"'),
    ],
)
def test_what_cannot_be_reported_is_said(report: Report, arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(main, ["report", "workload", "--config", str(report.config), *arguments])
    assert result.exit_code != 0
    assert said in result.output
