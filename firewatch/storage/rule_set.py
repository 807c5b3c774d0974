"""The rules that the engine's inputs were judged by, on disk, so that a restart can replay each by its own.

What people write may be changed while firewatch is down, or a moment before a kill -9. A snapshot and every reload name
the rule set that the engine went on with, by a digest of its content; it is kept here before anything depends on it.
"""

from __future__ import annotations

import enum
import hashlib
import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import structlog
from pydantic import ValidationError

from firewatch.model.duration import write_duration
from firewatch.model.site import Inventory
from firewatch.rules.spec import RuleSpec
from firewatch.storage.files import sync_directory

KEPT_SETS = 20
"""How many rule sets stay; a restart needs those of its snapshot and since, which is seconds old."""

log = structlog.get_logger("firewatch.rules")


class _Written(msgspec.Struct, frozen=True):
    rules: tuple[dict[str, Any], ...]
    inventory: Inventory


class RuleSet:
    """Rules as the engine takes them, and the inventory they are for; two with the same `digest` are the same.

    `content` is all of it, as it is kept, and `digest` names it. Writing it takes a moment with thousands of rules.
    """

    def __init__(self, rules: Sequence[RuleSpec], inventory: Inventory) -> None:
        self.rules = tuple(rules)
        self.inventory = inventory
        written = tuple(rule.model_dump(by_alias=True, exclude_unset=True) for rule in self.rules)
        self.content = _encode(_Written(tuple(map(_writable, written)), inventory))
        self.digest = hashlib.sha256(self.content).hexdigest()


class RuleSetFolder:
    """The last `KEPT_SETS` rule sets, in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def keep(self, rule_set: RuleSet) -> None:
        """Put a rule set on disk; it is there when this returns. The oldest ones make room for it.

        Raises:
            OSError: the disk does not take it.
        """
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        place = self._place(rule_set.digest)
        unfinished = place.with_suffix(".unfinished")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(rule_set.content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(place)
        sync_directory(self._directory)
        newest_first = sorted(self._directory.glob("*.json"), key=lambda each: each.stat().st_mtime_ns, reverse=True)
        for old in newest_first[KEPT_SETS:]:
            old.unlink()

    def read(self, digest: str) -> RuleSet | None:
        """The rule set of that name; None if it is not here, is damaged, or another firewatch's grammar wrote it."""
        try:
            content = self._place(digest).read_bytes()
        except FileNotFoundError:
            return None
        if hashlib.sha256(content).hexdigest() != digest:
            log.error("A rule set on disk is damaged.", digest=digest)
            return None
        try:
            written = _decode(content)
            return RuleSet([RuleSpec.model_validate(rule) for rule in written.rules], written.inventory)
        except (msgspec.DecodeError, ValidationError) as error:
            log.warning("A rule set on disk was written by another version.", digest=digest, reason=str(error)[:500])
            return None

    def _place(self, digest: str) -> Path:
        return self._directory / f"{digest}.json"


def _writable(value: Any) -> Any:
    """The value in words that the grammar reads; what else there is, such as a date, JSON writes as it is read."""
    match value:
        case dict():
            return {key: _writable(item) for key, item in value.items()}
        case tuple() | list():
            return [_writable(item) for item in value]
        case timedelta():
            return write_duration(value)
        case enum.Enum():
            return value.value
    return value


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Written).decode
