"""Two compounds with a few devices, and rule files read for them from text."""

from __future__ import annotations

from collections.abc import Sequence

from firewatch.config.document import Document, parse_document
from firewatch.config.effective_rule import EffectiveRule
from firewatch.config.problem import Problem, in_order
from firewatch.config.rule_check import read_rules
from firewatch.model.site import Action, Asset, Building, Device, DeviceKind, Inventory, Signal, SignalType, Site
from firewatch.model.text import LocalText

LABEL = LocalText(zh="测试", en="test")


def signal(name: str, unit: str = "", span: tuple[float, float] | None = None) -> Signal:
    return Signal(name=name, type=SignalType.NUMBER, label=LABEL, unit=unit, range=span)


def switch(name: str) -> Signal:
    return Signal(name=name, type=SignalType.BOOLEAN, label=LABEL)


def states(name: str, *values: str) -> Signal:
    return Signal(name=name, type=SignalType.STATE, label=LABEL, states=values)


KINDS = (
    DeviceKind("gauge", LABEL, "water", (signal("pressure", "MPa", (0.0, 1.6)), signal("flow", "L/s"))),
    DeviceKind("pump", LABEL, "water", (switch("running"), switch("fault"), states("mode", "auto", "manual", "off"))),
    DeviceKind(
        "horn", LABEL, "broadcast", (switch("playing"),), actions=(Action("play", LABEL), Action("stop", LABEL))
    ),
)


def site(name: str) -> Site:
    def device(local: str, kind: str, building: str, asset: str | None = None, tags: tuple[str, ...] = ()) -> Device:
        return Device(id=local, kind=kind, label=LABEL, building=building, asset=asset, tags=tags)

    return Site(
        id=name,
        label=LABEL,
        district=LABEL,
        street=LABEL,
        community=LABEL,
        time_zone="Asia/Shanghai",
        buildings=tuple(Building(id=each, label=LABEL, grid=LABEL) for each in ("tower", "cellar")),
        assets=(Asset(id="supply", kind="supply", label=LABEL, building="cellar", system="water"),),
        devices=(
            device("g1", "gauge", "tower"),
            device("g2", "gauge", "tower"),
            device("g3", "gauge", "cellar", "supply"),
            device("p1", "pump", "cellar", "supply", ("main",)),
            device("p2", "pump", "cellar", "supply", ("spare",)),
            device("horn", "horn", "tower"),
        ),
    )


INVENTORY = Inventory(sites=(site("east"), site("west")), kinds={kind.kind: kind for kind in KINDS})

LOW = """
  - id: low
    scope: {device: gauge}
    when: {low: {signal: pressure, limit: 0.2 MPa}}
    on_delay: 3s
    priority: high
    class: supervisory
    text: {zh: 低, en: low}
    advice: {zh: 查, en: look}
"""


def read(*texts: str) -> tuple[tuple[EffectiveRule, ...], tuple[Problem, ...]]:
    """The rules and the problems of files called 1.yaml, 2.yaml and so on."""
    documents: list[Document] = []
    problems: list[Problem] = []
    for number, text in enumerate(texts, 1):
        document, wrong = parse_document(f"{number}.yaml", text)
        problems += wrong
        if document is not None:
            documents.append(document)
    rules, found = read_rules(documents, INVENTORY, inventory_whole=True)
    return rules, in_order([*problems, *found])


def told(problems: Sequence[Problem]) -> list[str]:
    return [str(problem) for problem in problems]
