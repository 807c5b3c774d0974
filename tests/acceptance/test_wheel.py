"""The wheel, built as the container image builds it, holds everything that a machine with Python alone needs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), "."]
    subprocess.run(command, check=True, timeout=300)
    [wheel] = folder.glob("firewatch-*.whl")
    return zipfile.ZipFile(wheel).namelist()


@pytest.mark.parametrize(
    "folder",
    ["firewatch/storage/sql", "firewatch/vision", "simulators", "simulators/scenarios"],
)
def test_every_file_of_the_folder_is_in_the_wheel(contents: list[str], folder: str) -> None:
    files = [str(path) for path in Path(folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert files
    assert set(files) <= set(contents)


def test_the_built_console_is_in_the_wheel_and_its_sources_are_not(contents: list[str]) -> None:
    assert "firewatch/web/static/index.html" in contents
    assert any(name.startswith("firewatch/web/static/assets/") and name.endswith(".js") for name in contents)
    assert not any("console/" in name for name in contents)


def test_the_command_is_in_the_wheel(contents: list[str]) -> None:
    assert any(name.endswith(".dist-info/entry_points.txt") for name in contents)
