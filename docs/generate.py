"""Writes the pages that are made from the code: `python docs/generate.py`; `--check` says which are out of date."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from firewatch.cli.main import COMMANDS, main
from firewatch.telemetry.events import KNOWN
from firewatch.telemetry.occurrence import Count, Level, Metric

HERE = Path(__file__).parent


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


def _kind(metric: Metric) -> str:
    return "counter" if isinstance(metric, Count) else "gauge" if isinstance(metric, Level) else "histogram"


def _fenced(context: click.Context) -> str:
    return f"```text\n{context.get_help()}\n```\n"


PAGES = {"metrics.md": metrics_page, "commands.md": commands_page}

if __name__ == "__main__":
    pages = {HERE / page: write() for page, write in PAGES.items()}
    if "--check" in sys.argv:
        stale = [str(page) for page, text in pages.items() if page.read_text() != text]
        sys.exit(f"run `python docs/generate.py`: {', '.join(stale)} is out of date" if stale else 0)
    for page, text in pages.items():
        page.write_text(text)
