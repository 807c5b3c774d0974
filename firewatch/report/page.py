"""The workload report as one HTML page to be read and printed: nothing is loaded from elsewhere, and nothing runs.

It is built as a tree, so that whatever is in it is escaped and every tag is closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from xml.etree.ElementTree import Element, SubElement, tostring

from firewatch.alarms.deadline import Verdict as InTime
from firewatch.alarms.target import MEASURED_OVER, Judgement
from firewatch.report.advice import Advice
from firewatch.report.rows import figure_rows
from firewatch.report.text import Words, duration, number
from firewatch.report.workload import WorkloadReport

STYLE = """
body {
  font: 10.5pt/1.45 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif;
  color: #111; margin: 1.5rem auto; max-width: 60rem; padding: 0 1rem;
}
h1 { font-size: 1.4rem; margin: 0 0 .3rem; }
h2 { font-size: 1.05rem; margin: 1.4rem 0 .3rem; border-bottom: 1px solid #999; break-after: avoid; }
h3 { font-size: .95rem; margin: .9rem 0 .2rem; break-after: avoid; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #bbb; padding: .2rem .4rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { background: #eee; font-weight: 600; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
tr { break-inside: avoid; }
td.missed { font-weight: 700; background: #fde8e6; }
pre { background: #f4f4f4; padding: .4rem .6rem; overflow-x: auto; }
svg { width: 100%; height: 8rem; }
svg .sounded { fill: #1f4e79; }
svg .grouped { fill: #9db7d1; }
.note { color: #555; font-size: .9em; }
@page { size: A4; margin: 14mm; }
@media print { body { margin: 0; max-width: none; padding: 0; font-size: 9.5pt; } }
"""

LISTED_STALE = 50
"""Stale alarms beyond these are counted and not listed: the oldest say enough."""

_CHART_HEIGHT = 100
_BAR_WIDTH = 10


def html_report(report: WorkloadReport, words: Words) -> str:
    """The page."""
    return f"<!doctype html>\n{tostring(_Page(report, words).document(), encoding='unicode', method='html')}\n"


class _Page:
    def __init__(self, report: WorkloadReport, words: Words) -> None:
        self._report = report
        self._words = words
        self._label = report.label.zh if words.language == "zh" else report.label.en
        self._body = Element("body")

    def document(self) -> Element:
        words, report = self._words, self._report
        title = f"{words('title')} {report.month} · {self._label}"
        html = Element("html", lang="zh-CN" if words.language == "zh" else "en")
        head = SubElement(html, "head")
        SubElement(head, "meta", charset="utf-8")
        SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
        SubElement(head, "title").text = title
        SubElement(head, "style").text = STYLE
        html.append(self._body)
        self._add("h1", title)
        covered = f"{words.time(report.start)} {words('to')} {words.time(report.end)} ({report.time_zone})"
        self._add("p", f"{words('covered')}: {covered}. {words('printed')}.")
        if report.end - report.start < MEASURED_OVER:
            self._note("short")
        self._judgements()
        self._figures()
        self._days()
        self._bad_actors()
        self._advice()
        self._deadlines()
        self._late()
        return html

    # -- its parts -----------------------------------------------------------------------------------------------------

    def _judgements(self) -> None:
        words = self._words
        self._head("judgements")
        rows = [
            (
                words.aim(one.aim),
                number(one.value),
                f"{'<' if one.is_below else '≤'} {number(one.limit)}",
                words("met" if one.is_met else "missed"),
                one.source,
            )
            for one in self._report.judgements
        ]
        table = self._table([words(name) for name in ("aim", "value", "wanted")] + ["", words("source")], rows, (1, 2))
        _mark_missed(table, self._report.judgements)
        self._note("not_read")

    def _figures(self) -> None:
        words, report = self._words, self._report
        self._head("figures")
        rows = [(row.label, row.shown) for row in figure_rows(report, words)]
        self._table(None, rows, (1,))
        self._add("h3", words("priorities"))
        self._table(None, [(words.priority(one), str(count)) for one, count in report.figures.priorities.items()], (1,))
        self._add("h3", words("verdicts"))
        self._table(None, [(words.verdict(one), str(count)) for one, count in report.verdicts.items()], (1,))
        if report.figures.stale:
            self._add("h3", words("stale"))
            listed = report.figures.stale[:LISTED_STALE]
            stale = [(one.rule, one.subject, words.time(one.active_since)) for one in listed]
            self._table([words("rule"), words("subject"), words("time")], stale)
            self._more(len(report.figures.stale) - len(listed))

    def _days(self) -> None:
        words, days = self._words, self._report.days
        self._head("days")
        self._chart()
        self._note("chart")
        rows = [
            (
                words.day(day.start_time),
                str(day.tally.of_their_own),
                str(day.tally.grouped),
                str(day.worst_interval),
                duration(day.flood_time),
            )
            for day in days
        ]
        heads = [words(name) for name in ("day", "alarms", "grouped", "worst_interval", "flood_time")]
        self._table(heads, rows, (1, 2, 3, 4))

    def _chart(self) -> None:
        """A bar a day, with what sounded below and what was grouped on top."""
        words, days = self._words, self._report.days
        highest = max((day.tally.total for day in days), default=0) or 1
        svg = SubElement(
            self._body,
            "svg",
            viewBox=f"0 0 {_BAR_WIDTH * max(len(days), 1)} {_CHART_HEIGHT}",
            preserveAspectRatio="none",
            role="img",
        )
        svg.set("aria-label", words("days"))
        for place, day in enumerate(days):
            sounded = _CHART_HEIGHT * day.tally.of_their_own / highest
            grouped = _CHART_HEIGHT * day.tally.grouped / highest
            title = f"{words.day(day.start_time)}: {day.tally.of_their_own} + {day.tally.grouped}"
            _bar(svg, place, sounded, 0, "sounded", title)
            _bar(svg, place, grouped, sounded, "grouped", title)

    def _bad_actors(self) -> None:
        words = self._words
        self._head("bad_actors")
        rows = [
            (
                one.rule,
                one.subject,
                str(one.tally.total),
                str(one.tally.grouped),
                f"{100 * one.share:.1f} %",
                words("chatters") if one.chattering else "",
            )
            for one in self._report.figures.bad_actors
        ]
        heads = [words(name) for name in ("rule", "subject", "count", "of_which_grouped", "share")]
        self._table([*heads, ""], rows, (2, 3, 4))

    def _advice(self) -> None:
        self._head("advice")
        self._note("advice_note")
        for advice in self._report.advice:
            self._advice_for(advice)
        if not self._report.advice:
            self._add("p", self._words("nothing"))

    def _advice_for(self, advice: Advice) -> None:
        words = self._words
        self._add("h3", f"{advice.rule} · {advice.subject}")
        self._add("p", words.finding(advice))
        if advice.shelving is not None:
            self._add("p", words.shelving(advice.shelving))
        if advice.alternatives:
            rows = [
                (
                    words.means(one.means),
                    words.change(one),
                    str(one.alarms),
                    str(advice.played - one.alarms),
                    duration(one.delay_longest),
                )
                for one in advice.alternatives
            ]
            heads = [words(name) for name in ("means", "change", "alarms_then", "spared", "longest_delay")]
            self._table(heads, rows, (2, 3, 4))
        if advice.override is not None:
            self._add("p", words("to_take"))
            self._add("pre", advice.override)

    def _deadlines(self) -> None:
        words = self._words
        self._head("deadlines")
        rows = [
            (
                words.alarm_class(one),
                f"{words.stage(one.limit.since)} → {words.stage(one.limit.stage)}",
                f"{one.limit.within / timedelta(seconds=1):g} s",
                str(one.applied),
                str(one.late),
                duration(one.median),
                duration(one.ninety_five),
                duration(one.ninety_nine),
                duration(one.longest),
                one.limit.clause,
            )
            for one in self._report.deadlines
        ]
        names = ("class", "stage", "limit", "applied", "late", "half", "p95", "p99", "longest", "source")
        self._table([words(name) for name in names], rows, range(2, 9))

    def _late(self) -> None:
        words, report = self._words, self._report
        self._head("late_alarms")
        rows = [
            (
                words.time(one.steps[0].reached_time or report.start),
                one.rule,
                one.subject,
                words.stage(one.slow_stage) if one.slow_stage is not None else "",
                ", ".join(
                    f"{words.stage(each.limit.stage)} {words.in_time(each.verdict)}"
                    for each in one.deadlines
                    if each.verdict is InTime.LATE
                ),
            )
            for one in report.late
        ]
        self._table([words(name) for name in ("time", "rule", "subject", "slow_stage", "late")], rows)
        self._more(report.late_count - len(report.late))

    # -- how it is written ---------------------------------------------------------------------------------------------

    def _add(self, tag: str, text: str) -> None:
        SubElement(self._body, tag).text = text

    def _more(self, count: int) -> None:
        if count:
            self._add("p", self._words("more", count=count))

    def _head(self, name: str) -> None:
        self._add("h2", self._words(name))

    def _note(self, name: str) -> None:
        SubElement(self._body, "p", {"class": "note"}).text = self._words(name)

    def _table(
        self, heads: Sequence[str] | None, rows: Sequence[Sequence[str]], numbers: Iterable[int] = ()
    ) -> Element:
        """A table; the columns `numbers` stand to the right. Without rows it says that there are none."""
        if not rows:
            self._add("p", self._words("nothing"))
            return Element("table")
        table = SubElement(self._body, "table")
        if heads is not None:
            line = SubElement(SubElement(table, "thead"), "tr")
            for head in heads:
                SubElement(line, "th").text = head
        body = SubElement(table, "tbody")
        right = set(numbers)
        for row in rows:
            line = SubElement(body, "tr")
            for place, cell in enumerate(row):
                SubElement(line, "td", {"class": "number"} if place in right else {}).text = cell
        return table


def _mark_missed(table: Element, judgements: Sequence[Judgement]) -> None:
    for line, judgement in zip(table.iterfind("tbody/tr"), judgements, strict=True):
        if not judgement.is_met:
            line[3].set("class", "missed")


def _bar(svg: Element, place: int, height: float, above: float, kind: str, title: str) -> None:
    if not height:
        return
    bar = SubElement(
        svg,
        "rect",
        {
            "class": kind,
            "x": str(place * _BAR_WIDTH + 1),
            "y": f"{_CHART_HEIGHT - above - height:.2f}",
            "width": str(_BAR_WIDTH - 2),
            "height": f"{height:.2f}",
        },
    )
    SubElement(bar, "title").text = title
