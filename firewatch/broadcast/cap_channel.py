"""CAP messages posted to a receiver as soon as there is one, the same as stand in the feed."""

from __future__ import annotations

import sys

from firewatch.broadcast import cap
from firewatch.broadcast.cap_feed import CapFeed
from firewatch.broadcast.channel import Notification, PermanentDeliveryError
from firewatch.broadcast.http import HttpPoster
from firewatch.broadcast.secret import read_address, read_secret
from firewatch.config.channel_spec import CapSpec
from firewatch.model.delivery import NotificationReason
from firewatch.model.text import LocalText

_TEST_TITLE = LocalText(zh="通知测试", en="Test of notifications")
_TEST_BODY = LocalText(zh="firewatch 的测试消息，无需处理。", en="A test by firewatch. Nothing has to be done.")


class CapChannel:
    """Posts CAP messages to one address."""

    def __init__(self, spec: CapSpec, target: str, sender: str, feed: CapFeed) -> None:
        """Read the secrets.

        Raises:
            ConfigError: one cannot be read.
        """
        whose = f"target {target}"
        self._poster = HttpPoster(read_address(spec.url, whose))
        self._headers = {"Content-Type": cap.MEDIA_TYPE}
        if spec.token is not None:
            self._headers["Authorization"] = f"Bearer {read_secret(spec.token, whose)}"
        self._sender = sender
        self._feed = feed

    async def deliver(self, message: Notification) -> None:
        """Post what holds of each alarm; a receiver knows a message that it has got already by its identifier."""
        for document in await self._documents(message):
            await self._poster.post(document, self._headers, message.attempt_time)

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()

    async def _documents(self, message: Notification) -> list[bytes]:
        if message.reason is NotificationReason.TEST:
            return [cap.write_test(message.delivery_id, self._sender, message.created_time, _TEST_TITLE, _TEST_BODY)]
        number = message.number or sys.maxsize
        found = [await self._feed.message(alarm, number, message.created_time) for alarm in message.alarms]
        documents = [document for document in found if document is not None]
        if not documents:
            raise PermanentDeliveryError("nobody was told of this alarm, so there is nothing to say in CAP")
        return documents
