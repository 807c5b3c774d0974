"""Commands to devices that take them by HTTP: IP loudspeakers and controllers.

Each device has a queue and a task of its own, so that one that hangs delays nobody. A command is posted as the same
JSON that travels over MQTT, with its id as `Idempotency-Key`; the answer to the request is the actuator's answer, in
the same JSON too, and a later word may still come over MQTT. An answer without a readable body means accepted. What is
not answered is posted again when the command is repeated, like over MQTT.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import msgspec
import structlog

from firewatch.broadcast.channel import PermanentDeliveryError
from firewatch.broadcast.http import HttpPoster
from firewatch.broadcast.secret import read_secret
from firewatch.config.channel_spec import SecretSpec
from firewatch.errors import ConfigError, FirewatchError
from firewatch.model.command import ActuatorAnswer, AnswerState
from firewatch.model.contract import AnswerMessage, CommandMessage
from firewatch.model.site import HttpAddress, Inventory
from firewatch.ports import Clock
from firewatch.telemetry.events import HttpCommandLost
from firewatch.telemetry.telemetry import Telemetry

POST_TIMEOUT = timedelta(seconds=2)
"""For one request. GB 50166-2019: an output module acts within 3 s; a device that hangs is asked again before."""

QUEUE_LIMIT = 20
"""How many commands wait for one device; the oldest gives way, and is repeated if it still counts."""

DETAIL_LIMIT = 256

_encode = msgspec.json.Encoder().encode
_decode_answer = msgspec.json.Decoder(AnswerMessage).decode

log = structlog.get_logger("firewatch.actuators")

OnAnswer = Callable[[ActuatorAnswer], None]


class HttpCarrier:
    """The commands of one device. `run` posts them, one after the other."""

    def __init__(
        self, device: str, address: HttpAddress, clock: Clock, telemetry: Telemetry, on_answer: OnAnswer
    ) -> None:
        self._device = device
        self._address = address
        self._poster = HttpPoster(address.url)
        self._clock = clock
        self._telemetry = telemetry
        self._on_answer = on_answer
        self._waiting: dict[str, CommandMessage] = {}
        self._tried_id = ""
        self._news = asyncio.Event()

    def send(self, device: str, message: CommandMessage) -> None:
        """Let it wait for its turn, in the place of an earlier message of the same command."""
        del device
        self._waiting[message.id] = message
        if len(self._waiting) > QUEUE_LIMIT:
            del self._waiting[next(iter(self._waiting))]
        self._news.set()

    def withdraw(self, device: str, command_id: str) -> None:
        """Do not post what still waits."""
        del device
        self._waiting.pop(command_id, None)

    async def run(self) -> None:
        """Post for ever. The token is read once before there is anything to post: one that is missing is logged, not
        found out in a fire, and does not keep firewatch from watching.
        """
        try:
            self._headers()
        except ConfigError as error:
            log.error("A device cannot be asked for anything.", device=self._device, reason=str(error))
        try:
            while True:
                self._news.clear()
                while self._waiting:
                    await self._post(self._next())
                await self._news.wait()
        finally:
            await self._poster.close()

    def _next(self) -> CommandMessage:
        """The oldest, but what was tried a moment ago lets the others go first."""
        others = (command_id for command_id in self._waiting if command_id != self._tried_id)
        self._tried_id = next(others, self._tried_id)
        return self._waiting.pop(self._tried_id)

    async def _post(self, message: CommandMessage) -> None:
        key = message.id if message.attempt == 1 else f"{message.id}-{message.attempt}"
        try:
            async with asyncio.timeout(POST_TIMEOUT.total_seconds()):
                headers = {**self._headers(), "Idempotency-Key": key}
                body = await self._poster.post(_encode(message), headers, self._clock.now())
        except PermanentDeliveryError as error:
            self._answer(message, AnswerState.FAILED, str(error))
        except FirewatchError as error:
            self._lost(message, str(error))
        except TimeoutError:
            self._lost(message, f"{self._poster.host} did not answer in time")
        except Exception as error:  # its text may hold an address with a secret in it
            self._lost(message, f"an error nobody foresaw: {type(error).__name__}")
        else:
            self._take(message, body)

    def _headers(self) -> dict[str, str]:
        """Those of every request.

        Raises:
            ConfigError: the device's token cannot be read.
        """
        headers, address = {"Content-Type": "application/json"}, self._address
        if address.token_file is not None or address.token_env is not None:
            where = SecretSpec(file=Path(address.token_file) if address.token_file else None, env=address.token_env)
            headers["Authorization"] = f"Bearer {read_secret(where, f'the token of {self._device}')}"
        return headers

    def _take(self, message: CommandMessage, body: bytes) -> None:
        repeated = self._waiting.get(message.id)
        if repeated is not None and repeated.attempt <= message.attempt:
            del self._waiting[message.id]
        try:
            said = _decode_answer(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._answer(message, AnswerState.ACCEPTED, "")
            return
        if said.id == message.id:
            self._answer(message, said.state, said.detail)
        else:
            self._lost(message, f"{self._poster.host} answered another command")

    def _answer(self, message: CommandMessage, state: AnswerState, detail: str) -> None:
        now = self._clock.now()
        printable = "".join(sign if sign.isprintable() else " " for sign in detail[:DETAIL_LIMIT])
        self._on_answer(ActuatorAnswer(message.id, self._device, state, printable, now, now))

    def _lost(self, message: CommandMessage, error: str) -> None:
        self._telemetry.emit(HttpCommandLost(device=self._device, command_id=message.id, error=error))


class HttpCarriers:
    """Those of every device in an inventory that has an address of its own."""

    def __init__(self, inventory: Inventory, clock: Clock, telemetry: Telemetry, on_answer: OnAnswer) -> None:
        self.by_device: Mapping[str, HttpCarrier] = {
            name: HttpCarrier(name, device.http, clock, telemetry, on_answer)
            for site in inventory.sites
            for device in site.devices
            if device.http is not None
            for name in (f"{site.id}/{device.id}",)
        }

    async def run(self) -> None:
        """Post for ever, to each device by itself."""
        async with asyncio.TaskGroup() as group:
            for carrier in self.by_device.values():
                group.create_task(carrier.run())
