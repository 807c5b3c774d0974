"""docs/first-changes.md, carried out: its files are written, its commands are run, its output must come."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

from click.testing import CliRunner

from firewatch.cli.main import main

PAGE = Path("docs/first-changes.md").resolve()
_BLOCK = re.compile(r"```(sh|console|yaml (?P<file>\S+))\n(?P<body>.*?)```", re.DOTALL)
_COMMAND = re.compile(r"^\$ firewatch (.+)\n((?:(?!\$).*\n)*)", re.MULTILINE)


class Walkthrough:
    """The page in the working directory; commands of `left_out` are for somebody else, `added` goes to some of them."""

    def __init__(self, left_out: tuple[str, ...], added: dict[str, tuple[str, ...]]) -> None:
        self._left_out = left_out
        self._added = added
        self.ran: list[str] = []

    def walk(self, *sections: int) -> None:
        """Do what these sections say, in their order."""
        parts = re.split(r"^## \d+\. ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for section in sections:
            for block in _BLOCK.finditer(parts[section]):
                self._do(block)

    def _do(self, block: re.Match[str]) -> None:
        if block["file"] is not None:
            Path(block["file"]).write_text(block["body"], encoding="utf-8")
        elif block[1] == "console":
            for command, output in _COMMAND.findall(block["body"]):
                self._run(command, output)
        elif block["body"].startswith(("cp ", "rm ")):
            subprocess.run(block["body"], shell=True, check=True)

    def _run(self, command: str, expected: str) -> None:
        words = shlex.split(command)
        if words[0] in self._left_out:
            return
        self.ran.append(words[0])
        result = CliRunner(env={"LANG": "en_US.UTF-8"}).invoke(main, [*words, *self._added.get(words[0], ())])
        came = _plain(result.output)
        for line in expected.splitlines():
            assert _plain(line) in came, f"firewatch {command}: {line!r} is not in\n{result.output}"


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
