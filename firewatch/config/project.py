"""Everything people write for one daemon: settings, sites, kinds of device, rules.

Three passes, each total: syntax (`document`), shape (`shape`), meaning (`inventory`, `rule_check`, `control_room`,
`notifications`, `drills`). A file that fails one pass is left out of the next, the others go on, and all problems come
back together.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsError

from firewatch.config.control_room import one_seat, read_control_room
from firewatch.config.document import Document, read_document
from firewatch.config.drills import Known, read_drills
from firewatch.config.effective_rule import EffectiveRule
from firewatch.config.inventory import read_inventory
from firewatch.config.notification_spec import NOBODY, NotificationFile
from firewatch.config.notifications import read_notifications
from firewatch.config.problem import Place, Problem, ProblemsError, Severity, in_order, summary
from firewatch.config.rule_check import read_rules
from firewatch.config.settings import Settings
from firewatch.config.settings_check import ENV_PREFIX, settings_problems
from firewatch.config.shape import problems_of
from firewatch.model.drill import DrillPlan
from firewatch.model.seat import ONE_SEAT, ControlRoom
from firewatch.model.site import Inventory
from firewatch.rules.spec import RuleSpec

__all__ = ["Place", "Problem", "ProblemsError", "Project", "load_project", "load_settings", "read_project", "summary"]

DEFAULT_SETTINGS = Path("config/firewatch.yaml")
TEST_SUFFIX = ".test.yaml"


Stamp = dict[Path, tuple[int, int, int]]
"""Every file with what changes when it is written or replaced."""

_Read = tuple[Document | None, list[Problem]]
_ROLES = ("sites", "devices", "rules", "control_room", "notifications", "drills")
_NOTHING_READ: Mapping[Path, _Read] = {}


@dataclass(frozen=True)
class Project:
    """What one daemon watches, and the rules it watches by, each as it is for its subjects. `stamp` is of the settings'
    files, taken before they were read.
    """

    inventory: Inventory
    effective: tuple[EffectiveRule, ...]
    stamp: Stamp = field(default_factory=dict, compare=False)
    control_room: ControlRoom = ONE_SEAT
    notifications: NotificationFile = NOBODY
    drills: tuple[DrillPlan, ...] = ()

    @property
    def rules(self) -> tuple[RuleSpec, ...]:
        """The rules as the engine takes them: several may have one id, each for subjects of its own."""
        return tuple(rule.spec for rule in self.effective)


def load_settings(path: Path | None = None) -> Settings:
    """Read the settings: environment variables over the file over the defaults.

    Without `path` the file is config/firewatch.yaml, if there is one.

    Raises:
        ProblemsError: with every problem found.
    """
    document, problems = _settings_document(path)
    if problems:
        raise ProblemsError(problems)
    try:
        settings = _FileThenEnvironment(**_written(document))
    except SettingsError as error:
        raise ProblemsError([Problem(Place("environment"), "", str(error))]) from None
    except ValidationError as error:
        raise ProblemsError(_settings_shape_problems(document, error)) from None
    problems = [*settings_problems(settings, document), *_unknown_variables(os.environ)]
    if problems:
        raise ProblemsError(problems)
    return settings


def load_project(settings: Settings) -> Project:
    """Read sites, kinds and rules.

    Raises:
        ProblemsError: with every problem found; what is only worth a look (lint) raises nothing.
    """
    project, problems = read_project(settings)
    wrong = [problem for problem in problems if problem.severity is Severity.WRONG]
    if wrong:
        raise ProblemsError(wrong)
    return project


def read_project(settings: Settings, more: Iterable[Path] = ()) -> tuple[Project, tuple[Problem, ...]]:
    """Read what can be read, the settings' files and more; the project is whole only if no problem is `wrong`.

    What one of `more` is, rules, kinds, a site and so on, is seen from its keys. A folder with rules elsewhere, such as
    a copy to try changes in, takes the place of the settings' rules.
    """
    stamp = files_stamp(settings)
    extra: dict[str, list[Path]] = {role: [] for role in _ROLES}
    rules_in_force = [settings.rules]
    read: dict[Path, _Read] = {}
    for path in more:
        for file in yaml_files(path):
            read[file] = read_document(file)
            role = _role(read[file][0])
            extra[role].append(file)
            if role == "rules" and path.is_dir() and not path.resolve().is_relative_to(settings.rules.resolve()):
                rules_in_force = []
    inventory, problems = _inventory([settings.sites, *extra["sites"]], [settings.devices, *extra["devices"]], read)
    rule_files, rule_problems = _documents([*rules_in_force, *extra["rules"]], "rules", read)
    rules, wrong = read_rules(rule_files, inventory, inventory_whole=not problems)
    room_files, room_problems = _documents(extra["control_room"] or _named(settings.control_room), "control_room", read)
    room = one_seat(inventory)
    for document in room_files:
        room, found = read_control_room(document, inventory, inventory_whole=not problems)
        room_problems += found
    told, told_problems = _notifications(
        extra["notifications"] or _named(settings.notifications), inventory, read, inventory_whole=not problems
    )
    drill_files, drill_problems = _documents([*_named(settings.drills), *extra["drills"]], "drills", read)
    is_told = bool(extra["notifications"] or settings.notifications) and not told_problems
    are_rules_whole = all(problem.severity is Severity.LINT for problem in (*rule_problems, *wrong))
    specs = [rule.spec for rule in rules] if are_rules_whole else None
    known = None if problems else Known(inventory, specs, told if is_told else None)
    drills, found = read_drills(drill_files, known)
    drill_problems += found
    project = Project(inventory, rules, stamp, room, told, drills)
    return project, in_order([*problems, *rule_problems, *wrong, *room_problems, *told_problems, *drill_problems])


def load_rules(files: Iterable[Path], inventory: Inventory) -> tuple[RuleSpec, ...]:
    """Read rule files for an inventory, as the engine takes them.

    Raises:
        ProblemsError: with every problem found; what is only worth a look (lint) raises nothing.
    """
    return tuple(rule.spec for rule in load_effective_rules(files, inventory))


def load_effective_rules(files: Iterable[Path], inventory: Inventory) -> tuple[EffectiveRule, ...]:
    """Read rule files for an inventory, with the places of what is written.

    Raises:
        ProblemsError: with every problem found; what is only worth a look (lint) raises nothing.
    """
    documents, problems = _documents(files, "rules")
    rules, found = read_rules(documents, inventory, inventory_whole=True)
    wrong = [problem for problem in (*problems, *found) if problem.severity is Severity.WRONG]
    if wrong:
        raise ProblemsError(wrong)
    return rules


def load_notifications(settings: Settings, inventory: Inventory) -> NotificationFile:
    """Read the notifications' file as it is now; without one nobody is notified.

    Raises:
        ProblemsError: with every problem found; what is only worth a look (lint) raises nothing.
    """
    told, problems = _notifications(_named(settings.notifications), inventory, _NOTHING_READ, inventory_whole=True)
    wrong = [problem for problem in problems if problem.severity is Severity.WRONG]
    if wrong:
        raise ProblemsError(wrong)
    return told


def load_drills(settings: Settings, known: Known) -> tuple[DrillPlan, ...]:
    """Read the drill plans as they are now; without files there are none.

    Raises:
        ProblemsError: with every problem found; what is only worth a look (lint) raises nothing.
    """
    documents, problems = _documents(_named(settings.drills), "drills")
    plans, found = read_drills(documents, known)
    wrong = [problem for problem in (*problems, *found) if problem.severity is Severity.WRONG]
    if wrong:
        raise ProblemsError(wrong)
    return plans


def load_inventory(settings: Settings) -> Inventory:
    """Read sites and kinds.

    Raises:
        ProblemsError: with every problem found.
    """
    inventory, problems = _inventory([settings.sites], [settings.devices])
    if problems:
        raise ProblemsError(problems)
    return inventory


def files_stamp(settings: Settings) -> Stamp:
    """The stamp of sites, kinds and rules: another one tells that a file was written, replaced, added or removed."""
    stamp: Stamp = {}
    for path in (settings.rules, settings.sites, settings.devices):
        for file in yaml_files(path):
            found = file_stamp(file)
            if found is not None:
                stamp[file] = found
    return stamp


def file_stamp(path: Path | None) -> tuple[int, int, int] | None:
    """The stamp of one file; None while there is none."""
    if path is None:
        return None
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def yaml_files(path: Path) -> list[Path]:
    """The file itself, or the YAML files of a folder and the folders in it, tests left out."""
    if not path.is_dir():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if file.suffix in (".yaml", ".yml") and not file.name.endswith(TEST_SUFFIX) and file.is_file()
    )


def _inventory(
    sites: Iterable[Path], kinds: Iterable[Path], read: Mapping[Path, _Read] = _NOTHING_READ
) -> tuple[Inventory, list[Problem]]:
    kind_files, problems = _documents(kinds, "devices", read)
    site_files, wrong = _documents(sites, "sites", read)
    inventory, found = read_inventory(kind_files, site_files)
    return inventory, [*problems, *wrong, *found]


def _notifications(
    paths: Iterable[Path], inventory: Inventory, read: Mapping[Path, _Read], *, inventory_whole: bool
) -> tuple[NotificationFile, list[Problem]]:
    documents, problems = _documents(paths, "notifications", read)
    told = NOBODY
    for document in documents:
        told, found = read_notifications(document, inventory, inventory_whole=inventory_whole)
        problems += found
    return told, problems


def _named(path: Path | None) -> list[Path]:
    return [] if path is None else [path]


def _role(document: Document | None) -> str:
    keys = set(document.data) if document is not None and isinstance(document.data, dict) else set()
    if "kinds" in keys:
        return "devices"
    if "seats" in keys:
        return "control_room"
    if "drills" in keys:
        return "drills"
    if keys & {"targets", "plans", "people"}:
        return "notifications"
    return "sites" if keys & {"buildings", "devices", "time_zone"} else "rules"


class _FileThenEnvironment(Settings):
    """Settings whose arguments come from the file, so that the environment wins over them."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings


