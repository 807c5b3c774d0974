"""A YAML file as plain values, with the position of every key and value.

YAML 1.2 core scalars: `on`, `yes` and `12:30` are text, `010` is ten. Only hexadecimal and octal numbers are left out
of them: nobody measures so, and in a rule's test `0x5` is `0 x5` without its space. What the core schema leaves open is
closed here: keys are unique, and a file is one document of bounded size, depth and expansion.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from firewatch.config.problem import Place, Problem, Severity

FILE_LIMIT_BYTES = 2_000_000
NODE_LIMIT = 100_000
"""Values in one file after aliases are expanded, so that a few lines of aliases cannot fill the memory."""
DEPTH_LIMIT = 40

Path_ = tuple[str | int, ...]
"""Keys and list indexes from the top of a document to a value."""

_NAMES = ("id", "kind", "name", "rule")
"""The keys by which the items of a list are called."""

_CORE_TAG = "tag:yaml.org,2002:"
_CORE_TAGS = frozenset(
    _CORE_TAG + name for name in ("null", "bool", "int", "float", "str", "seq", "map", "timestamp", "value", "merge")
)
_NULL = re.compile(r"null|Null|NULL|~|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class Document:
    """What a file says (`data`) and where it says it."""

    def __init__(self, file: str, data: Any, values: dict[Path_, Place], keys: dict[Path_, Place]) -> None:
        self.file = file
        self.data = data
        self._values = values
        self._keys = keys

    def resolve(self, loc: Path_) -> Path_:
        """The part of a pydantic error's `loc` that is in the file.

        Segments that pydantic adds (a union's member, the name of a missing key) are left out, so the result leads
        to the value itself or to its nearest parent.
        """
        found: Path_ = ()
        for segment in loc:
            if (*found, segment) in self._values:
                found = (*found, segment)
        return found

    def place(self, *path: str | int) -> Place:
        """Where the value stands, or its nearest parent that is in the file."""
        return self._values.get(self.resolve(path), Place(self.file, 1, 1))

    def key_place(self, *path: str | int) -> Place:
        """Where the key of the value stands; for a list item, the item."""
        return self._keys.get(path) or self.place(*path)

    def get(self, *path: str | int) -> Any:
        """The value at a path, None if there is none."""
        value = self.data
        for segment in path:
            try:
                value = value[segment]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def where(self, path: Path_) -> str:
        """What a reader would call the place: `rule pump-fault: when.state.signal`, `device tank-1: building`.

        Items of a list without a name of their own are counted from 1.
        """
        parts: list[str] = []
        keys = ""
        for depth, segment in enumerate(path):
            if isinstance(segment, str):
                keys = f"{keys}.{segment}" if keys else segment
                continue
            name = self._name(path[: depth + 1])
            if name is None and "." in keys:
                keys += f"[{segment + 1}]"
            else:
                parts.append(f"{keys.rsplit('.', 1)[-1].removesuffix('s')} {name or segment + 1}")
                keys = ""
        return ": ".join([*parts, keys] if keys else parts)

    def problem(
        self,
        path: Path_,
        what: str,
        hint: str = "",
        *,
        other: Place | None = None,
        severity: Severity = Severity.WRONG,
    ) -> Problem:
        """A problem with what stands at `path`."""
        return Problem(self.place(*path), self.where(path), what, hint, other, severity)

    def excerpt(self, path: Path_) -> Document:
        """Only what stands at `path`, where it stood."""
        value = self.get(*path)
        kept = [*(path[:end] for end in range(len(path))), *_paths(value, path)]
        return Document(
            self.file,
            _nested(path, value),
            {one: self._values[one] for one in kept if one in self._values},
            {one: self._keys[one] for one in kept if one in self._keys},
        )

    def with_value(self, path: Path_, source: Document, at: Path_) -> Document:
        """The same, but at `path` what `source` says at `at`, in its places there.

        Mappings that are missing on the way are made; they stand where the value stands.
        """
        value = source.get(*at)
        values = {one: place for one, place in self._values.items() if one[: len(path)] != path}
        keys = {one: place for one, place in self._keys.items() if one[: len(path)] != path}
        for end in range(len(path)):
            values.setdefault(path[:end], source.place(*at))
        for one in _paths(value, at):
            there = (*path, *one[len(at) :])
            values[there] = source.place(*one)
            keys[there] = source.key_place(*one)
        return Document(self.file, _put(self.data, path, value), values, keys)

    def _name(self, path: Path_) -> str | None:
        item = self.get(*path)
        names = (item.get(key) for key in _NAMES) if isinstance(item, dict) else ()
        return next((name for name in names if isinstance(name, str)), None)


def _paths(value: Any, path: Path_) -> Iterator[Path_]:
    """The path itself, and those of everything in the value that stands there."""
    yield path
    items: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        yield from _paths(item, (*path, key))


def _nested(path: Path_, value: Any) -> Any:
    return {path[0]: _nested(path[1:], value)} if path else value


def _put(data: Any, path: Path_, value: Any) -> Any:
    """`data` with another value at `path`; what does not lead there is shared, what leads there is copied."""
    if not path:
        return value
    if isinstance(data, list) and isinstance(path[0], int):
        return [_put(item, path[1:], value) if index == path[0] else item for index, item in enumerate(data)]
    rest = data if isinstance(data, dict) else {}
    return rest | {path[0]: _put(rest.get(path[0]), path[1:], value)}


def read_document(path: Path) -> tuple[Document | None, list[Problem]]:
    """Read a file; the document is None where it could not be read at all."""
    file = path.as_posix()
    try:
        if path.stat().st_size > FILE_LIMIT_BYTES:
            return None, [_whole(file, f"the file is larger than {FILE_LIMIT_BYTES} bytes", "split it")]
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        return None, [_whole(file, f"the file is not UTF-8 (byte {error.start})", "save it as UTF-8")]
    except OSError as error:
        return None, [_whole(file, f"cannot be read: {error.strerror}")]
    return parse_document(file, text)


def parse_document(file: str, text: str) -> tuple[Document | None, list[Problem]]:
    """Take YAML text apart; `file` is what its problems are reported under."""
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        return None, [_syntax_problem(file, error)]
    except YAMLError as error:
        return None, [_unreadable_character(file, text, error)]
    except RecursionError:
        return None, [_whole(file, f"values are nested deeper than {DEPTH_LIMIT} levels")]
    if node is None:
        return None, [_whole(file, "the file is empty")]
    reader = _Reader(file)
    try:
        data = reader.value(node, ())
    except _BoundsError as error:
        return None, [Problem(_place(file, error.node), "", error.what, "write it out more plainly")]
    return Document(file, data, reader.values, reader.keys), reader.problems


class _BoundsError(Exception):
    def __init__(self, node: Node, what: str) -> None:
        super().__init__(what)
        self.node = node
        self.what = what


class _Reader:
    """Turns nodes into values and remembers where each stood."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.values: dict[Path_, Place] = {}
        self.keys: dict[Path_, Place] = {}
        self.problems: list[Problem] = []

    def value(self, node: Node, path: Path_) -> Any:
        if len(path) > DEPTH_LIMIT:
            raise _BoundsError(node, f"values are nested deeper than {DEPTH_LIMIT} levels")
        if len(self.values) > NODE_LIMIT:
            raise _BoundsError(node, f"the file holds more than {NODE_LIMIT} values once aliases are expanded")
        self.values[path] = _place(self._file, node)
        if node.tag not in _CORE_TAGS:
            self._problem(node, f'the tag "{node.tag}" has no meaning here', "leave it out")
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node) if isinstance(node, ScalarNode) else None

    def _mapping(self, node: MappingNode, path: Path_) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._problem(key_node, "a key must be a word, not a list or a mapping")
                continue
            key = str(key_node.value)
            if key_node.style is None and key == "<<":
                self._problem(key_node, "merge keys (<<) are not part of YAML 1.2", "write the keys out")
                continue
            if key in mapping:
                first = self.keys[(*path, key)]
                self._problem(key_node, f'the key "{key}" is written twice', "keep one", other=first)
                continue
            self.keys[(*path, key)] = _place(self._file, key_node)
            mapping[key] = self.value(value_node, (*path, key))
        return mapping

    def _scalar(self, node: ScalarNode) -> Any:
        text = str(node.value)
        if node.style is not None or node.tag == f"{_CORE_TAG}str":
            return text
        if _NULL.fullmatch(text):
            return None
        if _BOOL.fullmatch(text):
            return text.lower() == "true"
        if _INT.fullmatch(text) and len(text) <= 19:
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
        return float(text.replace(".", "", 1)) if _NOT_FINITE.fullmatch(text) else text

    def _problem(self, node: Node, what: str, hint: str = "", other: Place | None = None) -> None:
        self.problems.append(Problem(_place(self._file, node), "", what, hint, other))


