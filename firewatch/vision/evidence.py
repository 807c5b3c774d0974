"""The picture an operator gets with an alarm: what was seen, where, and how surely."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

import cv2

from firewatch.ports import Picture
from firewatch.vision.detector import Detection, Pixels

KEPT_PICTURES = 50
"""A camera's newest voting frames: ten seconds at the default rate, about 2 MB."""

_QUALITY = 85
_VEHICLE_COLOUR = (40, 60, 235)
_PERSON_COLOUR = (60, 190, 90)


def encode(frame: Pixels) -> bytes:
    """The frame as JPEG."""
    written, jpeg = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not written:
        raise ValueError("the frame cannot be encoded as JPEG")
    return jpeg.tobytes()


def boxed(frame: Pixels, detections: list[Detection]) -> Pixels:
    """A copy of the frame with a box, label and score around everything detected."""
    marked = frame.copy()
    scale = max(0.4, marked.shape[0] / 900)
    thickness = max(1, round(scale * 2.2))
    for found in detections:
        colour = _PERSON_COLOUR if found.label == "person" else _VEHICLE_COLOUR
        box = found.box
        cv2.rectangle(marked, (box.left, box.top), (box.right, box.bottom), colour, thickness)
        words = f"{found.label} {found.score:.2f}"
        (width, height), below = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
        top = max(0, box.top - height - below)
        cv2.rectangle(marked, (box.left, top), (box.left + width, top + height + below), colour, -1)
        at = (box.left, top + height)
        cv2.putText(marked, words, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), 1, cv2.LINE_AA)
    return marked


def picture_id(site: str, device: str, taken_time: datetime) -> str:
    """The name of the picture a camera took then: safe in an address and in a file name."""
    return f"{site}-{device}-{taken_time:%Y%m%dt%H%M%S}{taken_time.microsecond // 1000:03d}z"


class PictureRing:
    """The newest pictures of one camera, at most `KEPT_PICTURES`. Its owner locks it."""

    def __init__(self) -> None:
        self._pictures: OrderedDict[str, Picture] = OrderedDict()

    def keep(self, picture: Picture) -> None:
        """Keep a picture, and let the oldest go if there are too many."""
        self._pictures[picture.picture_id] = picture
        while len(self._pictures) > KEPT_PICTURES:
            self._pictures.popitem(last=False)

    def get(self, picture_id: str) -> Picture | None:
        """A kept picture, None if it was never kept or is gone."""
        return self._pictures.get(picture_id)