def _written(document: Document | None) -> dict[str, Any]:
    """What the file sets; a section whose lines are all commented out sets nothing."""
    return {key: value for key, value in document.data.items() if value is not None} if document else {}


def _settings_document(path: Path | None) -> tuple[Document | None, list[Problem]]:
    if path is None and not DEFAULT_SETTINGS.exists():
        return None, []
    document, problems = read_document(path or DEFAULT_SETTINGS)
    if document is not None and not isinstance(document.data, dict):
        return None, [*problems, document.problem((), "expected a mapping of settings")]
    if [problem.what for problem in problems] == ["the file is empty"]:
        return None, []
    return document, problems


def _settings_shape_problems(document: Document | None, error: ValidationError) -> list[Problem]:
    """Problems at their place in the file, or under the name of the environment variable that is wrong."""
    variables = _variables(os.environ)
    in_file: list[ErrorDetails] = []
    problems: list[Problem] = []
    for detail in error.errors(include_url=False):
        loc = tuple(detail["loc"])
        name = next((variables[loc[:end]] for end in range(len(loc), 0, -1) if loc[:end] in variables), None)
        if name is not None:
            what = "there is no such setting" if detail["type"] == "extra_forbidden" else detail["msg"]
            problems.append(Problem(Place("environment"), name, what))
        else:
            in_file.append(detail)
    return problems + (problems_of(document, in_file, Settings) if document else [])


