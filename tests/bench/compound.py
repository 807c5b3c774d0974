"""The compound that the benchmark watches: one building full of pressure transmitters, written as a user would."""

from __future__ import annotations

import shutil
from pathlib import Path

from ruamel.yaml import YAML

REPOSITORY = Path(__file__).parents[2]
SITE = "bench"
DEVICES = 500
TAGS = {"hydrant", "roof"}
TAGS_WRITTEN = f"[{', '.join(sorted(TAGS))}]"
PROBE_RULE = "bench-pressure-low"

_HEAD = f"""id: {SITE}
label: {{zh: 压测小区, en: Bench Compound}}
district: {{zh: 区, en: District}}
street: {{zh: 街道, en: Street}}
community: {{zh: 社区, en: Community}}
time_zone: Asia/Shanghai
buildings:
  - {{id: tower, label: {{zh: 塔楼, en: Tower}}, grid: {{zh: 网格, en: Grid}}}}
assets:
  - {{id: supply, kind: water_supply, system: water, building: tower, label: {{zh: 给水, en: Supply}}}}
devices:
"""

_RULE = f"""version: 1
rules:
  - id: {PROBE_RULE}
    scope: {{device: pressure_transmitter}}
    when:
      low: {{signal: pressure, limit: 0.07 MPa, deadband: 0.005 MPa}}
    priority: high
    class: supervisory
    text: {{zh: "{{place}}压力低", en: "{{place}}: low pressure"}}
    advice: {{zh: 检查, en: Check}}
"""


def device_name(number: int) -> str:
    """The id of a device."""
    return f"pressure-{number:03d}"


def write_compound(directory: Path) -> None:
    """Write site, kinds and rules: the shipped water rules that are for its transmitters, and one without delay that
    the probe trips.
    """
    for folder in ("sites", "devices", "rules"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    lines = [
        f"  - {{id: {device_name(number)}, kind: pressure_transmitter, asset: supply, tags: {TAGS_WRITTEN},"
        f" label: {{zh: 变送器{number}, en: Transmitter {number}}}}}\n"
        for number in range(DEVICES)
    ]
    (directory / "sites" / f"{SITE}.yaml").write_text(_HEAD + "".join(lines), encoding="utf-8")
    shutil.copy(REPOSITORY / "config/devices/water.yaml", directory / "devices")
    _write_rules_for_hydrants(directory / "rules" / "water.yaml")
    (directory / "rules" / "bench.yaml").write_text(_RULE, encoding="utf-8")


def _write_rules_for_hydrants(path: Path) -> None:
    yaml = YAML()
    written = yaml.load(REPOSITORY / "rules/water.yaml")
    written["rules"] = [rule for rule in written["rules"] if _is_for_hydrants(rule["scope"])]
    yaml.dump(written, path)


def _is_for_hydrants(scope: dict[str, object]) -> bool:
    tags = scope.get("tags", [])
    return scope.get("device") == "pressure_transmitter" and isinstance(tags, list) and TAGS.issuperset(tags)
