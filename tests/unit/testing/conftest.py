"""A folder with rules of a few lines, and tests written beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from firewatch.config.project import load_inventory
from firewatch.config.settings import Settings
from firewatch.model.site import Inventory
from firewatch.testing.play import Outcome, play
from firewatch.testing.scenario import Scenario, load_scenarios

TEXTS = "text: {zh: 水, en: water}\n    advice: {zh: 看, en: look}"
RULES = f"""rules:
  - id: level-low
    scope: {{device: water_tank}}
    when: {{low: {{signal: level, limit: 1.5 m, deadband: 5 cm}}}}
    on_delay: 3s
    off_delay: 10s
    priority: high
    class: supervisory
    {TEXTS}
  - id: level-ladder
    scope: {{device: water_tank}}
    ladder:
      - {{when: {{low: {{signal: level, limit: 1 m}}}}, priority: low}}
      - {{when: {{low: {{signal: level, limit: 50 cm}}}}, priority: high}}
    class: supervisory
    {TEXTS}
  - id: valve-closed
    scope: {{device: signal_valve}}
    when: {{state: {{signal: position, is: closed}}}}
    priority: highest
    class: fire
    {TEXTS}
  - id: tank-silent
    scope: {{device: water_tank}}
    when: {{absence: {{after: 15s}}}}
    priority: low
    class: trouble
    latched: true
    {TEXTS}
  - id: button
    scope: {{device: lift_controller}}
    when: {{state: {{signal: emergency_button, is: true}}}}
    priority: high
    class: security
    mode: shadow
    {TEXTS}
    actions:
      active: [{{device: loudspeaker, action: play}}]
      inactive: [{{device: loudspeaker, action: stop}}]
"""


@pytest.fixture(scope="session")
def sample() -> Inventory:
    return load_inventory(Settings())


class Folder:
    """Rule files and test files of one test."""

    def __init__(self, path: Path, inventory: Inventory) -> None:
        self.path = path
        self._inventory = inventory
        self.write("plain.yaml", RULES)

    def write(self, name: str, text: str) -> Path:
        file = self.path / name
        file.write_text(text, encoding="utf-8")
        return file

    def test(self, body: str, rules: str = "plain.yaml") -> Path:
        """A file with one test; its body begins at line 4."""
        return self.write("a.test.yaml", f"rules: [{rules}]\ntests:\n  - name: a test\n    {body}\n")

    def scenarios(self, body: str, rules: str = "plain.yaml") -> tuple[Scenario, ...]:
        return load_scenarios(self.test(body, rules), self._inventory)

    def outcome(self, body: str, rules: str = "plain.yaml") -> Outcome:
        (scenario,) = self.scenarios(body, rules)
        return play(scenario)

    def failures(self, body: str, rules: str = "plain.yaml") -> list[str]:
        return [f"{one.problem.line}: {one.problem.what}" for one in self.outcome(body, rules).failures]


@pytest.fixture
def folder(tmp_path: Path, sample: Inventory) -> Folder:
    return Folder(tmp_path, sample)
