"""Real servers on this machine that take what channels send, and notifications to send."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from msgspec.structs import replace

from firewatch.broadcast.channel import Language, Notification
from firewatch.model.alarm import Alarm
from firewatch.model.delivery import NotificationReason
from tests.unit.broadcast.alarms import START, smoke


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """What came, and what is answered next: `answer` may be changed at any time."""

    url: str = ""
    taken: list[Request] = field(default_factory=list)
    answer: Callable[[], Awaitable[web.StreamResponse]] = field(default=lambda: _empty())


async def _empty() -> web.Response:
    return web.Response(text="")


def says(status: int, text: str = "", **headers: str) -> Callable[[], Awaitable[web.StreamResponse]]:
    """An answer; underscores in the names of headers are hyphens."""

    async def answer() -> web.StreamResponse:
        return web.Response(
            status=status, text=text, headers={key.replace("_", "-"): value for key, value in headers.items()}
        )

    return answer


def hangs(released: asyncio.Event) -> Callable[[], Awaitable[web.StreamResponse]]:
    async def answer() -> web.StreamResponse:
        await released.wait()
        return web.Response()

    return answer


@contextlib.asynccontextmanager
async def receiver(tls: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[Receiver]:
    """An HTTP server on this machine, on a free port unless one is named."""
    found = Receiver()

    async def take(request: web.Request) -> web.StreamResponse:
        found.taken.append(
            Request(
                request.method,
                request.path,
                dict(request.query),
                {name.lower(): value for name, value in request.headers.items()},
                await request.read(),
            )
        )
        return await found.answer()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls)
    await site.start()
    assert runner.addresses
    found.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield found
    finally:
        await runner.cleanup()


def unknown_authority(folder: Path) -> ssl.SSLContext:
    """A certificate for this machine that is signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    plain = serialization.NoEncryption()
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def notification(
    *alarms: Alarm,
    reason: NotificationReason = NotificationReason.ONSET,
    language: Language = "zh",
    title: str = "火灾报警：地下车库 1 区",
    body: str = "烟感报警，请立即派人到现场核实。\nSmoke in garage zone 1 — “go and look”.",
    number: int = 1,
    delivery_id: str = "d0123456789",
    now: datetime = START,
) -> Notification:
    return Notification(
        delivery_id=delivery_id,
        target="t",
        reason=reason,
        language=language,
        title=title,
        body=body,
        created_time=now,
        attempt_time=now,
        alarms=alarms or (() if reason is NotificationReason.TEST else (smoke(),)),
        number=number,
        total=max(len(alarms), 1),
    )


def in_drill(alarm: Alarm) -> Alarm:
    return replace(alarm, drill="d1")
