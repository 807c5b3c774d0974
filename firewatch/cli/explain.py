"""`firewatch explain`: why a rule alarms, or why it does not, asked of the running daemon."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from firewatch.cli.daemon import Daemon, RefusedRequestError, daemon_options
from firewatch.cli.language import Language, language
from firewatch.config.problem import did_you_mean
from firewatch.web.phrases import left, quantity, word

_MARKS = {"active": "✓", "inactive": "✗", "unknown": "?"}

_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "step": "Step {place}, {priority}{decides}",
        "decides": ": gives the alarm its priority",
        "no_step": "none of its signals are here",
        "never": "never heard",
        "reading": "{signal}: {value}, {quality}, {age} ago",
    },
    "zh": {
        "step": "第{place}级，{priority}{decides}",
        "decides": "：决定当前级别",
        "no_step": "此处没有所需信号",
        "never": "从未收到",
        "reading": "{signal}：{value}，{quality}，{age}前",
    },
}


@click.command("explain", short_help="Say why an alarm stands, or why a rule does not alarm.")
@click.argument("what", nargs=-1, required=True, metavar="ALARM | RULE DEVICE")
@daemon_options
def command(what: tuple[str, ...], url: str | None, as_json: bool, config: Path | None) -> None:
    """Say why ALARM stands or what became of it, or why RULE alarms for DEVICE or why it does not: each reading it
    rests on with its age and quality, each delay with the time left, and what hides the alarm.

    ALARM is an alarm's id, as `firewatch status --json` and the console show it. DEVICE is a device or an asset:
    site/id, or its id.

    \b
    Exit code   0 told, 1 there is no such thing, 2 no daemon answers
    """  # noqa: D301 - click wants the character itself
    daemon = Daemon(url, config)
    try:
        if len(what) == 1:
            answers = [daemon.get(f"alarms/{_id(what[0])}/explanation")]
        elif len(what) == 2:
            answers = _of_rule(daemon, *what)
        else:
            raise click.UsageError("name an alarm, or a rule and a device")
    except RefusedRequestError as error:
        hint = f" For a rule, name its device too: {what[0]} DEVICE" if len(what) == 1 else ""
        raise click.ClickException(f"{error}{hint}") from None
    if as_json:
        click.echo(json.dumps(answers[0] if len(answers) == 1 else answers, ensure_ascii=False, indent=2))
        return
    click.echo("\n\n".join("\n".join(_shown(answer, language())) for answer in answers))


def _id(text: str) -> str:
    """What may stand in a path; anything else is no alarm's id."""
    if not all(letter.isascii() and (letter.isalnum() or letter in "._-") for letter in text):
        raise click.ClickException(f'"{text}" is no alarm\'s id; for a rule, name its device too: RULE DEVICE')
    return text


def _of_rule(daemon: Daemon, rule: str, device: str) -> list[Any]:
    """The rule's explanations for the device: one, or more where it also speaks about the device's asset."""
    subject = _found(daemon, device)
    told = daemon.get(f"devices/{subject}/explanations")["explanations"]
    wanted = [one for one in told if one["rule"] == rule]
    if not wanted:
        rules = {one["rule"] for one in told}
        hint = did_you_mean(rule, rules) or f"these do: {', '.join(sorted(rules))}" if rules else "no rule does"
        raise click.ClickException(f'no rule "{rule}" concerns {subject}; {hint}')
    return [one for one in wanted if one["subject"] == subject] or wanted


def _found(daemon: Daemon, name: str) -> str:
    names = {f"{one['site']}/{one['device']}" for one in daemon.get("devices")["devices"]}
    names |= {f"{site['id']}/{asset['id']}" for site in daemon.get("site")["sites"] for asset in site["assets"]}
    found = sorted(one for one in names if name in (one, one.partition("/")[2]))
    if not found:
        known = names if "/" in name else {one.partition("/")[2] for one in names}
        hint = did_you_mean(name, known)
        raise click.ClickException(f'there is no device or asset "{name}"{f"; {hint}" if hint else ""}')
    if len(found) > 1:
        raise click.ClickException(f'several sites have a "{name}"; write one of {", ".join(found)}')
    return found[0]


# -- text --------------------------------------------------------------------------------------------------------------


def _shown(answer: Any, lang: Language) -> Iterator[str]:
    explanation = answer.get("explanation", answer) or answer["alarm"]
    yield f"{explanation['text'][lang]}  ({explanation['rule']}, {explanation['subject']})"
    yield answer["verdict"][lang]
    if "steps" not in explanation:
        return
    inputs = {one["signal"]: one for one in explanation["inputs"]}
    now = datetime.fromisoformat(explanation["now"])
    several = len(explanation["steps"]) > 1
    for place, step in enumerate(explanation["steps"], start=1):
        yield ""
        if several:
            words = _WORDS[lang]
            decides = words["decides"] if step["decides"] else ""
            priority = getattr(word(step["priority"]), lang)
            yield words["step"].format(place=place, priority=priority, decides=decides)
        if step["finding"] is None:
            yield f"  - {_WORDS[lang]['no_step']}"
        else:
            yield from _tree(step["finding"], inputs, now, lang, "  ")


def _tree(finding: Any, inputs: dict[str, Any], now: datetime, lang: Language, indent: str) -> Iterator[str]:
    note = f"  ({finding['note'][lang]})" if finding["note"] else ""
    yield f"{indent}{_MARKS[finding['condition']]} {finding['text'][lang]}{note}"
    for signal in finding["signals"]:
        yield f"{indent}    {_reading(inputs[signal], now, lang)}"
    for part in finding["parts"]:
        yield from _tree(part, inputs, now, lang, f"{indent}  ")


def _reading(view: Any, now: datetime, lang: Language) -> str:
    words, last = _WORDS[lang], view["last"]
    signal = f"{view['device'][lang]} · {view['label'][lang]}"
    if last is None:
        return f"{signal}: {words['never']}"
    age = left(now - datetime.fromisoformat(last["receive_time"]))
    told = {"value": quantity(last["value"], view["unit"]), "quality": word(last["quality"]), "age": age}
    return words["reading"].format(signal=signal, **{name: getattr(text, lang) for name, text in told.items()})
