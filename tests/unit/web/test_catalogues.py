"""The console's words for what the daemon says in words of its own."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

import pytest

from firewatch.model.alarm import AlarmClass, AlarmState, Priority, TransitionReason
from firewatch.model.command import AnswerState
from firewatch.model.observation import Quality
from firewatch.model.reload import ReloadOutcome, ReloadTrigger
from firewatch.mqtt.rejection import RejectionReason
from firewatch.web import server

TEXTS = Path(server.__file__).parent / "console" / "src" / "text"
ENTRY = re.compile(r'^  "([^"]+)": "(.+)",$', re.MULTILINE)
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def catalogue(lang: str) -> dict[str, str]:
    return dict(ENTRY.findall((TEXTS / f"{lang}.ts").read_text(encoding="utf-8")))


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(
    ("family", "words"),
    [
        ("rejection", RejectionReason),
        ("reason", TransitionReason),
        ("state", AlarmState),
        ("class", AlarmClass),
        ("priority", Priority),
        ("quality", Quality),
        ("outcome", ReloadOutcome),
        ("trigger", ReloadTrigger),
        ("answer", AnswerState),
        (
            "answer",
            ("held", "released", "playing", "played", "stopped", "interrupted", "unknown action", "unanswered"),
        ),
    ],
)
def test_every_word_of_the_daemon_is_said_in_the_readers_language(
    lang: str, family: str, words: type[StrEnum] | tuple[str, ...]
):
    told = catalogue(lang)
    for word in words:
        assert bool(CHINESE.search(told[f"{family}.{word}"])) is (lang == "zh"), word
