from __future__ import annotations

from typing import Any

import pytest

from firewatch.model.text import LocalText
from firewatch.rules.compile import compile_rules
from firewatch.rules.evaluator import Phase
from tests.unit.engine.world import E_BIKE, INVENTORY, LOW, act, rule


def signals(scope: dict[str, Any], when: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    instances = compile_rules([rule("any", scope, when)], INVENTORY)
    return {instance.subject: instance.evaluator.signals for instance in instances}


TRIPPED = {"state": {"signal": "smoke_detector/alarm", "is": True}}

MATCHES = {
    "a device kind makes one instance a device": (
        {"device": "pressure_transmitter"},
        {"low": {"signal": "pressure", "limit": 1}},
        {"s/hydrant-1": ("s/hydrant-1/pressure",), "s/hydrant-2": ("s/hydrant-2/pressure",)},
    ),
    "an asset kind joins all its devices of the named kind": (
        {"asset": "fire_zone"},
        TRIPPED,
        {"s/zone": ("s/smoke-1/alarm", "s/smoke-2/alarm", "s/smoke-3/alarm", "s/smoke-4/alarm")},
    ),
    "absence without a signal listens to all a device says itself": (
        {"device": "lift_camera"},
        {"absence": {"after": "15s"}},
        {"s/cam": ("s/cam/e_bike",)},
    ),
    "absence with a signal listens to that one": (
        {"device": "lift_camera"},
        {"absence": {"after": "15s", "signal": "online"}},
        {"s/cam": ("s/cam/online",)},
    ),
    "a derived signal can be judged like any other": (
        {"device": "lift_camera"},
        {"state": {"signal": "clock_fault", "is": True}},
        {"s/cam": ("s/cam/clock_fault",)},
    ),
    "a camera session also watches its guard": (
        {"asset": "lift"},
        {
            "camera_session": {
                "signal": "lift_camera/e_bike",
                "while": {"state": {"signal": "lift_controller/door", "is": "open"}},
            }
        },
        {"s/lift": ("s/cam/e_bike", "s/controller/door")},
    ),
    "a subject without the signal gets no instance": (
        {"asset": "lift"},
        {"state": {"signal": "smoke_detector/alarm", "is": True}},
        {},
    ),
    "a coincidence without any of its signals gets no instance": (
        {"asset": "lift"},
        {"k_of_n": {"k": 2, "within": "1s", "of": [TRIPPED]}},
        {},
    ),
    "a guard that matches nothing guards nothing": (
        {"asset": "lift"},
        {"camera_session": {"signal": "lift_camera/e_bike", "while": TRIPPED}},
        {"s/lift": ("s/cam/e_bike",)},
    ),
    "the same device can stand in two leaves": (
        {"asset": "fire_zone"},
        {"k_of_n": {"k": 2, "within": "1s", "of": [TRIPPED, {"absence": {"after": "1s"}}]}},
        {"s/zone": ("s/smoke-1/alarm", "s/smoke-2/alarm", "s/smoke-3/alarm", "s/smoke-4/alarm")},
    ),
}


@pytest.mark.parametrize(("scope", "when", "expected"), MATCHES.values(), ids=MATCHES)
def test_what_a_rule_watches(scope: dict[str, Any], when: dict[str, Any], expected: dict[str, tuple[str, ...]]) -> None:
    assert signals(scope, when) == expected


def test_instances_come_in_the_order_of_rules_and_subjects() -> None:
    names = [(instance.rule.id, instance.subject) for instance in compile_rules([LOW, E_BIKE], INVENTORY)]
    assert names == [("low", "s/hydrant-1"), ("low", "s/hydrant-2"), ("e-bike", "s/lift")]


def test_a_place_is_read_from_the_outside_in() -> None:
    (lift,) = compile_rules([E_BIKE], INVENTORY)
    (camera,) = compile_rules([rule("silent", {"device": "lift_camera"}, {"absence": {"after": "1s"}})], INVENTORY)
    assert lift.place == LocalText(zh="A座·1号梯", en="Tower A, lift 1")
    assert camera.place == LocalText(zh="A座·1号梯·cabin camera", en="Tower A, lift 1, cabin camera")


def test_targets_are_the_devices_of_the_asset() -> None:
    (lift,) = compile_rules([E_BIKE], INVENTORY)
    assert [(target.device, target.action) for target in lift.targets[Phase.SUSPECTED]] == [("s/door", "hold_door")]
    assert [target.parameters["text_zh"] for target in lift.targets[Phase.ACTIVE]] == ["请退出"]


def test_a_device_of_an_asset_reaches_its_neighbours_there() -> None:
    watched = rule(
        "watched",
        {"device": "lift_camera"},
        {"absence": {"after": "1s"}},
        actions={"active": [act("door_controller", "hold_door"), act("smoke_detector", "test")]},
    )
    (camera,) = compile_rules([watched], INVENTORY)
    assert [target.device for target in camera.targets[Phase.ACTIVE]] == ["s/door"]


def test_a_fingerprint_follows_what_is_judged_and_not_how_it_is_told() -> None:
    def fingerprint(**changed: Any) -> str:
        return compile_rules([LOW.model_copy(update=changed)], INVENTORY)[0].fingerprint

    assert fingerprint() == fingerprint(text=LOW.advice, priority=E_BIKE.priority, actions=E_BIKE.actions)
    assert fingerprint() != fingerprint(on_delay=E_BIKE.when.form.hold)  # type: ignore[union-attr]


def test_an_instance_knows_the_label_and_unit_of_each_of_its_signals() -> None:
    low, *_ = compile_rules([LOW], INVENTORY)
    assert (low.unit("s/hydrant-1/pressure"), low.label("s/hydrant-1/pressure").en) == ("MPa", "roof hydrant")
    assert (low.unit("s/elsewhere/pressure"), low.label("")) == ("", low.place)


@pytest.mark.parametrize(
    ("narrower", "subjects"),
    [
        ({"buildings": ["garage", "tower"]}, ["s/hydrant-1", "s/hydrant-2"]),
        ({"subjects": ["hydrant-2", "s/hydrant-1", "hydrant-2"]}, ["s/hydrant-1", "s/hydrant-2"]),
        ({"subjects": ["elsewhere/hydrant-2"]}, []),
        ({"subjects": ["hydrant-1"], "buildings": ["garage"]}, []),
        ({"subjects": ["cam"]}, []),
    ],
)
def test_a_narrower_scope_keeps_the_order_of_the_site_file(narrower: dict[str, Any], subjects: list[str]) -> None:
    low = rule("low", {"device": "pressure_transmitter", **narrower}, {"low": {"signal": "pressure", "limit": 1}})
    assert [instance.subject for instance in compile_rules([low], INVENTORY)] == subjects
