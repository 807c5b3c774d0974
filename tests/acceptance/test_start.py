"""What `firewatch run` does with files it cannot use: it says everything that is wrong, and starts nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

BAD_RULES = """\
rules:
  - id: Hydrant
    scope: {device: presure_transmitter}
    when:
      low: {signal: pressure, limit: 0.07 MPa}
    priority: urgent
    class: supervisory
    text: {zh: 低, en: low}
    advice: {zh: 查, en: look}
"""


def firewatch(*arguments: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FIREWATCH_STATE_DIRECTORY": str(folder / "state"), **settings}
    return subprocess.run(
        [sys.executable, "-m", "firewatch", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )


def test_wrong_rules_are_all_named_and_nothing_is_started(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD_RULES)
    result = firewatch("run", folder=tmp_path, FIREWATCH_RULES=str(tmp_path))
    assert result.returncode == 1
    lines = result.stderr.splitlines()
    assert any("bad.yaml:2:9:" in line and "Hydrant" in line for line in lines), result.stderr
    assert any("bad.yaml:6:15:" in line and "urgent" in line for line in lines), result.stderr
    assert "problems in 1 file" in lines[-1]
    assert not (tmp_path / "state").exists()


def test_an_address_that_others_can_reach_is_refused_with_the_risk(tmp_path: Path) -> None:
    result = firewatch("run", folder=tmp_path, FIREWATCH_HTTP__HOST="0.0.0.0")
    assert result.returncode == 1
    assert "http.host" in result.stderr
    assert "allow_remote_without_login" in result.stderr


def test_status_of_no_daemon_says_what_to_do(tmp_path: Path) -> None:
    result = firewatch("status", "--url", "http://127.0.0.1:9", folder=tmp_path)
    assert result.returncode == 2
    assert "firewatch run" in result.stderr


@pytest.mark.parametrize("command", ["run", "demo", "status", "reload", "check", "test", "rules", "simulate"])
def test_every_command_explains_itself(command: str, tmp_path: Path) -> None:
    result = firewatch(command, "--help", folder=tmp_path)
    assert result.returncode == 0
    assert len(result.stdout.splitlines()) > 4