def _variables(environment: Mapping[str, str]) -> dict[tuple[int | str, ...], str]:
    """The environment's settings: their place among the settings, and the variable's name."""
    return {
        tuple(name.removeprefix(ENV_PREFIX).lower().split("__")): name
        for name in environment
        if name.startswith(ENV_PREFIX)
    }


def _unknown_variables(environment: Mapping[str, str]) -> list[Problem]:
    """Variables that look like a setting and are none; others with the prefix belong to somebody else."""
    problems = []
    for loc, name in _variables(environment).items():
        setting = str(loc[0])
        close = difflib.get_close_matches(setting, Settings.model_fields, n=1, cutoff=0.8)
        if setting not in Settings.model_fields and close:
            hint = f'did you mean "{close[0]}"?'
            problems.append(Problem(Place("environment"), name, "there is no such setting", hint))
    return problems


def _documents(
    paths: Iterable[Path], setting: str, read: Mapping[Path, _Read] = _NOTHING_READ
) -> tuple[list[Document], list[Problem]]:
    """The documents of files and folders, taken from those that were `read` already as far as they are there."""
    documents: list[Document] = []
    problems: list[Problem] = []
    files = {file.resolve(): file for path in paths for file in yaml_files(path)}
    for file in files.values():
        if not file.exists():
            hint = f"create it, or correct `{setting}` in the settings"
            problems.append(Problem(Place(file.as_posix()), "", "no such file or folder", hint))
            continue
        document, wrong = read.get(file) or read_document(file)
        problems += wrong
        if document is not None and not isinstance(document.data, dict):
            problems.append(document.problem((), "expected a mapping at the top of the file"))
        elif document is not None:
            documents.append(document)
    return documents, problems
