"""A page that points to nothing is worse than none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from firewatch.cli.main import main

PAGES = sorted([*Path().glob("*.md"), *Path("docs").rglob("*.md")])
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    targets = [link for link in _LINK.findall(page.read_text()) if "://" not in link]
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []


def test_both_readmes_point_to_the_same_pages() -> None:
    def targets(page: str) -> list[str]:
        links = _LINK.findall(Path(page).read_text())
        return [link.replace(".zh-CN.", ".") for link in links if not link.startswith("README")]

    assert targets("README.md") == targets("README.zh-CN.md")


def test_both_readmes_show_the_same_commands() -> None:
    def commands(page: str) -> list[str]:
        blocks = re.findall(r"```(?:sh|yaml)\n(.*?)```", Path(page).read_text(), re.DOTALL)
        return [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]

    assert commands("README.md") == commands("README.zh-CN.md")


def test_the_readmes_first_rule_is_right_and_passes_its_tests(tmp_path: Path) -> None:
    rule, rule_test = re.findall(r"```yaml\n(rules:.*?)```", Path("README.md").read_text(), re.DOTALL)
    (tmp_path / "tank.yaml").write_text(rule)
    (tmp_path / "tank.test.yaml").write_text(rule_test)
    result = CliRunner().invoke(main, ["test", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "2 passed, 0 failed, 1 of 1 rules covered" in result.output
