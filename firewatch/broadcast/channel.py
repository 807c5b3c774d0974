"""What every way of telling people and systems outside has to be able to do.

The notifier decides who is told what and when, and when it is tried again; a channel makes one attempt. A new kind of
channel is a class with these two methods, its settings in `config/channel_spec.py`, and its line in
`broadcast/channels.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from firewatch.errors import FirewatchError
from firewatch.model.alarm import Alarm
from firewatch.model.delivery import NotificationReason

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Notification:
    """What a target is told.

    `delivery_id` is the same at every attempt: a receiver that knows it has been told already. `alarms` are the alarms
    as they were when the delivery fell due: one; for a `summary` the first of those that it sums up; for a `test`
    none. `number` is the place of the told change among its alarm's. `title` and `body` are written in `language`.
    `total` is how many alarms it tells of. `created_time` is when the notifier made it, `attempt_time` the present: a
    channel needs no clock.
    """

    delivery_id: str
    target: str
    reason: NotificationReason
    language: Language
    title: str
    body: str
    created_time: datetime
    attempt_time: datetime
    alarms: tuple[Alarm, ...] = ()
    number: int = 0
    total: int = 1

    @property
    def is_drill(self) -> bool:
        """Whether it tells of a drill only; receivers must be told so."""
        return any(alarm.drill is not None for alarm in self.alarms)


class DeliveryError(FirewatchError):
    """The receiver did not take the message."""


class TemporaryDeliveryError(DeliveryError):
    """The receiver did not take the message now; it is tried again, not before `retry_after` if the receiver said so.

    Its text is shown to operators and kept: one line, without secrets.
    """

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PermanentDeliveryError(DeliveryError):
    """The receiver will never take this message, but may take others; it is kept as dead. The same holds for its text.

    What somebody can put right, such as a wrong key or address, is a temporary failure: nothing is lost meanwhile.
    """


class Channel(Protocol):
    """One way to one target. Attempts come in the event loop; a channel that has to block uses a thread. They may
    overlap, because fire is not held up by what else is sent.

    An attempt is cancelled after `outlet.ATTEMPT_TIMEOUT` and then counts as a temporary failure, like every
    exception other than those above.
    """

    async def deliver(self, message: Notification) -> None:
        """Make one attempt; returning means that the receiver has taken the message.

        Raises:
            TemporaryDeliveryError: it may be taken later.
            PermanentDeliveryError: trying again is of no use.
        """
        ...

    async def close(self) -> None:
        """Let go of connections; no attempt follows."""
        ...
