"""One embedded PostgreSQL a session with a migrated template; every test gets a database of its own from it."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql
from psycopg.conninfo import make_conninfo

from firewatch.app.embedded import EmbeddedDatabase
from firewatch.storage.history import PostgresHistory, open_history
from firewatch.storage.migrate import Server, migrate
from firewatch.telemetry.occurrence import Occurrence

_numbers = itertools.count(1)


TIMESCALE = "FIREWATCH_TEST_TIMESCALE_DSN"


class RecordingTelemetry:
    """Keeps what is told."""

    def __init__(self) -> None:
        self.told: list[Occurrence] = []

    def emit(self, occurrence: Occurrence) -> None:
        self.told.append(occurrence)

    def of(self, kind: type) -> list:
        return [each for each in self.told if isinstance(each, kind)]


class Databases:
    """Makes databases on a server, and drops them."""

    def __init__(self, dsn: str, template: str) -> None:
        self._dsn = dsn
        self._template = template
        self._made: list[str] = []

    def make(self, *, empty: bool = False) -> str:
        name = f"test_{os.getpid()}_{next(_numbers)}"
        template = sql.SQL("") if empty else sql.SQL(" TEMPLATE {}").format(sql.Identifier(self._template))
        self._execute(sql.SQL("CREATE DATABASE {}{}").format(sql.Identifier(name), template))
        self._made.append(name)
        return make_conninfo(self._dsn, dbname=name)

    def drop_all(self) -> None:
        for name in self._made:
            self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        self._made.clear()

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute(statement)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_dsn(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of a running PostgreSQL without TimescaleDB."""
    server = EmbeddedDatabase(tmp_path_factory.mktemp("postgres"))
    yield await server.start()
    await server.stop()


@pytest.fixture(scope="session")
def timescale_dsn() -> str:
    """The address of a PostgreSQL with TimescaleDB, where the environment names one."""
    dsn = os.environ.get(TIMESCALE)
    if dsn is None:
        pytest.skip(f"no TimescaleDB here: {TIMESCALE} may name one, as a superuser")
    return dsn


@pytest.fixture(scope="session", params=["plain", "timescale"])
def migrated(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A server's address and the name of a migrated database on it, without and with TimescaleDB."""
    dsn = request.getfixturevalue("timescale_dsn" if request.param == "timescale" else "postgres_dsn")
    name = f"template_{os.getpid()}_{request.param}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    template_dsn = make_conninfo(dsn, dbname=name)
    if request.param == "timescale":
        with psycopg.connect(template_dsn, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    asyncio.run(migrate_at(template_dsn))
    with psycopg.connect(dsn, autocommit=True) as connection:
        # TimescaleDB's scheduler enters every database that lets it in, and a template must have no visitors.
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
        connection.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s", (name,))
    yield dsn, name
    if request.param == "timescale":
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


async def migrate_at(dsn: str) -> Server:
    """Bring the database to the schema."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        return await migrate(connection)


@pytest.fixture
def databases(postgres_dsn: str):
    """Makes databases on the plain server."""
    return Databases(postgres_dsn, "template0")  # the server is thrown away whole


@pytest.fixture
def dsn(migrated: tuple[str, str]):
    """A migrated database of the test's own."""
    databases = Databases(*migrated)
    yield databases.make()
    if migrated[0] == os.environ.get(TIMESCALE):  # the other server is thrown away whole
        databases.drop_all()


@pytest.fixture
def telemetry() -> RecordingTelemetry:
    """What the history told."""
    return RecordingTelemetry()


OpenHistory = Callable[[str], Awaitable[PostgresHistory]]


@pytest.fixture
async def opened(tmp_path: Path, telemetry: RecordingTelemetry) -> AsyncIterator[OpenHistory]:
    """Opens histories that are closed at the end."""
    histories: list[PostgresHistory] = []

    async def open_one(dsn: str) -> PostgresHistory:
        history = await open_history(dsn, tmp_path / "spill", telemetry=telemetry)
        histories.append(history)
        return history

    yield open_one
    for history in histories:
        await history.close()


@pytest.fixture
async def history(dsn: str, opened: OpenHistory) -> PostgresHistory:
    """A history on a database of the test's own."""
    return await opened(dsn)
