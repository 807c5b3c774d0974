"""From a single-shot detector's two results to boxes: what Caffe's PriorBox and DetectionOutput layers do.

The network says for each of 1917 prior boxes how likely each class is, and how the box differs from the prior.
Wei Liu et al., SSD: Single Shot MultiBox Detector, 2016, section 2.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from firewatch.vision.caffe import Layer, Network

Array = NDArray[np.float32]


class Candidate(msgspec.Struct, frozen=True):
    """A thing found: its class's number, and its box in shares of the picture, which may lie a little outside."""

    number: int
    score: float
    left: float
    top: float
    right: float
    bottom: float


class SsdDecoder:
    """Decodes the results of one network."""

    def __init__(self, network: Network, lowest_score: float) -> None:
        """Take the prior boxes and limits from the network's description; its `confidence_threshold` is replaced.

        Raises:
            ValueError: the description lacks what is needed.
        """
        output = network.only("DetectionOutput")
        self._lowest_score = lowest_score
        self._classes = output.integer("num_classes")
        self._background = output.integer("background_label_id", default=0)
        self._overlap = output.number("nms_param", "nms_threshold")
        self._most_of_a_class = output.integer("nms_param", "top_k")
        self._most = output.integer("keep_top_k")
        self._priors, self._variances = _priors(network)

    def decode(self, locations: Array, confidences: Array) -> list[Candidate]:
        """Everything that scores more than the lowest score, each thing once, the surest first."""
        scores = confidences.reshape(-1, self._classes)
        differences = locations.reshape(-1, 4)
        found: list[Candidate] = []
        for number in np.flatnonzero((scores > self._lowest_score).any(axis=0)).tolist():
            if number != self._background:
                found += self._of_class(number, scores[:, number], differences)
        return sorted(found, key=lambda candidate: candidate.score, reverse=True)[: self._most]

    def _of_class(self, number: int, scores: Array, differences: Array) -> list[Candidate]:
        chosen = np.flatnonzero(scores > self._lowest_score)
        chosen = chosen[np.argsort(-scores[chosen], kind="stable")][: self._most_of_a_class]
        boxes = self._boxes(chosen, differences[chosen])
        return [
            Candidate(number, float(scores[chosen[index]]), *boxes[index].tolist())
            for index in _distinct(boxes, self._overlap)
        ]

    def _boxes(self, chosen: NDArray[np.intp], differences: Array) -> Array:
        """Left, top, right and bottom of the chosen boxes (`code_type: CENTER_SIZE`)."""
        priors, scaled = self._priors[chosen], differences * self._variances[chosen]
        sizes = priors[:, 2:] * np.exp(scaled[:, 2:])
        centres = priors[:, :2] + priors[:, 2:] * scaled[:, :2]
        return np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)


def _distinct(boxes: Array, most_overlap: float) -> list[int]:
    """The boxes, surest first, without those that overlap a surer one by more than a share of their joint area."""
    kept: list[int] = []
    sizes = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    areas = sizes[:, 0] * sizes[:, 1]
    for index in range(len(boxes)):
        shared_sizes = np.minimum(boxes[index, 2:], boxes[kept, 2:]) - np.maximum(boxes[index, :2], boxes[kept, :2])
        shared = np.maximum(shared_sizes, 0).prod(axis=1)
        joint = areas[index] + areas[kept] - shared
        if (shared <= most_overlap * joint).all():
            kept.append(index)
    return kept


def _priors(network: Network) -> tuple[Array, Array]:
    """The prior boxes (centre and size, in shares of the picture) with their variances, in the network's order."""
    sides = _sides(network)
    layers = [layer for layer in network.layers if layer.kind == "PriorBox"]
    by_top = {layer.tops[0]: layer for layer in layers}
    joined = next(
        (layer for layer in network.layers if layer.kind == "Concat" and set(layer.bottoms) <= set(by_top)), None
    )
    if joined is None:
        raise ValueError("the network's description does not join its prior boxes")
    priors = [_priors_of(by_top[bottom], sides) for bottom in joined.bottoms]
    boxes = np.concatenate(priors)
    variances = np.concatenate(
        [
            np.tile(by_top[bottom].numbers("variance"), (len(part), 1))
            for bottom, part in zip(joined.bottoms, priors, strict=True)
        ]
    )
    return boxes.astype(np.float32), variances.astype(np.float32)


def _priors_of(layer: Layer, sides: dict[str, tuple[int, int]]) -> NDArray[np.float64]:
    """One layer's prior boxes: at every place of its feature map the same shapes."""
    (height, width), (picture_height, picture_width) = (_side(sides, bottom) for bottom in layer.bottoms)
    shapes = np.array(_shapes(layer)) / (picture_width, picture_height)
    offset = layer.number("offset", default=0.5)
    rows, columns = (np.arange(height) + offset) / height, (np.arange(width) + offset) / width
    places = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 1, 2)
    repeated = (len(places), len(shapes), 2)
    return np.concatenate([np.broadcast_to(places, repeated), np.broadcast_to(shapes, repeated)], axis=2).reshape(-1, 4)


def _shapes(layer: Layer) -> list[tuple[float, float]]:
    """Width and height of a layer's prior boxes, in the input's pixels."""
    smallest = layer.number("min_size")
    sides = [smallest] + [math.sqrt(smallest * largest) for largest in layer.numbers("max_size")]
    shapes = [(side, side) for side in sides]
    for ratio in layer.numbers("aspect_ratio"):
        root = math.sqrt(ratio)
        shapes += [(smallest * root, smallest / root), (smallest / root, smallest * root)]
    return shapes


def _sides(network: Network) -> dict[str, tuple[int, int]]:
    """Height and width of every blob before the network's heads, by its name."""
    height, width = network.input_shape[2:]
    sides = {network.input_name: (height, width)}
    for layer in network.layers:
        if layer.kind == "Convolution":
            sides[layer.tops[0]] = _shrunk(layer, _side(sides, layer.bottoms[0]))
    return sides


def _side(sides: dict[str, tuple[int, int]], name: str) -> tuple[int, int]:
    if name not in sides:
        raise ValueError(f"the network's description does not say how large {name} is")
    return sides[name]


def _shrunk(layer: Layer, side: tuple[int, int]) -> tuple[int, int]:
    kernel, stride = layer.integer("kernel_size"), layer.integer("stride", default=1)
    spare = 2 * layer.integer("pad", default=0) - kernel
    return (side[0] + spare) // stride + 1, (side[1] + spare) // stride + 1
