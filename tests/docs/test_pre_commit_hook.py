"""The hook that others run before a commit calls a command that there is."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from firewatch.cli.main import main
from firewatch.config.document import read_document


def test_the_hook_runs_a_command_that_there_is() -> None:
    document, problems = read_document(Path(".pre-commit-hooks.yaml"))
    assert document is not None
    assert problems == []
    (hook,) = document.data
    program, *arguments = hook["entry"].split()
    assert (hook["id"], program) == ("firewatch-check", "firewatch")
    assert CliRunner().invoke(main, [*arguments, "--help"]).exit_code == 0
