"""Draws docs/lifecycle.md's diagram and table from `transitions`.

`python -m firewatch.alarms.diagram docs/lifecycle.md` rewrites what stands between the page's markers; a test holds
the page against the table.
"""

from __future__ import annotations

import sys
from pathlib import Path

from firewatch.alarms.transitions import TRANSITIONS, Move, Row
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
    """Without what moves an alarm nowhere and tells nobody; that is in the table. `!` marks what is told at once."""
    lines = ["stateDiagram-v2", "    [*] --> normal"]
    for state, moves in TRANSITIONS.items():
        targets: dict[AlarmState, list[str]] = {}
        for move, row in moves.items():
            if row.state is state and not row.annunciate:
                continue
            targets.setdefault(row.state, []).append(f"{move}!" if row.annunciate else str(move))
        lines += [f"    {state} --> {target}: {', '.join(names)}" for target, names in targets.items()]
    return "\n".join(lines)


def _table() -> str:
    """Moves by states; what is told at once in bold."""
    lines = [f"| what happens | recorded as | {' | '.join(AlarmState)} |", "|---" * (2 + len(AlarmState)) + "|"]
    for move in Move:
        rows = [moves.get(move) for moves in TRANSITIONS.values()]
        reason = next(row.reason for row in rows if row is not None)
        lines.append(f"| {move} | {reason} | {' | '.join(map(_cell, rows))} |")
    return "\n".join(lines)


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    return f"**{row.state}**" if row.annunciate else str(row.state)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(redrawn(path.read_text(encoding="utf-8")), encoding="utf-8")
