"""One POST to somebody else's server, and what its answer means for the message.

Bounded in time and size, TLS verified, redirects not followed: a message goes to the address that somebody wrote down,
or nowhere. Addresses may carry secrets, so an error names the host alone. Proxies and authorities are taken from the
environment (`HTTPS_PROXY`, `NO_PROXY`, `SSL_CERT_FILE`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import aiohttp

from firewatch.broadcast.channel import PermanentDeliveryError, TemporaryDeliveryError

TIMEOUT = timedelta(seconds=8)
"""For the whole exchange. GB 25506-2010 gives 10 s to tell a remote centre of a fire."""
CONNECT_TIMEOUT = timedelta(seconds=3)
ANSWER_LIMIT_BYTES = 65_536

_NEVER = frozenset({400, 410, 411, 413, 414, 415, 422, 501})
"""Answers about this message; whatever else is wrong (a log-in, a proxy, a path) somebody may put right."""


class HttpPoster:
    """Posts to one address, over connections that it keeps. Bound to the event loop from the first `post` on."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.host = _host(url)
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self, body: bytes, headers: Mapping[str, str], now: datetime, parameters: Mapping[str, str] | None = None
    ) -> bytes:
        """Post once, with `parameters` added to the address; returns the answer, cut off at `ANSWER_LIMIT_BYTES`.

        Raises:
            TemporaryDeliveryError: nobody answered, or the answer may be another one later.
            PermanentDeliveryError: the receiver does not want this message.
        """
        session = self._session = self._session or _session()
        try:
            async with session.post(
                self._url, data=body, headers=headers, params=parameters, allow_redirects=False
            ) as answer:
                content = await _bounded(answer)
        except TimeoutError:
            raise TemporaryDeliveryError(f"{self.host} did not answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise TemporaryDeliveryError(f"{self.host}: {_what(error)}") from None
        if 200 <= answer.status < 300:
            return content
        raise self._refusal(answer.status, answer.headers.get("Retry-After"), now)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _refusal(self, status: int, retry_after: str | None, now: datetime) -> Exception:
        said = f"{self.host} answered {status}"
        if 300 <= status < 400:
            return PermanentDeliveryError(f"{said}, a redirect; write the address that it points to instead")
        if status in _NEVER:
            return PermanentDeliveryError(said)
        return TemporaryDeliveryError(said, _read_retry_after(retry_after, now))


def _host(url: str) -> str:
    """What may be said of an address."""
    try:
        return urlsplit(url).hostname or "the receiver"
    except ValueError:
        return "the receiver"


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=TIMEOUT.total_seconds(), connect=CONNECT_TIMEOUT.total_seconds()),
        connector=aiohttp.TCPConnector(limit=4),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=True,
        max_line_size=8_190,
        max_field_size=8_190,
    )


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in answer.content.iter_chunked(8_192):
        content += chunk
        if len(content) >= ANSWER_LIMIT_BYTES:
            answer.close()
            break
    return bytes(content[:ANSWER_LIMIT_BYTES])


def _what(error: Exception) -> str:
    """What went wrong, in a few words of ours: the library's text may carry the address."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return "its certificate is not one that is trusted here"
        case aiohttp.ClientSSLError():
            return "no TLS connection could be made"
        case aiohttp.ClientConnectorDNSError():
            return "there is no such host name"
        case aiohttp.ClientConnectorError():
            return f"cannot be reached ({type(error.os_error).__name__})"
        case aiohttp.InvalidURL() | ValueError():
            return "its address cannot be used"
        case _:
            return f"the exchange broke off ({type(error).__name__})"


def _read_retry_after(text: str | None, now: datetime) -> timedelta | None:
    """RFC 9110, 10.2.3: seconds, or a date. None if there is none that makes sense."""
    if text is None:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        wait = timedelta(seconds=int(text.strip()[:9]))
    else:
        try:
            wait = parsedate_to_datetime(text) - now
        except (ValueError, TypeError):
            return None
    return max(wait, timedelta(0))
