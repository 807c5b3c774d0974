"""The second pass: does a document have the shape of its model? pydantic's findings, as problems with positions."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from firewatch.config.channel_spec import WEB_ADDRESS
from firewatch.config.document import Document, Path_
from firewatch.config.problem import Place, Problem, did_you_mean
from firewatch.model.topic import ID_PATTERN

Model = TypeVar("Model", bound=BaseModel)

SECRET_KEYS = ("password", "dsn", "url")
"""Settings whose value never stands in a message."""

_PATTERNS = {
    ID_PATTERN: "lower-case letters, digits and hyphens, at most 64",
    r"^[a-z][a-z0-9_]{0,63}$": "lower-case letters, digits and underscores, at most 64",
    r"^[^.\s]+(?:\.[^.\s]+)*$": "field names joined by dots, such as d.p",
    r"^[^+#\s$][^+#\s]*$": "a topic name without spaces, + and #",
    WEB_ADDRESS: "a web address without a user or password in it, such as http://10.0.0.5/command",
    r"^[A-Za-z_][A-Za-z0-9_]{0,127}$": "the name of an environment variable",
    r"^[^\s,<&]+$": "a name without spaces, commas, < and &, such as firewatch.example.org",
}

_DURATION = re.compile(r"^datetime\.timedelta\(|\)$")
_DURATION_PART = re.compile(r"(\w+)=(\d+)")
"""pydantic gives a duration's bound as Python writes it: `datetime.timedelta(days=31)`."""

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "time_delta_type": 'a duration such as "30s", "5min" or "1h30min"',
    "time_delta_parsing": 'a duration such as "30s", "5min" or "1h30min"',
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "path_type": "a path",
}


def validate(document: Document, model: type[Model], path: Path_ = ()) -> tuple[Model | None, list[Problem]]:
    """Validate what stands at `path`; the model is None where there are problems."""
    try:
        return model.model_validate(document.get(*path)), []
    except ValidationError as error:
        return None, problems_of(document, error.errors(include_url=False), model, path)


def validate_items(document: Document, model: type[Model], key: str) -> tuple[list[tuple[Path_, Model]], list[Problem]]:
    """Validate the items of the list under `key` one by one, so that a broken one does not hide the others."""
    good: list[tuple[Path_, Model]] = []
    problems: list[Problem] = []
    for path in item_paths(document, key):
        found, wrong = validate(document, model, path)
        problems += wrong
        if found is not None:
            good.append((path, found))
    return good, problems


def item_paths(document: Document, key: str) -> list[Path_]:
    """Where the items of the list under `key` stand; none if it is no list."""
    items = document.get(key)
    return [(key, index) for index in range(len(items))] if isinstance(items, list) else []


def validate_header(document: Document, model: type[Model], *lists: str) -> tuple[Model | None, list[Problem]]:
    """Validate a document without the items of the named lists, which `validate_items` looks at."""
    data = document.data
    problems: list[Problem] = []
    if isinstance(data, dict):
        data = {key: [] if key in lists and isinstance(value, list) else value for key, value in data.items()}
        for key in lists:
            limits = (getattr(each, "max_length", None) for each in model.model_fields[key].metadata)
            limit = next((each for each in limits if each is not None), None)
            if limit is not None and len(item_paths(document, key)) > limit:
                problems.append(document.problem((key,), f"expected at most {limit} items"))
    try:
        return model.model_validate(data), problems
    except ValidationError as error:
        return None, problems + problems_of(document, error.errors(include_url=False), model)


def problems_of(
    document: Document, errors: Iterable[ErrorDetails], model: type[BaseModel], path: Path_ = ()
) -> list[Problem]:
    """One problem for each place in the file that pydantic complains about."""
    places: dict[tuple[Path_, bool], list[ErrorDetails]] = {}
    for detail in errors:
        resolved = document.resolve((*path, *detail["loc"]))
        written = document.get(*resolved)
        if detail["type"] == "too_short" and isinstance(written, list) and len(written) >= detail["ctx"]["min_length"]:
            continue  # pydantic counts only the items that are well, and those are told of by themselves
        places.setdefault((resolved, detail["type"] == "missing"), []).append(detail)
    problems = []
    for (resolved, _), details in places.items():
        if details[0]["type"] == "missing":
            problems += [_missing(document, resolved, detail) for detail in details]
        else:
            problems.append(_problem(document, model, path, resolved, details))
    return problems


