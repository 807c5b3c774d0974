"""The servers firewatch brings along: they start, keep their data, stay private and die with their parent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import aiomqtt
import psycopg
import pytest

from firewatch.app import embedded
from firewatch.app.embedded import EmbeddedBroker, EmbeddedDatabase
from firewatch.app.tether import tethered
from firewatch.errors import StartError

pytestmark = pytest.mark.slow

DEADLINE_SECONDS = 60

STARTS_AND_STAYS = """
import asyncio, sys
from pathlib import Path
from firewatch.app.embedded import EmbeddedBroker, EmbeddedDatabase

async def stay(directory):
    broker, database = EmbeddedBroker(directory / "broker"), EmbeddedDatabase(directory / "database")
    print(await broker.start(), await database.start(), flush=True)
    await asyncio.Event().wait()

asyncio.run(stay(Path(sys.argv[1])))
"""


@pytest.fixture
async def broker(tmp_path: Path):
    broker = EmbeddedBroker(tmp_path / "broker")
    yield broker
    await broker.stop()


@pytest.fixture
async def database(tmp_path: Path):
    database = EmbeddedDatabase(tmp_path / "database")
    yield database
    await database.stop()


def client(url: str, **options: object) -> aiomqtt.Client:
    address = urlsplit(url)
    assert address.hostname
    assert address.port
    return aiomqtt.Client(address.hostname, address.port, protocol=aiomqtt.ProtocolVersion.V311, **options)


async def execute(dsn: str, statement: str) -> list[tuple]:
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        cursor = await connection.execute(statement)
        return await cursor.fetchall() if cursor.description else []


def servers_of(directory: Path) -> list[int]:
    """The processes whose command line names the directory, the test's own not counted."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command_line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(directory) in command_line and STARTS_AND_STAYS.encode() not in command_line:
                found.append(int(entry.name))
    return found


async def until_gone(directory: Path) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while servers_of(directory):
            await asyncio.sleep(0.02)


async def test_the_broker_carries_a_message_at_qos_1(broker: EmbeddedBroker) -> None:
    url = await broker.start()
    async with asyncio.timeout(DEADLINE_SECONDS), client(url) as mqtt:
        await mqtt.subscribe("firewatch/v1/telemetry/+/+", qos=1)
        await mqtt.publish("firewatch/v1/telemetry/sample/tank-1", b"{}", qos=1)
        message = await anext(aiter(mqtt.messages))
    assert (str(message.topic), message.payload) == ("firewatch/v1/telemetry/sample/tank-1", b"{}")


async def test_a_retained_message_survives_a_restart_of_the_broker(broker: EmbeddedBroker) -> None:
    async with client(await broker.start()) as mqtt:
        await mqtt.publish("firewatch/v1/state/sample/tank-1", b"kept", qos=1, retain=True)
    await broker.stop()
    async with asyncio.timeout(DEADLINE_SECONDS), client(await broker.start()) as mqtt:
        message = None
        while message is None:  # nats-server takes connections while it still reads what it has retained
            await mqtt.subscribe("firewatch/v1/state/+/+", qos=1)
            with contextlib.suppress(TimeoutError):
                message = await asyncio.wait_for(anext(aiter(mqtt.messages)), 2)
    assert message.payload == b"kept"


async def test_a_session_may_hold_the_daemons_subscriptions_at_once(broker: EmbeddedBroker) -> None:
    async with client(await broker.start()) as mqtt:
        granted = [await mqtt.subscribe(f"vendor/acme-{number}/+/up", qos=1) for number in range(15)]
    assert [code for codes in granted for code in codes] == [1] * 15


