"""How certain the sensors are of an alarm, for those who are told of it in CAP.

Two independent devices say so: Observed. One does: Likely. It is unusual and nothing more, or is not known any more:
Possible. Each alarm is judged by its own rule as it runs now; an operator's verdict (`broadcast.cap`) outweighs it.
"""

from __future__ import annotations

from firewatch.broadcast.cap import Certainty
from firewatch.model.alarm import Alarm, ConditionState
from firewatch.rules.compile import RuleInstance
from firewatch.rules.witness import alone, rests_on_habit


def certainty(alarm: Alarm, instance: RuleInstance | None) -> Certainty:
    """`instance` is the rule for the alarm's subject; None where it does not run any more."""
    if alarm.condition is ConditionState.UNKNOWN:
        return Certainty.POSSIBLE
    if instance is None:
        return Certainty.LIKELY
    condition = instance.steps[min(alarm.step, len(instance.steps) - 1)].when
    if rests_on_habit(condition):
        return Certainty.POSSIBLE
    return Certainty.LIKELY if alone(condition, instance.devices, instance.kinds) else Certainty.OBSERVED
