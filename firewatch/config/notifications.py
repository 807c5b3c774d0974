"""From the notifications' file to what the notifier goes by: every name known, every calendar written out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from firewatch.config.condition_check import window_problems
from firewatch.config.document import Document, Path_
from firewatch.config.names import names_in, unknown_names
from firewatch.config.notification_spec import (
    NotificationFile,
    PersonSpec,
    PlanSpec,
    RoleSpec,
    ShiftSpec,
    TargetSpec,
    TemplatesSpec,
)
from firewatch.config.problem import Place, Problem, Severity, did_you_mean
from firewatch.config.rule_files import Written
from firewatch.config.shape import item_paths, validate_header, validate_items
from firewatch.model.site import Inventory
from firewatch.rules.spec import CalendarSpec

PLACEHOLDERS = (
    *("text", "advice", "place", "site", "class", "priority", "value", "unit"),
    *("onset", "time", "waited", "by", "comment", "activations"),
)
"""What a message's words may hold in braces."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

_LISTS: dict[str, tuple[str, type[BaseModel]]] = {
    "targets": ("target", TargetSpec),
    "people": ("person", PersonSpec),
    "calendars": ("calendar", CalendarSpec),
    "roles": ("role", RoleSpec),
    "plans": ("plan", PlanSpec),
}

_Named = TypeVar("_Named", bound=BaseModel)


def read_notifications(
    document: Document, inventory: Inventory, *, inventory_whole: bool
) -> tuple[NotificationFile, list[Problem]]:
    """What could be understood, and every problem with the rest.

    `inventory_whole` is False where site or kind files have problems themselves: nobody is told then that a plan names
    a building that does not exist.
    """
    reader = _Reader(document, inventory if inventory_whole else None)
    return reader.read(), reader.problems


