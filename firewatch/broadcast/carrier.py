"""How commands travel: over MQTT, or by a way that a device has to itself."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from firewatch.broadcast.actuators import Carrier
from firewatch.model.contract import CommandMessage
from firewatch.model.topic import Channel, Topic
from firewatch.ports import Publisher

_encode = msgspec.json.Encoder().encode


class MqttCarrier:
    """Publishes commands on the contract's topics."""

    def __init__(self, publisher: Publisher, prefix: str) -> None:
        self._publisher = publisher
        self._prefix = prefix

    def send(self, device: str, message: CommandMessage) -> None:
        """Publish it; what still waits for the broker of the same command is replaced."""
        site, name = device.split("/")
        topic = Topic(channel=Channel.COMMAND, site=site, device=name).name(self._prefix)
        self._publisher.publish(topic, _encode(message), replaces=message.id)

    def withdraw(self, device: str, command_id: str) -> None:
        """Do not publish what still waits for the broker."""
        del device
        self._publisher.withdraw(command_id)


class Carriers:
    """Each device by its own carrier, the others by the `usual` one."""

    def __init__(self, usual: Carrier, own: Mapping[str, Carrier]) -> None:
        self._usual = usual
        self._own = own

    def send(self, device: str, message: CommandMessage) -> None:
        """Hand it to the device's carrier."""
        self._own.get(device, self._usual).send(device, message)

    def withdraw(self, device: str, command_id: str) -> None:
        """Tell the device's carrier."""
        self._own.get(device, self._usual).withdraw(device, command_id)
