"""Caffe's two files are read as they are meant, and what is none of them is refused, whatever it is."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firewatch.vision.caffe import read_description, read_weights
from tests.unit.vision import tiny_network as tiny


def test_weights_are_read_by_the_layers_names() -> None:
    weights = read_weights(tiny.weights())
    assert set(weights) == set(tiny.SHAPES)
    for name, blobs in weights.items():
        for read, written in zip(blobs, tiny.numbers(name), strict=True):
            np.testing.assert_array_equal(read, written)


def test_a_blob_with_the_old_four_sizes_is_read_too() -> None:
    sizes = b"".join(tiny.varint(number << 3) + tiny.varint(size) for number, size in enumerate((1, 1, 2, 3), 1))
    content = sizes + tiny.field(5, np.arange(6, dtype="<f4").tobytes())
    assert read_weights(tiny.layer("old", content))["old"][0].shape == (1, 1, 2, 3)


def blob_of_shape(*sizes: int, values: int) -> bytes:
    shape = tiny.field(7, tiny.field(1, b"".join(tiny.varint(size) for size in sizes)))
    return tiny.layer("bad", shape + tiny.field(5, bytes(4 * values)))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"\xa2\x06\xff", "does not end"),
        (b"\xff" * 11, "does not end"),
        (tiny.varint(100 << 3 | 2) + tiny.varint(1 << 62), "end too early"),
        (tiny.weights()[:-1], "end too early"),
        (tiny.varint(100 << 3) + b"\x01", "a number where a message"),
        (b"\x0b", "wire type 3"),
        (blob_of_shape(2, 3, values=5), r"20 bytes for the shape \[2, 3\]"),
        (blob_of_shape(1 << 40, 1 << 40, values=1), "4 bytes for the shape"),
        (blob_of_shape(*[1] * 9, values=1), "4 bytes for the shape"),
    ],
)
def test_weights_that_cannot_be_are_refused(content: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_weights(content)


@given(st.data())
def test_damaged_weights_are_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    content = bytearray(tiny.weights())
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError):
        read_weights(bytes(content[: data.draw(st.integers(0, len(content)))]))


def test_a_description_is_read_with_its_parameters() -> None:
    network = read_description(tiny.DESCRIPTION)
    body, output = network.layers[0], network.only("DetectionOutput")
    assert (network.input_name, network.input_shape) == ("data", [1, 3, 8, 8])
    assert (body.kind, body.bottoms, body.tops) == ("Convolution", ["data"], ["body"])
    assert (body.integer("kernel_size"), body.integer("group", default=1)) == (3, 1)
    assert output.number("nms_param", "nms_threshold") == 0.45
    assert network.only("PriorBox").numbers("variance") == [0.1, 0.1, 0.2, 0.2]


def test_a_parameter_that_is_missing_or_there_twice_is_refused() -> None:
    prior = read_description(tiny.DESCRIPTION).only("PriorBox")
    with pytest.raises(ValueError, match="layer prior needs one max_size and has 0"):
        prior.number("max_size")
    with pytest.raises(ValueError, match="layer prior needs one variance and has 4"):
        prior.number("variance")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b'input: "data', "cannot be read at character 7"),
        (b'input: "data" layer {', "ends inside a message"),
        (b"input:", "where a value is expected"),
        (b"input }", "where a value is expected"),
        (b"a { " * 10, "nested too deeply"),
        (b'layer { name: "a" type: "ReLU" top: "a" }', "lacks a input"),
        (b'input: "data" layer { name: "a" type: "ReLU" }', "layer a has no top"),
    ],
)
def test_a_description_that_cannot_be_is_refused(content: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_description(content)


@given(st.lists(st.sampled_from(['"a"', "{", "}", ":", "input", "layer", "top", "type", "name", "1", "-2.5", "inf"])))
@example(["input", ":", '"a"'])
def test_any_description_is_read_or_refused_and_nothing_else(tokens: list[str]) -> None:
    with contextlib.suppress(ValueError):
        read_description(" ".join(tokens).encode())
