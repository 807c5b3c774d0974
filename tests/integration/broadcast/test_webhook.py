from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
from aiohttp import web
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from msgspec.structs import replace

from firewatch.broadcast import http, webhook
from firewatch.broadcast.channel import Notification, PermanentDeliveryError, TemporaryDeliveryError
from firewatch.broadcast.webhook import WebhookChannel
from firewatch.config.channel_spec import SecretSpec, WebhookSpec
from firewatch.errors import ConfigError
from firewatch.model.delivery import NotificationReason
from firewatch.model.text import LocalText
from tests.integration.broadcast.receivers import (
    Receiver,
    Request,
    hangs,
    in_drill,
    notification,
    receiver,
    says,
    unknown_authority,
)
from tests.unit.broadcast.alarms import smoke

OLD, NEW, OTHER = ("whsec_" + base64.b64encode(bytes([one]) * 32).decode() for one in (1, 2, 3))
Open = Callable[..., WebhookChannel]


@pytest.fixture
async def server() -> AsyncIterator[Receiver]:
    async with receiver() as found:
        yield found


@pytest.fixture
async def opened(server: Receiver, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens channels to the server, each with some secrets in files."""
    channels: list[WebhookChannel] = []

    def make(*secrets: str, url: str | None = None) -> WebhookChannel:
        files = []
        for place, secret in enumerate(secrets):
            file = tmp_path / f"secret-{place}"
            file.write_text(f"{secret}\n")
            files.append(SecretSpec(file=file))
        channels.append(WebhookChannel(WebhookSpec(url=url or server.url, secrets=tuple(files)), "t", "here"))
        return channels[-1]

    yield make
    for channel in channels:
        await channel.close()


def event(request: Request) -> BaseCloudEvent:
    return from_structured_event(HTTPMessage(request.headers, request.body))


def verified(request: Request, secret: str) -> Any:
    return standardwebhooks.Webhook(secret).verify(request.body, request.headers)


async def test_an_alarm_arrives_as_a_cloud_event_with_both_languages_unbroken(server: Receiver, opened: Open) -> None:
    message = notification()
    await opened().deliver(message)
    (request,) = server.taken
    assert request.method == "POST"
    assert request.headers["content-type"] == "application/cloudevents+json; charset=UTF-8"
    told = event(request)
    assert (told.get_specversion(), told.get_id(), told.get_source(), told.get_type(), told.get_subject()) == (
        "1.0",
        message.delivery_id,
        "urn:firewatch:here",
        "firewatch.alarm.onset",
        "sample/smoke-1",
    )
    assert told.get_time() == message.created_time
    assert told.get_dataschema() == webhook.DATA_SCHEMA
    data = told.get_data()
    assert isinstance(data, dict)
    assert (data["title"], data["body"]) == (message.title, message.body)
    assert data["alarms"][0]["text"] == {"zh": "地下车库 1 区烟感报警", "en": "Smoke in garage zone 1"}
    assert data["drill"] is False


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (notification(reason=NotificationReason.ESCALATED), "firewatch.alarm.escalated"),
        (notification(reason=NotificationReason.SUMMARY), "firewatch.alarm.summary"),
        (notification(in_drill(smoke())), "firewatch.drill.onset"),
        (notification(reason=NotificationReason.TEST), "firewatch.test"),
    ],
)
async def test_the_type_says_what_it_is_about(
    server: Receiver, opened: Open, message: Notification, expected: str
) -> None:
    await opened().deliver(message)
    assert event(server.taken[0]).get_type() == expected


async def test_a_receiver_can_verify_the_signature(server: Receiver, opened: Open) -> None:
    await opened(NEW).deliver(notification(now=datetime.now(UTC)))
    assert verified(server.taken[0], NEW)["specversion"] == "1.0"
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        verified(server.taken[0], OTHER)


async def test_a_body_that_was_changed_on_the_way_is_found_out(server: Receiver, opened: Open) -> None:
    await opened(NEW).deliver(notification(now=datetime.now(UTC)))
    (request,) = server.taken
    request.body = request.body.replace(b"onset", b"reset")
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        verified(request, NEW)


async def test_while_a_secret_takes_anothers_place_receivers_may_hold_either(server: Receiver, opened: Open) -> None:
    await opened(OLD, NEW).deliver(notification(now=datetime.now(UTC)))
    for secret in (OLD, NEW):
        verified(server.taken[0], secret)


async def test_a_second_attempt_has_the_same_id_and_a_new_time(server: Receiver, opened: Open) -> None:
    channel, now = opened(NEW), datetime.now(UTC)
    for moment in (now - timedelta(seconds=30), now):
        await channel.deliver(notification(now=moment))
    first, second = (verified(request, NEW) and request.headers for request in server.taken)
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-timestamp"] != second["webhook-timestamp"]


async def test_without_a_secret_there_is_no_signature(server: Receiver, opened: Open) -> None:
    await opened().deliver(notification())
    assert "webhook-signature" not in server.taken[0].headers


@pytest.mark.parametrize("status", [401, 403, 404, 408, 425, 429, 500, 502, 503, 504])
async def test_what_may_be_put_right_is_tried_again(server: Receiver, opened: Open, status: int) -> None:
    server.answer = says(status, "no")
    with pytest.raises(TemporaryDeliveryError, match=rf"127\.0\.0\.1 answered {status}$"):
        await opened().deliver(notification())


@pytest.mark.parametrize("status", [400, 410, 413, 415, 422])
async def test_what_the_receiver_will_never_take_is_not_tried_again(
    server: Receiver, opened: Open, status: int
) -> None:
    server.answer = says(status)
    with pytest.raises(PermanentDeliveryError):
        await opened().deliver(notification())


async def test_a_redirect_is_not_followed(server: Receiver, opened: Open) -> None:
    server.answer = says(302, Location=f"{server.url}/elsewhere")
    with pytest.raises(PermanentDeliveryError, match="redirect"):
        await opened().deliver(notification())
    assert [request.path for request in server.taken] == ["/"]


NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "waited"),
    [
        ("120", timedelta(seconds=120)),
        ("0", timedelta(0)),
        ("99999999999999999999", timedelta(seconds=999_999_999)),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), timedelta(seconds=90)),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), timedelta(0)),
        ("soon", None),
        ("-5", None),
        ("١٢", None),
        ("", None),
    ],
)
async def test_a_receiver_may_say_when_to_try_again(
    server: Receiver, opened: Open, said: str, waited: timedelta | None
) -> None:
    server.answer = says(429, Retry_After=said)
    with pytest.raises(TemporaryDeliveryError) as caught:
        await opened().deliver(notification(now=NOW))
    assert caught.value.retry_after == waited


async def test_a_receiver_that_hangs_costs_a_bounded_time(
    server: Receiver, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "TIMEOUT", timedelta(milliseconds=50))
    released = asyncio.Event()
    server.answer = hangs(released)
    with pytest.raises(TemporaryDeliveryError, match="did not answer in time"):
        await opened().deliver(notification())
    released.set()


async def test_a_receiver_that_is_away_is_tried_again(opened: Open) -> None:
    async with receiver() as gone:
        pass
    with pytest.raises(TemporaryDeliveryError, match=r"127\.0\.0\.1: cannot be reached"):
        await opened(url=gone.url).deliver(notification())


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield b"x" * 8_192


async def test_an_address_that_nobody_can_connect_to_is_told_so_and_may_be_put_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ADDRESS", "https://centre..example/t0ken")
    channel = WebhookChannel(WebhookSpec(url=SecretSpec(env="ADDRESS")), "t", "here")
    with pytest.raises(TemporaryDeliveryError, match="its address cannot be used") as caught:
        await channel.deliver(notification())
    await channel.close()
    assert "t0ken" not in str(caught.value)


async def test_an_answer_without_an_end_is_not_read_to_the_end(server: Receiver, opened: Open) -> None:
    async def answer() -> web.StreamResponse:
        return web.Response(body=endless())

    server.answer = answer
    await asyncio.wait_for(opened().deliver(notification()), 30)


@pytest.mark.slow
async def test_a_server_that_nobody_vouches_for_is_told_nothing(opened: Open, tmp_path: Path) -> None:
    async with receiver(unknown_authority(tmp_path)) as server:
        assert server.url.startswith("https://")
        with pytest.raises(TemporaryDeliveryError, match="its certificate is not one that is trusted here"):
            await opened(url=server.url).deliver(notification())
        assert server.taken == []


async def test_an_error_never_repeats_what_stands_in_the_address(server: Receiver, opened: Open) -> None:
    for status in (302, 400, 500):
        server.answer = says(status)
        with pytest.raises((TemporaryDeliveryError, PermanentDeliveryError)) as caught:
            await opened(url=f"{server.url}/hook?token=s3cret").deliver(notification())
        assert "s3cret" not in str(caught.value)
        assert "hook" not in str(caught.value)


async def test_a_summary_that_is_too_long_names_fewer_alarms_and_still_says_how_many(
    server: Receiver, opened: Open
) -> None:
    long = LocalText(zh="烟" * 1_500, en="x" * 1_500)
    alarms = [replace(smoke(f"a{place}"), text=long) for place in range(100)]
    await opened().deliver(notification(*alarms, reason=NotificationReason.SUMMARY))
    body = server.taken[0].body
    assert len(body) <= webhook.BODY_LIMIT_BYTES
    data = json.loads(body)["data"]
    assert 0 < len(data["alarms"]) < 100
    assert data["total"] == 100


@pytest.mark.parametrize("secret", ["short", "whsec_" + base64.b64encode(b"x" * 23).decode(), "not base64 at all!", ""])
def test_a_secret_that_is_none_is_refused_without_repeating_it(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", secret)
    with pytest.raises(ConfigError, match=r"^target t: ") as caught:
        WebhookChannel(WebhookSpec(url="http://127.0.0.1/", secrets=(SecretSpec(env="HOOK_SECRET"),)), "t", "here")
    assert not secret or secret not in str(caught.value)


def test_a_secret_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "none"
    with pytest.raises(ConfigError, match="none cannot be read"):
        WebhookChannel(WebhookSpec(url="http://127.0.0.1/", secrets=(SecretSpec(file=missing),)), "t", "here")


async def test_an_address_may_be_a_secret_too(server: Receiver, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", f"{server.url}/secret-path")
    channel = WebhookChannel(WebhookSpec(url=SecretSpec(env="HOOK")), "t", "here")
    await channel.deliver(notification())
    await channel.close()
    assert server.taken[0].path == "/secret-path"
