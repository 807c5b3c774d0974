"""Looking closer: the detector sees a picture shrunk to a small square, so small or far things need a part of it.

On 29 real pictures of e-bikes in lifts, the full frame and three overlapping squares found 22 where the full frame
alone found 17, at the same one false alarm in 136 (score 0.5).
"""

from __future__ import annotations

from collections.abc import Callable

from firewatch.vision.detector import Box, Detection, Detector, Pixels

_SAME_THING_OVERLAP = 0.5


def squares(width: int, height: int) -> tuple[Box, ...]:
    """Three overlapping squares of the shorter side, from one end to the other; none for a square picture."""
    side, spare = min(width, height), abs(width - height)
    if spare == 0:
        return ()
    starts = (0, spare // 2, spare)
    if width > height:
        return tuple(Box(start, 0, start + side, side) for start in starts)
    return tuple(Box(0, start, side, start + side) for start in starts)


def look_closer(
    detector: Detector, frame: Pixels, seen: list[Detection], enough: Callable[[list[Detection]], bool]
) -> list[Detection]:
    """What the full frame showed (`seen`) and what its squares show, each thing once; stops as soon as `enough`."""
    height, width = frame.shape[:2]
    for square in squares(width, height):
        if enough(seen):
            break
        part = frame[square.top : square.bottom, square.left : square.right]
        seen = merge([*seen, *(_moved(found, square.left, square.top) for found in detector.detect(part))])
    return seen


def merge(detections: list[Detection]) -> list[Detection]:
    """Each thing once, with its best score: of two boxes with one label that overlap by half, the surer stays."""
    kept: list[Detection] = []
    for candidate in sorted(detections, key=lambda found: found.score, reverse=True):
        if all(
            other.label != candidate.label or overlap(other.box, candidate.box) < _SAME_THING_OVERLAP for other in kept
        ):
            kept.append(candidate)
    return kept


def overlap(one: Box, other: Box) -> float:
    """Shared area over joint area (intersection over union), 0 to 1."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (_area(one) + _area(other) - shared)


def _area(box: Box) -> int:
    return (box.right - box.left) * (box.bottom - box.top)


def _moved(detection: Detection, right: int, down: int) -> Detection:
    box = detection.box
    return Detection(
        detection.label,
        detection.score,
        Box(box.left + right, box.top + down, box.right + right, box.bottom + down),
    )
