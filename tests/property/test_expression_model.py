"""Expressions beside models of their own: a tree that is written down as CEL and reckoned out in Python, and the newest
reading of each signal, looked up in the whole list.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from math import isnan, nan
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from firewatch.model.site import SignalType
from firewatch.rules.cel_language import check_expression, compile_expression
from firewatch.rules.expression import ExpressionEvaluator
from firewatch.rules.spec import ExpressionSpec
from tests.unit.rules.drive import BAD, Drive

pytestmark = pytest.mark.slow

TYPES = {
    "x": SignalType.NUMBER,
    "y": SignalType.NUMBER,
    "on": SignalType.BOOLEAN,
    "mode": SignalType.STATE,
}
Values = dict[str, Any]
Tree = tuple[str, Callable[[Values], Any]]
"""How it is written, and what it is."""

numbers_written = st.one_of(st.integers(0, 100).map(str), st.floats(0, 1000, allow_subnormal=False).map(repr))
number_leaves: st.SearchStrategy[Tree] = st.one_of(
    st.sampled_from(["x", "y"]).map(lambda name: (name, lambda values: values[name])),
    numbers_written.map(lambda text: (text, lambda values: float(text))),
)


def arithmetic(parts: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    signs = {"+": operator.add, "-": operator.sub, "*": operator.mul}
    return st.one_of(
        st.builds(lambda one, sign, two: pair(one, sign, two, signs[sign]), parts, st.sampled_from([*signs]), parts),
        parts.map(lambda one: (f"-{one[0]}", lambda values: -one[1](values))),
        st.builds(lambda one, by: (f"({one[0]}) / {by}", lambda values: one[1](values) / by), parts, st.integers(1, 9)),
    )


def pair(one: Tree, sign: str, two: Tree, reckon: Callable[[Any, Any], Any]) -> Tree:
    return f"({one[0]} {sign} {two[0]})", lambda values: reckon(one[1](values), two[1](values))


numbers = st.recursive(number_leaves, arithmetic, max_leaves=4)
COMPARISONS = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne
}  # fmt: skip
states = st.sampled_from(["auto", "off", "自动"])
truth_leaves: st.SearchStrategy[Tree] = st.one_of(
    st.just(("on", lambda values: values["on"])),
    st.builds(
        lambda a, sign, b: pair(a, sign, b, COMPARISONS[sign]), numbers, st.sampled_from([*COMPARISONS]), numbers
    ),
    states.map(lambda state: (f"mode == '{state}'", lambda values: values["mode"] == state)),
    st.lists(states, max_size=3).map(lambda some: (f"mode in {some!r}", lambda values: values["mode"] in some)),
)


def logic(parts: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    return st.one_of(
        st.builds(lambda one, two: pair(one, "&&", two, lambda a, b: a and b), parts, parts),
        st.builds(lambda one, two: pair(one, "||", two, lambda a, b: a or b), parts, parts),
        parts.map(lambda one: (f"!({one[0]})", lambda values: not one[1](values))),
        st.builds(
            lambda test, one, two: (
                f"(({test[0]}) ? ({one[0]}) : ({two[0]}))",
                lambda values: one[1](values) if test[1](values) else two[1](values),
            ),
            parts,
            parts,
            parts,
        ),
    )


trees = st.recursive(truth_leaves, logic, max_leaves=5)
readings = st.fixed_dictionaries(
    {"x": st.floats(-1e6, 1e6), "y": st.integers(-5, 5).map(float), "on": st.booleans(), "mode": states}
)


@settings(max_examples=300, deadline=None)
@given(tree=trees, values=readings)
def test_an_expression_is_what_it_says(tree: Tree, values: Values) -> None:
    text, reckon = tree
    words = set(re.findall(r"[a-z]+", text))
    types = {name: type_ for name, type_ in TYPES.items() if name in words}
    assume(types and not any("make two rules of it" in problem for problem in check_expression(text, types)))
    assert compile_expression(text, types)(values) is reckon(values)


WORDS = [
    *("x", "y", "on", "mode", "'a'", "1", "2.5", "true", "null", "size", "in"),
    *("(", ")", "[", "]", "{", "}", ",", "?", ":", ".", '"', "\n"),
    *("&&", "||", "!", "==", "<", "+", "-", "*", "/", "%"),
]


@settings(max_examples=300, deadline=None)
@given(
    text=st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(WORDS),
            max_size=40,
        ).map(" ".join),
    ),
    values=readings,
)
def test_any_text_at_all_is_either_refused_in_words_or_can_be_judged(text: str, values: Values) -> None:
    types = {name: type_ for name, type_ in TYPES.items() if name in text}
    problems = check_expression(text, types)
    assert all(problems)
    if not problems:
        assert compile_expression(text, types)(values) in (True, False)


MAX_AGE = 6.0
X, Y = "s/d/x", "s/e/y"
Heard = list[tuple[float, str, float | str]]
"""When it was read, of which signal, and what."""

stories = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.5, 1.0, 4.0, 7.0]),
        st.sampled_from([X, Y]),
        st.sampled_from([1.0, 2.0, 3.0, 4.0, BAD, "a", nan]),
        st.sampled_from([0.0, 0.0, 0.0, 0.5, 3.0, 6.5]),
        st.sampled_from([None, None, None, 0, 1, 2]),
        st.booleans(),
    ),
    min_size=5,
    max_size=30,
)


def compared(heard: Heard) -> str:
    """What `x < y` is of the newest of both."""
    newest: dict[str, tuple[float, float | str]] = {}
    for time, signal, value in sorted(heard, key=lambda each: each[0]):
        newest[signal] = (time, value)
    if len(newest) < 2 or abs(newest[X][0] - newest[Y][0]) > MAX_AGE:
        return "unknown"
    (_, x), (_, y) = newest[X], newest[Y]
    if not isinstance(x, float) or not isinstance(y, float) or isnan(x) or isnan(y):
        return "unknown"
    return "active" if x < y else "inactive"


@settings(max_examples=150, deadline=None)
@given(story=stories)
def test_it_is_judged_by_the_newest_of_each_signal(
    story: list[tuple[float, str, float | str, float, int | None, bool]],
) -> None:
    spec = ExpressionSpec.model_validate({"cel": "x < y", "signals": {"x": "x", "y": "y"}, "max_age": f"{MAX_AGE}s"})
    drive = Drive(ExpressionEvaluator(spec, {"x": X, "y": Y}, {"x": SignalType.NUMBER, "y": SignalType.NUMBER}))
    heard: Heard = []
    now = 0.0
    for after, signal, value, late_by, again, restarts in story:
        now += after
        if restarts:
            drive.restart(now)
        drive.advance(now)
        assert drive.condition == compared(heard)
        heard.append((now - late_by, signal, value))
        if again is not None:
            heard[-1] = heard[-1 - again % len(heard)]
        drive.hear(now, heard[-1][2], signal=heard[-1][1], event=heard[-1][0])
        assert drive.condition == compared(heard)
