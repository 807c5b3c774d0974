"""The SQL: `schema.sql` says what is, the numbered migrations lead there, `queries.sql` names what is asked.

In `queries.sql` a line `-- name --` begins a query; comment lines under it say what it is for.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import LiteralString, NamedTuple

_NAME = re.compile(r"^-- ([a-z0-9_]+) --$", re.MULTILINE)
_MIGRATION = re.compile(r"^\d{4}_[a-z0-9_]+\.sql$")


class Migration(NamedTuple):
    """One step of the schema: its `version`, from 1 without gaps, its file's `name` and its text."""

    version: int
    name: str
    text: LiteralString


def parse_queries(text: str) -> dict[str, LiteralString]:
    """Take a file of named queries apart.

    Raises:
        ValueError: a name is used twice.
    """
    parts = _NAME.split(text)[1:]
    names = parts[::2]
    if len(set(names)) != len(names):
        raise ValueError("a query's name is used twice")
    # Literal in all that matters: the text comes from a file of this package, never from outside.
    return {name: body.strip() for name, body in zip(names, parts[1::2], strict=True)}


def read_sql(name: str) -> LiteralString:
    """The text of one of this package's SQL files."""
    return files(__name__).joinpath(name).read_text("utf-8")


def migrations() -> list[Migration]:
    """All migrations, first to last."""
    names = sorted(entry.name for entry in files(__name__).iterdir() if _MIGRATION.match(entry.name))
    return [Migration(int(name[:4]), name, read_sql(name)) for name in names]


QUERIES = parse_queries(read_sql("queries.sql"))
"""Every query of `queries.sql` by its name."""
