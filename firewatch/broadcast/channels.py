"""From a target's settings to its channel: the one place that knows every kind."""

from __future__ import annotations

from firewatch.broadcast.channel import Channel
from firewatch.config.notification_spec import TargetSpec


def open_channel(target: TargetSpec) -> Channel:
    """The channel of a target; connects to nothing yet.

    Raises:
        ConfigError: a secret cannot be read.
    """
    raise NotImplementedError(target.id)
