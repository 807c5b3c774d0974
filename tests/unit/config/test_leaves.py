"""How many times a condition counts for a subject, beside what the engine is built from."""

from __future__ import annotations

import pytest

from firewatch.config.condition_check import ConditionChecker
from firewatch.config.document import parse_document
from firewatch.config.rule_files import RuleFiles, Written
from firewatch.rules.compile import compile_rules
from firewatch.rules.scope import Subjects
from firewatch.rules.spec import RuleSpec
from tests.unit.config.world import INVENTORY

RULE = """id: a
scope: {asset: supply, sites: [east]}
when: {WHEN}
priority: low
class: trouble
text: {zh: 文, en: text}
advice: {zh: 文, en: advice}
"""

FAULT, SPARE, NONE = (
    f"{{state: {{signal: {name}, is: true}}}}" for name in ("pump/fault", "pump.spare/fault", "horn/playing")
)


@pytest.mark.parametrize(
    ("when", "count"),
    [
        ("state: {signal: pump/fault, is: true}", 2),
        ("state: {signal: pump.spare/fault, is: true}", 1),
        ("state: {signal: horn/playing, is: true}", 0),
        ("low: {signal: gauge/pressure, limit: 1}", 1),
        ("stuck: {signal: pump/mode, after: 1h}", 2),
        ("absence: {signal: pump/fault, after: 15s}", 2),
        ("difference: {signal: gauge/pressure, minus: gauge/flow, apart: 1}", 1),
        ("difference: {signal: gauge/pressure, minus: gauge/pressure, apart: 1}", 0),
        ("difference: {signal: pump/running, minus: pump/running, apart: 1}", 1),
        ("difference: {signal: pump/running, minus: pump/running, above: 1}", 2),
        ("difference: {signal: pump/running, minus: pump/fault, above: 1}", 2),
        (f"all: [{FAULT}, {NONE}]", 0),
        (f"any: [{FAULT}, {NONE}]", 1),
        (f"any: [{NONE}]", 0),
        (f"not: {FAULT}", 1),
        (f"not: {NONE}", 0),
        (f"k_of_n: {{k: 1, within: 1min, of: [{FAULT}, {NONE}]}}", 1),
        (f"sequence: {{first: {FAULT}, then: {SPARE}, within: 1min}}", 1),
        (f"sequence: {{first: {FAULT}, without: {NONE}, within: 1min}}", 0),
        (f"count: {{of: {FAULT}, at_least: 2, within: 1min}}", 1),
        (f"duty_cycle: {{of: {NONE}, share: 0.2, within: 1min}}", 0),
        ("schedule: {windows: [{}]}", 1),
        ("expression: {cel: a && b, signals: {a: pump/running, b: pump/fault}}", 2),
        ("expression: {cel: a && b, signals: {a: pump.main/running, b: pump/fault}}", 2),
        ("expression: {cel: a && b, signals: {a: pump/running, b: horn/playing}}", 0),
    ],
)
def test_a_condition_counts_as_often_as_the_engine_judges_it(when: str, count: int) -> None:
    document, _ = parse_document("a.yaml", RULE.replace("WHEN", when))
    assert document is not None
    spec = RuleSpec.model_validate(document.data)
    subjects = tuple(Subjects(INVENTORY).within(spec.scope))
    checker = ConditionChecker(Written(document, (), spec), INVENTORY.kinds, RuleFiles(), subjects, subjects, [])
    assert spec.when is not None
    assert checker.leaves(subjects[0], spec.when) == count
    assert len(compile_rules([spec], INVENTORY)) == min(1, count)
    if count:
        many = document.data | {"when": {"k_of_n": {"k": 1, "within": "1min", "of": [document.data["when"]]}}}
        (instance,) = compile_rules([RuleSpec.model_validate(many)], INVENTORY)
        assert len(instance.evaluator.explain(instance.evaluator.initial()).parts) == count
