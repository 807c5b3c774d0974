"""Rule files as they are written, all of them together: rules with their templates taken in, calendars, overrides."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, create_model

from firewatch.config.document import Document, Path_
from firewatch.config.problem import Place, Problem, did_you_mean
from firewatch.config.shape import item_paths, validate, validate_header, validate_items
from firewatch.rules.spec import CalendarSpec, OverrideSpec, RuleFile, RuleSpec, SpecModel

Spec = TypeVar("Spec", bound=BaseModel)


@dataclass(frozen=True)
class Written(Generic[Spec]):
    """A thing that was understood, and where it stands.

    A rule's `document` holds nothing but the rule; of what was taken from elsewhere it knows the places there.
    """

    document: Document
    path: Path_
    spec: Spec

    def problem(self, at: Path_, what: str, hint: str = "", **more: Any) -> Problem:
        """A problem with what stands at `at` below it."""
        return self.document.problem((*self.path, *at), what, hint, **more)


@dataclass
class RuleFiles:
    """What rule files hold. Known are the ids of what is broken, too, so that nobody is told that it does not exist."""

    rules: list[Written[RuleSpec]] = field(default_factory=list)
    calendars: dict[str, Written[CalendarSpec]] = field(default_factory=dict)
    overrides: list[Written[OverrideSpec]] = field(default_factory=list)
    known_rules: set[str] = field(default_factory=set)
    known_calendars: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)


def _optional(name: str) -> Any:
    info = copy.copy(RuleSpec.model_fields[name])
    info.default = None
    return info.annotation, info


_TEMPLATE_KEYS: Any = {name: _optional(name) for name in RuleSpec.model_fields if name not in ("id", "extends")}

TemplateSpec: type[SpecModel] = create_model(
    "TemplateSpec", __base__=SpecModel, __doc__="Some keys of a rule, for those that extend it.", **_TEMPLATE_KEYS
)
"""What stands under a template's name: any key of a rule but `id` and `extends`."""


def read_rule_files(documents: Sequence[Document]) -> RuleFiles:
    """Everything that could be understood, and every problem with the rest."""
    files = RuleFiles()
    for document in documents:
        header = validate_header(document, RuleFile, "rules", "calendars", "overrides")[1]
        if not header and not {"rules", "templates", "calendars", "overrides"} & set(document.data):
            header = [document.problem((), "the file holds nothing", "write `rules`, or what they share")]
        files.problems += header
        _read_calendars(document, files)
        overrides, wrong = validate_items(document, OverrideSpec, "overrides")
        files.overrides += [Written(document, path, spec) for path, spec in overrides]
        files.problems += wrong
    templates = _Templates(documents, files.problems)
    places: dict[str, Place] = {}
    for document in documents:
        for path in item_paths(document, "rules"):
            _read_rule(document, path, templates, places, files)
    return files


def _read_calendars(document: Document, files: RuleFiles) -> None:
    files.known_calendars |= _ids(document, item_paths(document, "calendars"))
    calendars, wrong = validate_items(document, CalendarSpec, "calendars")
    files.problems += wrong
    for path, spec in calendars:
        written = Written(document, path, spec)
        first = files.calendars.setdefault(spec.id, written)
        if first is not written:
            other = first.document.place(*first.path, "id")
            files.problems.append(
                written.problem(("id",), f'another calendar is called "{spec.id}"', "rename one", other=other)
            )


def _read_rule(
    document: Document, path: Path_, templates: _Templates, places: dict[str, Place], files: RuleFiles
) -> None:
    files.known_rules |= _ids(document, [path])
    whole = templates.taken_in(document.excerpt(path), path)
    if whole is None:
        return
    spec, wrong = validate(whole, RuleSpec, path)
    files.problems += wrong
    if spec is None:
        return
    place = document.place(*path, "id")
    first = places.setdefault(spec.id, place)
    if first != place:
        what = f'another rule is called "{spec.id}"'
        files.problems.append(document.problem((*path, "id"), what, "rename one", other=first))
    files.rules.append(Written(whole, path, spec))


class _Templates:
    """The templates of all files, by name; what is wrong with them and with their use is added to `problems`."""

    def __init__(self, documents: Iterable[Document], problems: list[Problem]) -> None:
        self._sound: dict[str, Document] = {}
        self._places: dict[str, Place] = {}
        self._problems = problems
        for document in documents:
            templates = document.get("templates")
            for name in templates if isinstance(templates, dict) else ():
                self._read(document, name)

    def _read(self, document: Document, name: str) -> None:
        path: Path_ = ("templates", name)
        place = document.key_place(*path)
        if name in self._places:
            what = f'another template is called "{name}"'
            self._problems.append(document.problem(path, what, "rename one", other=self._places[name]))
            return
        self._places[name] = place
        spec, wrong = validate(document, TemplateSpec, path)
        self._problems += wrong
        if spec is not None:
            self._sound[name] = document

    def taken_in(self, rule: Document, path: Path_) -> Document | None:
        """The rule with every key of its template that it does not write itself; None if the template is no help."""
        name = rule.get(*path, "extends")
        if not isinstance(name, str):
            return rule
        source = self._sound.get(name)
        if source is None:
            if name not in self._places:
                hint = did_you_mean(name, self._places)
                self._problems.append(rule.problem((*path, "extends"), f'there is no template "{name}"', hint))
            return None
        for key in source.get("templates", name):
            if key not in rule.get(*path):
                rule = rule.with_value((*path, key), source, ("templates", name, key))
        return rule


def _ids(document: Document, paths: Iterable[Path_]) -> set[str]:
    return {name for path in paths if isinstance(name := document.get(*path, "id"), str)}
