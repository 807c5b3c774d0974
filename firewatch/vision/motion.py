"""Whether a picture changed enough to be worth the detector's time."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from firewatch.vision.detector import Pixels

_GRID = (80, 60)
_CHANGED_BRIGHTNESS = 14
"""Of 255, after averaging to the grid: above a sensor's noise and a JPEG's, below a dark coat before a dark wall."""
_CHANGED_CELLS = 10
"""Of 4,800: a head far away moves more, the ticking clock in a picture's corner less."""


class MotionGate:
    """Compares each picture with the last one that counted as moved, so that a slow change adds up."""

    def __init__(self) -> None:
        self._reference: NDArray[np.uint8] | None = None

    def moved(self, frame: Pixels) -> bool:
        """Whether this picture differs from the reference; the first one always does."""
        small = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), _GRID, interpolation=cv2.INTER_AREA)
        if self._reference is not None:
            changed = np.count_nonzero(cv2.absdiff(small, self._reference) > _CHANGED_BRIGHTNESS)
            if changed < _CHANGED_CELLS:
                return False
        self._reference = np.asarray(small, np.uint8)
        return True