def claim(places: dict[str, Place], name: str, document: Document, path: Path_, noun: str) -> list[Problem]:
    """Take a name that may be taken once; the problem names both places."""
    place = document.place(*path)
    first = places.setdefault(name, place)
    if first == place:
        return []
    return [document.problem(path, f'another {noun} is called "{name}"', "rename one", other=first)]


def _place(file: str, node: Node) -> Place:
    return Place(file, node.start_mark.line + 1, node.start_mark.column + 1)


def _whole(file: str, what: str, hint: str = "") -> Problem:
    return Problem(Place(file), "", what, hint)


def _syntax_problem(file: str, error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    what = str(error.problem or error.context or "not YAML")
    if "more than one document" in what or "another document" in what:
        return Problem(place, "", "a second document begins here", "keep one document a file")
    context = f" {error.context}" if error.context and error.problem else ""
    if "\t" in what or "'\\t'" in what:
        return Problem(place, "", f"not YAML:{context} {what}", "indent with spaces, not tabs")
    return Problem(place, "", f"not YAML:{context} {what}".replace("\n", " "))


def _unreadable_character(file: str, text: str, error: YAMLError) -> Problem:
    position = getattr(error, "position", None)
    if not isinstance(position, int):
        return _whole(file, f"not YAML: {error}".splitlines()[0])
    before = text[:position]
    line = before.count("\n") + 1
    column = position - (before.rfind("\n") + 1) + 1
    return Problem(
        Place(file, line, column), "", "a character that YAML does not allow", "remove the control character"
    )
