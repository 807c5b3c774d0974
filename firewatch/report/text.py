"""The words of the workload report, in Chinese and English, and how its values are written."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from firewatch.alarms.deadline import Milestone
from firewatch.alarms.deadline import Verdict as InTime
from firewatch.alarms.target import Aim
from firewatch.backtest.tune import FEWEST_ALARMS, LONGEST_ON_DELAY, Means, Variant
from firewatch.model.alarm import Priority, Verdict
from firewatch.model.duration import write_duration
from firewatch.report.advice import SHELVED_AFTER, Advice, Finding, Shelving
from firewatch.report.workload import LimitTimes

Language = Literal["zh", "en"]

_WORDS: dict[str, tuple[str, str]] = {
    "title": ("报警负荷月报", "Alarm workload"),
    "seat": ("席位", "Seat"),
    "month": ("月份", "Month"),
    "covered": ("统计时段", "Covered"),
    "printed": ("全部时间为席位当地时间", "All times are the seat's own"),
    "judgements": ("与标准要求对照", "Against what the standards want"),
    "aim": ("指标", "Aim"),
    "value": ("实际", "Value"),
    "wanted": ("要求", "Wanted"),
    "source": ("出处", "Source"),
    "met": ("达到", "met"),
    "missed": ("未达到", "MISSED"),
    "not_read": (
        "数值取自标准的摘要和工具文档，未核对标准原文，不作符合性声明；标注“unconfirmed”的尚未证实。",
        "The numbers come from digests of the standards and tools' documents; the standards were not read and no "
        "conformity is claimed. What is marked unconfirmed is so.",
    ),
    "short": (
        "统计时段不足 30 天，ISA-18.2 要求至少 30 天。",
        "Less than 30 days are covered; ISA-18.2 measures over at least 30.",
    ),
    "figures": ("负荷数据", "Figures"),
    "alarms": ("报警次数（发声）", "Alarms that sounded"),
    "grouped": ("并入事件、不单独发声的报警", "Alarms shown in an incident without a sound"),
    "average": ("平均每小时", "Average an hour"),
    "most_in_10_minutes": ("任意 10 分钟内最多", "Most within any 10 min"),
    "crowded": ("超过 10 条的 10 分钟时段", "10-min intervals with more than 10"),
    "floods": ("报警泛滥次数", "Floods"),
    "flood_time": ("泛滥总时长", "Time in flood"),
    "active": ("同时活动最多", "Most active at a time"),
    "unacknowledged": ("同时未确认最多", "Most unacknowledged at a time"),
    "shelved": ("同时搁置最多", "Most shelved at a time"),
    "suppressed": ("同时按设计抑制最多", "Most suppressed by design at a time"),
    "out_of_service": ("同时停用最多", "Most out of service at a time"),
    "maximum_active": ("最长活动时间", "Longest active"),
    "maximum_unack": ("最长未确认时间", "Longest unacknowledged"),
    "realarms": ("未确认而重复报警", "Told again for want of an answer"),
    "maximum_realarms": ("单条报警重复最多", "Most for one alarm"),
    "stale": ("期末持续 24 小时以上", "Stale (over 24 h) at the end"),
    "stale_worst": ("最多一日内的长时报警", "Stale on the worst day"),
    "chattering": ("频繁抖动的点位", "What chattered"),
    "fleeting": ("瞬时报警次数", "Fleeting alarms"),
    "answered": ("确认的报警", "Alarms acknowledged"),
    "answer_median": ("确认用时（中位数）", "Time to acknowledge, half within"),
    "answer_90": ("确认用时（90%）", "Time to acknowledge, 90 % within"),
    "answer_99": ("确认用时（99%）", "Time to acknowledge, 99 % within"),
    "answer_longest": ("确认用时（最长）", "Time to acknowledge, longest"),
    "drills": ("演练报警（未计入）", "Alarms of drills, left out"),
    "priorities": ("优先级分布", "By priority"),
    "verdicts": ("核实结果", "What alarms turned out to be"),
    "days": ("每日报警", "Day by day"),
    "chart": ("深色：发声；浅色：并入事件。", "Dark: it sounded. Light: it was shown in an incident."),
    "day": ("日期", "Day"),
    "worst_interval": ("最忙 10 分钟", "Worst 10 min"),
    "bad_actors": ("报警最多的点位", "What alarms most"),
    "rule": ("规则", "Rule"),
    "subject": ("对象", "Subject"),
    "count": ("次数", "Count"),
    "of_which_grouped": ("其中并入事件", "of which grouped"),
    "share": ("占比", "Share"),
    "chatters": ("抖动", "chatters"),
    "advice": ("改进建议", "Advice"),
    "advice_note": (
        "用本月历史回放得出。建议不会丢失任何经核实为真实的报警，也不会丢失该规则报出的其他事件。",
        "Found by playing this month's history. No advice loses an alarm that was confirmed as real, or another event "
        "that the rule tells of.",
    ),
    "means": ("做法", "Means"),
    "change": ("改动", "Change"),
    "alarms_then": ("报警数", "Alarms then"),
    "spared": ("减少", "Spared"),
    "longest_delay": ("最大推迟", "Longest delay"),
    "to_take": ("若要采用，请加入规则文件：", "To put it into force, add to a rule file:"),
    "deadlines": ("时限", "Deadlines"),
    "class": ("类别", "Class"),
    "fire": ("火警", "fire"),
    "other": ("其他", "other"),
    "stage": ("环节", "Stage"),
    "limit": ("时限", "Limit"),
    "applied": ("适用", "Applied"),
    "late": ("超时", "Late"),
    "half": ("中位数", "Median"),
    "p95": ("95%", "95 %"),
    "p99": ("99%", "99 %"),
    "longest": ("最长", "Longest"),
    "late_alarms": ("超时的报警", "Late alarms"),
    "time": ("时间", "Time"),
    "slow_stage": ("最慢环节", "Slow stage"),
    "nothing": ("无", "None"),
    "more": ("另有 {count} 条未列出", "{count} more are not listed"),
    "to": ("至", "to"),
}

_AIMS: dict[Aim, tuple[str, str]] = {
    Aim.AVERAGE: ("平均每小时报警（宜）", "Alarms an hour, very likely acceptable"),
    Aim.MANAGEABLE: ("平均每小时报警（上限）", "Alarms an hour, at most manageable"),
    Aim.PEAK: ("任意 10 分钟内最多", "Most within any 10 min"),
    Aim.CROWDED: ("超过 10 条的 10 分钟时段（%）", "10-min intervals with more than 10, %"),
    Aim.FLOODED: ("泛滥时间（%）", "Time in flood, %"),
    Aim.BAD_ACTORS: ("前十名占全部报警（%）", "Top ten of all alarms, %"),
    Aim.CHATTERING: ("频繁抖动的点位", "What chatters"),
    Aim.STALE: ("最多一日内的长时报警", "Stale on the worst day"),
    Aim.HIGHEST: ("最高优先级（%）", "Priority highest, %"),
    Aim.HIGH: ("高及以上优先级（%）", "Priority high and above, %"),
    Aim.MEDIUM: ("中优先级（%）", "Priority medium, %"),
    Aim.STANDING: ("同时活动最多", "Most active at a time"),
    Aim.SHELVED: ("同时搁置最多", "Most shelved at a time"),
}

_PRIORITIES: dict[Priority, tuple[str, str]] = {
    Priority.HIGHEST: ("最高", "highest"),
    Priority.HIGH: ("高", "high"),
    Priority.MEDIUM: ("中", "medium"),
    Priority.LOW: ("低", "low"),
}

_VERDICTS: dict[Verdict, tuple[str, str]] = {
    Verdict.REAL: ("真实", "real"),
    Verdict.FALSE: ("误报", "false"),
    Verdict.TEST: ("测试", "test"),
}

_STAGES: dict[Milestone, tuple[str, str]] = {
    Milestone.SOURCE: ("传感器", "source"),
    Milestone.RECEIVED: ("收到", "received"),
    Milestone.DECIDED: ("判定", "decided"),
    Milestone.JOURNALLED: ("入库", "journalled"),
    Milestone.ANNUNCIATED: ("显示", "annunciated"),
    Milestone.DELIVERED: ("送达", "delivered"),
    Milestone.PROVEN: ("证实动作", "proven"),
}

_IN_TIME: dict[InTime, tuple[str, str]] = {
    InTime.PASS: ("按时", "in time"),
    InTime.LATE: ("超时", "late"),
    InTime.NOT_YET: ("未到", "not yet"),
}

_MEANS: dict[Means, tuple[str, str]] = {
    Means.AS_IT_IS: ("现行数值", "as it is"),
    Means.DEADBAND: ("加宽回差", "a wider deadband"),
    Means.OFF_DELAY: ("延长恢复延时", "a longer off-delay"),
    Means.DEADBAND_AND_OFF_DELAY: ("加宽回差并延长恢复延时", "both"),
    Means.ON_DELAY: ("延长报警延时", "a longer on-delay"),
    Means.ON_AND_OFF_DELAY: ("延长报警和恢复延时", "longer on- and off-delays"),
    Means.LIMIT: ("移动限值", "another limit"),
}

_FINDINGS: dict[Finding, tuple[str, str]] = {
    Finding.SUGGESTED: (
        "建议：{change}。报警 {before} 条 → {after} 条，事件全部保留，最多推迟 {delay}。",
        "Suggested: {change}. {before} alarms -> {after}, every event told, {delay} later at the most.",
    ),
    Finding.NOTHING_BETTER: (
        "在所试范围内，没有数值既减少报警，又不丢失事件、也不推迟超过 {limit}。请检查设备本身。",
        "No other numbers spare an alarm without losing an event or making people wait more than {limit} longer. "
        "Look for the cause at the device.",
    ),
    Finding.TOO_FEW_ALARMS: (
        "回放只有 {before} 条报警，少于 {fewest} 条，无法判断。",
        "The replay gives {before} alarms; with fewer than {fewest} nobody can tell chatter from chance.",
    ),
    Finding.NOTHING_TO_TUNE: (
        "分级规则的每一级各有数值，这里不试。",
        "A ladder has numbers for each of its steps; these are not tried.",
    ),
    Finding.RULE_GONE: (
        "现在的规则中已没有这条规则，或它不再涉及该对象。",
        "The rules of now do not have this rule for this subject any more.",
    ),
    Finding.NO_READINGS: ("本月没有可回放的读数。", "There are no readings of this month to play."),
}

_SHELVING = (
    "一小时内第 {after} 次报警时搁置 {at_most}：本月搁置 {times} 次，减少 {spared} 条报警，其中没有经核实为真实的。",
    "Shelving it for {at_most} at the third alarm within an hour: {times} times, {spared} alarms spared, none of them "
    "confirmed as real.",
)


class Words:
    """The report in one language, at a seat's own time."""

    def __init__(self, language: Language, time_zone: str) -> None:
        self.language = language
        self._place = 0 if language == "zh" else 1
        self._zone = ZoneInfo(time_zone)

    def __call__(self, name: str, **values: object) -> str:
        """Words of the report itself."""
        return self._said(_WORDS[name]).format(**values)

    def aim(self, aim: Aim) -> str:
        """What is wanted."""
        return self._said(_AIMS[aim])

    def priority(self, priority: Priority) -> str:
        """A priority."""
        return self._said(_PRIORITIES[priority])

    def verdict(self, verdict: Verdict) -> str:
        """What an alarm turned out to be."""
        return self._said(_VERDICTS[verdict])

    def stage(self, stage: Milestone) -> str:
        """A stage of an alarm's way."""
        return self._said(_STAGES[stage])

    def in_time(self, verdict: InTime) -> str:
        """Whether a limit was kept."""
        return self._said(_IN_TIME[verdict])

    def means(self, means: Means) -> str:
        """What a variant of a rule changes."""
        return self._said(_MEANS[means])

    def alarm_class(self, times: LimitTimes) -> str:
        """Whose limit it is."""
        return self("fire" if times.alarm_class == "fire" else "other")

    def change(self, variant: Variant) -> str:
        """What a variant sets."""
        return ", ".join(f"{path} {value}" for path, value in variant.set.items())

    def finding(self, advice: Advice) -> str:
        """The advice in a sentence."""
        chosen = advice.suggestion
        return self._said(_FINDINGS[advice.finding]).format(
            change=self.change(chosen) if chosen is not None else "",
            before=advice.played,
            after=chosen.alarms if chosen is not None else "",
            delay=duration(chosen.delay_longest) if chosen is not None else "",
            limit=duration(LONGEST_ON_DELAY),
            fewest=FEWEST_ALARMS,
        )

    def shelving(self, shelving: Shelving) -> str:
        """What shelving would have spared."""
        return self._said(_SHELVING).format(
            after=SHELVED_AFTER, at_most=duration(shelving.at_most), times=shelving.times, spared=shelving.spared
        )

    def time(self, time: datetime) -> str:
        """A moment, to the minute."""
        return f"{time.astimezone(self._zone):%Y-%m-%d %H:%M}"

    def day(self, time: datetime) -> str:
        """A day."""
        return f"{time.astimezone(self._zone):%Y-%m-%d}"

    def _said(self, words: tuple[str, str]) -> str:
        return words[self._place]


def duration(length: timedelta | None) -> str:
    """A duration as people write it, to the second where it is a minute and longer; "–" where there is none."""
    if length is None:
        return "–"
    exact = timedelta(seconds=round(length.total_seconds())) if length >= timedelta(minutes=1) else length
    return write_duration(max(exact, timedelta(0)))


def number(value: float) -> str:
    """A number without more digits than anybody reads."""
    return f"{value:,.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"
