"""The loader of named queries, and the rules that migrations keep."""

from __future__ import annotations

import re

import pytest

from firewatch.storage.sql import QUERIES, migrations, parse_queries, read_sql


def test_queries_are_found_by_name_with_the_comments_under_them() -> None:
    text = "-- A file.\n\n-- first --\n-- says one\nSELECT 1\n\n-- second_2 --\nSELECT\n  2\n"
    assert parse_queries(text) == {"first": "-- says one\nSELECT 1", "second_2": "SELECT\n  2"}


def test_a_name_used_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        parse_queries("-- a --\nSELECT 1\n-- a --\nSELECT 2\n")


def test_every_query_says_something() -> None:
    assert QUERIES
    assert all(query for query in QUERIES.values())


def test_every_insert_may_be_repeated() -> None:
    inserts = {name: text for name, text in QUERIES.items() if name.startswith(("insert_", "upsert_"))}
    inserts.pop("insert_migration")
    for name, text in inserts.items():
        assert "ON CONFLICT" in text or "WHERE NOT EXISTS" in text, name


def test_migrations_are_numbered_from_1_without_gaps() -> None:
    assert [step.version for step in migrations()] == list(range(1, len(migrations()) + 1))


def test_every_table_of_the_schema_is_on_the_page_about_the_history(repository_text) -> None:
    tables = re.findall(r"CREATE TABLE (\w+)", read_sql("schema.sql"))
    page = repository_text("docs/history.md")
    assert tables
    assert [table for table in tables if f"`{table}`" not in page] == []
