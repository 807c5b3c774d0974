"""The sentences that explain rules, in Chinese and English, and how their numbers, times and names are written.

They are put together here and not in the console, so that it and `firewatch explain` say the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from firewatch.model.observation import Value
from firewatch.model.text import LocalText

_UNIT_SIGNS = {"degC": "°C", "mg/m3": "mg/m³", "m3": "m³"}

_PHRASES: dict[str, tuple[str, str]] = {
    # What a condition asks for.
    "above": ("{signal}高于{limit}", "{signal} above {limit}"),
    "below": ("{signal}低于{limit}", "{signal} below {limit}"),
    "state": ("{signal}：{values}", "{signal}: {values}"),
    "absence": ("{what}超过{after}无数据", "nothing heard from {what} for {after}"),
    "rises": ("{signal}在{within}内上升超过{by}", "{signal} rises by more than {by} within {within}"),
    "falls": ("{signal}在{within}内下降超过{by}", "{signal} falls by more than {by} within {within}"),
    "rises_or_falls": (
        "{signal}在{within}内上升超过{rise}或下降超过{fall}",
        "{signal} rises by more than {rise} or falls by more than {fall} within {within}",
    ),
    "difference.above": ("{signal}比{minus}高出{limit}以上", "{signal} more than {limit} above {minus}"),
    "difference.below": ("{signal}与{minus}之差低于{limit}", "{signal} less {minus} is below {limit}"),
    "difference.apart": ("{signal}与{minus}相差超过{limit}", "{signal} and {minus} more than {limit} apart"),
    "deviation": (
        "{signal}偏离该时段常值超过{limit}",
        "{signal} more than {limit} from what is usual at this hour of the week",
    ),
    "state_changed": ("{signal}在最近{hold}内发生变化", "{signal} changed within the last {hold}"),
    "state_changed.from": ("{signal}在最近{hold}内由{from}变化", "{signal} changed from {from} within the last {hold}"),
    "state_changed.to": ("{signal}在最近{hold}内变为{to}", "{signal} changed to {to} within the last {hold}"),
    "state_changed.from_to": (
        "{signal}在最近{hold}内由{from}变为{to}",
        "{signal} changed from {from} to {to} within the last {hold}",
    ),
    "chatter": ("{signal}在{within}内变化{changes}次", "{signal} changes {changes} times within {within}"),
    "stuck": ("{signal}在{after}内不变", "{signal} does not move for {after}"),
    "camera_session": ("在多数画面中{signal}达到{enter}", "{signal} reaches {enter} in enough pictures"),
    "expression": ("{cel}", "{cel}"),
    "any": ("满足以下任一条件", "any of these"),
    "all": ("同时满足以下条件", "all of these"),
    "not": ("不满足以下条件", "not this"),
    "k_of_n": ("以下条件中满足{k}项", "{k} of these"),
    "k_of_n.within": ("以下条件中在{within}内满足{k}项", "{k} of these within {within} of one another"),
    "sequence": ("先满足第一项，{within}内再满足第二项", "the first, and the second within {within} after it"),
    "omission": ("第一项成立{within}后第二项仍成立", "the second still holds {within} after the first began"),
    "count": ("{within}内发生{at_least}次", "{at_least} times within {within}"),
    "duty_cycle": ("占{within}的{share}以上", "for more than {share} of {within}"),
    "schedule": ("处于规定时段", "within its hours"),
    "schedule.named": ("处于时段“{calendar}”", "within the hours “{calendar}”"),
    "delay": ("不经延时", "without a delay"),
    "delay.on": ("持续{on}", "for {on}"),
    "delay.off": ("消失{off}后结束", "over when gone for {off}"),
    "delay.both": ("持续{on}；消失{off}后结束", "for {on}; over when gone for {off}"),
    "rule_failed": ("规则运行出错", "a rule fails"),
    # What is known of it.
    "back_at": ("回到{limit}才算恢复", "back at {limit}"),
    "heard_at": ("最近一次：{time}", "last heard at {time}"),
    "awaited_since": ("自{time}起等待", "awaited since {time}"),
    "moved": ("期间上升{rose}，下降{fell}", "rose by {rose}, fell by {fell}"),
    "differ": ("现相差{difference}", "they differ by {difference}"),
    "usual": ("常值为{usual}", "usual is {usual}"),
    "learning": ("已学习{learnt}周，共需{weeks}周", "has learnt {learnt} of {weeks} weeks"),
    "counted": ("已计{n}次", "{n} so far"),
    "changed_at": ("最近变化：{time}", "last changed at {time}"),
    "unmoved": ("自{time}起为{value}", "{value} since {time}"),
    "holding": ("{all}项中满足{n}项", "{n} of {all} hold"),
    "first_at": ("第一项发生于{time}", "the first began at {time}"),
    "active_for": ("其中{active}", "{active} of it"),
    "pending_on": ("自{since}起，{left}后成立", "since {since}, counts in {left}"),
    "pending_off": ("{left}后结束", "over in {left}"),
    "votes": ("{frames}帧中{votes}帧", "{votes} of {frames} pictures"),
    # Clauses of the answer.
    "is_beyond": ("{signal}为{value}，{demand}", "{signal} is {value}, {demand}"),
    "is_not_beyond": ("{signal}为{value}，不{demand}", "{signal} is {value}, not {demand}"),
    "is_not_back": (
        "{signal}为{value}，尚未回到{limit}",
        "{signal} is {value} and was beyond the limit, and is not back at {limit}",
    ),
    "word.above": ("高于{limit}", "above {limit}"),
    "word.below": ("低于{limit}", "below {limit}"),
    "is": ("{signal}：{value}", "{signal}: {value}"),
    "is_not": ("{signal}：{value}（应为{values}）", "{signal}: {value}, not {values}"),
    "heard": ("{what}于{age}前有数据", "{what} was heard {age} ago"),
    "silent": ("{what}自{since}起无数据", "nothing was heard from {what} since {since}"),
    "silent.ever": ("从未收到{what}的数据", "nothing was ever heard from {what}"),
    "score": ("{signal}为{value}，未达到{enter}", "{signal} is {value}, not {enter} or more"),
    "of": ("{what}，{demand}", "{what}, {demand}"),
    "true": ("{demand}{note}", "{demand}{note}"),
    "false": ("不成立：{demand}{note}", "not the case: {demand}{note}"),
    "note": ("（{note}）", " ({note})"),
    "none_of": ("{n}项条件均不满足，例如{clauses}", "none of {n} conditions holds, such as: {clauses}"),
    "too_few": ("需满足{k}项，现仅满足{n}项；未满足：{clauses}", "only {n} of the needed {k} hold; not: {clauses}"),
    "lasting": ("{clause}，但尚未持续{on}", "{clause}, but not yet for {on}"),
    "more": ("等{n}项", "and {n} more"),
    "never_heard": ("尚未收到{signal}", "{signal} has not been heard yet"),
    "bad": ("{signal}最近一次读数无效", "the last reading of {signal} is bad"),
    "unknown": ("尚不可知：{demand}{note}", "not known: {demand}{note}"),
    "no_signals": ("此处没有该规则所需的信号", "there are none of the rule's signals here"),
    # The answer.
    "none": ("未报警：{why}。", "No alarm: {why}."),
    "none.unknown": (
        "未报警，但目前无法判断：{why}。",
        "No alarm, but it cannot be judged at present: {why}.",
    ),
    "none.pending": (
        "尚未报警：{what}，自{since}起。若持续不变，{left}后报警。",
        "No alarm yet: {what}, since {since}. It alarms in {left} unless that ends.",
    ),
    "none.silence": (
        "未报警：{what}。若一直无数据，{left}后报警。",
        "No alarm: {what}. It alarms in {left} unless something is heard.",
    ),
    "none.suspected": (
        "尚未报警：自{since}起疑似出现，{left}内判定。",
        "No alarm yet: something was seen at {since}, and within {left} it is decided whether it is real.",
    ),
    "alarm": ("{since}起报警：{why}。", "Alarm since {since}: {why}."),
    "alarm.unknown": (
        "{since}起报警。现无法判断是否已经恢复，因此保持：{why}。",
        "Alarm since {since}. It stays, because nobody can tell whether it is over: {why}.",
    ),
    "alarm.ending": (
        "{since}起报警。{why}。若不再出现，{left}后结束。",
        "Alarm since {since}. Now {why}. It is over in {left} unless it comes back.",
    ),
    "alarm.latched": (
        "{since}起报警。现{why}。报警已锁定，须有人复位。",
        "Alarm since {since}. Now {why}. It is latched and stays until somebody resets it.",
    ),
    "alarm.returned": (
        "{since}起报警。现{why}。须有人确认后才会结束。",
        "Alarm since {since}. Now {why}. It stays until somebody acknowledges it.",
    ),
    "alarm.carried": (
        "{since}起报警。规则已修改，尚待新规则判定。",
        "Alarm since {since}. The rule was changed since, and has not judged it yet.",
    ),
    "alarm.rises": ("若持续不变，{left}后升为“{priority}”级。", "It becomes {priority} in {left} unless that ends."),
    "alarm.gone": ("{since}至{until}曾报警，现已结束。", "It alarmed from {since} to {until} and is over."),
    "alarm.gone.soon": ("{since}曾报警，现已结束。", "It alarmed at {since} and is over."),
    "alarm.no_rule": ("该规则现已不再判断此处。", "The rule does not judge this any more."),
    "failed": (
        "规则于{time}在此处运行出错，重新加载规则之前不作判断：{error}。",
        "The rule failed here at {time} and judges nothing until the rules are reloaded: {error}.",
    ),
    "shadow": (
        "该规则为试运行：不通知任何人，也不执行动作。",
        "The rule is a shadow: nobody is told, and nothing is done.",
    ),
    "hidden.shelf": (
        "不通知：{by}搁置至{until}（{reason}）。",
        "Nobody is told: {by} shelved it until {until} ({reason}).",
    ),
    "hidden.out": (
        "不通知：{by}自{since}起停用（{reason}）。",
        "Nobody is told: {by} took it out of service at {since} ({reason}).",
    ),
    "hidden.out.until": (
        "不通知：{by}自{since}起停用至{until}（{reason}）。",
        "Nobody is told: {by} took it out of service at {since}, until {until} ({reason}).",
    ),
    "hidden.suppressed": (
        "不通知：已由另一报警说明（{alarm}）。",
        "Nobody is told: another alarm explains it ({alarm}).",
    ),
}

_VALUES: dict[str, tuple[str, str]] = {
    "of": ("{what}，{demand}", "{what}, {demand}"),
    "true": ("是", "yes"),
    "false": ("否", "no"),
    "open": ("开", "open"),
    "closed": ("关", "closed"),
    "opening": ("正在打开", "opening"),
    "closing": ("正在关闭", "closing"),
    "up": ("全开", "up"),
    "half": ("半降", "half down"),
    "down": ("全降", "down"),
    "good": ("良好", "good"),
    "uncertain": ("可疑", "uncertain"),
    "bad": ("无效", "bad"),
    "highest": ("最高", "highest"),
    "high": ("高", "high"),
    "medium": ("中", "medium"),
    "low": ("低", "low"),
}

_LONGEST_CLAUSES = 3
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def same(text: str) -> LocalText:
    """What reads the same in both languages."""
    return LocalText(zh=text, en=text)


def say(key: str, **values: LocalText | str | int) -> LocalText:
    """The sentence or clause of that name, its placeholders filled by the half of each value that fits."""
    zh, en = _PHRASES[key]
    return LocalText(
        zh=zh.format(**{name: value.zh if isinstance(value, LocalText) else value for name, value in values.items()}),
        en=en.format(**{name: value.en if isinstance(value, LocalText) else value for name, value in values.items()}),
    )


def joined(clauses: list[LocalText]) -> LocalText:
    """The first clauses, one after the other, and how many more there are."""
    shown = clauses[:_LONGEST_CLAUSES]
    if len(clauses) > len(shown):
        shown = [*shown, say("more", n=len(clauses) - len(shown))]
    return LocalText(zh="；".join(clause.zh for clause in shown), en="; ".join(clause.en for clause in shown))


def sentences(parts: list[LocalText]) -> LocalText:
    """Whole sentences, one after the other."""
    return LocalText(zh="".join(part.zh for part in parts), en=" ".join(part.en for part in parts))


def word(value: str) -> LocalText:
    """A named state; its own word where there is no other."""
    zh, en = _VALUES.get(value, (value, value))
    return LocalText(zh=zh, en=en)


def quantity(value: Value | None, unit: str) -> LocalText:
    """A reading with its unit."""
    if value is None:
        return LocalText(zh="未知", en="unknown")
    if isinstance(value, bool | str):
        return word(str(value).lower() if isinstance(value, bool) else value)
    return same(f"{value:.6g} {_UNIT_SIGNS.get(unit, unit)}".rstrip())


def length(duration: timedelta) -> LocalText:
    """How long: to the second up to a minute, then in its two largest parts."""
    seconds = duration.total_seconds()
    if seconds < _MINUTE:
        number = f"{max(seconds, 0.0):.3g}"
        return LocalText(zh=f"{number}秒", en=f"{number} s")
    whole = round(seconds)
    for size, zh, en, part, part_zh, part_en in (
        (_DAY, "天", "d", _HOUR, "小时", "h"),
        (_HOUR, "小时", "h", _MINUTE, "分", "min"),
        (_MINUTE, "分", "min", 1, "秒", "s"),
    ):
        if whole >= size:
            large, small = whole // size, whole % size // part
            if not small and zh == "分":
                zh = "分钟"
            rest = (f"{small}{part_zh}", f" {small} {part_en}") if small else ("", "")
            return LocalText(zh=f"{large}{zh}{rest[0]}", en=f"{large} {en}{rest[1]}")
    raise AssertionError(duration)


def left(duration: timedelta) -> LocalText:
    """How long until something, in whole seconds."""
    return length(timedelta(seconds=max(round(duration.total_seconds()), 0)))


def clock_time(instant: datetime, now: datetime, zone: tzinfo) -> LocalText:
    """The time of day at a place, with the date if it is not today."""
    local = instant.astimezone(zone)
    today = local.date() == now.astimezone(zone).date()
    return same(f"{local:%H:%M:%S}" if today else f"{local:%Y-%m-%d %H:%M:%S}")
