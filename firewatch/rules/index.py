"""Which instances want to hear of a signal, so that an observation costs nothing for the rules that do not care."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def index_by_signal(signals_of: Iterable[Sequence[str]]) -> dict[str, tuple[int, ...]]:
    """From every signal's identity to the positions, in order, of those that want it."""
    interested: dict[str, list[int]] = {}
    for position, signals in enumerate(signals_of):
        for signal in dict.fromkeys(signals):
            interested.setdefault(signal, []).append(position)
    return {signal: tuple(positions) for signal, positions in interested.items()}
