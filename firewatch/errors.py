"""Every error firewatch raises on purpose, in families that say whose fault it is.

The docstring of a class is its default message, so an error always explains itself and says the way out.
"""

from __future__ import annotations

import inspect


class FirewatchError(Exception):
    """Something in firewatch went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or inspect.cleandoc(type(self).__doc__ or ""))


class ConfigError(FirewatchError):
    """A settings, site, device or rule file is wrong; `firewatch check` lists every problem."""


class PayloadError(FirewatchError):
    """A message could not be read; the device or its decoder has to be corrected."""


class RefusedCommandError(FirewatchError):
    """The operator's command does not fit the alarm's present state; nothing was changed."""


class BusyError(FirewatchError):
    """Something that goes on has to end first; ask again then."""


class StorageError(FirewatchError):
    """The history could not be read or written; look at the database named in the settings."""


class BrokerError(FirewatchError):
    """The MQTT broker could not be reached; look at `mqtt.url` in the settings."""


class StartError(FirewatchError):
    """firewatch could not start; the message says which part, and what to do."""
