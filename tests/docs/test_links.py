"""A page that points to nothing is worse than none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGES = sorted([*Path().glob("*.md"), *Path("docs").rglob("*.md")])
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    targets = [link for link in _LINK.findall(page.read_text()) if "://" not in link]
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []


def test_both_readmes_point_to_the_same_pages() -> None:
    def targets(page: str) -> list[str]:
        return [link for link in _LINK.findall(Path(page).read_text()) if not link.startswith("README")]

    assert targets("README.md") == targets("README.zh-CN.md")


def test_both_readmes_show_the_same_commands() -> None:
    def commands(page: str) -> list[str]:
        blocks = re.findall(r"```(?:sh|yaml)\n(.*?)```", Path(page).read_text(), re.DOTALL)
        return [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]

    assert commands("README.md") == commands("README.zh-CN.md")
