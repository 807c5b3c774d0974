"""`firewatch rules`: which rules there are, and what they are for one device once every override is taken in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from firewatch.config.effective_rule import EffectiveRule, Value
from firewatch.config.problem import Place, ProblemsError, did_you_mean
from firewatch.config.project import Project, load_project, load_settings
from firewatch.model.site import Asset, Device, Inventory, Site
from firewatch.rules.spec import Mode

_NOT_TUNED = ("id", "extends", "scope", "text", "advice")
"""Keys that are shown as JSON only."""

_WIDEST = 48

_CONFIG = click.option(
    "--config", type=click.Path(path_type=Path), help="Settings file; config/firewatch.yaml unless given."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="The whole answer as JSON.")


@click.group("rules", short_help="List the rules, and show where each of their numbers comes from.")
def command() -> None:
    """List the rules, and show what they are for one device and where each of their numbers comes from."""


@command.command("list", short_help="List every rule.")
@_CONFIG
@_JSON
def list_rules(config: Path | None, as_json: bool) -> None:
    """List every rule: how urgent it is, how many devices or assets it watches, and where it stands.

    A rule with other values for some of its subjects, by an override, has a line for each of its forms.
    """
    rules = _project(config).effective
    if as_json:
        click.echo(_json([_summary(rule) for rule in rules]))
        return
    _table([("rule", "priority", "class", "mode", "subjects", "written in"), *map(_listed, rules)])


@command.command("show", short_help="Show what the rules are for one device, and from which lines.")
@click.argument("rules", nargs=-1)
@click.option("--effective", "subject", metavar="DEVICE", required=True, help="A device or asset: site/id, or its id.")
@_CONFIG
@_JSON
def show(rules: tuple[str, ...], subject: str, config: Path | None, as_json: bool) -> None:
    """Show every rule that speaks about a device or its asset, or only RULES: what each value is, and from which line.

    A value that an override replaced is shown behind it. What is written nowhere holds by default.
    """
    project = _project(config)
    site, item = _found(project.inventory, subject)
    speaking = [rule for rule in project.effective if _speaks_of(rule, site, item)]
    unknown = set(rules) - {rule.spec.id for rule in speaking}
    if unknown:
        name = min(unknown)
        hint = did_you_mean(name, (rule.spec.id for rule in speaking))
        raise click.ClickException(f'no rule "{name}" speaks of {site.id}/{item.id}; {hint}')
    shown = [rule for rule in speaking if not rules or rule.spec.id in rules]
    if as_json:
        click.echo(_json({"subject": f"{site.id}/{item.id}", "rules": [_whole(rule) for rule in shown]}))
        return
    click.echo(f"{site.id}/{item.id}: {item.label.en} ({item.label.zh})")
    for rule in shown:
        _show(rule, item)
    if not shown:
        click.echo("No rule speaks of it.")


def _project(config: Path | None) -> Project:
    try:
        return load_project(load_settings(config))
    except ProblemsError as error:
        raise click.ClickException(str(error)) from None


def _found(inventory: Inventory, name: str) -> tuple[Site, Device | Asset]:
    things: list[tuple[Site, Device | Asset]] = [(site, device) for site in inventory.sites for device in site.devices]
    things += [(site, asset) for site in inventory.sites for asset in site.assets]
    found = [(site, item) for site, item in things if name in (item.id, f"{site.id}/{item.id}")]
    if not found:
        hint = did_you_mean(name, (item.id for _, item in things)) or "write its id"
        raise click.ClickException(f'there is no device or asset "{name}"; {hint}')
    if len(found) > 1:
        listed = ", ".join(f"{site.id}/{item.id}" for site, item in found)
        raise click.ClickException(f'several sites have a "{name}"; write one of {listed}')
    return found[0]


def _speaks_of(rule: EffectiveRule, site: Site, item: Device | Asset) -> bool:
    ids = {item.id, item.asset} if isinstance(item, Device) else {item.id}
    return any(subject.site.id == site.id and subject.item.id in ids for subject in rule.subjects)


# -- text --------------------------------------------------------------------------------------------------------------


def _show(rule: EffectiveRule, item: Device | Asset) -> None:
    spec = rule.spec
    summary = _summary(rule)
    about = "" if any(subject.item.id == item.id for subject in rule.subjects) else ", about its asset"
    shadow = ", shadow" if spec.mode is Mode.SHADOW else ""
    click.echo(f"\n{spec.id}: {summary['priority']}, {summary['class']}{shadow}{about}")
    _table([_row(value) for value in rule.values() if value.path.split(".")[0] not in _NOT_TUNED])


def _row(value: Value) -> tuple[str, ...]:
    replaced = "".join(f", instead of {text} ({_line(place)})" for text, place in reversed(value.instead_of))
    return f"  {value.path}", value.text, f"{_line(value.place)}{replaced}"


def _line(place: Place | None) -> str:
    return "default" if place is None else f"{place.file}:{place.line}"


def _listed(rule: EffectiveRule) -> tuple[str, ...]:
    summary = _summary(rule)
    changed = ", ".join(_line(override.document.place(*override.path)) for override in rule.overrides)
    where = f"{_line(rule.place('id'))}{f', changed by {changed}' if changed else ''}"
    return (*(summary[key] for key in ("rule", "priority", "class", "mode")), str(len(rule.subjects)), where)


def _table(rows: Sequence[tuple[str, ...]]) -> None:
    """Columns as wide as what is in them; a cell that is wider than `_WIDEST` pushes only its own row."""
    widths = [min(_WIDEST, max(map(len, column))) for column in zip(*rows, strict=True)][:-1]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, row[-1]]).rstrip())


# -- JSON --------------------------------------------------------------------------------------------------------------


def _json(answer: object) -> str:
    return json.dumps(answer, ensure_ascii=False, indent=2)


def _summary(rule: EffectiveRule) -> dict[str, Any]:
    spec = rule.spec
    return {
        "rule": spec.id,
        "priority": ", ".join(dict.fromkeys(step.priority.value for step in spec.steps)),
        "class": spec.alarm_class.value,
        "mode": spec.mode.value,
        "text": spec.text.model_dump(),
        "subjects": [subject.name for subject in rule.subjects],
        **_as_json(rule.place("id")),
    }


def _whole(rule: EffectiveRule) -> dict[str, Any]:
    values = [
        {
            "path": value.path,
            "value": value.text,
            **_as_json(value.place),
            "instead_of": [{"value": text, **_as_json(place)} for text, place in value.instead_of],
        }
        for value in rule.values()
    ]
    return {**_summary(rule), "values": values}


def _as_json(place: Place | None) -> dict[str, str | int | None]:
    return {"file": place.file if place else None, "line": place.line if place else None}
