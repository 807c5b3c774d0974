"""A loopback port for a server that must find it free again after every restart."""

from __future__ import annotations

import errno
import random
import socket
from collections.abc import Sequence
from pathlib import Path

_OUTGOING_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 10_000
"""Below are the ports that servers are known by."""
_HIGHEST = 65_535
_ATTEMPTS = 100


def free_port() -> int:
    """A loopback port that nobody uses at this moment and that the kernel gives to no outgoing connection.

    Of the ports that the kernel would choose, any may become the near end of another program's connection as soon as
    its server is down, and the server cannot start again for as long as that lasts.

    Raises:
        OSError: there is none.
    """
    for port in random.sample(lasting_ports(*outgoing_ports()), _ATTEMPTS):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return port
    raise OSError(errno.EADDRINUSE, f"none of {_ATTEMPTS} loopback ports is free")


def outgoing_ports() -> tuple[int, int]:
    """The first and the last port that the kernel gives to outgoing connections."""
    first, last = _OUTGOING_PORTS.read_text().split()
    return int(first), int(last)


def lasting_ports(first: int, last: int) -> Sequence[int]:
    """The ports to choose from where those from `first` to `last` are for outgoing connections; all of them where that
    leaves too few.
    """
    outside = [*range(_LOWEST, first), *range(max(last + 1, _LOWEST), _HIGHEST + 1)]
    return outside if len(outside) >= _ATTEMPTS else range(_LOWEST, _HIGHEST + 1)
