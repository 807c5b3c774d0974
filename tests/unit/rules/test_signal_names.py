"""Whose signals a condition means by a name, where an asset has several devices."""

from __future__ import annotations

from typing import Any

import pytest

from firewatch.model.site import Asset, Device, DeviceKind, Signal, SignalType
from firewatch.rules.coincidence import CoincidenceEvaluator
from firewatch.rules.compile import RuleInstance, compile_rules
from firewatch.rules.deviation import DeviationEvaluator
from tests.inventory import LABEL, one_site
from tests.unit.engine.world import rule

PRESSURE = Signal("pressure", SignalType.NUMBER, LABEL, "MPa")
INVENTORY = one_site(
    Device("p1", "pump", LABEL, "house", "water", tags=("main",)),
    Device("p2", "pump", LABEL, "house", "water", tags=("main", "spare")),
    Device("p3", "pump", LABEL, "house", "water", tags=("jockey",)),
    Device("gauge", "transmitter", LABEL, "house", "water", tags=("main",)),
    kinds=(
        DeviceKind("pump", LABEL, "water", (Signal("inlet", SignalType.NUMBER, LABEL, "bar"), PRESSURE)),
        DeviceKind("transmitter", LABEL, "water", (PRESSURE,)),
    ),
    assets=(Asset("water", "water_supply", LABEL, "house", "water"),),
)
ASSET = {"asset": "water_supply"}


def compiled(when: dict[str, Any], scope: dict[str, Any] | None = None) -> RuleInstance:
    (instance,) = compile_rules([rule("any", scope or ASSET, when)], INVENTORY)
    return instance


def short(signals: tuple[str, ...]) -> str:
    return " ".join(signal.removeprefix("sample/") for signal in signals)


@pytest.mark.parametrize(
    ("name", "signals"),
    [
        ("pump/pressure", "p1/pressure p2/pressure p3/pressure"),
        ("pump.main/pressure", "p1/pressure p2/pressure"),
        ("pump.spare/pressure", "p2/pressure"),
        ("transmitter.main/pressure", "gauge/pressure"),
        ("pump.main/online", "p1/online p2/online"),
    ],
)
def test_a_tag_narrows_a_name_to_the_devices_that_have_it(name: str, signals: str) -> None:
    for form in ({"low": {"signal": name, "limit": 1}}, {"stuck": {"signal": name, "after": "1h"}}):
        assert short(compiled(form).evaluator.signals) == signals


def test_a_tag_that_no_device_has_matches_nothing() -> None:
    when = {"low": {"signal": "pump.other/pressure", "limit": 1}}
    assert compile_rules([rule("any", ASSET, when)], INVENTORY) == ()


def test_what_a_tag_narrows_keeps_its_units_and_labels() -> None:
    instance = compiled({"low": {"signal": "pump.main/inlet", "limit": 1}})
    assert [instance.unit(signal) for signal in instance.evaluator.signals] == ["bar", "bar"]


PAIRS = {
    "a device's own two signals": (
        {"signal": "pump/pressure", "minus": "pump/inlet", "above": 1},
        ["p1/pressure p1/inlet", "p2/pressure p2/inlet", "p3/pressure p3/inlet"],
    ),
    "one device against another": (
        {"signal": "pump.spare/pressure", "minus": "pump.jockey/pressure", "below": 1},
        ["p2/pressure p3/pressure"],
    ),
    "one device against each of several": (
        {"signal": "transmitter/pressure", "minus": "pump.main/pressure", "above": 1},
        ["gauge/pressure p1/pressure", "gauge/pressure p2/pressure"],
    ),
    "each of several against each other one, in both directions": (
        {"signal": "pump.main/pressure", "minus": "pump.main/pressure", "above": 1},
        ["p1/pressure p2/pressure", "p2/pressure p1/pressure"],
    ),
    "each two once where the direction does not count": (
        {"signal": "pump/pressure", "minus": "pump/pressure", "apart": 1},
        ["p1/pressure p2/pressure", "p1/pressure p3/pressure", "p2/pressure p3/pressure"],
    ),
    "nothing against itself": (
        {"signal": "pump.main/pressure", "minus": "pump/pressure", "apart": 1},
        ["p1/pressure p2/pressure", "p1/pressure p3/pressure", "p2/pressure p3/pressure"],
    ),
}


@pytest.mark.parametrize(("form", "pairs"), PAIRS.values(), ids=PAIRS)
def test_which_signals_a_difference_holds_against_each_other(form: dict[str, Any], pairs: list[str]) -> None:
    evaluator = compiled({"difference": form}).evaluator
    finding = evaluator.explain(evaluator.initial())
    leaves = finding.parts if isinstance(evaluator, CoincidenceEvaluator) else (finding,)
    assert [short(leaf.signals) for leaf in leaves] == pairs


def test_a_signal_without_its_counterpart_makes_no_instance() -> None:
    when = {"difference": {"signal": "pump/pressure", "minus": "valve/pressure", "above": 1}}
    assert compile_rules([rule("any", ASSET, when)], INVENTORY) == ()


def test_of_a_device_the_two_signals_are_its_own() -> None:
    scope = {"device": "pump", "tags": ["jockey"]}
    instance = compiled({"difference": {"signal": "pressure", "minus": "inlet", "above": 1}}, scope)
    assert short(instance.evaluator.signals) == "p3/pressure p3/inlet"


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("rate_of_change", {"within": "1min", "rises_by": 1}),
        ("deviation", {"apart": 1}),
        ("state_changed", {}),
        ("stuck", {"after": "1h"}),
        ("chatter", {"changes": 5, "within": "1min"}),
    ],
)
def test_each_condition_is_judged_for_each_device(kind: str, form: dict[str, Any]) -> None:
    evaluator = compiled({kind: {"signal": "pump.main/pressure", **form}}).evaluator
    finding = evaluator.explain(evaluator.initial())
    assert [leaf.kind for leaf in finding.parts] == [kind, kind]


def test_a_deviation_is_judged_by_the_sites_own_hours() -> None:
    evaluator = compiled({"deviation": {"signal": "transmitter/pressure", "apart": 1}}).evaluator
    assert isinstance(evaluator, DeviationEvaluator)
    assert str(evaluator._zone) == "Asia/Shanghai"
