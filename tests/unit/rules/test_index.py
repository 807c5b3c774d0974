from __future__ import annotations

from firewatch.rules.index import index_by_signal


def test_every_signal_knows_who_wants_it_in_order_and_once() -> None:
    assert index_by_signal([("a", "b"), ("c",), ("b", "a", "b")]) == {"a": (0, 2), "b": (0, 2), "c": (1,)}


def test_an_index_of_nothing_is_empty() -> None:
    assert index_by_signal([]) == {}
