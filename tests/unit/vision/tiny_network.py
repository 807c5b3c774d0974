"""A network of Caffe's with six layers that count, and the writer of its weights."""

from __future__ import annotations

import struct

import numpy as np

DESCRIPTION = b"""
name: "tiny"  # comments and blank lines are allowed
input: "data"
input_shape { dim: 1 dim: 3 dim: 8 dim: 8 }
layer {
  name: "body" type: "Convolution" bottom: "data" top: "body"
  convolution_param { num_output: 2 kernel_size: 3 pad: 1 stride: 2 weight_filler { type: "msra" } }
}
layer { name: "body/relu" type: "ReLU" bottom: "body" top: "body" }
layer {
  name: "loc" type: "Convolution" bottom: "body" top: "loc"
  convolution_param { num_output: 4 kernel_size: 1 }
}
layer {
  name: "loc_perm" type: "Permute" bottom: "loc" top: "loc_perm"
  permute_param { order: 0 order: 2 order: 3 order: 1 }
}
layer { name: "loc_flat" type: "Flatten" bottom: "loc_perm" top: "loc_flat" flatten_param { axis: 1 } }
layer {
  name: "conf" type: "Convolution" bottom: "body" top: "conf"
  convolution_param { num_output: 2 kernel_size: 1 }
}
layer {
  name: "conf_perm" type: "Permute" bottom: "conf" top: "conf_perm"
  permute_param { order: 0 order: 2 order: 3 order: 1 }
}
layer {
  name: "conf_reshape" type: "Reshape" bottom: "conf_perm" top: "conf_reshape"
  reshape_param { shape { dim: 0 dim: -1 dim: 2 } }
}
layer { name: "conf_softmax" type: "Softmax" bottom: "conf_reshape" top: "conf_softmax" softmax_param { axis: 2 } }
layer {
  name: "prior" type: "PriorBox" bottom: "body" bottom: "data" top: "prior"
  prior_box_param {
    min_size: 4.0
    variance: 0.1 variance: 0.1 variance: 0.2 variance: 0.2
    offset: 0.5
  }
}
layer { name: "priors" type: "Concat" bottom: "prior" top: "priors" concat_param { axis: 2 } }
layer {
  name: "out" type: "DetectionOutput" bottom: "loc_flat" bottom: "conf_softmax" bottom: "priors" top: "out"
  detection_output_param {
    num_classes: 2
    background_label_id: 0
    nms_param { nms_threshold: 0.45 top_k: 10 }
    keep_top_k: 5
    confidence_threshold: 0.25
  }
}
"""

SHAPES = {"body": (2, 3, 3, 3), "loc": (4, 2, 1, 1), "conf": (2, 2, 1, 1)}


def numbers(name: str) -> list[np.ndarray]:
    """The filters and the bias of a layer: made up, and always the same."""
    shape = SHAPES[name]
    random = np.random.default_rng(len(name))
    return [random.standard_normal(shape).astype(np.float32), random.standard_normal(shape[0]).astype(np.float32)]


def varint(number: int) -> bytes:
    written = bytearray()
    while number >= 0x80:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def blob(values: np.ndarray) -> bytes:
    shape = b"".join(varint(size) for size in values.shape)
    return field(7, field(1, shape)) + field(5, values.astype("<f4").tobytes())


def layer(name: str, *blobs: bytes) -> bytes:
    return field(100, field(1, name.encode()) + b"".join(field(7, content) for content in blobs))


def weights() -> bytes:
    """The weights file, with fields in it that a reader has to pass over."""
    passed_over = field(1, b"tiny") + varint(9 << 3) + varint(300) + varint(9 << 3 | 5) + struct.pack("<f", 1)
    return passed_over + b"".join(layer(name, *(blob(values) for values in numbers(name))) for name in SHAPES)
