"""From what a kind's file says of its actions to `Action`s, and what can be wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from firewatch.config.document import Document, Path_, claim
from firewatch.config.problem import Place, Problem, did_you_mean
from firewatch.config.site_spec import ActionSpec, KindSpec, LabelSpec, ProofSpec
from firewatch.model.site import Action, DeviceKind, Parameter, Proof, Signal, SignalType
from firewatch.model.text import LocalText
from firewatch.rules.parameter import misfits

LONGEST_TEXT = 500
"""How many characters a text parameter has at most, unless its kind says otherwise."""


def read_action(spec: ActionSpec) -> Action:
    """The action as it is written."""
    return Action(
        name=spec.name,
        label=_label(spec.label, spec.name),
        parameters=tuple(
            Parameter(
                name=parameter.name,
                type=parameter.type,
                label=_label(parameter.label, parameter.name),
                unit=parameter.unit,
                range=parameter.range,
                whole=parameter.whole,
                choices=parameter.choices,
                longest=parameter.longest or LONGEST_TEXT,
                required=parameter.required,
                default=parameter.default,
            )
            for parameter in spec.parameters
        )
        if spec.parameters is not None
        else None,
        linkage=spec.linkage,
        undo=spec.undo,
        proof=Proof(spec.proof.signal, spec.proof.is_, spec.proof.within) if spec.proof is not None else None,
    )


def action_problems(
    document: Document, path: Path_, spec: KindSpec, kinds: Mapping[str, DeviceKind]
) -> Iterator[Problem]:
    """Everything that is wrong with the actions of a kind."""
    if spec.certified and spec.actions:
        what = (
            "certified equipment is listened to and never commanded: nothing silences, resets or switches it from here"
        )
        yield document.problem((*path, "actions"), what, "leave the actions out")
    places: dict[str, Place] = {}
    for index, action in enumerate(spec.actions):
        at = (*path, "actions", index)
        yield from claim(places, action.name, document, (*at, "name"), "action")
        yield from _parameter_problems(document, at, action)
        yield from _undo_problems(document, at, action, spec)
        if action.proof is not None:
            yield from _proof_problems(document, (*at, "proof"), action.proof, spec.kind, kinds)


def _parameter_problems(document: Document, at: Path_, spec: ActionSpec) -> Iterator[Problem]:
    places: dict[str, Place] = {}
    for index, parameter in enumerate(spec.parameters or ()):
        below = (*at, "parameters", index)
        yield from claim(places, parameter.name, document, (*below, "name"), "parameter")
        if parameter.default is not None:
            alone = read_action(spec.model_copy(update={"parameters": (parameter,)}))
            for misfit in misfits(alone, {parameter.name: parameter.default}):
                yield document.problem((*below, "default"), misfit.what)


def _undo_problems(document: Document, at: Path_, spec: ActionSpec, kind: KindSpec) -> Iterator[Problem]:
    if spec.undo is None:
        return
    below = (*at, "undo")
    undoing = next((action for action in kind.actions if action.name == spec.undo), None)
    if undoing is None:
        names = [action.name for action in kind.actions]
        yield document.problem(below, f'a {kind.kind} has no action "{spec.undo}"', did_you_mean(spec.undo, names))
    elif undoing.name == spec.name or undoing.linkage:
        yield document.problem(below, f'"{spec.undo}" does not end "{spec.name}"', "name the action that lets go")
    elif any(parameter.required for parameter in undoing.parameters or ()):
        what = f'"{spec.undo}" needs parameters, and is asked for without any'
        yield document.problem(below, what, "give them defaults")


def _proof_problems(
    document: Document, at: Path_, proof: ProofSpec, own: str, kinds: Mapping[str, DeviceKind]
) -> Iterator[Problem]:
    whose, _, name = proof.signal.rpartition("/")
    kind = kinds.get(whose.partition(".")[0] or own)
    if kind is None:
        yield document.problem((*at, "signal"), f'there is no kind of device "{whose}"', did_you_mean(whose, kinds))
        return
    signal = next((signal for signal in kind.signals if signal.name == name), None)
    if signal is None:
        hint = did_you_mean(name, [signal.name for signal in kind.signals])
        yield document.problem((*at, "signal"), f'a {kind.kind} reports no signal "{name}"', hint)
    elif not _can_be(signal, proof.is_):
        known = f"known: {', '.join(signal.states)}" if signal.states else ""
        what = f'the signal "{name}" is of type {signal.type}, and never has this value'
        yield document.problem((*at, "is"), what, known)


def _can_be(signal: Signal, value: str | bool | float) -> bool:
    if signal.type is SignalType.STATE:
        return value in signal.states
    is_boolean = isinstance(value, bool)
    return is_boolean if signal.type is SignalType.BOOLEAN else isinstance(value, int | float) and not is_boolean


def _label(spec: LabelSpec | None, name: str) -> LocalText:
    """What it is called, by its name where nobody gave it a label."""
    return LocalText(zh=spec.zh, en=spec.en) if spec is not None else LocalText(zh=name, en=name)
