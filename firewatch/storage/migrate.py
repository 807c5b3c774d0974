"""Brings a database to the schema this firewatch knows: forward only, each step once, two starters in turn."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import psycopg

from firewatch.errors import StorageError
from firewatch.storage.sql import QUERIES, Migration, migrations, read_sql

_LOCK = 0x66697265  # "fire"


class Server(NamedTuple):
    """What the history is kept in: PostgreSQL's version, and TimescaleDB's where hypertables are in use."""

    version: str
    timescale_version: str | None

    def __str__(self) -> str:
        if self.timescale_version is None:
            return f"plain tables on PostgreSQL {self.version} (no TimescaleDB)"
        return f"hypertables of TimescaleDB {self.timescale_version} on PostgreSQL {self.version}"


async def migrate(connection: psycopg.AsyncConnection, known: Sequence[Migration] | None = None) -> Server:
    """Apply what is missing, make hypertables where TimescaleDB is there, and say what the server is.

    The connection must be in autocommit mode. A second caller waits for the first.

    Raises:
        StorageError: the database was written by a newer firewatch, or a migration that it has was changed since.
    """
    async with _alone(connection):
        await connection.execute(QUERIES["create_migration_table"])
        cursor = await connection.execute(QUERIES["applied_migrations"])
        applied = {version: (name, checksum) for version, name, checksum in await cursor.fetchall()}
        steps = migrations() if known is None else known
        _check(applied, steps)
        for step in steps:
            if step.version not in applied:
                async with connection.transaction():
                    await connection.execute(step.text)
                    await connection.execute(QUERIES["insert_migration"], (*step[:2], _checksum(step)))
        return await _use_timescale(connection)


@asynccontextmanager
async def _alone(connection: psycopg.AsyncConnection) -> AsyncIterator[None]:
    await connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
    try:
        yield
    finally:
        if not connection.broken:
            await connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def _check(applied: dict[int, tuple[str, str]], steps: Sequence[Migration]) -> None:
    known = {step.version: step for step in steps}
    for version, (name, checksum) in applied.items():
        if version not in known:
            raise StorageError(
                f"the database was written by a newer firewatch (migration {name}); install that version, "
                "or name another database in database.dsn"
            )
        if checksum != _checksum(known[version]):
            raise StorageError(
                f"migration {name} is not the one this database was made with; a migration is never edited, "
                "what it lacks goes into a new one"
            )


def _checksum(step: Migration) -> str:
    return hashlib.sha256(step.text.encode()).hexdigest()


async def _use_timescale(connection: psycopg.AsyncConnection) -> Server:
    cursor = await connection.execute(QUERIES["server"])
    row = await cursor.fetchone()
    assert row is not None
    server = Server(*row)
    if server.timescale_version is not None:
        await connection.execute(read_sql("hypertables.sql"))
    return server
