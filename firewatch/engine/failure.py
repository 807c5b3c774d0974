"""A rule that raised at run time, and the trouble alarm that tells people so.

The alarm belongs to a rule of its own, which every engine brings along: it goes through the same life as any other,
and is as urgent as the rule that no longer watches.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from firewatch.model.alarm import Alarm, AlarmClass, ConditionState, Priority
from firewatch.model.observation import Value
from firewatch.rules.compile import RuleInstance
from firewatch.rules.evaluator import Change, Evidence, Phase
from firewatch.rules.reading import ReadingEvaluator
from firewatch.rules.spec import Mode, RuleSpec

PREFIX = "rule-failed-"
"""How the ids of these rules begin; what follows is the id of the rule that failed."""

_LONGEST_ID = 64
_LONGEST_ERROR = 200


class RuleFailure(msgspec.Struct, frozen=True):
    """A rule that raised at run time and is out of service for that subject until the next start or reload."""

    rule: str
    subject: str
    failed_time: datetime
    error: str

    def change(self) -> Change:
        """The onset of its trouble alarm; the error stands where other alarms have their value."""
        evidence = Evidence(self.failed_time, self.failed_time, value=self.error[:_LONGEST_ERROR])
        return Change(ConditionState.ACTIVE, self.failed_time, self.failed_time, evidence, Phase.ACTIVE)


def trouble_of(failed: RuleInstance) -> RuleInstance:
    """What speaks of the failure of a rule, at the first subject for which it failed."""
    priority = min((step.priority for step in failed.rule.steps), key=list(Priority).index)
    return _instance(failed.rule.id, failed, priority.value, failed.rule.mode)


def trouble_kept(alarm: Alarm) -> RuleInstance:
    """The same, from its standing alarm: the rule that failed may be gone."""
    mode = Mode.SHADOW if alarm.shadow else Mode.LIVE
    return _instance(alarm.rule.removeprefix(PREFIX), alarm, alarm.priority.value, mode)


class _Failed(ReadingEvaluator):
    """Judges nothing; the engine itself knows when a rule has failed."""

    def __init__(self) -> None:
        super().__init__("rule_failed", "")
        self.signals = ()

    @property
    def facts(self) -> dict[str, Value | datetime | timedelta]:
        """There is nothing to compare with."""
        return {}

    def judge(self, value: Value | None, *, was_active: bool) -> None:
        """Never asked, for want of a signal."""


def _instance(rule: str, at: RuleInstance | Alarm, priority: str, mode: Mode) -> RuleInstance:
    spec = RuleSpec.model_validate(
        {
            "id": f"{PREFIX}{rule}"[:_LONGEST_ID].rstrip("-"),
            "scope": {"device": "rule"},
            "when": {"absence": {"after": "0s"}},
            "priority": priority,
            "class": AlarmClass.TROUBLE.value,
            "mode": mode.value,
            "text": {
                "zh": f"{{place}}：规则{rule}运行出错，已停用：{{value}}",
                "en": f"{{place}}: the rule {rule} failed and is out of service: {{value}}",
            },
            "advice": {
                "zh": "该规则暂不监测，请加强人工巡查，并将错误信息告知维护人员。修正规则后重新加载即恢复。",
                "en": "What this rule watches is unwatched: patrol by hand, and tell the error to whoever maintains "
                "firewatch. The rule is in service again after the next reload.",
            },
        }
    )
    return RuleInstance(
        rule=spec,
        steps=spec.steps,
        site=at.site,
        subject=at.subject,
        building=at.building,
        system=at.system,
        place=at.place,
        evaluator=_Failed(),
        devices=(),
        kinds={},
        targets=dict.fromkeys(Phase, ()),
        fingerprint="",
    )
