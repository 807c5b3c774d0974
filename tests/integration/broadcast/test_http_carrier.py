"""Commands over HTTP, against real servers that hang, fail, refuse, lie and come back."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from firewatch.app.port import free_port
from firewatch.broadcast import http_carrier
from firewatch.broadcast.actuators import Actuators
from firewatch.broadcast.http_carrier import QUEUE_LIMIT, HttpCarriers
from firewatch.model.command import ActuatorAnswer, ActuatorCommand, AnswerState
from firewatch.model.contract import AnswerMessage, CommandMessage
from firewatch.model.site import Action, Device, DeviceKind, HttpAddress, Inventory
from firewatch.telemetry import Telemetry, configure_logging
from firewatch.testing.clock import FakeClock
from tests.integration.broadcast.receivers import Receiver, hangs, receiver, says
from tests.inventory import LABEL, one_site

pytestmark = pytest.mark.slow

KIND = DeviceKind("loudspeaker", LABEL, "broadcast", (), (Action("play", LABEL), Action("stop", LABEL)))
START = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


def command(identifier: str, action: str = "play", attempt: int = 1) -> CommandMessage:
    return CommandMessage(id=identifier, action=action, parameters={"text_zh": "请疏散"}, time=START, attempt=attempt)


def answers(state: AnswerState, identifier: str = "c1", detail: str = "played") -> str:
    return msgspec.json.encode(AnswerMessage(id=identifier, state=state, time=START, detail=detail)).decode()


def inventory(**urls: str | HttpAddress) -> Inventory:
    devices = [
        Device(
            id=name,
            kind="loudspeaker",
            label=LABEL,
            building="b",
            http=address if isinstance(address, HttpAddress) else HttpAddress(address),
        )
        for name, address in urls.items()
    ]
    return one_site(*devices, kinds=(KIND,), site="s")


class Speakers:
    """The carriers of an inventory while they run, and what was answered."""

    def __init__(self, known: Inventory) -> None:
        self.answers: list[ActuatorAnswer] = []
        self.telemetry = Telemetry()
        self.carriers = HttpCarriers(known, FakeClock(), self.telemetry, self.answers.append)

    def send(self, device: str, message: CommandMessage) -> None:
        self.carriers.by_device[device].send(device, message)

    def lost(self, device: str = "s/one") -> float:
        found = self.telemetry.registry.get_sample_value("firewatch_lost_http_commands_total", {"device": device})
        return found or 0.0

    @property
    def said(self) -> list[tuple[str, str, str]]:
        return [(answer.command_id, answer.state.value, answer.detail) for answer in self.answers]


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(known: Inventory) -> AsyncIterator[Speakers]:
    speakers = Speakers(known)
    task = asyncio.ensure_future(speakers.carriers.run())
    try:
        yield speakers
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_command_is_posted_as_it_travels_over_mqtt_with_its_id_and_the_devices_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    async with receiver() as server:
        address = HttpAddress(f"{server.url}/api/command", token_file=str(tmp_path / "token"))
        server.answer = says(200, answers(AnswerState.DONE))
        async with running(inventory(one=address)) as speakers:
            speakers.send("s/one", command("c1"))
            await until(lambda: speakers.answers)
        [request] = server.taken
    assert (request.method, request.path) == ("POST", "/api/command")
    assert msgspec.json.decode(request.body, type=CommandMessage) == command("c1")
    assert request.headers["idempotency-key"] == "c1"
    assert request.headers["authorization"] == "Bearer s3cret"
    assert request.headers["content-type"] == "application/json"
    assert speakers.said == [("c1", "done", "played")]
    assert speakers.answers[0].device == "s/one"


async def test_another_attempt_has_a_key_of_its_own_so_that_no_cache_answers_it() -> None:
    async with receiver() as server, running(inventory(one=server.url)) as speakers:
        speakers.send("s/one", command("c1", attempt=2))
        await until(lambda: speakers.answers)
        assert server.taken[0].headers["idempotency-key"] == "c1-2"


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, answers(AnswerState.ACCEPTED, detail="playing"), [("c1", "accepted", "playing")]),
        (200, answers(AnswerState.FAILED, detail="no\nline"), [("c1", "failed", "no line")]),
        (204, "", [("c1", "accepted", "")]),
        (202, "queued", [("c1", "accepted", "")]),
        (200, '{"id": 1}', [("c1", "accepted", "")]),
        (200, "[" * 100_000, [("c1", "accepted", "")]),
        (400, "", [("c1", "failed", "127.0.0.1 answered 400")]),
        (
            302,
            "",
            [("c1", "failed", "127.0.0.1 answered 302, a redirect; write the address that it points to instead")],
        ),
    ],
)
async def test_what_an_answer_means(status: int, body: str, said: list[tuple[str, str, str]]) -> None:
    async with receiver() as server:
        server.answer = says(status, body)
        async with running(inventory(one=server.url)) as speakers:
            speakers.send("s/one", command("c1"))
            await until(lambda: speakers.answers)
            assert speakers.said == said


@pytest.mark.parametrize("status", [500, 503, 401, 404, 429])
async def test_a_device_that_fails_has_not_answered_and_is_asked_again(status: int) -> None:
    async with receiver() as server:
        server.answer = says(status)
        async with running(inventory(one=server.url)) as speakers:
            speakers.send("s/one", command("c1"))
            await until(lambda: speakers.lost() == 1)
            assert speakers.answers == []
            server.answer = says(200, answers(AnswerState.DONE))
            speakers.send("s/one", command("c1"))
            await until(lambda: speakers.answers)
            assert speakers.said == [("c1", "done", "played")]


async def test_an_answer_to_another_command_is_none() -> None:
    async with receiver() as server:
        server.answer = says(200, answers(AnswerState.DONE, "someone-elses"))
        async with running(inventory(one=server.url)) as speakers:
            speakers.send("s/one", command("c1"))
            await until(lambda: speakers.lost() == 1)
            assert speakers.answers == []


async def test_a_device_that_hangs_delays_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_carrier, "POST_TIMEOUT", timedelta(hours=1))
    released = asyncio.Event()
    async with receiver() as slow, receiver() as quick:
        slow.answer, quick.answer = hangs(released), says(200, answers(AnswerState.DONE))
        async with running(inventory(one=slow.url, two=quick.url)) as speakers:
            speakers.send("s/one", command("c1"))
            await until(lambda: slow.taken)
            speakers.send("s/two", command("c1"))
            await until(lambda: speakers.answers)
            assert [answer.device for answer in speakers.answers] == ["s/two"]
        released.set()


async def test_a_device_that_hangs_is_given_up_in_a_bounded_time() -> None:
    released = asyncio.Event()
    async with receiver() as server:
        server.answer = hangs(released)
        async with running(inventory(one=server.url)) as speakers:
            speakers.send("s/one", command("c1"))
            await until(lambda: speakers.lost() == 1)
        released.set()


async def test_what_was_never_tried_goes_before_what_is_repeated() -> None:
    """A door that hangs on a hold is asked to release before it is asked to hold again."""
    released = asyncio.Event()
    async with receiver() as server:
        server.answer = hangs(released)
        async with running(inventory(one=server.url)) as speakers:
            speakers.send("s/one", command("hold"))
            await until(lambda: server.taken)
            speakers.send("s/one", command("hold"))
            speakers.send("s/one", command("release"))
            server.answer = says(204)
            await until(lambda: len(server.taken) == 3)
        released.set()
    assert [request.headers["idempotency-key"] for request in server.taken] == ["hold", "release", "hold"]


async def test_a_repetition_that_waits_is_not_posted_once_the_command_was_answered() -> None:
    released = asyncio.Event()
    async with receiver() as server:
        server.answer = hangs(released)
        async with running(inventory(one=server.url)) as speakers:
            speakers.send("s/one", command("c1"))
            await until(lambda: server.taken)
            speakers.send("s/one", command("c1"))
            released.set()
            await until(lambda: speakers.answers)
            server.answer = says(204)
            speakers.send("s/one", command("c2"))
            await until(lambda: len(speakers.answers) == 2)
    assert [request.headers["idempotency-key"] for request in server.taken] == ["c1", "c2"]


async def test_what_waits_is_bounded_and_may_be_withdrawn() -> None:
    released = asyncio.Event()
    async with receiver() as server:
        server.answer = hangs(released)
        async with running(inventory(one=server.url)) as speakers:
            speakers.send("s/one", command("first"))
            await until(lambda: server.taken)
            for number in range(QUEUE_LIMIT + 3):
                speakers.send("s/one", command(f"c{number}"))
            speakers.carriers.by_device["s/one"].withdraw("s/one", "c5")
            server.answer = says(204)
            released.set()
            await until(lambda: len(speakers.answers) == QUEUE_LIMIT)
    assert [answer.command_id for answer in speakers.answers] == [
        "first",
        *(f"c{number}" for number in range(3, QUEUE_LIMIT + 3) if number != 5),
    ]


async def test_a_device_that_refuses_connections_is_asked_until_it_is_back() -> None:
    """The real chain: what repeats commands over MQTT repeats them here, and its end is the same."""
    port = free_port()
    clock = FakeClock()
    command = ActuatorCommand("c1", "s/one", "play", {}, "a1", "rule", clock.now())
    async with running(inventory(one=f"http://127.0.0.1:{port}")) as speakers:
        actuators = Actuators(speakers.carriers.by_device["s/one"], lambda _: None, speakers.telemetry)
        actuators.send(command, clock.now())
        await until(lambda: speakers.lost() == 1)
        async with serving(port) as server:
            wake = actuators.next_wake()
            assert wake is not None
            actuators.advance(wake)
            await until(lambda: speakers.answers)
            assert len(server.taken) == 1
            changes = actuators.answered(speakers.answers[0])
            assert changes is not None
            assert [change.state for change in changes] == ["accepted"]


@contextlib.asynccontextmanager
async def serving(port: int) -> AsyncIterator[Receiver]:
    """A server on a port that was refused before."""
    found = Receiver()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        found.taken.append(None)  # type: ignore[arg-type]
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", port)
    async with server:
        yield found


@pytest.mark.parametrize("lost", ["token_file", "token_env"])
async def test_a_device_whose_token_is_missing_is_named_at_the_start_and_asked_once_the_token_is_there(
    lost: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    where = {"token_file": str(tmp_path / "token"), "token_env": "FIREWATCH_TEST_TOKEN"}[lost]
    async with receiver() as server:
        server.answer = says(204)
        address = HttpAddress(server.url, **{lost: where})
        configure_logging(log_format="json", stream=sys.stdout)
        async with running(inventory(one=address, two=server.url)) as speakers:
            speakers.send("s/two", command("c1"))
            await until(lambda: speakers.answers)
            assert "the token of s/one" in capsys.readouterr().out
            speakers.send("s/one", command("c1"))
            await until(lambda: speakers.lost() == 1)
            (tmp_path / "token").write_text("t0ken", encoding="utf-8")
            monkeypatch.setenv("FIREWATCH_TEST_TOKEN", "t0ken")
            speakers.send("s/one", command("c1"))
            await until(lambda: len(speakers.answers) == 2)
    assert [request.headers.get("authorization") for request in server.taken] == [None, "Bearer t0ken"]


@pytest.mark.parametrize("url", ["http://a..b/", "http://[::::]/"])
async def test_an_address_that_nobody_can_connect_to_stops_no_other_device(url: str) -> None:
    async with receiver() as server:
        server.answer = says(204)
        async with running(inventory(one=url, two=server.url)) as speakers:
            speakers.send("s/one", command("c1"))
            await until(lambda: speakers.lost() == 1)
            speakers.send("s/two", command("c1"))
            await until(lambda: speakers.answers)