async def test_a_taken_port_is_named_and_nothing_is_left_running(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        broker = EmbeddedBroker(tmp_path / "broker", port=port)
        with pytest.raises(StartError, match=str(port)):
            await broker.start()
    assert servers_of(tmp_path) == []


async def test_the_database_answers_under_its_own_name_and_keeps_rows_over_a_restart(
    database: EmbeddedDatabase,
) -> None:
    dsn = await database.start()
    await execute(dsn, "CREATE TABLE kept AS SELECT 1 AS one")
    await database.stop()
    dsn = await database.start()
    assert await execute(dsn, "SELECT one, current_database() FROM kept") == [(1, "firewatch")]


async def test_the_database_listens_on_a_private_socket_only(database: EmbeddedDatabase, tmp_path: Path) -> None:
    dsn = await database.start()
    ((addresses, directory),) = await execute(
        dsn, "SELECT current_setting('listen_addresses'), current_setting('unix_socket_directories')"
    )
    assert addresses == ""
    assert stat.S_IMODE(Path(directory).stat().st_mode) == 0o700


async def test_a_path_too_long_for_a_socket_gets_a_private_directory_elsewhere(tmp_path: Path) -> None:
    deep = tmp_path / ("long-" * 20) / ("longer-" * 10)
    deep.mkdir(parents=True)
    database = EmbeddedDatabase(deep)
    try:
        assert await execute(await database.start(), "SELECT 1") == [(1,)]
    finally:
        await database.stop()


async def test_files_left_unfinished_by_an_interrupted_first_start_are_made_anew(
    database: EmbeddedDatabase, tmp_path: Path
) -> None:
    unfinished = tmp_path / "database" / "data.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    assert await execute(await database.start(), "SELECT 1") == [(1,)]


async def test_a_second_daemon_on_the_same_directory_is_refused(database: EmbeddedDatabase, tmp_path: Path) -> None:
    dsn = await database.start()
    with pytest.raises(StartError, match="another running firewatch"):
        await EmbeddedDatabase(tmp_path / "database").start()
    assert await execute(dsn, "SELECT 1") == [(1,)]


async def test_kill_9_of_the_parent_ends_both_servers_and_loses_nothing_committed(
    broker: EmbeddedBroker, database: EmbeddedDatabase, tmp_path: Path
) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", STARTS_AND_STAYS, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    url, dsn = (await asyncio.to_thread(parent.stdout.readline)).split()
    await execute(dsn, "CREATE TABLE kept AS SELECT 1 AS one")
    async with client(url) as mqtt:
        await mqtt.publish("firewatch/v1/state/sample/tank-1", b"kept", qos=1, retain=True)
    parent.kill()
    parent.communicate()
    await until_gone(tmp_path)

    assert await execute(await database.start(), "SELECT one FROM kept") == [(1,)]
    async with asyncio.timeout(DEADLINE_SECONDS), client(await broker.start()) as mqtt:
        await mqtt.subscribe("firewatch/v1/state/+/+", qos=1)
        assert (await anext(aiter(mqtt.messages))).payload == b"kept"


async def test_kill_9_of_the_database_itself_is_recovered_from_at_the_next_start(
    database: EmbeddedDatabase, tmp_path: Path
) -> None:
    dsn = await database.start()
    await execute(dsn, "CREATE TABLE kept AS SELECT 1 AS one")
    for pid in servers_of(tmp_path):
        os.kill(pid, signal.SIGKILL)
    await database.stop()
    assert await execute(await database.start(), "SELECT one FROM kept") == [(1,)]


async def test_a_server_that_outlived_its_daemon_is_ended_by_the_next_start(
    database: EmbeddedDatabase, tmp_path: Path
) -> None:
    await database.start()
    await database.stop()
    binary = embedded._postgres_binary("postgres")
    account = embedded._server_account()
    orphan = subprocess.Popen(
        [
            *tethered([str(binary)], signal.SIGINT, (account.pw_uid, account.pw_gid)),
            "-D",
            str(tmp_path / "database" / "data"),
            "-c",
            "listen_addresses=",
            "-c",
            f"unix_socket_directories={tmp_path / 'database' / 'socket'}",
        ],
        stderr=subprocess.DEVNULL,
    )
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not (tmp_path / "database" / "data" / "postmaster.pid").exists():
            await asyncio.sleep(0.02)
    reaped = asyncio.create_task(asyncio.to_thread(orphan.wait))
    assert await execute(await database.start(), "SELECT 1") == [(1,)]
    await reaped


async def test_a_pid_file_whose_number_is_another_process_by_now_does_not_harm_it(
    database: EmbeddedDatabase, tmp_path: Path
) -> None:
    await database.start()
    await database.stop()
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    (tmp_path / "database" / "data" / "postmaster.pid").write_text(f"{bystander.pid}\n")
    assert await execute(await database.start(), "SELECT 1") == [(1,)]
    assert bystander.poll() is None
    bystander.communicate(b"\n")
