"""Ports that a server finds free again after every restart."""

from __future__ import annotations

import socket

import pytest

from firewatch.app import port as port_module
from firewatch.app.port import free_port, lasting_ports, outgoing_ports


def test_no_outgoing_connection_is_given_a_chosen_port() -> None:
    first, last = outgoing_ports()
    assert not [port for port in (free_port() for _ in range(200)) if first <= port <= last]


def test_the_kernel_gives_its_own_ports_to_clients_that_bind_before_they_connect() -> None:
    """Such as paho-mqtt; why a port that `bind` chose is not one to come back to."""
    first, last = outgoing_ports()
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), source_address=("", 0)) as client,
    ):
        near_port = client.getsockname()[1]
        assert first <= near_port <= last
        with pytest.raises(OSError, match="in use"):
            socket.create_server(("127.0.0.1", near_port))


@pytest.mark.parametrize(
    ("first", "last", "includes", "excludes"),
    [
        pytest.param(32768, 60999, {10_000, 32_767, 61_000, 65_535}, {9_999, 32_768, 60_999}, id="as kernels come"),
        pytest.param(49152, 65535, {10_000, 49_151}, {49_152, 65_535}, id="up to the last port"),
        pytest.param(1024, 9000, {10_000, 65_535}, {9_001, 9_999}, id="below all that are chosen"),
        pytest.param(1024, 65535, {10_000, 65_535}, {9_999}, id="nothing left outside"),
    ],
)
def test_ports_are_chosen_outside_those_for_outgoing_connections(
    first: int, last: int, includes: set[int], excludes: set[int]
) -> None:
    ports = set(lasting_ports(first, last))
    assert includes <= ports
    assert not excludes & ports


def test_a_port_that_is_in_use_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = free_port()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(port_module.random, "sample", lambda *_: [taken.getsockname()[1], expected])
        assert free_port() == expected


def test_where_none_is_free_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(port_module.random, "sample", lambda *_: [taken.getsockname()[1]] * 3)
        with pytest.raises(OSError, match="none of"):
            free_port()
