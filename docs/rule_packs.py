"""The page about the rules that come with firewatch, made from the rule files themselves.

What a rule's figures rest on stands in its file as the last comment line before the rule: `# Basis 依据: ...`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

RULES = Path(__file__).parent.parent / "rules"

_TITLE = re.compile(r"# (.+?)\.? ?([\u4e00-\u9fff].*?)。?$", re.MULTILINE)
_BASIS = re.compile(r"^  # Basis 依据: (.+)\n  - id: (\S+)$", re.MULTILINE)

_HEADINGS = (
    "rule 规则",
    "for 对象",
    "condition 条件",
    "class, priority 类别、优先级",
    "basis 依据",
    "what people read 文字",
)

_INTRODUCTION = """\
# Rule packs

The rules that come with firewatch, one file a pack in `rules/`, written by `docs/generate.py` from those files. What a
rule's figures rest on stands beside it. *Unconfirmed* means that nobody has held the figure against the standard's own
text: do that before you quote it, and claim no conformity. Delays, deadbands and windows of which no basis speaks are
this project's own. Every figure can be changed for a site, a building or a device by an override, without touching
these files: see [Rules](rules.md).

随firewatch提供的规则，每个规则包对应`rules/`下一个文件，本页由`docs/generate.py`根据这些文件生成，并注明各数值的依据。“未核实”表示尚未与标准
原文核对，引用前请先核对；本项目不宣称符合任何标准。未注明依据的延时、回差和时间窗为本项目自定。各数值均可按小区、楼栋或设备覆盖，无须修改规则文件，
见[Rules](rules.md)。
"""


def rule_packs_page() -> str:
    """Every rule of every pack."""
    return "\n".join([_INTRODUCTION, *(_pack(file) for file in _rule_files())])


def _rule_files() -> list[Path]:
    """The packs, without their tests."""
    return sorted(file for file in RULES.glob("*.yaml") if not file.name.endswith(".test.yaml"))


def _bases(file: Path) -> dict[str, str]:
    """What the figures of each rule rest on, by the rule's id, as far as the file says it."""
    return {rule: basis for basis, rule in _BASIS.findall(file.read_text(encoding="utf-8"))}


def _pack(file: Path) -> str:
    text = file.read_text(encoding="utf-8")
    title = _TITLE.match(text)
    if title is None:
        raise ValueError(f"{file.name} begins with no title in English and Chinese")
    written = YAML(typ="safe", pure=True).load(text)
    based = _bases(file)
    silent = [rule["id"] for rule in written["rules"] if rule["id"] not in based]
    if silent:
        raise ValueError(f"{file.name}: write `# Basis 依据: ...` on the line before {', '.join(silent)}")
    rows = [row for rule in written["rules"] for row in _rows(rule, based[rule["id"]])]
    tests = f"{file.stem}.test.yaml"
    calendars = [f"Calendar 时段 `{each['id']}`: {_code(each['windows'])}\n" for each in written.get("calendars", ())]
    return "\n".join(
        [
            f"## {title[1]} {title[2]}",
            "",
            f"[`{file.name}`](../rules/{file.name}), tests 测试 [`{tests}`](../rules/{tests})",
            "",
            *calendars,
            f"| {' | '.join(_HEADINGS)} |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _rows(rule: dict[str, Any], basis: str) -> list[str]:
    """One row a rule, and for each further step of a ladder one below it."""
    rows = []
    for number, step in enumerate(rule.get("ladder", [rule])):
        first = number == 0
        cells = [
            f"`{rule['id']}`" if first else f"step {number + 1} 第{number + 1}级",
            _code(rule["scope"]) if first else "",
            "<br>".join([_code(step["when"]), *_more(rule, step, first=first)]),
            f"{rule['class']}, {step['priority']}",
            basis if first else "",
            "<br>".join([*_words(step.get("text", rule["text"])), *_words(step.get("advice", rule["advice"]))]),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _more(rule: dict[str, Any], step: dict[str, Any], *, first: bool) -> list[str]:
    """Delays, what becomes of the alarm, and what is asked of actuators, as they are written."""
    of_step = [f"{key}: {step[key]}" for key in ("on_delay", "off_delay") if key in step]
    of_rule = [f"{key}: {_flow(rule[key])}" for key in ("latched", "realarm_after", "suppressed_by") if key in rule]
    of_rule += [f"{phase}: {', '.join(map(_asked, asked))}" for phase, asked in rule.get("actions", {}).items()]
    return [f"`{line}`" for line in (*of_step, *(of_rule if first else ()))]


def _asked(action: dict[str, Any]) -> str:
    near = f" (same {action['same']})" if "same" in action else ""
    return f"{action['device']} {action['action']}{near}"


def _words(text: dict[str, str]) -> list[str]:
    return [text["zh"].replace("|", "\\|"), text["en"].replace("|", "\\|")]


def _code(value: Any) -> str:
    return f"`{_flow(value).removeprefix('{').removesuffix('}')}`"


def _flow(value: Any) -> str:
    """A value as YAML writes it within a line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)
