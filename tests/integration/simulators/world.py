"""A broker to itself, and everything that is said on it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sysconfig
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiomqtt

from firewatch.app.port import free_port

REPOSITORY = Path(__file__).parents[3]
SAMPLE_SITE = REPOSITORY / "config/sites/sample.yaml"
DEADLINE_SECONDS = 15.0


class NatsBroker:
    """The embedded default broker on one port, to be stopped and started again."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self._config = directory / "nats.conf"
        self._config.write_text(
            f'server_name: test\nlisten: "127.0.0.1:-1"\njetstream {{ store_dir: "{directory}/data" }}\n'
            f'mqtt {{ listen: "127.0.0.1:{self.port}" }}\n'
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        binary = Path(sysconfig.get_path("scripts")) / "nats-server"
        self._process = subprocess.Popen(
            [binary, "-c", self._config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            assert time.monotonic() < deadline, "nats-server does not listen"
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Heard:
    """Everything published on a broker from the moment of subscribing, retained messages included."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []

    def on(self, channel: str, device: str) -> list[bytes]:
        return [payload for topic, payload in self.messages if topic == f"firewatch/v1/{channel}/sample/{device}"]

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not condition():
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def listening(broker: NatsBroker) -> AsyncIterator[tuple[Heard, aiomqtt.Client]]:
    heard = Heard()
    async with aiomqtt.Client("127.0.0.1", broker.port, identifier=f"listener-{os.getpid()}") as client:
        await client.subscribe("#", qos=1)

        async def listen() -> None:
            async for message in client.messages:
                heard.messages.append((message.topic.value, bytes(message.payload)))

        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(listen())
            yield heard, client
            task.cancel()
