"""Webhooks: CloudEvents 1.0 in their JSON form, signed the way of Standard Webhooks.

A receiver checks the signature over `id.timestamp.body`, refuses old timestamps, and takes an id that it knows already
for said: attempts at the same delivery carry the same id. A drill's events have types of their own, so that a receiver
that goes by the type never takes one for an alarm.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

import msgspec

from firewatch.broadcast.channel import Notification, PermanentDeliveryError
from firewatch.broadcast.http import HttpPoster
from firewatch.broadcast.secret import read_address, read_secret
from firewatch.config.channel_spec import SecretSpec, WebhookSpec
from firewatch.errors import ConfigError
from firewatch.model.alarm import Alarm
from firewatch.model.delivery import NotificationReason

MEDIA_TYPE = "application/cloudevents+json; charset=UTF-8"
DATA_SCHEMA = "urn:firewatch:schema:notification:1"
"""Names the form of `data` (docs/notifications.md); another number means that something in it means something else."""

BODY_LIMIT_BYTES = 262_144
KEY_LENGTHS = range(24, 65)
"""Standard Webhooks: 24 to 64 bytes."""
_KEY_PREFIX = "whsec_"


class NotificationData(msgspec.Struct, frozen=True):
    """What an event carries. `alarms` are those it tells of, as they were; the first of `total` where it sums up."""

    reason: NotificationReason
    drill: bool
    language: str
    title: str
    body: str
    number: int
    total: int
    alarms: tuple[Alarm, ...]


class CloudEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """CloudEvents 1.0, JSON event format."""

    id: str
    source: str
    type: str
    time: datetime
    data: NotificationData
    subject: str | None = None
    dataschema: str = ""
    datacontenttype: str = ""
    specversion: str = ""


def event(message: Notification, sender: str) -> CloudEvent:
    """A notification as an event. `sender` names this firewatch among others."""
    is_test = message.reason is NotificationReason.TEST
    return CloudEvent(
        specversion="1.0",
        id=message.delivery_id,
        source=f"urn:firewatch:{quote(sender, safe='')}",
        type="firewatch.test" if is_test else f"firewatch.{'drill' if message.is_drill else 'alarm'}.{message.reason}",
        subject=message.alarms[0].subject if len(message.alarms) == 1 else None,
        time=message.created_time,
        dataschema=DATA_SCHEMA,
        datacontenttype="application/json",
        data=NotificationData(
            reason=message.reason,
            drill=message.is_drill,
            language=message.language,
            title=message.title,
            body=message.body,
            number=message.number,
            total=message.total,
            alarms=message.alarms,
        ),
    )


def encode(told: CloudEvent) -> bytes:
    """The event as JSON, with as many of its alarms as a body may hold.

    Raises:
        PermanentDeliveryError: even without alarms it is too long.
    """
    body = msgspec.json.encode(told)
    while len(body) > BODY_LIMIT_BYTES and told.data.alarms:
        fewer = told.data.alarms[: len(told.data.alarms) // 2]
        told = msgspec.structs.replace(told, data=msgspec.structs.replace(told.data, alarms=fewer))
        body = msgspec.json.encode(told)
    if len(body) > BODY_LIMIT_BYTES:
        raise PermanentDeliveryError(f"the event is longer than {BODY_LIMIT_BYTES} bytes")
    return body


def signature_headers(keys: Sequence[bytes], message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """Standard Webhooks' headers: one signature for each key, so that a receiver may hold either."""
    timestamp = str(int(now.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    digests = [hmac.new(key, signed, hashlib.sha256).digest() for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests),
    }


def read_key(spec: SecretSpec, whose: str) -> bytes:
    """A signature's key: `whsec_` and base64, as Standard Webhooks writes it.

    Raises:
        ConfigError: it cannot be read, or is no such key.
    """
    text = read_secret(spec, whose)
    try:
        key = base64.b64decode(text.removeprefix(_KEY_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) not in KEY_LENGTHS:
        raise ConfigError(
            f"{whose}: the secret is no key of 24 to 64 bytes in base64; `openssl rand -base64 32` makes one"
        )
    return key


class WebhookChannel:
    """Posts events to one address."""

    def __init__(self, spec: WebhookSpec, target: str, sender: str) -> None:
        """Read the secrets.

        Raises:
            ConfigError: one cannot be read.
        """
        whose = f"target {target}"
        self._keys = [read_key(secret, whose) for secret in spec.secrets]
        self._poster = HttpPoster(read_address(spec.url, whose))
        self._sender = sender

    async def deliver(self, message: Notification) -> None:
        """Post one event; every answer of 2xx means that it was taken."""
        body = encode(event(message, self._sender))
        headers = {"Content-Type": MEDIA_TYPE}
        if self._keys:
            headers |= signature_headers(self._keys, message.delivery_id, message.attempt_time, body)
        await self._poster.post(body, headers, message.attempt_time)

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()
