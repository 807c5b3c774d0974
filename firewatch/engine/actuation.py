"""What an operator asks of an actuator without any rule: whether it may be asked for, and the command it becomes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

import msgspec

from firewatch.errors import RefusedCommandError
from firewatch.model.command import Actuate, ActuatorCommand
from firewatch.model.site import Action, DeviceKind
from firewatch.rules.parameter import completed, misfits


def cause_of(operator: str) -> str:
    """The cause of what an operator asks for, where that of a rule's command is an alarm."""
    return f"operator:{operator}"


def command_of(wish: Actuate, kinds: Mapping[str, DeviceKind], now: datetime) -> ActuatorCommand:
    """The command that a wish becomes; `kinds` are those of all devices (`site/device`).

    Raises:
        RefusedCommandError: there is no such device, or it cannot be asked for that; the message says the way out.
    """
    action = _action(wish, kinds)
    wrong = [
        misfit.what if misfit.parameter is None else f"{misfit.parameter}: {misfit.what}"
        for misfit in misfits(action, wish.parameters)
    ]
    if wrong:
        raise RefusedCommandError(f"{wish.device} cannot be asked for that: {'; '.join(wrong)}.")
    if action.linkage and not wish.reason.strip():
        raise RefusedCommandError(
            f'"{action.name}" is fire linkage: rules need two independent triggers for it, and people a reason. '
            "Say why it is asked for."
        )
    parameters = completed(action, wish.parameters)
    written = msgspec.json.encode(parameters, order="deterministic").decode()
    what = [wish.operator, wish.device, wish.action, written, f"{now.timestamp():.6f}"]
    return ActuatorCommand(
        command_id=hashlib.blake2s("|".join(what).encode(), digest_size=8).hexdigest(),
        device=wish.device,
        action=wish.action,
        parameters=parameters,
        cause=cause_of(wish.operator),
        rule="",
        issued_time=now,
    )


def _action(wish: Actuate, kinds: Mapping[str, DeviceKind]) -> Action:
    kind = kinds.get(wish.device)
    if kind is None:
        raise RefusedCommandError(f"There is no device {wish.device}; /api/v1/devices lists those there are.")
    if kind.certified:
        raise RefusedCommandError(
            f"{wish.device} is certified equipment: firewatch listens to it and never commands it. "
            "What is to be silenced, reset or switched there is done at its own panel."
        )
    action = kind.action(wish.action)
    if action is None:
        answers = f"it answers {', '.join(one.name for one in kind.actions)}" if kind.actions else "it answers none"
        raise RefusedCommandError(f'{wish.device} does not answer the command "{wish.action}"; {answers}.')
    return action