def found(value: Any) -> str:
    """The value as a reader recognises it in the file."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 40 else f'"{value[:40]}..."'
    if isinstance(value, list):
        return "a list"
    return "a mapping" if isinstance(value, dict) else str(value)


def _missing(document: Document, resolved: Path_, detail: ErrorDetails) -> Problem:
    return document.problem(resolved, f'the key "{detail["loc"][-1]}" is missing')


def _problem(
    document: Document, model: type[BaseModel], base: Path_, resolved: Path_, details: Sequence[ErrorDetails]
) -> Problem:
    detail = details[0]
    value = "***" if resolved and resolved[-1] in SECRET_KEYS else document.get(*resolved)
    if detail["type"] == "extra_forbidden":
        key = str(resolved[-1])
        hint = did_you_mean(key, keys_at(model, resolved[len(base) : -1]))
        return Problem(document.key_place(*resolved), document.where(resolved[:-1]), f'unknown key "{key}"', hint)
    place, name = document.place(*resolved), document.where(resolved)
    if len(details) > 1 and all(each["type"] in _EXPECTED for each in details):
        expected = " or ".join(dict.fromkeys(_EXPECTED[each["type"]] for each in details))
        return Problem(place, name, f"expected {expected}, found {found(value)}")
    return _told(place, name, detail, value)


def _told(place: Place, name: str, detail: ErrorDetails, value: Any) -> Problem:
    """Pydantic's message in the words of the house."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _EXPECTED:
        return Problem(place, name, f"expected {_EXPECTED[kind]}, found {found(value)}")
    if kind == "value_error":
        return Problem(place, name, str(context["error"]))
    if kind in ("literal_error", "enum"):
        choices = [word.strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(", ")]
        hint = did_you_mean(value, choices) if isinstance(value, str) else ""
        one_of = "one of " if len(choices) > 1 else ""
        listed = "" if hint.startswith("known") else f"expected {one_of}{', '.join(choices)}, "
        return Problem(
            place, name, f"{listed}found {found(value)}" if listed else f"unknown value {found(value)}", hint
        )
    if kind == "string_pattern_mismatch":
        return Problem(place, name, f"expected {_PATTERNS[context['pattern']]}, found {found(value)}")
    if kind in ("greater_than_equal", "greater_than", "less_than_equal", "less_than"):
        return Problem(place, name, f"expected {_bound(kind, context)}, found {found(value)}")
    if kind in ("too_short", "too_long", "string_too_short", "string_too_long"):
        return Problem(place, name, _length(kind, context))
    return Problem(place, name, detail["msg"])


def _bound(kind: str, context: dict[str, Any]) -> str:
    (limit,) = (context[key] for key in ("ge", "gt", "le", "lt") if key in context)
    words = {
        "greater_than_equal": "at least",
        "greater_than": "more than",
        "less_than_equal": "at most",
        "less_than": "less than",
    }
    shown = f"{limit:g}" if isinstance(limit, int | float) else _DURATION_PART.sub(r"\2 \1", _DURATION.sub("", limit))
    return f"{words[kind]} {shown}"


def _length(kind: str, context: dict[str, Any]) -> str:
    unit = "characters" if kind.startswith("string") else "items"
    if kind.endswith("short"):
        return f"expected at least {context['min_length']} {unit}"
    return f"expected at most {context['max_length']} {unit}"


def keys_at(model: type[BaseModel], path: Path_) -> list[str]:
    """The keys that may be written at `path` below a model, aliases as written; none if no model stands there."""
    found = model_at(model, path)
    return [field.alias or name for name, field in found.model_fields.items()] if found else []


def model_at(model: type[BaseModel], path: Path_) -> type[BaseModel] | None:
    """The model of what stands at `path` below a model."""
    at: Any = model
    for segment in path:
        at = _step(at, segment)
    return _model_in(at)


def _step(annotation: Any, segment: str | int) -> Any:
    if isinstance(segment, int):
        return next((args[0] for args in _containers(annotation) if args), None)
    model = _model_in(annotation)
    if model is None:
        return next((args[-1] for args in _containers(annotation) if args), None)
    return next(
        (field.annotation for name, field in model.model_fields.items() if segment in (name, field.alias)), None
    )


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if typing.get_origin(annotation) in (tuple, dict, list):
        return None
    return next((model for part in typing.get_args(annotation) if (model := _model_in(part))), None)


def _containers(annotation: Any) -> list[tuple[Any, ...]]:
    if typing.get_origin(annotation) in (tuple, dict, list):
        return [typing.get_args(annotation)]
    return [args for part in typing.get_args(annotation) for args in _containers(part)]
