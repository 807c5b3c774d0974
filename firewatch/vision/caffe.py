"""Reading the two files of a Caffe network: the description (protobuf as text) and the weights (protobuf on the wire).

Only what a network needs is read, and every length is checked against the file. What the fields mean is written in
Caffe's `caffe.proto`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

Scalar = str | int | float
Message = dict[str, "list[Scalar | Message]"]
"""A message of a description: every field's values, in the order in which they were written."""

Blob = NDArray[np.float32]

Weights = dict[str, list[Blob]]
"""By the layer's name: its blobs, the filters first and then the bias."""

_DEEPEST = 8
_LARGEST_BLOB = 1 << 24
_MOST_DIMENSIONS = 8

_TOKEN = re.compile(r'\s+|#[^\n]*|(?P<token>"[^"\n]*"|[{}:]|[^\s{}:"#]+)')

_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_NET_LAYER = 100
_LAYER_NAME, _LAYER_BLOBS = 1, 7
_BLOB_DATA, _BLOB_SHAPE = 5, 7
_BLOB_OLD_SHAPE = (1, 2, 3, 4)
_SHAPE_DIMENSION = 1


class Layer(msgspec.Struct, frozen=True):
    """One step of a network. `parameters` is the message that belongs to its `kind`, such as `convolution_param`."""

    name: str
    kind: str
    bottoms: list[str]
    tops: list[str]
    parameters: Message

    def numbers(self, *path: str) -> list[float]:
        """All values of a parameter; `path` leads to it through the messages around it."""
        message = self.parameters
        for name in path[:-1]:
            inner = message.get(name, [{}])[0]
            message = inner if isinstance(inner, dict) else {}
        values = message.get(path[-1], [])
        return [float(value) for value in values if isinstance(value, int | float)]

    def number(self, *path: str, default: float | None = None) -> float:
        """The only value of a parameter.

        Raises:
            ValueError: it has several values, or none and there is no default.
        """
        values = self.numbers(*path) or ([] if default is None else [default])
        if len(values) != 1:
            raise ValueError(f"the network's layer {self.name} needs one {'.'.join(path)} and has {len(values)}")
        return values[0]

    def integer(self, *path: str, default: int | None = None) -> int:
        """The only value of a parameter, as a whole number.

        Raises:
            ValueError: as `number` does.
        """
        return int(self.number(*path, default=default))


class Network(msgspec.Struct, frozen=True):
    """A network with one input."""

    input_name: str
    input_shape: list[int]
    layers: list[Layer]

    def only(self, kind: str) -> Layer:
        """The only layer of a kind.

        Raises:
            ValueError: there is none, or several.
        """
        layers = [layer for layer in self.layers if layer.kind == kind]
        if len(layers) != 1:
            raise ValueError(f"the network needs one {kind} layer and has {len(layers)}")
        return layers[0]


def read_description(content: bytes) -> Network:
    """The network's description (`.prototxt`).

    Raises:
        ValueError: the content is no such description.
    """
    message = _read_message(_tokens(content.decode()), 0)
    shape = message.get("input_shape", [{}])[0]
    return Network(
        input_name=_text(message, "input"),
        input_shape=[int(dim) for dim in shape.get("dim", []) if isinstance(dim, int)]
        if isinstance(shape, dict)
        else [],
        layers=[_read_layer(layer) for layer in message.get("layer", []) if isinstance(layer, dict)],
    )


def read_weights(content: bytes) -> Weights:
    """The weights (`.caffemodel`) of every layer that has any.

    Raises:
        ValueError: the content is no such file, or ends too early.
    """
    weights: Weights = {}
    for field, layer in _fields(memoryview(content)):
        if field != _NET_LAYER:
            continue
        name, blobs = "", []
        for layer_field, value in _fields(_bytes(layer)):
            if layer_field == _LAYER_NAME:
                name = bytes(_bytes(value)).decode()
            elif layer_field == _LAYER_BLOBS:
                blobs.append(_read_blob(_bytes(value)))
        if blobs:
            weights[name] = blobs
    return weights


