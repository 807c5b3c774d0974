"""A page made from the code says what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("generate", "docs/generate.py")
assert _spec is not None
assert _spec.loader is not None
generate = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(generate)


@pytest.mark.parametrize("page", list(generate.PAGES))
def test_the_page_is_what_the_code_says(page: str) -> None:
    assert Path("docs", page).read_text() == generate.PAGES[page](), "run: python docs/generate.py"
