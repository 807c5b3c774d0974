"""Whether a camera can be believed: frames come, and they are not one and the same."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

MISSING_AFTER = timedelta(seconds=5)
"""No frame for this long is a fault: longer than a reconnect, as long as the slowest device's report."""

FROZEN_AFTER = timedelta(seconds=10)
"""Frames identical to the last bit for this long are a fault: a living sensor's noise alone changes them, and so
does a clock drawn into the picture."""


class PictureState(enum.StrEnum):
    """How a camera's picture is."""

    AWAITED = "no picture yet"
    GOOD = "delivers pictures"
    MISSING = "delivers no pictures"
    FROZEN = "delivers the same picture again and again"

    @property
    def fault(self) -> bool:
        """Whether an operator has to see to it."""
        return self in (PictureState.MISSING, PictureState.FROZEN)


class PictureHealth:
    """Judges one camera from when its frames came; `start_time` counts as the last one before the first."""

    def __init__(self, start_time: datetime) -> None:
        self._any = False
        self._last_time = start_time
        self._changed_time = start_time

    def saw(self, changed: bool, now: datetime) -> None:
        """A frame came; `changed` unless it equals the one before to the last bit."""
        if changed or now - self._last_time >= MISSING_AFTER:
            self._changed_time = now
        self._any = True
        self._last_time = now

    def state(self, now: datetime) -> PictureState:
        """How the picture is now."""
        if now - self._last_time >= MISSING_AFTER:
            return PictureState.MISSING
        if not self._any:
            return PictureState.AWAITED
        if now - self._changed_time >= FROZEN_AFTER:
            return PictureState.FROZEN
        return PictureState.GOOD
