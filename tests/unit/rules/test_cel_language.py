from __future__ import annotations

import re

import pytest

from firewatch.model.site import SignalType
from firewatch.rules.cel_language import MOST_NESTED, MOST_TOKENS, check_expression, compile_expression

TYPES = {
    "x": SignalType.NUMBER,
    "y": SignalType.NUMBER,
    "on": SignalType.BOOLEAN,
    "mode": SignalType.STATE,
}


def types_in(expression: str) -> dict[str, SignalType]:
    """Those of the names above that an expression uses."""
    words = expression.replace("'auto'", "")
    return {name: type_ for name, type_ in TYPES.items() if name in words}


TRUE = [
    "x > 2",
    "x >= 2.5 && x <= 25e-1",
    "x * 2 == 5",
    "x / 2 == 1.25",
    "x - y * 2 == 0.5",
    "-x < 0",
    "(x + y) / 2 > 1",
    "on",
    "on && !(x < y)",
    "x < y || on",
    "on ? x > y : x < y",
    "mode == 'auto'",
    'mode == "auto" && on == true',
    "mode != 'off'",
    "mode in ['auto', 'manual']",
    "!(x in [1, 2, 3])",
    "x > 1\n  && y < 2",
    "1 / 2 + x == 3",
]


@pytest.mark.parametrize("expression", TRUE)
def test_what_a_rule_may_say(expression: str) -> None:
    types = types_in(expression)
    assert check_expression(expression, types) == []
    values = {"x": 2.5, "y": 1.0, "on": True, "mode": "auto"}
    assert compile_expression(expression, types)({name: values[name] for name in types}) is True


WRONG = {
    "": "it is empty",
    "x > ": "column 3: something is missing here",
    "(x > 1": "column 6: a closing bracket is missing",
    "x > 1)": "column 6: this is not expected",
    "x": "it gives a number; compare that with something, so that it gives true or false",
    "on ? x : x": "it gives a number; compare that with something, so that it gives true or false",
    "mode == x": 'column 6: "==" does not go with a state and a number',
    "on > 1": 'column 4: ">" does not go with a true/false and a number',
    "x + 'a' > 1": 'column 3: "+" does not go with a number and a state',
    "x in ['a']": 'column 3: "in" does not go with a number and a list',
    "on && x": 'column 4: "&&" does not go with a true/false and a number',
    "!x": 'column 1: "!" does not go with a number',
    "1 < x < 3": 'column 7: "<" does not go with a true/false and a number',
    "on ? x > 1 : 'a'": 'column 4: "? :" does not go with a true/false and a true/false and a state',
    "x = 2": 'column 3: unexpected "="; write ==',
    "on and x > 1": 'column 4: unexpected "and"; write &&',
    "not on": 'column 1: unexpected "not"; write !',
    "on & x > 1": 'column 4: unexpected "&"; write &&',
    "on == True": 'column 7: unexpected "True"; write true',
    "x > 1 && z > 1": 'column 10: there is no signal "z" here, only x',
    "x > null": 'column 5: there is no signal "null" here, only x',
    "size(mode) > 1": 'column 1: "size(" is a function, and expressions have none',
    "mode.matches('(a+)+')": 'column 5: unexpected "."; nothing here has members or methods',
    "[1, 2].all(i, i > x)": 'column 7: unexpected "."; nothing here has members or methods',
    "x[0] > 1": 'column 1: "x" is no list',
    "{'a': x}['a'] > 1": 'column 1: unexpected "{"',
    "mode == 'a\\n'": "column 9: the text does not end, or has a backslash in it",
    "mode == 'a": "column 9: the text does not end, or has a backslash in it",
    "x / y > 1": "column 3: only a number other than 0 divides; write a product on the other side instead",
    "x / 0 > 1": "column 3: only a number other than 0 divides; write a product on the other side instead",
    "x % 2 == 0": 'column 3: unexpected "%"',
    "x > 0x10": 'column 5: unexpected "0x10"',
    "x > 1e400": "column 5: 1e400 is too large",
    "x > 1 // half": "column 7: only a number other than 0 divides; write a product on the other side instead",
    "__import__('os')": 'column 1: "__import__(" is a function, and expressions have none',
}


@pytest.mark.parametrize(("expression", "problem"), WRONG.items(), ids=WRONG)
def test_what_a_rule_may_not_say(expression: str, problem: str) -> None:
    assert check_expression(expression, types_in(expression))[:1] == [problem]
    with pytest.raises(ValueError, match=re.escape(problem)):
        compile_expression(expression, types_in(expression))


def test_a_name_that_is_not_used_is_a_problem() -> None:
    assert check_expression("x > 1", {"x": SignalType.NUMBER, "y": SignalType.NUMBER}) == [
        'the expression does not use "y"; leave it out'
    ]


@pytest.mark.parametrize("name", ["in", "type", "true", "2x", "a-b", "a.b", "温度", ""])
def test_not_everything_can_name_a_signal(name: str) -> None:
    assert "cannot name a signal here" in check_expression("x > 1", {name: SignalType.NUMBER})[0]


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        (" && ".join(["on"] * MOST_TOKENS), f"it has more than {MOST_TOKENS} names"),
        ("(" * 500 + "on" + ")" * 500, "it has more than"),
        ("(" * 20 + "on" + ")" * 20, f"more than {MOST_NESTED} brackets"),
        ("+".join(["x"] * 90) + " > 1", "it is nested too deeply"),
        ("on ? on : " * 45 + "on", "it is nested too deeply"),
    ],
    ids=["long", "very deep", "deep", "a long sum", "many choices"],
)
def test_the_size_of_an_expression_is_bounded(expression: str, problem: str) -> None:
    (found,) = check_expression(expression, types_in(expression))
    assert problem in found
    assert "make two rules of it" in found


def test_every_number_is_a_double_so_that_nothing_overflows() -> None:
    evaluate = compile_expression("x + 9223372036854775807 * 9223372036854775807 > 0", {"x": SignalType.NUMBER})
    assert evaluate({"x": 1.0}) is True


def test_what_the_library_cannot_do_is_unknown() -> None:
    evaluate = compile_expression("x > 1", {"x": SignalType.NUMBER})
    assert evaluate({}) is None
    assert evaluate({"x": "text"}) is None
