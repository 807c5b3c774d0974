"""The commands as people type them, over a history in a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from firewatch.cli.main import main
from tests.unit.backtest.histories import hovering, write_csv

RULE = """
version: 1
rules:
  - id: pressure-low
    scope: {device: pressure_transmitter, tags: [hydrant]}
    when: {low: {signal: pressure, limit: 0.07 MPa, deadband: %s}}
    priority: high
    class: supervisory
    text: {zh: "{device}", en: "{device}"}
    advice: {zh: 看, en: Look}
"""

Invoke = Callable[..., Result]


@pytest.fixture
def invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    (tmp_path / "live.yaml").write_text(RULE % "0 MPa")
    (tmp_path / "new.yaml").write_text(RULE % "0.01 MPa")
    settings = {"state_directory": str(tmp_path / "state"), "rules": str(tmp_path / "live.yaml")}
    (tmp_path / "firewatch.yaml").write_text(json.dumps(settings))
    history = write_csv(tmp_path / "history.csv", hovering())

    def run(*arguments: str, stored: bool = True) -> Result:
        places = ["--config", str(tmp_path / "firewatch.yaml"), *(["--history", str(history)] if stored else [])]
        return CliRunner().invoke(main, [*(word.replace("DIR", str(tmp_path)) for word in arguments), *places])

    return run


def test_a_backtest_ends_with_the_sentence(invoke: Invoke) -> None:
    result = invoke("backtest", "DIR/new.yaml", "--against", "live")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1].startswith("2 hours: +0, -58 alarms;")


def test_a_lost_alarm_is_told_by_the_exit_code(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("2026-03-01 08:20 sample/hydrant-a-roof\n")
    (tmp_path / "none.yaml").write_text((RULE % "0 MPa").replace("0.07", "0.01"))
    result = invoke("backtest", "DIR/none.yaml", "--against", "live", "--confirmed", "DIR/real.txt")
    assert result.exit_code == 3, result.output
    assert "1 of 1 confirmed alarm LOST" in result.output


def test_tuning_ends_with_what_to_paste(invoke: Invoke) -> None:
    result = invoke("tune", "pressure-low", "--last", "90min")
    assert result.exit_code == 0, result.output
    assert result.output.rstrip().endswith("when.low.deadband: 0.0014 MPa")


@pytest.mark.parametrize(
    ("arguments", "stored", "words"),
    [
        (("backtest",), False, "there is no history in"),
        (("backtest", "--from", "noon"), True, 'found "noon"'),
        (("backtest", "--from", "2027-01-01", "--to", "2027-01-02"), True, "there is no history from 2026-12-31"),
        (("backtest", "--against", "nowhere"), True, '"nowhere" is neither'),
        (("backtest", "--last", "30"), True, 'expected a duration such as "30s"'),
        (("tune", "presure-low"), True, 'did you mean "pressure-low"?'),
    ],
)
def test_what_cannot_be_done_says_why(invoke: Invoke, arguments: tuple[str, ...], stored: bool, words: str) -> None:
    result = invoke(*arguments, stored=stored)
    assert result.exit_code in (1, 2)
    assert words in result.output
    assert "Traceback" not in result.output
