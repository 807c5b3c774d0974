"""Topic names of the MQTT contract: `<prefix><channel>/<site>/<device>`.

The channel comes first so that a broker's permissions and a subscriber's filter need one line a channel.
Ids are lower-case letters, digits and hyphens; everything else is refused by `parse`.
"""

from __future__ import annotations

import enum
import re

import msgspec

DEFAULT_PREFIX = "firewatch/v1/"
ID_PATTERN = r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$"
"""What a site, building, asset, device or rule may be called: at most 64 characters, safe in every broker."""

_ID = re.compile(ID_PATTERN)


class Channel(enum.StrEnum):
    """What a topic carries, and who publishes it."""

    TELEMETRY = "telemetry"
    """Device -> firewatch: readings."""
    STATE = "state"
    """Device -> firewatch, retained: birth ("online") and will ("offline")."""
    COMMAND = "command"
    """firewatch -> actuator."""
    ANSWER = "answer"
    """Actuator -> firewatch."""
    ALARM = "alarm"
    """firewatch -> anyone, retained while the alarm stands: the alarm feed, `<site>/<alarm id>`."""
    DRILL = "drill"
    """firewatch -> firewatch: readings of a drill, as if devices had sent them."""
    DRILL_ALARM = "drill-alarm"
    """firewatch -> anyone, never retained: alarms of a drill, `<site>/<alarm id>`."""
    DUTY_CHECK = "duty-check"
    """Remote centre -> firewatch: is anybody at the seat? `<site>/<seat>`."""
    DUTY_ANSWER = "duty-answer"
    """firewatch -> remote centre: how a duty check stands, `<site>/<seat>`."""


class Topic(msgspec.Struct, frozen=True):
    """A topic name taken apart; `device` is the alarm's id on alarm channels, the seat's on those of duty checks."""

    channel: Channel
    site: str
    device: str

    def name(self, prefix: str = DEFAULT_PREFIX) -> str:
        """The topic name to publish under."""
        return f"{prefix}{self.channel}/{self.site}/{self.device}"


def parse(name: str, prefix: str = DEFAULT_PREFIX) -> Topic | None:
    """Take a topic name apart; None if it is not one of the contract's."""
    if not name.startswith(prefix):
        return None
    parts = name[len(prefix) :].split("/")
    if len(parts) != 3 or not _ID.fullmatch(parts[1]) or not _ID.fullmatch(parts[2]):
        return None
    try:
        return Topic(channel=Channel(parts[0]), site=parts[1], device=parts[2])
    except ValueError:
        return None


def topic_filter(channel: Channel, prefix: str = DEFAULT_PREFIX) -> str:
    """The topic filter that matches every topic of a channel."""
    return f"{prefix}{channel}/+/+"
