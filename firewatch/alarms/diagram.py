"""Draws docs/lifecycle.md's diagram and table from `transitions`.

`python -m firewatch.alarms.diagram docs/lifecycle.md` rewrites what stands between the page's markers; a test holds
the page against the table.
"""

from __future__ import annotations

import sys
from pathlib import Path

from firewatch.alarms.transitions import TRANSITIONS
from firewatch.model.alarm import AlarmState

BEGIN = "<!-- drawn from firewatch/alarms/transitions.py -->"
END = "<!-- end of what is drawn -->"


def drawn() -> str:
    """The diagram and the table, as Markdown."""
    return f"```mermaid\n{_diagram()}\n```\n\n{_table()}\n"


def redrawn(page: str) -> str:
    """The page with what stands between the markers drawn anew.

    Raises:
        ValueError: a marker is missing.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page needs the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{drawn()}\n{END}{after}"


def _diagram() -> str:
    """Without what moves an alarm nowhere and tells nobody; that is in the table."""
    lines = ["stateDiagram-v2", "    [*] --> normal"]
    for state, moves in TRANSITIONS.items():
        targets: dict[AlarmState, list[str]] = {}
        for move, row in moves.items():
            if row.state is state and not row.annunciate:
                continue
            targets.setdefault(row.state, []).append(f"{move} (annunciated)" if row.annunciate else str(move))
        lines += [f"    {state} --> {target}: {', '.join(names)}" for target, names in targets.items()]
    return "\n".join(lines)


def _table() -> str:
    lines = ["| state | what happens | state after | recorded reason | told at once |", "|---|---|---|---|---|"]
    lines += [
        f"| {state} | {move} | {row.state} | {row.reason} | {'yes' if row.annunciate else ''} |"
        for state, moves in TRANSITIONS.items()
        for move, row in moves.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(redrawn(path.read_text(encoding="utf-8")), encoding="utf-8")
