"""The part of CEL, the Common Expression Language, that a rule may use, and what is wrong with any other text.

It is small on purpose: values, comparisons, arithmetic, logic and lists to look in. There are no functions, no macros
and no members, so what an expression costs is bounded by its length, which is limited (docs/decisions/0011 has the
measure). All types are known when it is loaded, and only numbers divide, so nothing is left to go wrong later.

Every number is a double, as in observations: `1` means `1.0`, and `1 / 2` is a half.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from cel_expr_python import cel

from firewatch.model.observation import Value
from firewatch.model.site import SignalType

MOST_TOKENS = 200
"""Names, values and operators in an expression."""

MOST_NESTED = 10
"""Brackets within brackets."""

_LARGEST = 1e300
_TYPES = {
    SignalType.NUMBER: cel.Type.DOUBLE,
    SignalType.BOOLEAN: cel.Type.BOOL,
    SignalType.STATE: cel.Type.STRING,
}
_WORDS = {"double": "a number", "bool": "a true/false", "string": "a state", "list": "a list"}

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]))
      | (?P<text>"[^"\\\n]*"|'[^'\\\n]*')
      | (?P<name>[A-Za-z_]\w*)
      | (?P<operator>&&|\|\||==|!=|<=|>=|[-+*/<>!?:()\[\],])
    )""",
    re.VERBOSE | re.ASCII,
)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
# fmt: off
_OWN_WORDS = frozenset(
    {
        "as", "bool", "break", "bytes", "const", "continue", "double", "dyn", "else", "false", "for",
        "function", "if", "import", "in", "int", "let", "list", "loop", "map", "namespace", "null", "null_type",
        "optional_type", "package", "return", "string", "true", "type", "uint", "var", "void", "while",
    }
)
# fmt: on
_INSTEAD = {"=": "==", "and": "&&", "or": "||", "not": "!", "&": "&&", "|": "||", "True": "true", "False": "false"}
_PROBLEM = re.compile(r"ERROR: <input>:1:(\d+): (.*)")
_OVERLOAD = re.compile(r"found no matching overload for '(.+)' applied to '\((.*)\)'")

Program = Callable[[Mapping[str, Value]], bool | None]
"""An expression as a function of its values; None where it cannot be said."""


def check_expression(expression: str, types: Mapping[str, SignalType]) -> list[str]:
    """What is wrong with an expression over signals of these types, each with the way out; empty if nothing is."""
    problems = [
        f'"{name}" cannot name a signal here; write a word of letters, digits and _ that CEL does not use itself'
        for name in types
        if not _NAME.fullmatch(name) or name in _OWN_WORDS
    ]
    tokens, unexpected = _tokens(expression)
    problems += unexpected
    problems = problems or [*_used_wrongly(tokens, types)] or [*_unused(tokens, types)]
    return problems or [*_typed_wrongly(tokens, types)]


def compile_expression(expression: str, types: Mapping[str, SignalType]) -> Program:
    """The expression, ready to be judged by. Raises ValueError where `check_expression` finds problems."""
    problems = check_expression(expression, types)
    if problems:
        raise ValueError("; ".join(problems))
    return _evaluating(_compiled(_tokens(expression)[0], types))


# -- what a rule may use of the language -------------------------------------------------------------------------------


class _Token(NamedTuple):
    kind: str
    text: str
    column: int
    """In the expression as it is written, from 1 on."""

    @property
    def cel(self) -> str:
        """As CEL reads it, with every number a double."""
        return f"{self.text}.0" if self.kind == "number" and self.text.isdigit() else self.text


def _tokens(expression: str) -> tuple[list[_Token], list[str]]:
    found: list[_Token] = []
    text = expression.rstrip()
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            rest = text[place:].lstrip()
            column = len(text) - len(rest) + 1
            return found, [_unexpected(rest, column)]
        kind = match.lastgroup or ""
        found.append(_Token(kind, match[kind], match.start(kind) + 1))
        place = match.end()
    if len(found) > MOST_TOKENS:
        return found, [f"it has more than {MOST_TOKENS} names, values and operators; make two rules of it"]
    return found, [] if found else ["it is empty"]


def _unexpected(rest: str, column: int) -> str:
    if rest[0] in "\"'":
        return f"column {column}: the text does not end, or has a backslash in it"
    if rest[0] in "=&|":
        return f'column {column}: unexpected "{rest[0]}"; write {_INSTEAD[rest[0]]}'
    if rest[0] == ".":
        return f'column {column}: unexpected "."; nothing here has members or methods'
    shown = re.match(r"[\w.]+|.", rest)
    return f'column {column}: unexpected "{shown[0] if shown else rest[0]}"'


