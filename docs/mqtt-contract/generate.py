"""Write the JSON Schemas of the MQTT contract from `firewatch.model.contract`; `--check` only compares.

Run it after a change to the contract: `python docs/mqtt-contract/generate.py`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from firewatch.model.contract import (
    AlarmMessage,
    AnswerMessage,
    CommandMessage,
    DeviceState,
    DrillReadingMessage,
    DutyAnswerMessage,
    DutyCheckMessage,
    ManyReadings,
    OneReading,
)

SCHEMAS = Path(__file__).parent / "schemas"
MESSAGES: dict[str, type[msgspec.Struct]] = {
    "one-reading": OneReading,
    "many-readings": ManyReadings,
    "device-state": DeviceState,
    "command": CommandMessage,
    "answer": AnswerMessage,
    "alarm": AlarmMessage,
    "drill-reading": DrillReadingMessage,
    "duty-check": DutyCheckMessage,
    "duty-answer": DutyAnswerMessage,
}


def schema(message: type[msgspec.Struct]) -> str:
    """The JSON Schema of a message, complete in one document, as the file holds it."""
    (root,), definitions = msgspec.json.schema_components([message], ref_template="#/$defs/{name}")
    name = root["$ref"].rsplit("/", 1)[1]
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **definitions.pop(name)}
    if definitions:
        whole["$defs"] = dict(sorted(definitions.items()))
    return json.dumps(_tidy(whole), indent=2, ensure_ascii=False) + "\n"


def _tidy(part: Any) -> Any:
    """Docstrings as running text; they come with the line breaks of the source."""
    if isinstance(part, dict):
        return {
            key: " ".join(value.split()) if key == "description" and isinstance(value, str) else _tidy(value)
            for key, value in part.items()
        }
    return [_tidy(item) for item in part] if isinstance(part, list) else part


def main(*, check: bool) -> int:
    """Write the files, or say which of them are not what the contract says."""
    stale = []
    for name, message in MESSAGES.items():
        file = SCHEMAS / f"{name}.json"
        wanted = schema(message)
        if file.exists() and file.read_text(encoding="utf-8") == wanted:
            continue
        stale.append(file.name)
        if not check:
            SCHEMAS.mkdir(exist_ok=True)
            file.write_text(wanted, encoding="utf-8")
    if check and stale:
        print(f"{', '.join(stale)}: not what firewatch/model/contract.py says; run docs/mqtt-contract/generate.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
