"""What tuning a rule found, as people read it on a terminal, in Chinese or English."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta, tzinfo

from firewatch.backtest.table import Language, local_time, table
from firewatch.backtest.tune import FEWEST_ALARMS, LONGEST_ON_DELAY, TuneResult, Variant, Verdict
from firewatch.model.duration import write_duration

SHOWN_OF_EACH_MEANS = 3

_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "{rule}, {start} to {end} (site time)",
        "heads": "change|alarms|chatter|events told|confirmed told|usual delay|longest delay",
        "as_it_is": "as it is",
        "suggested": "Suggested: {change}. {before} alarms -> {after}, all {events} events told.",
        "nothing_better": "No other numbers within the bounds tried spare an alarm without losing an event or making "
        "people wait more than {limit} longer. Look for the cause at the device.",
        "too_few_alarms": "Too few alarms in this time ({alarms}): with fewer than {fewest} nobody can tell chatter "
        "from chance. Look at a longer time.",
        "nothing_to_tune": "A ladder has numbers for each of its steps; these are not tried. "
        "Change one and look at it with `firewatch backtest`.",
        "unconfirmed": "Nothing that it told of is confirmed as real (by an operator, or by --confirmed), so "
        "this cannot say which events mattered; it only says that each is still told.",
        "paste": "To put it into force, add to a rule file, then run `firewatch check` and `firewatch backtest`:",
    },
    "zh": {
        "title": "{rule}，{start} 至 {end}（小区当地时间）",
        "heads": "改动|报警|其中重复|保留事件|保留警情|一般延迟|最大延迟",
        "as_it_is": "现行数值",
        "suggested": "建议：{change}。报警 {before} 条 → {after} 条，{events} 起事件全部保留。",
        "nothing_better": "在所试范围内，没有其他数值既能减少报警，又不丢失事件、也不使报警推迟超过 {limit}。"
        "请检查设备本身的原因。",
        "too_few_alarms": "期间只有 {alarms} 条报警，少于 {fewest} 条，无法区分重复报警与偶然。请选更长的时间。",
        "nothing_to_tune": "分级规则的每一级各有数值，这里不试。请改动一处后用 firewatch backtest 查看。",
        "unconfirmed": "期间没有经确认的警情（由值班员核实，或列入 --confirmed 清单），"
        "因此无法判断哪些事件重要，只能说明每起事件仍会报警。",
        "paste": "若要采用，请加入规则文件，再运行 firewatch check 和 firewatch backtest：",
    },
}


def shown(result: TuneResult, language: Language, zone: tzinfo) -> str:
    """The trade-offs, what follows from them, and what to paste."""
    words = _WORDS[language]
    start, end = local_time(result.start, zone), local_time(result.end, zone)
    parts = [words["title"].format(rule=result.rule, start=start, end=end)]
    if result.verdict is not Verdict.NOTHING_TO_TUNE:
        parts.append("\n".join(table(words["heads"].split("|"), [_row(one, result, words) for one in _chosen(result)])))
    parts.append(_said(result, words))
    if not result.realities:
        parts.append(words["unconfirmed"])
    if result.override is not None:
        parts.append(f"{words['paste']}\n\n{result.override}")
    return "\n\n".join(parts)


def _chosen(result: TuneResult) -> Iterator[Variant]:
    """The rule as it is, and of each means the variants with the fewest alarms, the suggested one among them."""
    as_it_is, *others = result.variants
    yield as_it_is
    for means in dict.fromkeys(one.means for one in others):
        alike = [one for one in others if one.means is means]
        best = sorted(alike, key=lambda one: one.alarms)[:SHOWN_OF_EACH_MEANS]
        yield from (one for one in alike if one in best or one == result.suggestion)


def _row(one: Variant, result: TuneResult, words: dict[str, str]) -> list[str]:
    return [
        f"{_change(one, words)}{' *' if one == result.suggestion else ''}",
        str(one.alarms),
        str(one.chatter),
        f"{one.events_kept}/{result.events}",
        f"{one.realities_kept}/{result.realities}",
        _delay(one.delay_median),
        _delay(one.delay_longest),
    ]


def _change(one: Variant, words: dict[str, str]) -> str:
    return ", ".join(f"{path} {value}" for path, value in one.set.items()) or words["as_it_is"]


def _delay(delay: timedelta) -> str:
    if not delay:
        return "0"
    return f"{'-' if delay < timedelta(0) else '+'}{write_duration(abs(delay))}"


def _said(result: TuneResult, words: dict[str, str]) -> str:
    suggestion = result.suggestion
    return words[result.verdict.value].format(
        change=_change(suggestion, words) if suggestion is not None else "",
        before=result.variants[0].alarms,
        after=suggestion.alarms if suggestion is not None else "",
        events=result.events,
        alarms=result.variants[0].alarms,
        fewest=FEWEST_ALARMS,
        limit=write_duration(LONGEST_ON_DELAY),
    )
