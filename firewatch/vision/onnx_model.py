"""A Caffe network as an ONNX model, which onnxruntime runs in less than half of OpenCV's time.

The conversion is done on the machine, because the package with the weights carries Caffe's files only. The model is
kept in a directory and read from there at the next start; where that is not possible, it is converted at every start.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from firewatch.vision.caffe import Blob, Layer, Weights, read_description, read_weights

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

CONVERTER_VERSION = 1
"""Counts the changes of `convert` that change its result, so that no model of an earlier one is used."""

_OPSET = 13
_IR_VERSION = 8
"""Both of 2021: read by every onnxruntime from 1.10 on, whatever the `onnx` package would write by default."""

_DIGEST_BYTES = hashlib.sha256().digest_size


def load_model(description: bytes, weights: bytes, directory: Path | None) -> bytes:
    """The network as an ONNX model (protobuf), from `directory` if it is there, else converted and kept there.

    Raises:
        ValueError: the files are not those of a network that can be converted.
    """
    if directory is None:
        return convert(description, weights)
    sources = hashlib.sha256(hashlib.sha256(description).digest() + hashlib.sha256(weights).digest()).hexdigest()
    path = directory / f"{sources}-{CONVERTER_VERSION}.onnx-checked"
    kept = _read_kept(path)
    if kept is not None:
        return kept
    model = convert(description, weights)
    with contextlib.suppress(OSError):
        _keep(path, model)
    return model


def convert(description: bytes, weights: bytes) -> bytes:
    """The network from its input to what its DetectionOutput layer takes: the locations first, then the confidences.

    Raises:
        ValueError: the files are not those of a network that can be converted.
    """
    # Imported here, because a start with a kept model does without its 16 MB and the time to load them.
    from onnx import TensorProto, helper

    network = read_description(description)
    graph = _Graph(read_weights(weights))
    for layer in network.layers:
        graph.add(layer)
    results = [graph.names[bottom] for bottom in network.only("DetectionOutput").bottoms[:2]]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "network",
            [helper.make_tensor_value_info(network.input_name, TensorProto.FLOAT, network.input_shape)],
            [helper.make_tensor_value_info(result, TensorProto.FLOAT, None) for result in results],
            graph.constants,
        ),
        producer_name="firewatch",
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
    )
    return bytes(model.SerializeToString(deterministic=True))


class _Graph:
    """The nodes so far. `names`: what a blob of the description is called now, since a layer may write over its input
    and no ONNX node may.
    """

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._left_out: set[str] = set()
        self.names: dict[str, str] = {}
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, layer: Layer) -> None:
        """Add a layer, unless it belongs to the prior boxes or takes them: those are no work for the network."""
        if layer.kind == "PriorBox" or self._left_out.intersection(layer.bottoms):
            self._left_out.update(layer.tops)
            return
        match layer.kind:
            case "Convolution":
                self._add_convolution(layer)
            case "ReLU":
                self._add_node("Relu", layer)
            case "Permute":
                self._add_node("Transpose", layer, perm=[int(axis) for axis in layer.numbers("order")])
            case "Flatten":
                self._add_node("Flatten", layer, axis=layer.integer("axis", default=1))
            case "Concat":
                self._add_node("Concat", layer, axis=layer.integer("axis", default=1))
            case "Softmax":
                self._add_node("Softmax", layer, axis=layer.integer("axis", default=1))
            case "Reshape":
                shape = np.array(layer.numbers("shape", "dim"), np.int64)
                self._add_node("Reshape", layer, [self._constant(f"{layer.name}/shape", shape)])
            case _:
                raise ValueError(f"the network's layer {layer.name} is of the kind {layer.kind}, which is unknown here")

    def _add_convolution(self, layer: Layer) -> None:
        blobs = self._weights.get(layer.name, [])
        if not 1 <= len(blobs) <= 2:
            raise ValueError(f"the network's layer {layer.name} has {len(blobs)} blobs of weights, not one or two")
        pad, stride = layer.integer("pad", default=0), layer.integer("stride", default=1)
        self._add_node(
            "Conv",
            layer,
            [self._constant(f"{layer.name}/{index}", blob) for index, blob in enumerate(blobs)],
            group=layer.integer("group", default=1),
            pads=[pad] * 4,
            strides=[stride] * 2,
        )

    def _add_node(self, operator: str, layer: Layer, constants: Sequence[str] = (), **attributes: Any) -> None:
        from onnx import helper

        inputs = [self.names.get(bottom, bottom) for bottom in layer.bottoms]
        self.nodes.append(helper.make_node(operator, [*inputs, *constants], [layer.name], layer.name, **attributes))
        self.names[layer.tops[0]] = layer.name

    def _constant(self, name: str, values: Blob | NDArray[np.int64]) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(values, name))
        return name


def _read_kept(path: Path) -> bytes | None:
    """The kept model; None if there is none, or not as it was written."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, model = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    return model if hashlib.sha256(model).digest() == digest else None


def _keep(path: Path, model: bytes) -> None:
    """Write the model behind its digest, wholly or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(hashlib.sha256(model).digest() + model)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
