"""What an operator does in a rule test, as the commands themselves name it: `acknowledge: RULE`, `shelve: RULE`."""

from __future__ import annotations

import typing
from datetime import datetime, timedelta
from typing import Any

import msgspec

from firewatch.model.alarm import Alarm
from firewatch.model.command import Actuate, OperatorCommand
from firewatch.model.duration import parse_duration

OPERATOR = "operator"
"""Who gives a command unless the test says another."""

_OF_THE_ALARM = ("alarm_id", "incident")
_FOUND_BY_RULE = (*_OF_THE_ALARM, "rule", "subject")

COMMANDS: dict[str, type] = {
    str(command.__struct_config__.tag): command
    for command in typing.get_args(OperatorCommand)
    if command is not Actuate
}
"""Every command about what a rule says, by the word that a test has for it."""


def arguments(verb: str) -> dict[str, msgspec.structs.FieldInfo]:
    """What is written beside the rule, by name."""
    return {field.name: field for field in msgspec.structs.fields(COMMANDS[verb]) if field.name not in _FOUND_BY_RULE}


def read_argument(field: msgspec.structs.FieldInfo, written: Any, now: datetime) -> Any:
    """The argument as the command wants it; an instant is written as a duration from `now` on.

    Raises:
        ValueError: it is of another sort; the message says which.
    """
    types = (field.type, *typing.get_args(field.type))
    if isinstance(written, str) and timedelta in types:
        return parse_duration(written)
    if isinstance(written, str) and datetime in types:
        return now + parse_duration(written)
    if isinstance(written, float) and written.is_integer() and int in types:  # every number in YAML is read as a float
        return int(written)
    try:
        return msgspec.convert(written, field.type)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None


def command(verb: str, rule: str, subject: str, alarm: Alarm | None, given: dict[str, Any]) -> OperatorCommand | None:
    """The command for what a rule says of a subject; None if it is about an alarm and there is none."""
    known = {"rule": rule, "subject": subject, "operator": OPERATOR, **given}
    wanted = [field.name for field in msgspec.structs.fields(COMMANDS[verb])]
    if alarm is not None:
        known |= {name: getattr(alarm, name) for name in _OF_THE_ALARM}
    elif any(name in wanted for name in _OF_THE_ALARM):
        return None
    built: OperatorCommand = COMMANDS[verb](**{name: known[name] for name in wanted if name in known})
    return built
