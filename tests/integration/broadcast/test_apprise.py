"""What Apprise sends, taken by a real mail server and a real web server."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from firewatch.broadcast import apprise as broadcast_apprise
from firewatch.broadcast.apprise import AppriseChannel
from firewatch.broadcast.channel import Language, PermanentDeliveryError, TemporaryDeliveryError
from firewatch.config.channel_spec import AppriseSpec, SecretSpec
from firewatch.model.delivery import NotificationReason
from tests.integration.broadcast.mailbox import PASSWORD, Mailbox, mail_server, mailto
from tests.integration.broadcast.receivers import Receiver, hangs, notification, receiver, says


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with mail_server() as found:
        yield found


@pytest.fixture
async def server() -> AsyncIterator[Receiver]:
    async with receiver() as found:
        yield found


@pytest.fixture
def open_url(monkeypatch: pytest.MonkeyPatch) -> Any:
    def make(url: str) -> AppriseChannel:
        monkeypatch.setenv("APPRISE_URL", url)
        return AppriseChannel(AppriseSpec(url=SecretSpec(env="APPRISE_URL")), "duty")

    return make


def json_url(server: Receiver) -> str:
    return server.url.replace("http://", "json://") + "/s3cret-path"


@pytest.mark.parametrize(
    ("language", "title", "body"),
    [
        ("zh", "火灾报警：地下车库 1 区", "烟感报警，请立即派人到现场核实。\n第二行：℃ m³ “引号” 㐂 🔥"),
        (
            "en",
            "Fire alarm: garage zone 1",
            "Smoke. Send somebody to look.\nSecond line: <b>no markup</b> & 100 %",
        ),
    ],
)
async def test_a_mail_arrives_unbroken(
    mailbox: Mailbox, open_url: Any, language: Language, title: str, body: str
) -> None:
    await open_url(mailto(mailbox)).deliver(notification(language=language, title=title, body=body))
    (mail,) = mailbox.mails
    assert mail["Subject"] == title
    assert mail["To"] == "li@example.org"
    text = mail.get_body(("plain",))
    if text is not None:
        assert text.get_content().strip().splitlines() == body.splitlines()
    else:
        html = mail.get_body(("html",))
        assert html is not None
        assert "<b>" not in html.get_content()


async def test_a_web_service_is_told_in_the_words_of_the_message(server: Receiver, open_url: Any) -> None:
    message = notification()
    await open_url(json_url(server)).deliver(message)
    (request,) = server.taken
    told = json.loads(request.body)
    assert (told["title"], told["message"]) == (message.title, message.body)


@pytest.mark.parametrize(
    ("reason", "sort"),
    [
        (NotificationReason.ONSET, "warning"),
        (NotificationReason.ESCALATED, "warning"),
        (NotificationReason.RETURNED, "success"),
        (NotificationReason.ACKNOWLEDGED, "info"),
    ],
)
async def test_a_service_that_knows_sorts_of_messages_is_told_which_it_is(
    server: Receiver, open_url: Any, reason: NotificationReason, sort: str
) -> None:
    await open_url(json_url(server)).deliver(notification(reason=reason))
    assert json.loads(server.taken[0].body)["type"] == sort


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("451 try again later", TemporaryDeliveryError),
        ("421 closing", TemporaryDeliveryError),
        ("552 too large", PermanentDeliveryError),
        ("554 not wanted", PermanentDeliveryError),
    ],
)
async def test_a_mail_server_says_whether_to_try_again(
    mailbox: Mailbox, open_url: Any, answer: str, error: type[Exception]
) -> None:
    mailbox.answer = answer
    with pytest.raises(error) as caught:
        await open_url(mailto(mailbox)).deliver(notification())
    assert answer[:3] in str(caught.value)


async def test_a_log_in_that_is_refused_may_be_put_right(mailbox: Mailbox, open_url: Any) -> None:
    with pytest.raises(TemporaryDeliveryError) as caught:
        await open_url(mailto(mailbox, "wr0ng")).deliver(notification())
    assert "wr0ng" not in str(caught.value)
    assert mailbox.mails == []


@pytest.mark.parametrize(
    ("status", "error"), [(500, TemporaryDeliveryError), (403, TemporaryDeliveryError), (400, PermanentDeliveryError)]
)
async def test_a_web_service_says_whether_to_try_again(
    server: Receiver, open_url: Any, status: int, error: type[Exception]
) -> None:
    server.answer = says(status)
    with pytest.raises(error, match=f"it answered {status}$"):
        await open_url(json_url(server)).deliver(notification())


async def test_a_redirect_is_not_followed(server: Receiver, open_url: Any) -> None:
    server.answer = says(302, Location=f"{server.url}/elsewhere")
    with pytest.raises(TemporaryDeliveryError):
        await open_url(json_url(server)).deliver(notification())
    assert [request.path for request in server.taken] == ["/s3cret-path"]


async def test_nothing_that_is_logged_or_raised_holds_the_address(
    server: Receiver,
    mailbox: Mailbox,
    open_url: Any,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answer, mailbox.answer = says(500), "554 no"
    for url in (json_url(server), mailto(mailbox), "json://127.0.0.1:1/s3cret-path"):
        with pytest.raises((TemporaryDeliveryError, PermanentDeliveryError)) as caught:
            await open_url(url).deliver(notification())
        assert "s3cret" not in str(caught.value)
        assert PASSWORD not in str(caught.value)
    written = caplog.text + "".join(capfd.readouterr())
    assert "s3cret" not in written
    assert PASSWORD not in written


@pytest.mark.parametrize("url", ["nonsense", "nosuchservice://s3cret", "mailto://", "dingtalk://s3cret-hyphens/"])
async def test_an_address_that_is_none_is_told_without_repeating_it(
    open_url: Any, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(TemporaryDeliveryError, match="Apprise does not understand") as caught:
        await open_url(url).deliver(notification())
    assert "s3cret" not in str(caught.value) + caplog.text


async def test_a_service_that_hangs_costs_a_bounded_time_and_a_bounded_number_of_threads(
    server: Receiver, open_url: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast_apprise, "TIMEOUT", timedelta(milliseconds=100))
    released = asyncio.Event()
    server.answer = hangs(released)
    channel = open_url(json_url(server))
    for _ in range(broadcast_apprise.THREADS):
        with pytest.raises(TemporaryDeliveryError, match="no answer within"):
            await channel.deliver(notification())
    with pytest.raises(TemporaryDeliveryError, match="still hang"):
        await channel.deliver(notification())
    assert sum(thread.name == "apprise" for thread in threading.enumerate()) <= broadcast_apprise.THREADS
    released.set()
    server.answer = says(200)
    async with asyncio.timeout(30):
        while channel._free_threads < broadcast_apprise.THREADS:
            await asyncio.sleep(0.01)
    monkeypatch.setattr(broadcast_apprise, "TIMEOUT", timedelta(seconds=30))
    await channel.deliver(notification())


async def test_an_attempt_that_is_given_up_does_not_hold_the_loop(server: Receiver, open_url: Any) -> None:
    released = asyncio.Event()
    server.answer = hangs(released)
    attempt = asyncio.ensure_future(open_url(json_url(server)).deliver(notification()))
    async with asyncio.timeout(30):
        while not server.taken:
            await asyncio.sleep(0.01)
    attempt.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt
    released.set()


@pytest.mark.parametrize(
    "url",
    [
        "dingtalk://secret@token1234567890/",
        "wecombot://12345678-abcd-1234-abcd-123456789abc",
        "feishu://token1234567890",
        "lark://token1234567890",
        "mailtos://user:password@example.org?to=li@example.org",
    ],
)
def test_the_services_that_the_documentation_names_are_known(open_url: Any, url: str) -> None:
    assert open_url(url)._service() is not None
