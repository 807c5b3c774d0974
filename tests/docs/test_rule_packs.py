"""What the rule packs claim of standards: each claim was either read in a source, or says that nobody has done so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

READ = (
    "GB 50974-2014 5.2.2",
    "GB 50116-2013 4.1.6",
    "GB 50166-2019 (30 s)",
    "GB 50166-2019 (100 s)",
    "GB/T 26875.3-2011 (device state",
    "GB/T 50378 (exhaust linked",
    "GBZ 2.1 (20, 30 mg/m3)",
)
"""What was read in a source that tells the standard's text, clause by clause."""

OWN = ("this project's", "practice", "ingest.clock_skew_limit")
PACKS = sorted(file for file in Path("rules").glob("*.yaml") if not file.name.endswith(".test.yaml"))


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.stem)
def test_no_pack_quotes_a_standard_that_nobody_has_read(pack: Path) -> None:
    bases = re.findall(r"# Basis 依据: (.+)", pack.read_text(encoding="utf-8"))
    claims = [claim.strip() for basis in bases for claim in re.split(r";(?![^(]*\))", basis)]
    unread = [
        claim
        for claim in claims
        if "unconfirmed 未核实" not in claim and not claim.startswith(READ) and not any(word in claim for word in OWN)
    ]
    assert bases
    assert unread == []


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.stem)
def test_no_text_names_a_number_that_an_override_could_make_untrue(pack: Path) -> None:
    rules = YAML(typ="safe", pure=True).load(pack)["rules"]
    texts = [part["text"] for rule in rules for part in (rule, *rule.get("ladder", ())) if "text" in part]
    assert [text for text in texts if re.search(r"\d", f"{text['zh']} {text['en']}")] == []
