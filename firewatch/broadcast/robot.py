"""The robot of a chat group: DingTalk, DingTalk's government edition (专有钉钉, 政务钉钉), WeCom.

Their robots take the same JSON and answer 200 with an `errcode` that says whether the message was taken. Apprise knows
no other host than DingTalk's public one, and takes every 200 for success; a message that was refused for its signature
or for a keyword would be recorded as delivered. Hence this channel.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta

import msgspec

from firewatch.broadcast.channel import Notification, PermanentDeliveryError, TemporaryDeliveryError
from firewatch.broadcast.http import HttpPoster
from firewatch.broadcast.secret import read_address, read_secret
from firewatch.config.channel_spec import RobotSpec

TEXT_LIMIT_BYTES = 2_000
"""WeCom takes 2,048 bytes of text, DingTalk 20,000 bytes of message."""

_A_MINUTE = timedelta(minutes=1)
_TOO_FAST = frozenset({130101, 45009})
"""DingTalk, WeCom: more than 20 messages within a minute."""
_NEVER = frozenset({40008, 40058})
"""WeCom: the message's type or its text. Anything else, a signature or a robot switched off, may be put right."""


class _Text(msgspec.Struct, frozen=True):
    content: str


class _Message(msgspec.Struct, frozen=True):
    text: _Text
    msgtype: str


class _Answer(msgspec.Struct, frozen=True):
    errcode: int
    errmsg: str = ""


class RobotChannel:
    """Posts texts to one robot."""

    def __init__(self, spec: RobotSpec, target: str) -> None:
        """Read the secrets.

        Raises:
            ConfigError: one cannot be read.
        """
        whose = f"target {target}"
        self._poster = HttpPoster(read_address(spec.url, whose))
        self._secret = None if spec.secret is None else read_secret(spec.secret, whose)

    async def deliver(self, message: Notification) -> None:
        """Post one text; an `errcode` of 0 means that it was taken."""
        content = _shortened(f"{message.title}\n{message.body}")
        body = msgspec.json.encode(_Message(_Text(content), "text"))
        parameters = None if self._secret is None else _signed(self._secret, message.attempt_time)
        headers = {"Content-Type": "application/json; charset=utf-8"}
        self._check(await self._poster.post(body, headers, message.attempt_time, parameters))

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()

    def _check(self, content: bytes) -> None:
        try:
            answer = msgspec.json.decode(content, type=_Answer)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise TemporaryDeliveryError(f"{self._poster.host} gave an answer that is none of a robot's") from None
        if answer.errcode == 0:
            return
        said = f"{self._poster.host} answered errcode {answer.errcode}: {_one_line(answer.errmsg)}"
        if answer.errcode in _NEVER:
            raise PermanentDeliveryError(said)
        raise TemporaryDeliveryError(said, _A_MINUTE if answer.errcode in _TOO_FAST else None)


def _signed(secret: str, now: datetime) -> dict[str, str]:
    """DingTalk's 加签: HMAC-SHA256 by the secret over the time in milliseconds, a line feed, and the secret."""
    timestamp = str(int(now.timestamp() * 1000))
    digest = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    return {"timestamp": timestamp, "sign": base64.b64encode(digest).decode()}


def _shortened(text: str) -> str:
    encoded = text.encode(errors="replace")
    if len(encoded) <= TEXT_LIMIT_BYTES:
        return text
    return encoded[: TEXT_LIMIT_BYTES - 3].decode(errors="ignore") + "…"


def _one_line(text: str) -> str:
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:200]
