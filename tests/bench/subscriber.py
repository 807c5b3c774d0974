"""The yardstick: a subscriber that takes every reading at QoS 1 and does nothing with it.

It counts, in memory shared with the benchmark. Beside it firewatch's figure says what watching costs, and no figure
says more than broker, client library and machine allow.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import socket
from collections.abc import Iterator
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from firewatch.model.topic import Channel, topic_filter
from tests.bench.process import wait_until


def _subscribe(port: int, subscribed: Any, count: Any) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="bench-nothing", clean_session=True)
    taken = 0

    def on_message(*_: object) -> None:
        nonlocal taken
        taken += 1
        count.value = taken

    def on_connect(*_: object) -> None:
        client.subscribe(topic_filter(Channel.TELEMETRY), qos=1)

    def on_subscribe(*_: object) -> None:
        connection = client.socket()
        if isinstance(connection, socket.socket):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        subscribed.set()

    client.on_message = on_message
    client.on_connect = on_connect
    client.on_subscribe = on_subscribe
    client.connect("127.0.0.1", port)
    client.loop_forever()


class DoNothing:
    """The subscriber as a receiver of trials. It counts; without reconnecting every reading comes once."""

    name = "do-nothing subscriber (paho)"

    def __init__(self, count: Any) -> None:
        self._count = count
        self._before = 0

    def begin(self) -> None:
        """A trial is about to start."""
        self._before = self._count.value

    def arrived(self, first_sequence: int, last_sequence: int) -> int:
        """How many readings came since the trial started."""
        return int(self._count.value - self._before)


@contextlib.contextmanager
def do_nothing_subscriber(port: int) -> Iterator[DoNothing]:
    """A do-nothing subscriber in a process of its own, subscribed."""
    context = multiprocessing.get_context("spawn")
    subscribed, count = context.Event(), context.Value("q", 0, lock=False)
    process = context.Process(target=_subscribe, args=(port, subscribed, count), daemon=True)
    process.start()
    try:
        wait_until(subscribed.is_set, 20, "the do-nothing subscriber")
        yield DoNothing(count)
    finally:
        process.terminate()
        process.join()
