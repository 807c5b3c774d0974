"""Stories that simulators play: which device does what, when, or after which answer of an actuator.

A scenario is a YAML file. Every simulator process reads the same file with the same start time and plays the steps
of its own devices and assets, so that no process has to know another. The steps of one device or asset are played
in the order of the file, each once. `after` waits for an actuator's answer heard after the step before it was
played, and `at_latest` plays the step without the answer.

Nothing here reads a clock: time is an argument.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from firewatch.model.command import AnswerState
from firewatch.model.duration import parse_duration
from firewatch.model.observation import Quality, Value
from firewatch.model.text import LocalText

STEP_LIMIT = 1_000
"""A longer scenario is refused."""

VERB_NEEDS: dict[str, tuple[str, ...]] = {
    "set": ("signal", "value"),
    "normal": (),
    "fall_silent": (),
    "go_offline": (),
    "report_quality": ("quality",),
    "shift_clock": ("by",),
    "send_raw": (),
    "call": ("floor",),
    "e_bike_enters": (),
    "e_bike_leaves": (),
    "e_bike_passes": (),
    "resident_enters": (),
    "resident_leaves": (),
    "vehicle_enters": (),
    "vehicle_leaves": (),
    "freeze_picture": (),
    "leak": ("rate",),
    "burn": (),
    "turn_deaf": (),
    "only_answer": (),
    "act_late": ("by",),
    "fail_commands": (),
}
"""Every verb a step may use, with the fields it cannot do without; docs/simulators.md says what each does."""


class ScenarioError(Exception):
    """A scenario cannot be played; the message names the file, the step and what is wrong with it."""


class Answered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer a step waits for: `device` said `state` to a command `action`."""

    device: str
    action: str
    state: AnswerState


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happens to `who`, a device or an asset.

    Exactly one of `at` (counted from the start) and `after` is set; `delay` is counted from the answer. The other
    fields are what single verbs need: see docs/simulators.md.
    """

    number: int
    who: str
    do: str
    at: timedelta | None = None
    after: Answered | None = None
    delay: timedelta = timedelta(0)
    at_latest: timedelta | None = None
    signal: str | None = None
    value: Value | None = None
    floor: int | None = None
    rate: float | None = None
    quality: Quality | None = None
    by: timedelta | None = None
    topic: str | None = None
    payload: str = ""
    repeat: int = 1
    retain: bool = False


class Scenario(msgspec.Struct, frozen=True):
    """A story: its name and its steps in the order of the file."""

    name: LocalText
    steps: tuple[Step, ...]

    def check(self, known: Collection[str]) -> None:
        """See that every step speaks of a device or asset that the site has.

        Raises:
            ScenarioError: one does not.
        """
        for step in self.steps:
            for name in (step.who, *([step.after.device] if step.after else [])):
                if name not in known:
                    raise ScenarioError(f'step {step.number}: the site has no device or asset "{name}"')


class _StepText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    who: str
    do: str
    at: str | None = None
    after: Answered | None = None
    delay: str | None = None
    at_latest: str | None = None
    signal: str | None = None
    value: float | bool | str | None = None
    floor: int | None = None
    rate: float | None = None
    quality: Quality | None = None
    by: str | None = None
    topic: str | None = None
    payload: str = ""
    repeat: int = 1
    retain: bool = False


class _ScenarioText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: LocalText
    steps: list[_StepText] = []


def read_scenario(path: Path) -> Scenario:
    """Read a scenario file.

    Raises:
        ScenarioError: it cannot be read, or a step does not make sense.
    """
    try:
        return parse_scenario(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror}; scenarios lie in simulators/scenarios/") from error
    except (ScenarioError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: {error}") from error


def parse_scenario(text: str) -> Scenario:
    """Read a scenario from the text of its file.

    Raises:
        ScenarioError: a step does not make sense.
    """
    try:
        written = msgspec.convert(YAML(typ="safe", pure=True).load(text), _ScenarioText)
    except YAMLError as error:
        raise ScenarioError(f"not YAML: {error}") from error
    except msgspec.ValidationError as error:
        raise ScenarioError(str(error)) from error
    if len(written.steps) > STEP_LIMIT:
        raise ScenarioError(f"{len(written.steps)} steps; at most {STEP_LIMIT} are played")
    steps = tuple(_step(number, step) for number, step in enumerate(written.steps, start=1))
    _check_order(steps)
    return Scenario(name=written.name, steps=steps)


def _step(number: int, text: _StepText) -> Step:
    if (text.at is None) == (text.after is None):
        raise ScenarioError(f'step {number}: give either "at" or "after"')
    if text.at is not None and (text.delay is not None or text.at_latest is not None):
        raise ScenarioError(f'step {number}: "delay" and "at_latest" belong to "after"')
    if text.do not in VERB_NEEDS:
        raise ScenarioError(f'step {number}: unknown verb "{text.do}"; there are {", ".join(VERB_NEEDS)}')
    for needed in VERB_NEEDS[text.do]:
        if getattr(text, needed) is None:
            raise ScenarioError(f'step {number}: "{text.do}" needs "{needed}"')
    if not 1 <= text.repeat <= 1_000_000:
        raise ScenarioError(f'step {number}: "repeat" lies between 1 and 1000000')
    return Step(
        number=number,
        who=text.who,
        do=text.do,
        at=_duration(number, text.at),
        after=text.after,
        delay=_duration(number, text.delay) or timedelta(0),
        at_latest=_duration(number, text.at_latest),
        signal=text.signal,
        value=text.value,
        floor=text.floor,
        rate=text.rate,
        quality=text.quality,
        by=_signed_duration(number, text.by),
        topic=text.topic,
        payload=text.payload,
        repeat=text.repeat,
        retain=text.retain,
    )


def _duration(number: int, text: str | None) -> timedelta | None:
    if text is None:
        return None
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ScenarioError(f"step {number}: {error}") from error


def _signed_duration(number: int, text: str | None) -> timedelta | None:
    if text is not None and text.startswith("-"):
        duration = _duration(number, text[1:])
        return None if duration is None else -duration
    return _duration(number, text)


def _check_order(steps: tuple[Step, ...]) -> None:
    reached: dict[str, timedelta] = {}
    for step in steps:
        if step.at is None:
            continue
        if step.at < reached.get(step.who, timedelta(0)):
            raise ScenarioError(f"step {step.number}: comes before an earlier step of {step.who}; put them in order")
        reached[step.who] = step.at


class Player:
    """Plays the steps of some devices and assets: `due` hands out each step once, when its time has come."""

    def __init__(self, scenario: Scenario, start_time: datetime, whos: Collection[str]) -> None:
        if start_time.tzinfo is None:
            raise ValueError("start_time has no time zone")
        self._start_time = start_time
        self._waiting: dict[str, deque[Step]] = {}
        for step in scenario.steps:
            if step.who in whos:
                self._waiting.setdefault(step.who, deque()).append(step)
        self._answer_time: dict[int, datetime] = {}

    def listens_to(self) -> set[str]:
        """The actuators whose answers some step waits for."""
        return {step.after.device for steps in self._waiting.values() for step in steps if step.after is not None}

    def answered(self, device: str, action: str, state: AnswerState, now: datetime) -> None:
        """Take an actuator's answer; the first that a step waits for counts."""
        heard = Answered(device=device, action=action, state=state)
        for steps in self._waiting.values():
            if steps and steps[0].after == heard:
                self._answer_time.setdefault(steps[0].number, now)

    def due(self, now: datetime) -> list[Step]:
        """The steps to play now, in the order in which they fell due."""
        played: list[tuple[datetime, int, Step]] = []
        for steps in self._waiting.values():
            while steps:
                due_time = self._due_time(steps[0])
                if due_time is None or due_time > now:
                    break
                step = steps.popleft()
                played.append((due_time, step.number, step))
        return [step for _, _, step in sorted(played, key=lambda entry: entry[:2])]

    def _due_time(self, step: Step) -> datetime | None:
        if step.at is not None:
            return self._start_time + step.at
        candidates = []
        if step.number in self._answer_time:
            candidates.append(self._answer_time[step.number] + step.delay)
        if step.at_latest is not None:
            candidates.append(self._start_time + step.at_latest)
        return min(candidates, default=None)
