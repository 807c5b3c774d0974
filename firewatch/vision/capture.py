"""Opening a video stream, with an end to every wait."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np

from firewatch.vision.detector import Pixels

OPEN_TIMEOUT_MILLISECONDS = 1500
READ_TIMEOUT_MILLISECONDS = 1500
"""Both shorter than the 2 s in which the daemon's threads have to end. A camera has to send a frame a second."""

_LONGEST_SIDE = 1920

# OpenCV and FFmpeg would print every failed attempt, and with it the stream's address and what log-in is in it.
# FFmpeg's level is read once, when the first stream is opened.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)


class Capture(Protocol):
    """An open stream, used by one thread."""

    def grab(self) -> bool:
        """Wait for the next frame; False when the stream ended or timed out."""
        ...

    def retrieve(self) -> Pixels | None:
        """The grabbed frame, None if it cannot be decoded."""
        ...

    def close(self) -> None:
        """Let the stream go."""
        ...


OpenCapture = Callable[[str], Capture | None]
"""Opens an address; None if nothing answers there."""


def open_stream(address: str) -> Capture | None:
    """Open an HTTP or RTSP stream with FFmpeg; None if that fails within the timeout.

    Decoding takes one thread: the decoder's own threads would each hold a frame back.
    """
    video = cv2.VideoCapture(
        address,
        cv2.CAP_FFMPEG,
        [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            OPEN_TIMEOUT_MILLISECONDS,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            READ_TIMEOUT_MILLISECONDS,
            cv2.CAP_PROP_N_THREADS,
            1,
        ],
    )
    if not video.isOpened():
        video.release()
        return None
    return _VideoStream(video)


class _VideoStream:
    def __init__(self, video: cv2.VideoCapture) -> None:
        self._video = video

    def grab(self) -> bool:
        return self._video.grab()

    def retrieve(self) -> Pixels | None:
        decoded, frame = self._video.retrieve()
        return _bounded(np.asarray(frame, np.uint8)) if decoded else None

    def close(self) -> None:
        self._video.release()


def _bounded(frame: Pixels) -> Pixels:
    """A frame no larger than is useful, so that a camera's 8K never fills the memory."""
    height, width = frame.shape[:2]
    share = _LONGEST_SIDE / max(height, width)
    if share >= 1:
        return frame
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
