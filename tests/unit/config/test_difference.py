"""The difference between two sets of rules, as people read it."""

from __future__ import annotations

from firewatch.config.difference import LONGEST_DIFFERENCE, difference
from firewatch.rules.spec import RuleSpec

TEXT = {"zh": "低", "en": "low"}


def low(name: str, limit: str = "0.07 MPa", **fields: object) -> RuleSpec:
    written = {
        "id": name,
        "scope": {"device": "pressure_transmitter"},
        "when": {"low": {"signal": "pressure", "limit": limit}},
        "priority": "high",
        "class": "supervisory",
        "text": TEXT,
        "advice": TEXT,
    }
    return RuleSpec.model_validate(written | fields)


def test_the_same_rules_in_another_order_do_not_differ() -> None:
    assert difference([low("a"), low("b")], [low("b"), low("a")]) == ""


def test_only_the_values_that_differ_are_listed_under_their_rule() -> None:
    after = low("b", "0.05 MPa", on_delay="1min30s")
    assert difference([low("a"), low("b")], [low("a"), after]).splitlines() == [
        "b:",
        "  - when.low.limit: 0.07 MPa",
        "  + when.low.limit: 0.05 MPa",
        "  - on_delay: 0s",
        "  + on_delay: 1min30s",
    ]


def test_a_rule_that_came_or_went_is_listed_whole() -> None:
    came, went = difference([], [low("a")]).splitlines(), difference([low("a")], []).splitlines()
    assert came[0] == went[0] == "a:"
    assert "  + when.low.limit: 0.07 MPa" in came
    assert [line.replace("  +", "  -") for line in came] == went


def test_the_parts_of_a_rule_that_is_overridden_are_compared_with_each_other() -> None:
    one, other = (
        low("a", scope={"device": "x", "subjects": ["p1"]}),
        low("a", "0.1 MPa", scope={"device": "x", "subjects": ["p2"]}),
    )
    changed = low("a", "0.2 MPa", scope={"device": "x", "subjects": ["p2"]})
    assert difference([one, other], [one, changed]).splitlines() == [
        "a (p2):",
        "  - when.low.limit: 0.1 MPa",
        "  + when.low.limit: 0.2 MPa",
    ]


def test_a_long_difference_is_cut_and_says_so() -> None:
    text = difference([], [low(f"rule-{number}") for number in range(1000)])
    assert len(text) <= LONGEST_DIFFERENCE + len("\n... and more")
    assert text.endswith("\n... and more")


def test_a_rule_that_an_override_takes_apart_is_told_by_what_changed_for_whom() -> None:
    towers = {"a": {"device": "x", "subjects": ["s/p1"]}, "b": {"device": "x", "subjects": ["s/p2", "s/p3"]}}
    whole = low("a", scope={"device": "x"})
    parts = [low("a", "0.06 MPa", scope=towers["a"]), low("a", scope=towers["b"])]
    assert difference([whole], parts).splitlines() == [
        "a (s/p1):",
        "  - when.low.limit: 0.07 MPa",
        "  + when.low.limit: 0.06 MPa",
    ]
    assert difference(parts, [whole]).splitlines() == [
        "a (s/p1):",
        "  - when.low.limit: 0.06 MPa",
        "  + when.low.limit: 0.07 MPa",
    ]


def test_an_override_for_other_subjects_is_told_as_well() -> None:
    one, other = ({"device": "x", "subjects": [subject]} for subject in ("s/p1", "s/p2"))
    before = [low("a", "0.06 MPa", scope=one), low("a", scope=other)]
    after = [low("a", scope=one), low("a", scope=other)]
    assert difference(before, after).splitlines()[0] == "a (s/p1):"
    assert "scope.subjects" in difference([low("a", scope=one)], [low("a", scope=other)])
