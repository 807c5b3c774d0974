"""Access to the repository's own text."""

from __future__ import annotations

from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def repository_text():
    """Reads a file by its path from the root of the repository."""
    return lambda path: (_ROOT / path).read_text("utf-8")
