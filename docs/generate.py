"""Writes the pages that are made from the code: `python docs/generate.py`; `--check` says which are out of date."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import click
from rule_packs import rule_packs_page

from firewatch.cli.main import COMMANDS, main
from firewatch.config.control_room_spec import ControlRoomFile
from firewatch.config.drill_spec import DrillFile
from firewatch.config.notification_spec import NotificationFile
from firewatch.config.schema import SHORT_FORMS, file_schema, rule_schema
from firewatch.config.settings import Settings
from firewatch.config.site_spec import KindFile, SiteFile
from firewatch.telemetry.events import KNOWN
from firewatch.telemetry.occurrence import Count, Level, Metric
from firewatch.testing.scenario_spec import ScenarioFile, SeriesSpec

HERE = Path(__file__).parent
_ROW = re.compile(r"^\| (.+?) \|(?:.* \|)? (.+) \|$", re.MULTILINE)


def metrics_page() -> str:
    """Every metric of `/metrics`."""
    metrics = {metric.name: metric for occurrence in KNOWN for metric in occurrence.metrics}
    rows = [
        f"| `{name}` | {_kind(metric)} | {', '.join(metric.labels)} | {metric.help} |"
        for name, metric in sorted(metrics.items())
    ]
    return "\n".join(
        [
            "# Metrics",
            "",
            "What `/metrics` says in Prometheus' text format, beside the process's own figures. Written by",
            "`docs/generate.py` from `firewatch/telemetry/events.py`.",
            "",
            "| name | kind | labels | what it says |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def commands_page() -> str:
    """The help of every command."""
    context = click.Context(main, info_name="firewatch", terminal_width=100, help_option_names=["-h", "--help"])
    parts = [f"# Commands\n\nWritten by `docs/generate.py` from the program's own help.\n\n{_fenced(context)}"]
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context, terminal_width=100)
        parts.append(f"## firewatch {name}\n\n{_fenced(inner)}")
        for below, each in getattr(command, "commands", {}).items():
            innermost = click.Context(each, info_name=below, parent=inner, terminal_width=100)
            parts.append(f"### firewatch {name} {below}\n\n{_fenced(innermost)}")
    return "\n".join(parts)


def rules_schema_page() -> str:
    """The schema of rule files, each key with the words of the rule page."""
    schema = rule_schema()
    page = (HERE / "rules.md").read_text(encoding="utf-8")
    for heading, model in {"Keys of a rule": "RuleSpec", "Scope": "ScopeSpec", "Conditions": "ConditionSpec"}.items():
        section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
        for keys, words in _ROW.findall(section):
            for key in re.findall(r"`([a-z_]+)", keys):
                if key in schema["$defs"][model]["properties"]:
                    schema["$defs"][model]["properties"][key]["description"] = words
    for key, written in schema["$defs"]["RuleSpec"]["properties"].items():
        if key in schema["$defs"]["TemplateSpec"]["properties"]:
            schema["$defs"]["TemplateSpec"]["properties"][key] = written
    return _json(schema)


def tests_schema_page() -> str:
    """The schema of rule tests."""
    part = [{"type": ["string", "number", "boolean"]}, {"type": "array"}]
    return _json(file_schema(ScenarioFile, short_forms={**SHORT_FORMS, SeriesSpec: part}))


def settings_schema_page() -> str:
    """The schema of the settings, where a section of nothing but comments is one that sets nothing."""
    schema = file_schema(Settings)
    sections = schema["$defs"]["Settings"]["properties"]
    sections |= {key: {"anyOf": [written, {"type": "null"}]} for key, written in sections.items()}
    return _json(schema)


def _json(schema: Any) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _kind(metric: Metric) -> str:
    return "counter" if isinstance(metric, Count) else "gauge" if isinstance(metric, Level) else "histogram"


def _fenced(context: click.Context) -> str:
    return f"```text\n{context.get_help()}\n```\n"


PAGES = {
    "metrics.md": metrics_page,
    "commands.md": commands_page,
    "rule-packs.md": rule_packs_page,
    "schema/rules.json": rules_schema_page,
    "schema/rule-tests.json": tests_schema_page,
    "schema/sites.json": lambda: _json(file_schema(SiteFile)),
    "schema/devices.json": lambda: _json(file_schema(KindFile)),
    "schema/notification.json": lambda: _json(file_schema(NotificationFile)),
    "schema/drills.json": lambda: _json(file_schema(DrillFile)),
    "schema/control-room.json": lambda: _json(file_schema(ControlRoomFile)),
    "schema/settings.json": settings_schema_page,
}

if __name__ == "__main__":
    pages = {HERE / page: write() for page, write in PAGES.items()}
    if "--check" in sys.argv:
        stale = [str(page) for page, text in pages.items() if page.read_text() != text]
        sys.exit(f"run `python docs/generate.py`: {', '.join(stale)} is out of date" if stale else 0)
    for page, text in pages.items():
        page.write_text(text)
