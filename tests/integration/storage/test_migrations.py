"""The schema is reached step by step, once, and is the one that schema.sql shows."""

from __future__ import annotations

import asyncio
import json
import subprocess

import psycopg
import pytest

from firewatch.app.embedded import _postgres_binary
from firewatch.errors import StorageError
from firewatch.storage.migrate import migrate
from firewatch.storage.sql import Migration, migrations, read_sql

from .conftest import Databases, migrate_at

pytestmark = pytest.mark.slow


def applied(dsn: str) -> list[tuple[int, str]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute("SELECT version, name FROM schema_migration ORDER BY version").fetchall()


def dump(dsn: str) -> list[str]:
    """The schema as pg_dump writes it, without its random marks and the table of migrations."""
    command = [_postgres_binary("pg_dump"), "--schema-only", "--no-owner", "--exclude-table=schema_migration", dsn]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line for line in text.splitlines() if line and not line.startswith(("\\", "--"))]


async def test_every_migration_is_applied_once_however_often_firewatch_starts(databases: Databases) -> None:
    dsn = databases.make(empty=True)
    await migrate_at(dsn)
    await migrate_at(dsn)
    assert applied(dsn) == [(step.version, step.name) for step in migrations()]


async def test_two_that_start_at_once_take_turns(databases: Databases) -> None:
    dsn = databases.make(empty=True)
    await asyncio.gather(*(migrate_at(dsn) for _ in range(4)))
    assert applied(dsn) == [(step.version, step.name) for step in migrations()]


async def test_the_migrations_lead_to_schema_sql(databases: Databases) -> None:
    migrated, direct = databases.make(empty=True), databases.make(empty=True)
    await migrate_at(migrated)
    with psycopg.connect(direct) as connection:
        connection.execute(read_sql("schema.sql"))
    assert dump(migrated) == dump(direct)


async def test_a_migration_edited_after_it_was_applied_is_refused(databases: Databases) -> None:
    dsn = databases.make(empty=True)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        await migrate(connection, [Migration(1, "0001_a.sql", "CREATE TABLE a ()")])
        with pytest.raises(StorageError, match=r"0001_a\.sql is not the one"):
            await migrate(connection, [Migration(1, "0001_a.sql", "CREATE TABLE a (b int)")])


async def test_a_database_of_a_newer_firewatch_is_refused_and_left_alone(databases: Databases) -> None:
    dsn = databases.make(empty=True)
    first, second = Migration(1, "0001_a.sql", "CREATE TABLE a ()"), Migration(2, "0002_b.sql", "CREATE TABLE b ()")
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        await migrate(connection, [first, second])
        with pytest.raises(StorageError, match="newer firewatch"):
            await migrate(connection, [first])


async def test_a_migration_that_fails_leaves_nothing_half_done(databases: Databases) -> None:
    dsn = databases.make(empty=True)
    broken = Migration(1, "0001_a.sql", "CREATE TABLE a (); CREATE TABLE a ()")
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.DuplicateTable):
            await migrate(connection, [broken])
        await migrate(connection, [Migration(1, "0001_a.sql", "CREATE TABLE a ()")])
    assert applied(dsn) == [(1, "0001_a.sql")]


async def test_acknowledgements_from_before_other_commands_are_kept(databases: Databases) -> None:
    dsn = databases.make(empty=True)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        await migrate(connection, migrations()[:1])
        await connection.execute("INSERT INTO operator_command VALUES (3, now(), 'a1', '李', '看到了')")
        await migrate(connection)
        rows = await (await connection.execute("SELECT ordinal, operator, command FROM operator_command")).fetchall()
    kept = {"type": "acknowledge", "alarm_id": "a1", "operator": "李", "comment": "看到了"}
    assert rows == [(3, "李", kept)]


TOLD_BEFORE = [
    # reason, the alarm after it, whether people were told
    ("condition_active", {"state": "unacknowledged", "hidden": False, "shadow": False}, True),
    ("condition_active", {"state": "unacknowledged"}, True),
    ("condition_active", {"state": "unacknowledged", "hidden": True}, False),
    ("condition_active", {"state": "unacknowledged", "shadow": True}, False),
    ("realarmed", {"state": "unacknowledged"}, True),
    ("shelf_ended", {"state": "latched_unacknowledged"}, True),
    ("shelf_ended", {"state": "normal"}, False),
    ("condition_inactive", {"state": "rtn_unacknowledged"}, False),
    ("acknowledged", {"state": "acknowledged"}, False),
]


async def test_changes_from_before_say_how_people_were_told_as_the_lifecycle_would_have(databases: Databases) -> None:
    dsn = databases.make(empty=True)
    insert = (
        "INSERT INTO alarm_transition "
        "(alarm_id, number, transition_time, reason, previous_state, alarm, changed_by, comment) "
        "VALUES ('a', %s, now(), %s, 'normal', %s::jsonb, 'li', '')"
    )
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        await migrate(connection, migrations()[:4])
        for number, (reason, alarm, _) in enumerate(TOLD_BEFORE):
            await connection.execute(insert, (number, reason, json.dumps(alarm)))
        await migrate(connection)
        found = await connection.execute("SELECT annunciation FROM alarm_transition ORDER BY number")
        told = [row[0] for row in await found.fetchall()]
    assert told == ["of_its_own" if was_told else None for _, _, was_told in TOLD_BEFORE]


async def test_without_timescale_tables_are_plain_and_the_server_says_so(databases: Databases) -> None:
    server = await migrate_at(databases.make(empty=True))
    assert server.timescale_version is None
    assert "plain tables on PostgreSQL 18" in str(server)


async def test_with_timescale_observations_and_transitions_are_hypertables(timescale_dsn: str) -> None:
    databases = Databases(timescale_dsn, "template0")
    dsn = databases.make(empty=True)
    try:
        await migrate_at(dsn)
        with psycopg.connect(dsn) as connection:
            connection.execute("INSERT INTO picture VALUES ('kept', 'd', now(), '')")
            connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        server = await migrate_at(dsn)
        with psycopg.connect(dsn) as connection:
            found = connection.execute("SELECT hypertable_name FROM timescaledb_information.hypertables").fetchall()
        assert sorted(name for (name,) in found) == ["alarm_transition", "observation"]
        assert "hypertables of TimescaleDB" in str(server)
    finally:
        databases.drop_all()
