"""A backtest's result as people read it on a terminal, in Chinese or English."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Literal

from firewatch.backtest.log import Told
from firewatch.backtest.result import BacktestResult, Difference, Fate, RealityCheck

Language = Literal["zh", "en"]

SHOWN_DIFFERENCES = 20

_MARKS = {Fate.ADDED: "+", Fate.REMOVED: "-", Fate.MOVED: "~"}

_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "{name} against {against}, {start} to {end} (site time)",
        "recorded": "what really happened",
        "heads": "rule|before|after|added|removed|moved",
        "total": "total",
        "no_alarms": "No alarms before, none after.",
        "confirmed": "Confirmed",
        "kept": "kept",
        "kept_later": "kept, told {seconds:g} s later",
        "kept_earlier": "kept, told {seconds:g} s earlier",
        "lost": "LOST: nobody would be told",
        "new": "would be told, and was not",
        "never": "was not told, and would not be",
        "differences": "Differences",
        "more": "  and {count} more; --format json lists them",
        "moved": "told {seconds:+g} s",
        "failures": "Rules that failed",
        "played": "{observations:,} observations, of which {judged:,} could change anything",
    },
    "zh": {
        "title": "{name} 与{against}相比，{start} 至 {end}（小区当地时间）",
        "recorded": "实际记录",
        "heads": "规则|之前|之后|新增|减少|时间变化",
        "total": "合计",
        "no_alarms": "之前没有报警，之后也没有。",
        "confirmed": "经确认的警情",
        "kept": "保留",
        "kept_later": "保留，晚 {seconds:g} 秒",
        "kept_earlier": "保留，早 {seconds:g} 秒",
        "lost": "丢失：不会再报警！",
        "new": "原来没有报警，现在会报",
        "never": "原来没有报警，现在也不会报",
        "differences": "差异",
        "more": "  另有 {count} 条，见 --format json",
        "moved": "报警时间 {seconds:+g} 秒",
        "failures": "运行出错的规则",
        "played": "共 {observations:,} 条读数，其中 {judged:,} 条可能影响结果",
    },
}


def shown(result: BacktestResult, language: Language, zone: tzinfo) -> str:
    """The whole result; times are those of `zone`."""
    words = _WORDS[language]
    against = words["recorded"] if result.against_name == "recorded" else result.against_name
    start, end = local_time(result.start, zone), local_time(result.end, zone)
    parts = [
        [words["title"].format(name=result.name, against=against, start=start, end=end)],
        list(_counts(result, words)),
        list(_realities(result.realities, words, zone)),
        list(_differences(result, words, zone)),
        list(_failures(result, words, zone)),
        [
            words["played"].format(observations=result.observations, judged=result.judged),
            result.summary.zh if language == "zh" else result.summary.en,
        ],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as they need to be; the first to the left, the others to the right."""
    lines = [heads, *rows]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(heads))]
    return ["  ".join([_left(line[0], widths[0]), *map(_right, line[1:], widths[1:])]).rstrip() for line in lines]


def _counts(result: BacktestResult, words: dict[str, str]) -> Iterator[str]:
    if not result.counts:
        yield words["no_alarms"]
        return
    rows = [
        [each.rule, *map(str, (each.before, each.after, each.added, each.removed, each.moved))]
        for each in result.counts
    ]
    moved = sum(each.moved for each in result.counts)
    total = [words["total"], *map(str, (result.before, result.after, result.added, result.removed, moved))]
    yield from table(words["heads"].split("|"), [*rows, total])


def _realities(checks: Sequence[RealityCheck], words: dict[str, str], zone: tzinfo) -> Iterator[str]:
    if checks:
        yield words["confirmed"]
    for one in checks:
        yield f"  {local_time(one.reality.time, zone)}  {one.reality.subject}  {_outcome(one, words)}"


def _outcome(one: RealityCheck, words: dict[str, str]) -> str:
    if one.is_lost:
        return words["lost"]
    if not one.alarmed_before:
        return words["new" if one.alarmed_after else "never"]
    if not one.delay:
        return words["kept"]
    word = "kept_later" if one.delay > timedelta(0) else "kept_earlier"
    return words[word].format(seconds=round(abs(one.delay).total_seconds(), 1))


def _differences(result: BacktestResult, words: dict[str, str], zone: tzinfo) -> Iterator[str]:
    if result.differences:
        yield words["differences"]
    for one in result.differences[:SHOWN_DIFFERENCES]:
        yield f"  {_MARKS[one.fate]} {local_time(one.time, zone)}  {_what(one, words)}"
    moved = sum(each.moved for each in result.counts)
    more = result.added + result.removed + moved - SHOWN_DIFFERENCES
    if more > 0:
        yield words["more"].format(count=more)


def _what(one: Difference, words: dict[str, str]) -> str:
    told = one.after or one.before
    assert told is not None
    line = f"{told.rule}  {told.subject}{_value(told)}"
    if one.before is None or one.after is None:
        return line
    seconds = round((one.after.told_time - one.before.told_time).total_seconds(), 1)
    return f"{line}  {words['moved'].format(seconds=seconds)}"


def _value(told: Told) -> str:
    if told.value is None:
        return ""
    value = str(told.value).lower() if isinstance(told.value, bool) else told.value
    return f"  {value:g} {told.unit}".rstrip() if isinstance(value, float) else f"  {value}"


def _failures(result: BacktestResult, words: dict[str, str], zone: tzinfo) -> Iterator[str]:
    if result.failures:
        yield words["failures"]
    for failure in result.failures:
        yield f"  {local_time(failure.failed_time, zone)}  {failure.rule}  {failure.subject}  {failure.error}"


def local_time(time: datetime, zone: tzinfo) -> str:
    """A time as people at the site read it."""
    return f"{time.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _left(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _right(text: str, width: int) -> str:
    return " " * (width - _width(text)) + text
