from __future__ import annotations

from pathlib import Path

import pytest

from firewatch.alarms.diagram import redrawn

PAGE = Path(__file__).parents[3] / "docs" / "lifecycle.md"


def test_the_page_shows_the_table_as_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == redrawn(page), "run `python -m firewatch.alarms.diagram docs/lifecycle.md`"


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the lines"):
        redrawn("# The life of an alarm\n")