def _used_wrongly(tokens: Sequence[_Token], types: Mapping[str, SignalType]) -> Iterator[str]:
    depth = 0
    for place, token in enumerate(tokens):
        after = tokens[place + 1] if place + 1 < len(tokens) else None
        at = f"column {token.column}: "
        if token.kind == "name":
            yield from (at + problem for problem in _name_problems(token.text, after, types))
        elif token.kind == "number" and float(token.text) > _LARGEST:
            yield f"{at}{token.text} is too large"
        elif token.text == "/" and (after is None or after.kind != "number" or float(after.text) == 0.0):
            yield f"{at}only a number other than 0 divides; write a product on the other side instead"
        elif token.kind == "operator":
            depth += (token.text in "([") - (token.text in ")]")
            if depth > MOST_NESTED:
                yield f"{at}more than {MOST_NESTED} brackets within brackets; make two rules of it"
                return


def _unused(tokens: Sequence[_Token], types: Mapping[str, SignalType]) -> Iterator[str]:
    used = {token.text for token in tokens if token.kind == "name"}
    yield from (f'the expression does not use "{name}"; leave it out' for name in types if name not in used)


def _name_problems(name: str, after: _Token | None, types: Mapping[str, SignalType]) -> list[str]:
    if name in ("true", "false", "in") or (name in types and (after is None or after.text not in ("(", "["))):
        return []
    if name in _INSTEAD:
        return [f'unexpected "{name}"; write {_INSTEAD[name]}']
    if after is not None and after.text == "(":
        return [f'"{name}(" is a function, and expressions have none']
    if name in types:
        return [f'"{name}" is no list']
    return [f'there is no signal "{name}" here, only {", ".join(types)}']


# -- what CEL says of it -----------------------------------------------------------------------------------------------


def _typed_wrongly(tokens: Sequence[_Token], types: Mapping[str, SignalType]) -> Iterator[str]:
    try:
        given = _compiled(tokens, types).return_type()
    except RuntimeError as error:
        match = _PROBLEM.search(str(error))
        if match:
            yield f"column {_column(tokens, int(match[1]))}: {_in_words(match[2])}"
        else:
            yield "it is nested too deeply; make two rules of it"
        return
    if given != cel.Type.BOOL:
        yield f"it gives {_word(given.name())}; compare that with something, so that it gives true or false"


def _column(tokens: Sequence[_Token], place: int) -> int:
    """Where something stands in the expression as it is written that stands at `place` for CEL."""
    end = 0
    for token in tokens:
        end += len(token.cel) + 1
        if place <= end:
            return token.column
    return tokens[-1].column + len(tokens[-1].text) if tokens else 1


def _in_words(what: str) -> str:
    match = _OVERLOAD.search(what)
    if match:
        operator = match[1].replace("_", "").replace("@", "").replace("?:", "? :")
        return f'"{operator}" does not go with {" and ".join(_word(part) for part in match[2].split(", "))}'
    if "EOF" in what and "mismatched" in what:
        return "something is missing here"
    return "a closing bracket is missing" if "missing ')'" in what or "missing ']'" in what else "this is not expected"


def _word(type_name: str) -> str:
    return _WORDS.get(re.split(r"\W", type_name.lower(), maxsplit=1)[0], type_name)


def _compiled(tokens: Sequence[_Token], types: Mapping[str, SignalType]) -> cel.Expression:
    return _program(" ".join(token.cel for token in tokens), tuple(sorted(types.items())))


@lru_cache(maxsize=4096)
def _program(text: str, types: tuple[tuple[str, SignalType], ...]) -> cel.Expression:
    return _environment(types).compile(text)


@lru_cache(maxsize=256)
def _environment(types: tuple[tuple[str, SignalType], ...]) -> cel.Env:
    return cel.NewEnv(variables={name: _TYPES[type_] for name, type_ in types})


def _evaluating(program: cel.Expression) -> Program:
    def evaluate(values: Mapping[str, Value]) -> bool | None:
        try:
            answer = program.eval(data=values).value()
        except Exception:  # whatever the library cannot do, the rule goes on
            return None
        return answer if isinstance(answer, bool) else None

    return evaluate
