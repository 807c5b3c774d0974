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
from typing import NamedTuple

from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat, NotifyType

from firewatch.broadcast.channel import (
    DeliveryError,
    Notification,
    PermanentDeliveryError,
    TemporaryDeliveryError,
)
from firewatch.broadcast.secret import read_secret
from firewatch.config.channel_spec import AppriseSpec
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


class _Outcome(NamedTuple):
    """What came of an attempt: whether Apprise understood the address, whether it sent, and what was answered."""

    service: str | None
    was_sent: bool = False
    status: int | None = None


class AppriseChannel:
    """Tells one service. Apprise takes half a second to look at its services the first time: that too is done in the
    attempt's thread.
    """

    def __init__(self, spec: AppriseSpec, target: str) -> None:
        """Read the address.

        Raises:
            ConfigError: it cannot be read.
        """
        _keep_secrets()
        self._url = read_secret(spec.url, f"target {target}")
        self._free_threads = THREADS

    async def deliver(self, message: Notification) -> None:
        """Send once; what Apprise calls sent counts as taken."""
        if not self._free_threads:
            raise TemporaryDeliveryError(f"{THREADS} attempts before this one still hang")
        self._free_threads -= 1
        attempt = _in_thread(lambda: self._attempt(message), self._release)
        try:
            async with asyncio.timeout(TIMEOUT.total_seconds()):
                outcome = await attempt
        except TimeoutError:
            raise TemporaryDeliveryError(f"no answer within {TIMEOUT.total_seconds():g} s") from None
        if not outcome.was_sent:
            raise _failure(outcome)

    async def close(self) -> None:
        """Nothing is kept between attempts."""

    def _release(self) -> None:
        self._free_threads += 1

    def _attempt(self, message: Notification) -> _Outcome:
        """What the thread does. Never raises: a plugin's own error may carry the address."""
        _collector.begin()
        name = None
        try:
            service = self._service()
            if service is None:
                return _Outcome(None)
            name = str(service.service_name)
            was_sent = service.notify(
                title=message.title,
                body=message.body,
                notify_type=_TYPES.get(message.reason, NotifyType.WARNING),
                body_format=NotifyFormat.TEXT,
            )
        except Exception:
            was_sent = False
        return _Outcome(name, bool(was_sent), _collector.status())

    def _service(self) -> NotifyBase | None:
        """A service of its own for each attempt: they are not made for several threads."""
        asset = AppriseAsset(
            app_id="firewatch",
            app_desc="firewatch",
            app_url="",
            async_mode=False,
            storage_mode="memory",
            http_redirects=False,
            allow_templates=False,
        )
        return Apprise.instantiate(self._url, asset=asset)


def _failure(outcome: _Outcome) -> DeliveryError:
    if outcome.service is None:
        return TemporaryDeliveryError(
            "Apprise does not understand the address; it begins with the name of a service, as in mailtos://"
        )
    said = f"{outcome.service} did not take it"
    if outcome.status is None:
        return TemporaryDeliveryError(said)
    said = f"{said}: it answered {outcome.status}"
    return PermanentDeliveryError(said) if outcome.status in _NEVER else TemporaryDeliveryError(said)


_TYPES = {
    NotificationReason.ACKNOWLEDGED: NotifyType.INFO,
    NotificationReason.RETURNED: NotifyType.SUCCESS,
    NotificationReason.TEST: NotifyType.INFO,
}


def _in_thread(work: Callable[[], _Outcome], when_done: Callable[[], None]) -> asyncio.Future[_Outcome]:
    """Work in a thread that does not keep the process alive; `when_done` is called in the event loop when it ends,
    which may be long after anybody waits for it.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[_Outcome] = loop.create_future()

    def finish(result: _Outcome) -> None:
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
