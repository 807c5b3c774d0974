"""The real detector, loaded once, and the real clips where they are at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import pytest

from firewatch.vision.detector import MobileNetSsd, Pixels

MEDIA = Path(__file__).parents[3] / ".." / "shared" / "media"


@pytest.fixture(scope="session")
def detector() -> MobileNetSsd:
    return MobileNetSsd()


@pytest.fixture
def clip() -> Callable[[str, int], Iterator[Pixels]]:
    """Every `step`-th frame of a clip of ../shared/media."""
    if not MEDIA.is_dir():
        pytest.skip("the real clips (../shared/media beside the repository) are not here")

    def frames(name: str, step: int) -> Iterator[Pixels]:
        video = cv2.VideoCapture(str(MEDIA / name))
        assert video.isOpened(), f"{name} cannot be opened"
        number = 0
        while video.grab():
            if number % step == 0:
                yield video.retrieve()[1]
            number += 1
        video.release()
        assert number > 0, f"{name} has no frames"

    return frames


@pytest.fixture
def still() -> Callable[[str], Pixels]:
    """A picture of ../shared/media."""
    if not MEDIA.is_dir():
        pytest.skip("the real pictures (../shared/media beside the repository) are not here")

    def read(name: str) -> Pixels:
        picture = cv2.imread(str(MEDIA / name))
        assert picture is not None, f"{name} cannot be read"
        return picture

    return read
