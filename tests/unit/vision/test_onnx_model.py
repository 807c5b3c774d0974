"""The converted network computes what Caffe's would, and is kept for the next start wherever that is possible."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from firewatch.vision import onnx_model
from firewatch.vision.onnx_model import convert, load_model
from tests.unit.vision import tiny_network as tiny


@pytest.fixture
def conversions(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every model converted from here on."""
    converted: list[bytes] = []

    def counted(description: bytes, weights: bytes) -> bytes:
        converted.append(convert(description, weights))
        return converted[-1]

    monkeypatch.setattr(onnx_model, "convert", counted)
    return converted


def load(directory: Path | None, weights: bytes = tiny.weights()) -> bytes:
    return load_model(tiny.DESCRIPTION, weights, directory)


def by_hand(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the tiny network computes, step by step."""
    filters, bias = tiny.numbers("body")
    padded = np.pad(picture[0], ((0, 0), (1, 1), (1, 1)))
    body = np.zeros((2, 4, 4))
    for row in range(4):
        for column in range(4):
            seen = padded[:, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
            body[:, row, column] = np.maximum((filters * seen).sum(axis=(1, 2, 3)) + bias, 0)
    results = []
    for name in ("loc", "conf"):
        filters, bias = tiny.numbers(name)
        results.append(np.einsum("oi,ihw->hwo", filters[:, :, 0, 0], body) + bias)
    powers = np.exp(results[1].reshape(-1, 2))
    return results[0].reshape(1, -1), (powers / powers.sum(axis=1, keepdims=True))[None]


def test_the_model_computes_what_the_network_describes() -> None:
    session = onnxruntime.InferenceSession(load(None), providers=["CPUExecutionProvider"])
    picture = np.random.default_rng(1).standard_normal((1, 3, 8, 8)).astype(np.float32)
    locations, confidences = session.run(None, {"data": picture})
    expected_locations, expected_confidences = by_hand(picture)
    np.testing.assert_allclose(locations, expected_locations, atol=1e-5)
    np.testing.assert_allclose(confidences, expected_confidences, atol=1e-5)


def test_the_model_is_converted_once_and_kept(tmp_path: Path, conversions: list[bytes]) -> None:
    directory = tmp_path / "state" / "models"
    first, second = load(directory), load(directory)
    assert first == second == conversions[0]
    assert len(conversions) == 1
    assert len(list(directory.iterdir())) == 1


def test_the_conversion_gives_the_same_bytes_every_time() -> None:
    assert load(None) == load(None)


def test_other_weights_are_another_model(tmp_path: Path, conversions: list[bytes]) -> None:
    other = tiny.weights()[:-1] + b"\x40"
    assert load(tmp_path) != load(tmp_path, other)
    assert len(conversions) == 2


def test_a_model_of_an_earlier_converter_is_not_used(
    tmp_path: Path, conversions: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(tmp_path)
    monkeypatch.setattr(onnx_model, "CONVERTER_VERSION", onnx_model.CONVERTER_VERSION + 1)
    load(tmp_path)
    assert len(conversions) == 2


@pytest.mark.parametrize("damage", [lambda kept: kept[:-1], lambda kept: kept[:-1] + b"\x00", lambda _: b""])
def test_a_damaged_model_is_converted_again_and_replaced(
    tmp_path: Path, conversions: list[bytes], damage: object
) -> None:
    whole = load(tmp_path)
    [path] = tmp_path.iterdir()
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    assert load(tmp_path) == whole
    assert load(tmp_path) == whole
    assert len(conversions) == 2


def test_where_nothing_can_be_written_the_model_is_converted_in_memory(
    tmp_path: Path, conversions: list[bytes]
) -> None:
    in_the_way = tmp_path / "models"
    in_the_way.write_text("a file, no directory")
    assert load(in_the_way) == load(in_the_way) == load(None)
    assert len(conversions) == 3


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert load(tmp_path) == load(None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("description", "weights", "complaint"),
    [
        (tiny.DESCRIPTION.replace(b'"ReLU"', b'"PReLU"'), tiny.weights(), "of the kind PReLU, which is unknown"),
        (tiny.DESCRIPTION, b"", "layer body has 0 blobs"),
        (tiny.DESCRIPTION.replace(b'"DetectionOutput"', b'"PriorBox"'), tiny.weights(), "one DetectionOutput layer"),
    ],
)
def test_a_network_that_cannot_be_converted_is_refused(description: bytes, weights: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        convert(description, weights)
