from __future__ import annotations

import pytest

from firewatch.model.observation import Value
from firewatch.model.text import LocalText
from firewatch.rules.spec import TextSpec
from firewatch.rules.text import render

PLACE, DEVICE = LocalText(zh="A座", en="Tower A"), LocalText(zh="阀", en="valve")

RENDERED = {
    "every placeholder": ("{place} {device} {value} {unit}", 0.05, "A座 阀 0.05 MPa", "Tower A valve 0.05 MPa"),
    "a whole number": ("{value}", 60.0, "60", "60"),
    "a number of many digits": ("{value}", 0.123456789, "0.123457", "0.123457"),
    "yes": ("{value}", True, "是", "yes"),
    "no": ("{value}", False, "否", "no"),
    "a named state": ("{value}", "open", "open", "open"),
    "no value": ("[{value}]", None, "[]", "[]"),
    "an attribute is no placeholder": ("{value.__class__}", 1.0, "{value.__class__}", "{value.__class__}"),
    "a format is no placeholder": ("{value:>9999999}", 1.0, "{value:>9999999}", "{value:>9999999}"),
    "a brace is a brace": ("{ {{value}}", 1.0, "{ {1}", "{ {1}"),
    "a value is not filled in turn": ("{value}", "{place}", "{place}", "{place}"),
}


@pytest.mark.parametrize(("text", "value", "zh", "en"), RENDERED.values(), ids=RENDERED)
def test_placeholders(text: str, value: Value | None, zh: str, en: str) -> None:
    rendered = render(TextSpec(zh=text, en=text), value=value, unit="MPa", place=PLACE, device=DEVICE)
    assert rendered == LocalText(zh=zh, en=en)
