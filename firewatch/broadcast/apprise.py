"""Everything that Apprise knows: e-mail, chat groups, SMS gateways and some hundred others.

Apprise blocks, so each attempt has a thread of its own, and a target never has more than `THREADS` of them: a service
that hangs costs that much and no more. Its log lines and errors may hold the address, which is a secret; none of them
leaves this module but for a status code.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Callable
from datetime import timedelta

import apprise
from apprise import NotifyBase, NotifyFormat, NotifyType

from firewatch.broadcast.channel import Notification, PermanentDeliveryError, TemporaryDeliveryError
from firewatch.broadcast.secret import read_secret
from firewatch.config.channel_spec import AppriseSpec
from firewatch.errors import ConfigError
from firewatch.model.delivery import NotificationReason

TIMEOUT = timedelta(seconds=9)
THREADS = 3

_STATUS = re.compile(r"\berror\s*=\s*(\d{3})\b|\((\d{3}), ")
"""How Apprise's plugins log an HTTP status, and how Python writes an SMTP reply."""
_NEVER = frozenset({400, 413, 422, 501, 552, 554})
"""HTTP: this message is not taken. SMTP (RFC 5321): it is too long, or not wanted."""

_SECRETIVE = ("apprise", "urllib3", "requests", "requests_oauthlib", "oauthlib", "smtplib")


class _Collector(logging.Handler):
    """Keeps, for each thread that asked for it, the last status code that Apprise logged. Lines go no further."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._local = threading.local()

    def begin(self) -> None:
        """Forget what this thread heard before."""
        self._local.status = None

    def status(self) -> int | None:
        """The last status code since then."""
        found: int | None = self._local.status
        return found

    def emit(self, record: logging.LogRecord) -> None:
        """Take the status code out of a line."""
        if not hasattr(self._local, "status"):
            return
        found = _STATUS.search(record.getMessage())
        if found is not None:
            self._local.status = int(found[1] or found[2])


_collector = _Collector()


def _keep_secrets() -> None:
    """Let no line of these libraries reach the log, at whatever level it is: they write addresses out."""
    for name in _SECRETIVE:
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.handlers = [_collector if name == "apprise" else logging.NullHandler()]
    logging.getLogger("apprise").setLevel(logging.DEBUG)


class AppriseChannel:
    """Tells one service."""

    def __init__(self, spec: AppriseSpec, target: str) -> None:
        """Read the address, and let Apprise take it apart.

        Raises:
            ConfigError: it cannot be read, or Apprise does not understand it.
        """
        _keep_secrets()
        self._url = read_secret(spec.url, f"target {target}")
        self._slots = asyncio.Semaphore(THREADS)
        service = self._service()
        if service is None:
            raise ConfigError(
                f"target {target}: Apprise does not understand the address that was read; "
                "it begins with the name of a service, as in mailtos://"
            )
        self._name = str(service.service_name or "the service")

    async def deliver(self, message: Notification) -> None:
        """Send once; what Apprise calls sent counts as taken."""
        if self._slots.locked():
            raise TemporaryDeliveryError(f"{self._name}: {THREADS} attempts before this one still hang")
        await self._slots.acquire()
        outcome = _in_thread(lambda: self._send(message), self._slots.release)
        try:
            async with asyncio.timeout(TIMEOUT.total_seconds()):
                was_sent, status = await outcome
        except TimeoutError:
            raise TemporaryDeliveryError(f"{self._name} did not answer in time") from None
        if was_sent:
            return
        said = f"{self._name} did not take it" + ("" if status is None else f": it answered {status}")
        if status in _NEVER:
            raise PermanentDeliveryError(said)
        raise TemporaryDeliveryError(said)

    async def close(self) -> None:
        """Nothing is kept between attempts."""

    def _service(self) -> NotifyBase | None:
        """A service of its own for each attempt: they are not made for several threads."""
        asset = apprise.AppriseAsset(
            app_id="firewatch",
            app_desc="firewatch",
            app_url="",
            async_mode=False,
            storage_mode="memory",
            http_redirects=False,
            allow_templates=False,
            service_timeout=TIMEOUT.total_seconds(),
        )
        try:
            return apprise.Apprise.instantiate(self._url, asset=asset, suppress_exceptions=True)
        except Exception:  # whatever a plugin makes of an address: the address must not be in what is told of it
            return None

    def _send(self, message: Notification) -> tuple[bool, int | None]:
        _collector.begin()
        service = self._service()
        if service is None:
            return False, None
        try:
            was_sent = service.notify(
                title=message.title,
                body=message.body,
                notify_type=_TYPES.get(message.reason, NotifyType.WARNING),
                body_format=NotifyFormat.TEXT,
            )
        except Exception:  # a plugin's own error may carry the address
            was_sent = False
        return bool(was_sent), _collector.status()


_TYPES = {
    NotificationReason.ACKNOWLEDGED: NotifyType.INFO,
    NotificationReason.RETURNED: NotifyType.SUCCESS,
    NotificationReason.TEST: NotifyType.INFO,
}


def _in_thread(
    work: Callable[[], tuple[bool, int | None]], when_done: Callable[[], None]
) -> asyncio.Future[tuple[bool, int | None]]:
    """Work in a thread that does not keep the process alive; `when_done` is called in the event loop when it ends,
    which may be long after anybody waits for it.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[tuple[bool, int | None]] = loop.create_future()

    def finish(result: tuple[bool, int | None]) -> None:
        when_done()
        if not outcome.done():
            outcome.set_result(result)

    def run() -> None:
        result = work()
        try:
            loop.call_soon_threadsafe(finish, result)
        except RuntimeError:  # the loop is gone: nobody waits any more
            return

    threading.Thread(target=run, name="apprise", daemon=True).start()
    return outcome
