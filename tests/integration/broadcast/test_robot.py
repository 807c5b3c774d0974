from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from firewatch.broadcast.channel import Language, PermanentDeliveryError, TemporaryDeliveryError
from firewatch.broadcast.robot import TEXT_LIMIT_BYTES, RobotChannel
from firewatch.config.channel_spec import RobotSpec, SecretSpec
from firewatch.errors import ConfigError
from tests.integration.broadcast.receivers import Receiver, notification, receiver, says
from tests.unit.broadcast.alarms import START

TAKEN = '{"errcode":0,"errmsg":"ok"}'
SIGNING_KEY = "SEC0123456789+/=&"


@pytest.fixture
async def server() -> AsyncIterator[Receiver]:
    async with receiver() as found:
        found.answer = says(200, TAKEN)
        yield found


@pytest.fixture
async def channel(server: Receiver, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RobotChannel]:
    """A robot at an address of the government edition's form: another host than DingTalk's public one."""
    monkeypatch.setenv("ROBOT_URL", f"{server.url}/robot/send?access_token=t0ken")
    monkeypatch.setenv("ROBOT_SECRET", SIGNING_KEY)
    found = RobotChannel(RobotSpec(url=SecretSpec(env="ROBOT_URL"), secret=SecretSpec(env="ROBOT_SECRET")), "duty")
    yield found
    await found.close()


@pytest.mark.parametrize(
    ("language", "title", "body"), [("zh", "火灾报警", "请立即核实。\n“引号” ℃"), ("en", "Fire", "Go & look <now>.")]
)
async def test_a_text_arrives_unbroken(
    server: Receiver, channel: RobotChannel, language: Language, title: str, body: str
) -> None:
    await channel.deliver(notification(language=language, title=title, body=body))
    (request,) = server.taken
    assert (request.method, request.path) == ("POST", "/robot/send")
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert json.loads(request.body) == {"msgtype": "text", "text": {"content": f"{title}\n{body}"}}


async def test_the_signature_is_dingtalks_and_survives_the_address(server: Receiver, channel: RobotChannel) -> None:
    await channel.deliver(notification(now=START))
    timestamp = str(int(START.timestamp() * 1000))
    digest = hmac.new(SIGNING_KEY.encode(), f"{timestamp}\n{SIGNING_KEY}".encode(), hashlib.sha256).digest()
    assert server.taken[0].query == {
        "access_token": "t0ken",
        "timestamp": timestamp,
        "sign": base64.b64encode(digest).decode(),
    }


async def test_a_robot_without_a_signature_is_asked_as_its_address_says(
    server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROBOT_URL", f"{server.url}/cgi-bin/webhook/send?key=k")
    channel = RobotChannel(RobotSpec(url=SecretSpec(env="ROBOT_URL")), "duty")
    await channel.deliver(notification())
    await channel.close()
    assert server.taken[0].query == {"key": "k"}


@pytest.mark.parametrize(
    ("status", "said", "error", "retry_after"),
    [
        (200, '{"errcode":310000,"errmsg":"sign not match"}', TemporaryDeliveryError, None),
        (200, '{"errcode":130101,"errmsg":"send too fast"}', TemporaryDeliveryError, timedelta(minutes=1)),
        (200, '{"errcode":45009,"errmsg":"api freq out of limit"}', TemporaryDeliveryError, timedelta(minutes=1)),
        (200, '{"errcode":40058,"errmsg":"text exceeds"}', PermanentDeliveryError, None),
        (200, "<html>a log-in page</html>", TemporaryDeliveryError, None),
        (200, "", TemporaryDeliveryError, None),
        (200, '{"code":0}', TemporaryDeliveryError, None),
        (502, "", TemporaryDeliveryError, None),
    ],
)
async def test_what_the_robot_says_is_believed(
    server: Receiver,
    channel: RobotChannel,
    status: int,
    said: str,
    error: type[Exception],
    retry_after: timedelta | None,
) -> None:
    server.answer = says(status, said)
    with pytest.raises(error) as caught:
        await channel.deliver(notification())
    assert getattr(caught.value, "retry_after", None) == retry_after
    assert "t0ken" not in str(caught.value)


async def test_what_the_robot_says_is_told_in_one_line(server: Receiver, channel: RobotChannel) -> None:
    server.answer = says(200, json.dumps({"errcode": 1, "errmsg": "one\ntwo\x1b[31m " + "x" * 500}))
    with pytest.raises(TemporaryDeliveryError) as caught:
        await channel.deliver(notification())
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


async def test_a_long_text_is_cut_between_characters(server: Receiver, channel: RobotChannel) -> None:
    await channel.deliver(notification(title="烟" * 500, body="x" + "烟" * 500))
    content = json.loads(server.taken[0].body)["text"]["content"]
    assert len(content.encode()) <= TEXT_LIMIT_BYTES
    assert content.endswith("烟…")


@pytest.mark.parametrize(
    "url", ["", "not an address", "ftp://host/", "https://", "https://[broken", "https://h:99999/"]
)
def test_an_address_that_is_none_is_refused_without_repeating_it(url: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBOT_URL", url)
    with pytest.raises(ConfigError, match=r"^target duty: ") as caught:
        RobotChannel(RobotSpec(url=SecretSpec(env="ROBOT_URL")), "duty")
    explained = "one begins with https:// or http:// and names a host"
    assert not url or url not in str(caught.value).replace(explained, "")