class _Reader:
    def __init__(self, document: Document, inventory: Inventory | None) -> None:
        self._document = document
        self._names = {} if inventory is None else names_in(inventory)
        self._known = {key: _raw_ids(document, key) for key in _LISTS}
        self._written: dict[str, list[Written[Any]]] = {}
        self.problems: list[Problem] = []

    def read(self) -> NotificationFile:
        header, wrong = validate_header(self._document, NotificationFile, *_LISTS)
        self.problems += wrong
        for key, (noun, model) in _LISTS.items():
            self._read_list(key, noun, model)
        self._check_uses()
        self._check_templates()
        if not self.problems:
            self._check_reach()
        templates = header.templates if header is not None else TemplatesSpec()
        return NotificationFile(
            targets=self._specs("targets", TargetSpec),
            people=self._specs("people", PersonSpec),
            roles=tuple(map(self._with_calendars, self._specs("roles", RoleSpec))),
            plans=self._specs("plans", PlanSpec),
            templates=templates,
        )

    def _specs(self, key: str, model: type[_Named]) -> tuple[_Named, ...]:
        return tuple(each.spec for each in self._written[key] if isinstance(each.spec, model))

    def _read_list(self, key: str, noun: str, model: type[BaseModel]) -> None:
        found, wrong = validate_items(self._document, model, key)
        self.problems += wrong
        self._written[key] = [Written(self._document, path, spec) for path, spec in found]
        places: dict[str, Place] = {}
        for each in self._written[key]:
            place = self._document.place(*each.path, "id")
            first = places.setdefault(each.spec.id, place)
            if first != place:
                what = f'another {noun} is called "{each.spec.id}"'
                self.problems.append(each.problem(("id",), what, "rename one", other=first))

    def _check_uses(self) -> None:
        for person in self._written["people"]:
            self._check_ids(person, ("targets",), "targets", person.spec.targets)
        for calendar in self._written["calendars"]:
            self.problems += window_problems(calendar, (), calendar.spec)
        for role in self._written["roles"]:
            for index, shift in enumerate(role.spec.shifts):
                self._check_shift(role, ("shifts", index), shift)
        for target in self._written["targets"]:
            self.problems += unknown_names(target, ("alarms",), target.spec.alarms, self._names)
        for plan in self._written["plans"]:
            self.problems += unknown_names(plan, ("alarms",), plan.spec.alarms, self._names)
            self._check_steps(plan)

    def _check_shift(self, role: Written[RoleSpec], at: Path_, shift: ShiftSpec) -> None:
        self._check_ids(role, (*at, "people"), "people", shift.people)
        schedule = shift.schedule
        if schedule is None:
            return
        if schedule.calendar is None:
            self.problems += window_problems(role, (*at, "schedule"), schedule)
            return
        if schedule.windows or schedule.except_:
            what = "it names a calendar and has times of its own"
            self.problems.append(role.problem((*at, "schedule"), what, "write one of the two"))
        self._check_id(role, (*at, "schedule"), "calendars", schedule.calendar)

    def _check_steps(self, plan: Written[PlanSpec]) -> None:
        before = None
        for index, step in enumerate(plan.spec.steps):
            at: Path_ = ("steps", index)
            for key in ("targets", "people", "roles"):
                self._check_ids(plan, (*at, key), key, getattr(step, key))
            if before is not None and step.after <= before:
                what = "the step does not come after the one before it"
                self.problems.append(plan.problem((*at, "after"), what, "write the steps in the order of time"))
            before = step.after

    def _check_ids(self, written: Written[Any], at: Path_, key: str, ids: Sequence[str]) -> None:
        for index, name in enumerate(ids):
            self._check_id(written, (*at, index), key, name)

    def _check_id(self, written: Written[Any], at: Path_, key: str, name: str) -> None:
        if name not in self._known[key]:
            what = f'there is no {_LISTS[key][0]} "{name}"'
            self.problems.append(written.problem(at, what, did_you_mean(name, self._known[key])))

    def _check_templates(self) -> None:
        templates = self._document.get("templates")
        for at, text in _texts(templates, ("templates",)):
            for name in _PLACEHOLDER.findall(text):
                if name not in PLACEHOLDERS:
                    hint = did_you_mean(name, PLACEHOLDERS)
                    self.problems.append(self._document.problem(at, f"unknown placeholder {{{name}}}", hint))

    def _check_reach(self) -> None:
        """A target that no plan leads to is told of nothing."""
        steps = [step for plan in self._written["plans"] for step in plan.spec.steps]
        roles = {name for step in steps for name in step.roles}
        people = {name for step in steps for name in step.people}
        for role in self._written["roles"]:
            if role.spec.id in roles:
                people |= {name for shift in role.spec.shifts for name in shift.people}
        targets = {name for step in steps for name in step.targets}
        for person in self._written["people"]:
            if person.spec.id in people:
                targets |= set(person.spec.targets)
        for key, reached in (("targets", targets), ("people", people), ("roles", roles)):
            for each in self._written[key]:
                if each.spec.id not in reached:
                    what, hint = "no plan ever tells it anything", "name it in a plan, or remove it"
                    self.problems.append(each.problem(("id",), what, hint, severity=Severity.LINT))

    def _with_calendars(self, role: RoleSpec) -> RoleSpec:
        return role.model_copy(update={"shifts": tuple(map(self._with_calendar, role.shifts))})

    def _with_calendar(self, shift: ShiftSpec) -> ShiftSpec:
        schedule = shift.schedule
        if schedule is None or schedule.calendar is None:
            return shift
        named = (each.spec for each in self._written["calendars"] if each.spec.id == schedule.calendar)
        calendar = next(named, None)
        if calendar is None:
            return shift
        written_out = schedule.model_copy(update={"windows": calendar.windows, "except_": calendar.except_})
        return shift.model_copy(update={"schedule": written_out})


def _raw_ids(document: Document, key: str) -> set[str]:
    """The ids of a list's items, those of broken items too, so that nobody is told that they do not exist."""
    ids: Iterable[Any] = (document.get(*path, "id") for path in item_paths(document, key))
    return {name for name in ids if isinstance(name, str)}


def _texts(value: Any, at: Path_) -> Iterator[tuple[Path_, str]]:
    """Every text below a value, and where it stands."""
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict):
        for key, below in value.items():
            yield from _texts(below, (*at, key))
