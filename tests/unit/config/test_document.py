"""YAML as firewatch reads it: the scalars of YAML 1.2, and the place of everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.compat import StringIO

from firewatch.config.document import DEPTH_LIMIT, FILE_LIMIT_BYTES, parse_document, read_document


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("off", "off"),
        ("12:30:00", "12:30:00"),
        ("2025-01-01", "2025-01-01"),
        ("010", 10),
        ("0x5", "0x5"),
        ("1_000", "1_000"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("+5", 5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ('"1"', "1"),
        ("!!str 1", "1"),
        ("0.07 MPa", "0.07 MPa"),
        ("=", "="),
    ],
)
def test_a_scalar_is_what_yaml_1_2_says(text: str, value: object) -> None:
    document, problems = parse_document("a.yaml", f"key: {text}\n")
    assert document is not None
    assert (document.data, problems) == ({"key": value}, [])


def test_yaml_1_1_cannot_be_asked_for() -> None:
    document, _ = parse_document("a.yaml", "%YAML 1.1\n---\nkey: on\n")
    assert document is not None
    assert document.data == {"key": "on"}


def test_every_key_and_value_has_its_place() -> None:
    document, _ = parse_document("a.yaml", "rules:\n  - id: a\n    when: {low: 3}\n")
    assert document is not None
    assert str(document.key_place("rules", 0, "when")) == "a.yaml:3:5"
    assert str(document.place("rules", 0, "when", "low")) == "a.yaml:3:17"


def test_a_place_that_is_not_in_the_file_is_its_nearest_parent() -> None:
    document, _ = parse_document("a.yaml", "rules:\n  - id: a\n    when: {low: 3}\n")
    assert document is not None
    assert str(document.place("rules", 0, "when", "low", "missing")) == "a.yaml:3:17"
    assert str(document.place("rules", 0, "tag-of-a-union", "when", "low")) == "a.yaml:3:17"


def test_an_alias_means_what_its_anchor_holds() -> None:
    document, problems = parse_document("a.yaml", "a: &x {b: 1}\nc: *x\n")
    assert document is not None
    assert (document.data, problems) == ({"a": {"b": 1}, "c": {"b": 1}}, [])


@pytest.mark.parametrize(
    "text", ["[" * (DEPTH_LIMIT + 2) + "]" * (DEPTH_LIMIT + 2), "[" * 1000, "a: &a [*a]", "{" * 1000]
)
def test_nesting_without_end_is_refused(text: str) -> None:
    document, problems = parse_document("a.yaml", text)
    assert document is None
    assert len(problems) == 1


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "large.yaml"
    file.write_bytes(b"#" * (FILE_LIMIT_BYTES + 1))
    document, problems = read_document(file)
    assert document is None
    assert "larger than" in problems[0].what


@pytest.mark.parametrize(("content", "what"), [(b"\xff\xfe\x00", "not UTF-8"), (b"a: \x07", "does not allow")])
def test_bytes_that_are_no_yaml_are_refused(tmp_path: Path, content: bytes, what: str) -> None:
    file = tmp_path / "bytes.yaml"
    file.write_bytes(content)
    document, problems = read_document(file)
    assert document is None
    assert what in problems[0].what


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    file = tmp_path / "mark.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\n")
    document, _ = read_document(file)
    assert document is not None
    assert document.data == {"a": 1}


def test_a_missing_file_is_a_problem_and_no_exception(tmp_path: Path) -> None:
    document, problems = read_document(tmp_path / "none.yaml")
    assert document is None
    assert "cannot be read" in problems[0].what


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    document, problems = parse_document("a.yaml", text)
    assert document is not None or problems


# ruamel writes "?0" as it is and reads it, between brackets, as a key.
_TEXTS = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=10).filter(lambda text: text[:1] != "?")
_SCALARS = st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6) | _TEXTS
_KEYS = st.text(st.characters(categories=["L"]), min_size=1, max_size=8)
_TREES = st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4))


@settings(max_examples=50, deadline=None)
@given(_TREES.filter(lambda tree: tree is not None))
def test_what_was_written_is_what_is_read(tree: Any) -> None:
    stream = StringIO()
    YAML(typ="safe", pure=True).dump(tree, stream)
    document, problems = parse_document("a.yaml", stream.getvalue())
    assert document is not None
    assert (document.data, problems) == (tree, [])
