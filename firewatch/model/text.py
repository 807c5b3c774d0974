"""Text for people, in the two languages firewatch speaks."""

from __future__ import annotations

import msgspec


class LocalText(msgspec.Struct, frozen=True):
    """The same text in Chinese (zh-CN) and in English."""

    zh: str
    en: str
