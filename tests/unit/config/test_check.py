"""`firewatch check`: formats and exit codes."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from firewatch.cli.check import command
from firewatch.config import project as project_module
from firewatch.config.document import Document, read_document
from firewatch.config.problem import Problem

pytestmark = pytest.mark.slow

RULE = """rules:
  - id: a-pump-nowhere
    scope: {device: pump, buildings: [SCOPE]}
    when: {state: {signal: fault, is: true}}
    priority: high
    class: trouble
    text: {zh: 故障, en: fault}
    advice: {zh: 检查, en: look}
"""


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, list(arguments))
    return result.exit_code, result.output


@pytest.fixture
def lint(tmp_path: Path) -> Path:
    file = tmp_path / "lint.yaml"
    file.write_text(RULE.replace("SCOPE", "tower-a"), encoding="utf-8")
    return file


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    file = tmp_path / "wrong.yaml"
    file.write_text(RULE.replace("SCOPE", "tower-z"), encoding="utf-8")
    return file


def test_what_is_well_ends_with_0() -> None:
    code, output = run()
    assert code == 0
    assert output.startswith("No problems: 1 site(s), 66 devices, ")


def test_what_is_wrong_ends_with_1_and_a_closing_line(wrong: Path) -> None:
    code, output = run(str(wrong))
    assert code == 1
    assert output.splitlines() == [
        f"{wrong}:3:39: rule a-pump-nowhere: scope.buildings[1]: "
        'there is no building "tower-z"; did you mean "tower-b"?',
        "1 problem in 1 file",
    ]


def test_what_is_worth_a_look_ends_with_3(lint: Path) -> None:
    code, output = run(str(lint))
    assert code == 3
    assert "nothing in the sites matches" in output


def test_programs_get_json(wrong: Path) -> None:
    code, output = run("--format", "json", str(wrong))
    (problem,) = json.loads(output)
    assert (code, problem["line"], problem["severity"]) == (1, 3, "wrong")


def test_workflows_get_annotations(lint: Path) -> None:
    _, output = run("--format", "github", str(lint))
    assert output.startswith(f"::warning file={lint},line=3,col=12::rule a-pump-nowhere: scope: nothing in the sites")


def test_a_copy_of_the_rules_is_read_in_their_place(tmp_path: Path) -> None:
    shutil.copytree("rules", tmp_path / "rules")
    assert run(str(tmp_path / "rules"))[0] == 0
    (tmp_path / "rules" / "compound.yaml").write_text(
        "overrides: [{rule: hydrant-pressure-low, set: {when.low.limt: 0.06 MPa}}]\n", encoding="utf-8"
    )
    code, output = run(str(tmp_path / "rules"))
    assert code == 1
    assert 'has no `when.low.limt`; did you mean "when.low.limit"?' in output
    assert output.endswith("1 problem in 1 file\n")


def test_only_the_problems_of_the_paths_given_are_listed(lint: Path, wrong: Path) -> None:
    _, output = run(str(lint))
    assert "wrong.yaml" not in output


@pytest.mark.parametrize(
    "name", ["site-unknown-time-zone", "kinds-unknown-type", "rule-unknown-key", "test-unknown-rule"]
)
def test_what_a_file_is_is_seen_from_its_keys(name: str, tmp_path: Path) -> None:
    suffix = "test.yaml" if name.startswith("test") else "yaml"
    file = tmp_path / f"a.{suffix}"
    text = Path(f"tests/data/{name}.bad.yaml").read_text(encoding="utf-8")
    file.write_text(text.replace("../../rules", str(Path("rules").resolve())), encoding="utf-8")
    code, output = run(str(file))
    assert (code, output.splitlines()[-1]) == (1, "1 problem in 1 file")


def test_wrong_settings_are_told_before_anything_else() -> None:
    code, output = run("--config", "tests/data/settings-unknown-key.bad.yaml")
    assert code == 1
    assert 'did you mean "username"?' in output


def test_every_file_named_is_read_once(lint: Path, wrong: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[Path] = Counter()

    def counted(path: Path) -> tuple[Document | None, list[Problem]]:
        read[path] += 1
        return read_document(path)

    monkeypatch.setattr(project_module, "read_document", counted)
    run(str(lint), str(wrong), "rules", "config/sites", "config/devices")
    assert {lint, wrong, Path("rules/water.yaml"), Path("config/sites/sample.yaml")} <= set(read)
    assert read.most_common(1)[0][1] == 1
