"""The socket under the MQTT client: connected without blocking the loop, read in large pieces, written in one go.

A burst of messages costs one system call, and so does a batch of acknowledgements. Messages go into a splitter;
paho-mqtt, which takes this for its socket, only sees the other packets.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable

from firewatch.mqtt.packet import PacketSplitter

READ_BYTES = 65_536
"""How much is read in one go, some 300 messages: what the loop does between two looks at its other work."""

WRITE_LIMIT_BYTES = 1_048_576
"""How much may wait to be written before the MQTT client has to keep it."""


class BufferedSocket:
    """What paho-mqtt takes for a socket (its `SocketLike`)."""

    def __init__(self, plain: socket.socket, loop: asyncio.AbstractEventLoop, splitter: PacketSplitter) -> None:
        self._socket = plain
        self._loop = loop
        self._splitter = splitter
        self._on_readable: Callable[[], None] | None = None
        self._may_read = True
        self._unsent = bytearray()
        self._writing = False
        self._error: OSError | None = None
        self.drained = False
        """Whether the last look at the socket found it empty."""

    # ------------------------------------------------------------ what paho calls

    def recv(self, size: int, /) -> bytes:
        """Up to `size` bytes of packets other than messages; at most one system call between two `allow_read`."""
        other = self._splitter.other
        if not other and self._refill() and not other:
            raise BlockingIOError
        data = bytes(other[:size])
        del other[:size]
        return data

    def send(self, data: bytes | bytearray, /) -> int:
        """Take the bytes for the next `flush`."""
        if len(self._unsent) > WRITE_LIMIT_BYTES:
            raise BlockingIOError
        self._unsent += data
        return len(data)

    def close(self) -> None:
        """Send what can be sent at once, and close."""
        if self._socket.fileno() < 0:
            return
        if self._error is None:
            self.flush()
        self.stop_reading()
        self._stop_writing()
        self._socket.close()

    def fileno(self) -> int:
        """The file descriptor, negative after `close`."""
        return self._socket.fileno()

    def setblocking(self, flag: bool, /) -> None:
        """The socket is non-blocking from the start."""

    def pending(self) -> int:
        """How many bytes are at hand without a system call."""
        return len(self._splitter.other)

    # ------------------------------------------------------------ what the session calls

    def put(self, data: bytes) -> None:
        """Take small packets for the next `flush`, however much waits already."""
        self._unsent += data

    def start_reading(self, on_readable: Callable[[], None]) -> None:
        """Call `on_readable` whenever there is something to read."""
        self._on_readable = on_readable
        if self._socket.fileno() >= 0:
            self._loop.add_reader(self._socket.fileno(), on_readable)

    def stop_reading(self) -> None:
        """Leave what arrives with the kernel, which makes the broker wait."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())

    def delay_acknowledgements(self) -> None:
        """Let the kernel take its time with TCP acknowledgements once, so that a broker that waits for them shows."""
        if hasattr(socket, "TCP_QUICKACK") and self._socket.fileno() >= 0:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)

    @property
    def broken(self) -> bool:
        """Whether sending failed; the next `recv` raises the error."""
        return self._error is not None

    def allow_read(self) -> None:
        """Allow one system call for reading."""
        self._may_read = True

    def hidden(self) -> bool:
        """Whether TLS holds bytes that the loop cannot see on the socket."""
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.fileno() >= 0 and self._socket.pending() > 0

    def flush(self) -> None:
        """Send what was taken; the rest follows when the socket has room. An error shows at the next `recv`."""
        if not self._unsent or self._error is not None or self._socket.fileno() < 0:
            return
        try:
            sent = self._socket.send(self._unsent)
            del self._unsent[:sent]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError as error:
            self._error = error
            self._unsent.clear()
            self._stop_writing()
            if self._on_readable is not None:
                self._loop.call_soon(self._on_readable)
            return
        if self._unsent and not self._writing:
            self._writing = True
            self._loop.add_writer(self._socket.fileno(), self.flush)
        elif not self._unsent:
            self._stop_writing()

    def _stop_writing(self) -> None:
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._socket.fileno())

    def _refill(self) -> bool:
        """Read once; False at the end of the stream."""
        if self._error is not None:
            raise self._error
        if not self._may_read:
            raise BlockingIOError
        self._may_read = False
        try:
            data = self._socket.recv(READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            self.drained = True
            raise BlockingIOError from None
        self.drained = len(data) < READ_BYTES
        self._splitter.feed(data)
        return bool(data)


async def open_socket(host: str, port: int, tls: ssl.SSLContext | None, splitter: PacketSplitter) -> BufferedSocket:
    """Connect to the first address that answers, without Nagle's algorithm, which would hold a small packet back for
    up to 40 ms.

    Raises:
        OSError: no address answered, or TLS failed.
    """
    loop = asyncio.get_running_loop()
    error: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        plain = socket.socket(family, kind, protocol)
        try:
            plain.setblocking(False)
            await loop.sock_connect(plain, address)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is not None:
                plain = await _shake_hands(tls.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False))
        except OSError as failed:
            plain.close()
            error = failed
        except BaseException:
            plain.close()
            raise
        else:
            return BufferedSocket(plain, loop, splitter)
    raise error


async def _shake_hands(secure: ssl.SSLSocket) -> ssl.SSLSocket:
    try:
        while True:
            try:
                secure.do_handshake()
            except ssl.SSLWantReadError:
                await _ready(secure, to_write=False)
            except ssl.SSLWantWriteError:
                await _ready(secure, to_write=True)
            else:
                return secure
    except BaseException:
        secure.close()
        raise


async def _ready(waiting: socket.socket, *, to_write: bool) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    watch, forget = (loop.add_writer, loop.remove_writer) if to_write else (loop.add_reader, loop.remove_reader)
    watch(waiting.fileno(), _set, ready)
    try:
        await ready
    finally:
        with contextlib.suppress(ValueError):
            forget(waiting.fileno())


def _set(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