def _tokens(text: str) -> Iterator[str]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError(f"the network's description cannot be read at character {position}")
        position = match.end()
        if match["token"] is not None:
            yield match["token"]


def _read_message(tokens: Iterator[str], depth: int) -> Message:
    if depth > _DEEPEST:
        raise ValueError("the network's description is nested too deeply")
    message: Message = {}
    for name in tokens:
        if name == "}" and depth:
            return message
        token = next(tokens, "")
        value = _read_message(tokens, depth + 1) if token == "{" else _scalar(token, next(tokens, ""))
        message.setdefault(name, []).append(value)
    if depth:
        raise ValueError("the network's description ends inside a message")
    return message


def _scalar(colon: str, token: str) -> Scalar:
    if colon != ":" or token in ("", "{", "}", ":"):
        raise ValueError(f"the network's description has {colon!r} {token!r} where a value is expected")
    if token.startswith('"'):
        return token[1:-1]
    for number in (int, float):
        try:
            value = number(token)
        except ValueError:
            continue
        if math.isfinite(value):
            return value
    return token


def _read_layer(message: Message) -> Layer:
    if "top" not in message:
        raise ValueError(f"the network's layer {_text(message, 'name')} has no top")
    parameters = [values[0] for name, values in message.items() if name.endswith("_param")]
    return Layer(
        name=_text(message, "name"),
        kind=_text(message, "type"),
        bottoms=[str(name) for name in message.get("bottom", [])],
        tops=[str(name) for name in message.get("top", [])],
        parameters=parameters[0] if parameters and isinstance(parameters[0], dict) else {},
    )


def _text(message: Message, name: str) -> str:
    value = message.get(name, [None])[0]
    if not isinstance(value, str):
        raise ValueError(f"the network's description lacks a {name}")
    return value


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Every field's number with its value: a varint as a number, everything else as its bytes."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        wire_type = key & 7
        if wire_type == _VARINT:
            number, position = _varint(message, position)
            yield key >> 3, number
            continue
        if wire_type == _LENGTH:
            length, position = _varint(message, position)
        elif wire_type in (_EIGHT_BYTES, _FOUR_BYTES):
            length = 8 if wire_type == _EIGHT_BYTES else 4
        else:
            raise ValueError(f"the network's weights have a field of the unknown wire type {wire_type}")
        if length > len(message) - position:
            raise ValueError("the network's weights end too early")
        yield key >> 3, message[position : position + length]
        position += length


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """A number of at most 64 bits, and where the next field begins."""
    number = 0
    for index, byte in enumerate(message[position : position + 10]):
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return number, position + index + 1
    raise ValueError("the network's weights have a number that does not end")


def _bytes(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("the network's weights have a number where a message is expected")
    return value


def _read_blob(message: memoryview) -> NDArray[np.float32]:
    shape: list[int] = []
    old_shape: list[int] = []
    parts: list[memoryview] = []
    for field, value in _fields(message):
        if field == _BLOB_DATA:
            parts.append(_bytes(value))
        elif field == _BLOB_SHAPE:
            shape = _read_shape(_bytes(value))
        elif field in _BLOB_OLD_SHAPE and isinstance(value, int):
            old_shape.append(value)
    shape = shape or old_shape
    data = b"".join(parts)
    if len(shape) > _MOST_DIMENSIONS or math.prod(shape) > _LARGEST_BLOB or 4 * math.prod(shape) != len(data):
        raise ValueError(
            f"the network's weights have a blob of {len(data)} bytes for the shape {shape[:_MOST_DIMENSIONS]}"
        )
    return np.frombuffer(data, "<f4").reshape(shape).astype(np.float32)


def _read_shape(message: memoryview) -> list[int]:
    """The dimensions, packed into one field or each in its own."""
    shape: list[int] = []
    for field, value in _fields(message):
        if field != _SHAPE_DIMENSION:
            continue
        if isinstance(value, int):
            shape.append(value)
            continue
        position = 0
        while position < len(value):
            dimension, position = _varint(value, position)
            shape.append(dimension)
    return shape
