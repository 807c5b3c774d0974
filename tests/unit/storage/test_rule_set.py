"""Rule sets on disk: what is read judges exactly like what was written."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from firewatch.config.project import load_inventory, load_rules, load_settings
from firewatch.rules.compile import compile_rules
from firewatch.rules.spec import RuleSpec
from firewatch.storage.rule_set import KEPT_SETS, RuleSet, RuleSetFolder

INVENTORY = load_inventory(load_settings(Path("config/firewatch.yaml")))
SHIPPED = load_rules([Path("rules")], INVENTORY)
TEXT = {"zh": "测试", "en": "test"}


def rule(when: dict[str, object], **fields: object) -> RuleSpec:
    written = {
        "id": "r",
        "scope": {"device": "pressure_transmitter"},
        "when": when,
        "priority": "high",
        "class": "supervisory",
        "text": TEXT,
        "advice": TEXT,
    }
    return RuleSpec.model_validate(written | fields)


WINDOW = {"days": ["mon", "sun"], "from": "22:00", "to": "24:00", "dates": ["2026-10-01"]}
LOW = {"low": {"signal": "pressure", "limit": "0.07 MPa", "deadband": 0.01}}
EVERY_SORT_OF_VALUE = [
    rule(LOW, on_delay="1d2h3min4.000005s", realarm_after="10min", latched=True, shelving={"allowed": False}),
    rule({"schedule": {"windows": [WINDOW], "except": [{"first": "2026-05-01", "last": "2026-05-05"}]}}),
    rule({"not": {"state": {"signal": "pressure", "in": [1.0, 2.5]}}}),
    rule({"all": [LOW, {"sequence": {"first": LOW, "without": LOW, "within": "5min"}}]}),
    rule({"state_changed": {"signal": "pressure", "from": [1.0], "to": ["a", True]}}),
    rule({"expression": {"cel": "a < 1.0", "signals": {"a": "pressure"}}}, mode="shadow"),
    rule(
        LOW,
        suppressed_by=[{"rule": "x", "same": "site"}],
        actions={"active": [{"device": "d", "action": "a", "parameters": {"s": 1.5, "b": True}, "every": "5s"}]},
    ),
    rule(LOW).model_copy(update={"off_delay": timedelta(seconds=2)}),
]


@pytest.mark.parametrize("rules", [SHIPPED, *([one] for one in EVERY_SORT_OF_VALUE)])
def test_a_rule_set_comes_back_as_it_was(tmp_path: Path, rules: list[RuleSpec]) -> None:
    folder, written = RuleSetFolder(tmp_path / "sets"), RuleSet(rules, INVENTORY)
    folder.keep(written)
    read = folder.read(written.digest)
    assert read is not None
    assert (read.rules, read.inventory, read.digest) == (written.rules, written.inventory, written.digest)


def test_what_is_read_has_the_same_fingerprints(tmp_path: Path) -> None:
    folder, written = RuleSetFolder(tmp_path), RuleSet(SHIPPED, INVENTORY)
    folder.keep(written)
    read = folder.read(written.digest)
    assert read is not None
    assert [one.fingerprint for one in compile_rules(read.rules, read.inventory)] == [
        one.fingerprint for one in compile_rules(SHIPPED, INVENTORY)
    ]


def test_another_value_is_another_rule_set() -> None:
    digests = {RuleSet([one], INVENTORY).digest for one in EVERY_SORT_OF_VALUE}
    assert len(digests) == len(EVERY_SORT_OF_VALUE)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"rules": [{"id": "x"}], "inventory": {"sites": [], "kinds": {}}}'])
def test_what_is_damaged_or_of_another_grammar_is_not_there(tmp_path: Path, content: bytes) -> None:
    folder, written = RuleSetFolder(tmp_path), RuleSet(SHIPPED, INVENTORY)
    folder.keep(written)
    (tmp_path / f"{written.digest}.json").write_bytes(content)
    assert folder.read(written.digest) is None
    assert folder.read("unheard-of") is None


def test_only_the_last_ones_stay_and_nobody_else_may_read_them(tmp_path: Path) -> None:
    folder = RuleSetFolder(tmp_path)
    sets = [RuleSet([rule(LOW, id=f"r{number}")], INVENTORY) for number in range(KEPT_SETS + 3)]
    for age, one in enumerate(reversed(sets)):
        folder.keep(one)
        os.utime(tmp_path / f"{one.digest}.json", (1_000_000 - age, 1_000_000 - age))
    folder.keep(sets[-1])
    assert [folder.read(one.digest) is not None for one in sets].count(True) == KEPT_SETS
    assert folder.read(sets[-1].digest) is not None
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
