"""From a target's settings to its channel: the one place that knows every kind."""

from __future__ import annotations

from firewatch.broadcast.apprise import AppriseChannel
from firewatch.broadcast.cap_channel import CapChannel
from firewatch.broadcast.cap_feed import CapFeed
from firewatch.broadcast.channel import Channel
from firewatch.broadcast.robot import RobotChannel
from firewatch.broadcast.webhook import WebhookChannel
from firewatch.config.notification_spec import TargetSpec


def open_channel(target: TargetSpec, sender: str, feed: CapFeed) -> Channel:
    """The channel of a target; connects to nothing yet. `sender` is what this firewatch calls itself to others.

    Raises:
        ConfigError: a secret cannot be read, or is not what it should be.
    """
    if target.webhook is not None:
        return WebhookChannel(target.webhook, target.id, sender)
    if target.cap is not None:
        return CapChannel(target.cap, target.id, sender, feed)
    if target.robot is not None:
        return RobotChannel(target.robot, target.id)
    assert target.apprise is not None
    return AppriseChannel(target.apprise, target.id)
