"""The routes about messages to people and systems outside: what became of each, and how each target is."""

from __future__ import annotations

from typing import Annotated

import msgspec

from firewatch.model.delivery import Delivery, DeliveryState
from firewatch.ports import HistoryReader, Notifications, NotificationTarget
from firewatch.web.api import NOT_REFUSED_BY_STATE
from firewatch.web.endpoint import ApiError, Endpoint, NoParameters
from firewatch.web.place import read_before, write_before
from firewatch.web.query import Id, Key, Operator

_UNREADABLE_HISTORY = "The history cannot be read at present."
_NO_DELIVERY = "There is no such delivery."
_NO_TARGET = "There is no such target."

Place = Annotated[
    str, msgspec.Meta(max_length=200, description="`next` of the page before: `created_time,delivery_id`")
]


class DeliveriesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which deliveries: in one state, of one alarm, for one target."""

    state: DeliveryState | None = None
    alarm_id: Key | None = None
    target: Id | None = None
    before: Place | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100


class SendAgainBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who has a dead delivery sent again."""

    delivery_id: Key
    operator: Operator


class TargetTestBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who has a test sent; the receiver is told."""

    target: Id
    operator: Operator


class DeliveryPage(msgspec.Struct, frozen=True):
    """Deliveries, newest first. `next` is the `before` of the following page, null on the last."""

    deliveries: list[Delivery]
    next: str | None


class TargetList(msgspec.Struct, frozen=True):
    """Every target, by id."""

    targets: list[NotificationTarget]


class NotificationsApi:
    """The handlers."""

    def __init__(self, notifications: Notifications, reader: HistoryReader) -> None:
        self._notifications = notifications
        self._reader = reader

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every route, with what it takes and gives."""
        return (
            Endpoint(
                path="/api/v1/deliveries",
                handler=self.deliveries,
                parameters=DeliveriesQuery,
                answer=DeliveryPage,
                summary="Messages to people and systems outside, and what became of them, newest first",
                refusals={503: _UNREADABLE_HISTORY},
            ),
            Endpoint(
                path="/api/v1/deliveries/{delivery_id}/send-again",
                handler=self.send_again,
                parameters=SendAgainBody,
                method="POST",
                body=True,
                answer=Delivery,
                summary="An operator has a dead delivery sent again",
                refusals=NOT_REFUSED_BY_STATE
                | {404: _NO_DELIVERY, 409: "It is not dead, or its target is gone.", 503: _UNREADABLE_HISTORY},
            ),
            Endpoint(
                path="/api/v1/notification-targets",
                handler=self.targets,
                answer=TargetList,
                summary="Where messages go, and how each target is",
            ),
            Endpoint(
                path="/api/v1/notification-targets/{target}/test",
                handler=self.test,
                parameters=TargetTestBody,
                method="POST",
                body=True,
                answer=Delivery,
                summary="An operator has a test sent at once; the answer says whether the receiver took it",
                refusals=NOT_REFUSED_BY_STATE | {404: _NO_TARGET},
            ),
        )

    async def deliveries(self, query: DeliveriesQuery) -> DeliveryPage:
        """From the history."""
        found = await self._reader.deliveries(
            alarm_id=query.alarm_id,
            target=query.target,
            state=query.state,
            before=read_before(query.before),
            limit=query.limit,
        )
        last = found[-1] if len(found) == query.limit else None
        return DeliveryPage(found, None if last is None else write_before(last.created_time, last.delivery_id))

    async def send_again(self, body: SendAgainBody) -> Delivery:
        """The delivery as it waits now."""
        delivery = await self._notifications.send_again(body.delivery_id, body.operator)
        if delivery is None:
            raise ApiError(404, _NO_DELIVERY, "/api/v1/deliveries?state=dead lists what can be sent again.")
        return delivery

    async def targets(self, _: NoParameters) -> TargetList:
        """From memory."""
        return TargetList(self._notifications.targets())

    async def test(self, body: TargetTestBody) -> Delivery:
        """What came of it."""
        delivery = await self._notifications.test(body.target, body.operator)
        if delivery is None:
            raise ApiError(404, _NO_TARGET, "/api/v1/notification-targets lists those there are.")
        return delivery
