"""Filling the placeholders of a rule's text, and nothing else: no attributes, no formats, no surprises."""

from __future__ import annotations

import re

from firewatch.model.observation import Value
from firewatch.model.text import LocalText
from firewatch.rules.spec import TextSpec

_PLACEHOLDER = re.compile(r"\{(value|unit|place|device)\}")
_TRUTH = {True: LocalText(zh="是", en="yes"), False: LocalText(zh="否", en="no")}


def render(
    text: TextSpec | LocalText, *, value: Value | None, unit: str, place: LocalText, device: LocalText
) -> LocalText:
    """The text with its placeholders filled, in both languages; what is no placeholder stays as it is written."""
    shown = _shown(value)
    return LocalText(
        zh=_fill(text.zh, {"value": shown.zh, "unit": unit, "place": place.zh, "device": device.zh}),
        en=_fill(text.en, {"value": shown.en, "unit": unit, "place": place.en, "device": device.en}),
    )


def _fill(text: str, words: dict[str, str]) -> str:
    if "{" not in text:
        return text
    return _PLACEHOLDER.sub(lambda match: words[match[1]], text)


def _shown(value: Value | None) -> LocalText:
    if isinstance(value, bool):
        return _TRUTH[value]
    words = "" if value is None else f"{value:.6g}" if isinstance(value, int | float) else value
    return LocalText(zh=words, en=words)
