"""docs/configuration.md, docs/rules.md and config/firewatch.yaml say what the code does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from firewatch.config import notification_spec, site_spec
from firewatch.config.channel_spec import AppriseSpec, CapSpec, RobotSpec, SecretSpec, WebhookSpec
from firewatch.config.control_room_spec import ControlRoomFile, SeatSpec, ShiftSpec
from firewatch.config.drill_spec import DrillFile, ExpectationSpec, MayAskSpec, ReadingSpec
from firewatch.config.drill_spec import PlanSpec as DrillPlanSpec
from firewatch.config.notification_spec import (
    AlarmsSpec,
    NotificationFile,
    PersonSpec,
    PlanSpec,
    PlanStepSpec,
    RateLimitSpec,
    RoleSpec,
    TargetSpec,
    TemplatesSpec,
    TemplateTextSpec,
)
from firewatch.config.notifications import PLACEHOLDERS
from firewatch.config.project import load_inventory, load_settings, read_project
from firewatch.config.settings import Settings
from firewatch.config.site_spec import (
    DecoderSpec,
    DeviceSpec,
    FieldSpec,
    HttpSpec,
    KindSpec,
    ParameterSpec,
    ProofSpec,
    SignalSpec,
    SiteFile,
)
from firewatch.model.duration import parse_duration
from firewatch.rules.compile import compile_rules
from firewatch.rules.spec import (
    CONDITION_KINDS,
    ActionSpec,
    ActionsSpec,
    CalendarSpec,
    ConditionSpec,
    DaysSpec,
    OverrideSpec,
    RuleFile,
    RuleSpec,
    ScopeSpec,
    ShelvingSpec,
    SuppressionSpec,
    WindowSpec,
)
from firewatch.testing.operator import COMMANDS, arguments
from firewatch.testing.play import play
from firewatch.testing.scenario import load_scenarios
from firewatch.testing.scenario_spec import CaseSpec, ExpectSpec, StepSpec
from firewatch.testing.series import read_part

CONFIGURATION = Path("docs/configuration.md").read_text(encoding="utf-8")
RULES = Path("docs/rules.md").read_text(encoding="utf-8")
NOTIFICATIONS = Path("docs/notifications.md").read_text(encoding="utf-8")
DRILLS = Path("docs/drills.md").read_text(encoding="utf-8")
ANNOTATED = Path("config/firewatch.yaml").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([a-z_.]+)` \| (.+?) \| (.+) \|$", re.MULTILINE)


def settings_and_defaults(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from settings_and_defaults(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name, field.default


def as_written(text: str, default: Any) -> Any:
    if text == "none":
        return None
    value = text.strip("`")
    if isinstance(default, timedelta):
        return parse_duration(value)
    return {"true": True, "false": False}.get(value, type(default)(value))


@pytest.mark.parametrize(
    ("name", "default"), list(settings_and_defaults()), ids=lambda part: part if isinstance(part, str) else ""
)
def test_every_setting_is_on_the_page_with_its_default(name: str, default: Any) -> None:
    rows = {row[0]: row[1] for row in ROW.findall(CONFIGURATION)}
    assert name in rows
    assert as_written(rows[name], default) == default


def test_the_page_knows_no_setting_that_does_not_exist() -> None:
    table = CONFIGURATION.split("\n## ")[0]
    assert {row[0] for row in ROW.findall(table)} == {name for name, _ in settings_and_defaults()}


@pytest.mark.parametrize("name", [name for name, _ in settings_and_defaults()])
def test_every_setting_stands_in_the_annotated_file(name: str) -> None:
    section, _, key = name.rpartition(".")
    part = re.search(rf"^{section}:\n((?:  .*\n)+)", ANNOTATED, re.MULTILINE)
    assert re.search(rf"^ *# {key}:", part[1] if section and part else ANNOTATED, re.MULTILINE)


def test_the_annotated_file_is_right_with_every_line_uncommented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = re.sub(r"^( *)# ([a-z_]+:)", r"\1\2", ANNOTATED, flags=re.MULTILINE)
    text = re.sub(r"^  password: .*\n", "", text, flags=re.MULTILINE)
    file = tmp_path / "firewatch.yaml"
    file.write_text(text, encoding="utf-8")
    assert load_settings(file).mqtt.url == "mqtt://broker.example:1883"


@pytest.mark.parametrize(
    ("model", "page"),
    [
        (SiteFile, CONFIGURATION),
        (DeviceSpec, CONFIGURATION),
        (KindSpec, CONFIGURATION),
        (SignalSpec, CONFIGURATION),
        (site_spec.ActionSpec, CONFIGURATION),
        (ParameterSpec, CONFIGURATION),
        (ProofSpec, CONFIGURATION),
        (DecoderSpec, CONFIGURATION),
        (FieldSpec, CONFIGURATION),
        (HttpSpec, CONFIGURATION),
        (ControlRoomFile, CONFIGURATION),
        (SeatSpec, CONFIGURATION),
        (ShiftSpec, CONFIGURATION),
        (NotificationFile, NOTIFICATIONS),
        (TargetSpec, NOTIFICATIONS),
        (AlarmsSpec, NOTIFICATIONS),
        (RateLimitSpec, NOTIFICATIONS),
        (PersonSpec, NOTIFICATIONS),
        (RoleSpec, NOTIFICATIONS),
        (notification_spec.ShiftSpec, NOTIFICATIONS),
        (PlanSpec, NOTIFICATIONS),
        (PlanStepSpec, NOTIFICATIONS),
        (TemplatesSpec, NOTIFICATIONS),
        (TemplateTextSpec, NOTIFICATIONS),
        (WebhookSpec, NOTIFICATIONS),
        (CapSpec, NOTIFICATIONS),
        (RobotSpec, NOTIFICATIONS),
        (AppriseSpec, NOTIFICATIONS),
        (SecretSpec, NOTIFICATIONS),
        (DrillFile, DRILLS),
        (DrillPlanSpec, DRILLS),
        (ReadingSpec, DRILLS),
        (MayAskSpec, DRILLS),
        (ExpectationSpec, DRILLS),
        (RuleSpec, RULES),
        (ScopeSpec, RULES),
        (ActionsSpec, RULES),
        (ActionSpec, RULES),
        (ShelvingSpec, RULES),
        (SuppressionSpec, RULES),
        (CalendarSpec, RULES),
        (WindowSpec, RULES),
        (DaysSpec, RULES),
        (OverrideSpec, RULES),
        (RuleFile, RULES),
        (CaseSpec, RULES),
        (StepSpec, RULES),
        (ExpectSpec, RULES),
    ],
    ids=lambda part: part.__name__ if isinstance(part, type) else "",
)
def test_every_key_is_explained(model: type[BaseModel], page: str) -> None:
    keys = {field.alias or name for name, field in model.model_fields.items()}
    assert {key for key in keys if not re.search(rf"\b{key}\b", page)} == set()


@pytest.mark.parametrize("name", PLACEHOLDERS)
def test_every_placeholder_of_a_message_is_explained(name: str) -> None:
    assert f"`{{{name}}}`" in NOTIFICATIONS


@pytest.mark.parametrize("kind", CONDITION_KINDS)
def test_every_condition_and_its_keys_are_explained(kind: str) -> None:
    assert f"`{kind}`" in RULES
    (form,) = (field.annotation for name, field in ConditionSpec.model_fields.items() if kind in (name, field.alias))
    (model,) = (part for part in getattr(form, "__args__", ()) if part is not type(None))
    fields = model.model_fields if isinstance(model, type) and issubclass(model, BaseModel) else {}
    keys = {field.alias or name for name, field in fields.items()} - set(CONDITION_KINDS)
    assert {key for key in keys if not re.search(rf"\b{key}\b", RULES)} == set()


@pytest.mark.parametrize("example", re.findall(r"```yaml example\n(.*?)```", RULES, re.DOTALL))
def test_the_examples_of_the_rule_page_are_rules_that_watch_something(tmp_path: Path, example: str) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(example, encoding="utf-8")
    project, problems = read_project(Settings(rules=file))
    assert [str(problem) for problem in problems] == []
    watching = {instance.rule.id for instance in compile_rules(project.rules, project.inventory)}
    assert watching == {rule.id for rule in project.rules} != set()


def test_the_example_of_a_rule_test_passes(tmp_path: Path) -> None:
    rule, *_ = re.findall(r"```yaml example\n(.*?)```", RULES, re.DOTALL)
    (test,) = re.findall(r"```yaml test-example\n(.*?)```", RULES, re.DOTALL)
    (tmp_path / "tank.yaml").write_text(rule, encoding="utf-8")
    (tmp_path / "tank.test.yaml").write_text(test, encoding="utf-8")
    scenarios = load_scenarios(tmp_path / "tank.test.yaml", load_inventory(Settings()))
    assert [str(failure) for scenario in scenarios for failure in play(scenario).failures] == []


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_command_of_an_operator_is_explained(verb: str) -> None:
    assert f"`{verb}: RULE`" in RULES
    assert {name for name in arguments(verb) if not re.search(rf"`{name}`", RULES)} == set()


def test_every_part_of_a_series_on_the_page_can_be_read() -> None:
    table = RULES.split("| part | what is heard |")[1].split("\n\n")[0]
    parts = [part for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE) for part in re.findall(r"`(.+?)`", row)]
    assert parts
    assert [str(read_part(part)) for part in parts] == parts
