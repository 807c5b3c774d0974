"""docs/first-changes.md as far as it needs no daemon; the rest is tests/acceptance/test_page_in_service.py."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.walkthrough import Walkthrough

pytestmark = pytest.mark.slow

BURST = datetime.fromisoformat("2026-11-25T18:21:17+08:00")
"""When the page's main pump starts, at the site's time."""


def burst_riser(file: Path) -> Path:
    """Half a minute of a main pump that starts and of a roof hydrant that loses its pressure, as a history."""
    lines = ["source_time,signal,number,flag,state"]
    for second in range(-10, 20):
        time = (BURST + timedelta(seconds=second)).isoformat()
        pressure = 0.30 if second < 1 else 0.065 if second < 2 else 0.0
        lines.append(f"{time},sample/hydrant-a-roof/pressure,{pressure},,")
        lines.append(f"{time},sample/main-pump-1/running,,{'true' if second >= 0 else 'false'},")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_the_files_of_the_page_are_right_and_its_commands_say_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("config", "rules"):
        shutil.copytree(folder, tmp_path / folder)
    history = burst_riser(tmp_path / "history.csv")
    monkeypatch.chdir(tmp_path)
    page = Walkthrough(left_out=("reload", "explain", "status"), added={"backtest": ("--history", str(history))})
    page.walk(2, 3, 4, 5, 6)
    assert set(page.ran) == {"rules", "check", "test", "backtest"}
    page.walk(8)
    assert not list(Path("rules").glob("compound*"))
