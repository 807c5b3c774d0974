"""Small histories of the sample compound, as CSV files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from firewatch.config.project import load_inventory
from firewatch.config.settings import Settings
from firewatch.model.site import Inventory
from firewatch.rules.spec import RuleSpec

START = datetime(2026, 3, 1, tzinfo=UTC)
INVENTORY: Inventory = load_inventory(Settings())

PRESSURE = "sample/hydrant-a-roof/pressure"
WORDS = {"zh": "{device}", "en": "{device}"}


def minute(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def low_pressure(**fields: object) -> RuleSpec:
    """The sample's hydrants, without delays and deadband unless told otherwise."""
    written = {
        "id": "pressure-low",
        "scope": {"device": "pressure_transmitter", "tags": ["hydrant"]},
        "when": {"low": {"signal": "pressure", "limit": "0.07 MPa"}},
        "priority": "high",
        "class": "supervisory",
        "text": WORDS,
        "advice": WORDS,
        **fields,
    }
    return RuleSpec.model_validate(written)


def write_csv(path: Path, rows: Iterable[tuple[float, str, float]], name: Callable[[str], str] = str) -> Path:
    """Rows of (seconds, signal, number)."""
    lines = ["source_time,signal,number"]
    for seconds, signal, number in rows:
        time = START + timedelta(seconds=seconds)
        lines.append(f"{time.isoformat()},{name(signal)},{number}")
    path.write_text("\n".join(lines) + "\n")
    return path


def hovering(hours: int = 2) -> list[tuple[float, str, float]]:
    """A pressure that hovers at 0.07 MPa for ten minutes of every hour, up and down each 20 s."""
    rows = []
    for second in range(0, hours * 3600, 10):
        pressure = 0.30
        if 1200 <= second % 3600 < 1800:
            pressure = 0.069 if second // 10 % 2 else 0.071
        rows.append((float(second), PRESSURE, pressure))
    return rows
