"""Hot reload: what the files say is taken over while the engine runs, if it is right, or else shown and left alone.

Everything long happens in a thread: reading and checking the files as `firewatch check` does, compiling, keeping a copy
for a restart. Only the takeover itself is an input of the engine, between two others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
import structlog
from watchfiles import awatch

from firewatch.app.loop import EngineLoop
from firewatch.app.snapshots import SnapshotKeeper
from firewatch.config.difference import difference
from firewatch.config.problem import Place, Problem, ProblemsError, Severity
from firewatch.config.project import Stamp, files_stamp, read_project
from firewatch.config.settings import Settings
from firewatch.engine.engine import Prepared, prepare
from firewatch.model.reload import (
    ReloadOutcome,
    ReloadTrigger,
    RuleDifference,
    RulesProblem,
    RulesReload,
    RulesState,
)
from firewatch.ports import Clock, History, PartStatus
from firewatch.storage.rule_set import RuleSet, RuleSetFolder
from firewatch.telemetry.events import RuleFilesUnwatched, RulesRefused, RulesTaken, RulesUnchanged
from firewatch.telemetry.telemetry import Telemetry

QUIET = timedelta(milliseconds=400)
"""Files are read once nothing has changed for so long: an editor or a checkout writes them in several steps."""

LOOK_AGAIN = timedelta(seconds=5)
"""How often the files are looked at though nothing was heard of a change: a network drive tells of none."""

LISTED_PROBLEMS = 100
_READINGS = 5
_LONGEST_WAIT = timedelta(seconds=10)

log = structlog.get_logger("firewatch.rules")


class RulesKeeper:
    """Keeps the engine's rules those on disk. Implements `ports.RuleReloader`; one reload at a time."""

    def __init__(
        self,
        settings: Settings,
        running: RuleSet,
        seen: Stamp,
        loop: EngineLoop,
        clock: Clock,
        history: History,
        snapshots: SnapshotKeeper,
        kept: RuleSetFolder,
        telemetry: Telemetry,
    ) -> None:
        self._settings = settings
        self._running = running
        self._loop = loop
        self._clock = clock
        self._history = history
        self._snapshots = snapshots
        self._kept = kept
        self._telemetry = telemetry
        self._since = clock.now()
        self._problems: tuple[RulesProblem, ...] = ()
        self._seen = seen
        self._turn = asyncio.Lock()
        self._signalled = asyncio.Event()

    # What others see.

    async def reload(self, operator: str) -> RulesReload:
        """Go on with what the files say, if it is right; what came of it is in the history when this returns."""
        return await self._reload(ReloadTrigger.OPERATOR, operator)

    def signal(self) -> None:
        """SIGHUP came."""
        self._signalled.set()

    @property
    def running(self) -> RuleSet:
        """The rules that run."""
        return self._running

    def state(self) -> RulesState:
        """Which rules run, and what keeps those on disk from running."""
        count = len({rule.id for rule in self._running.rules})
        return RulesState(self._running.digest, count, self._since, self._problems)

    def status(self) -> PartStatus:
        """Whether the rules on disk are those that run; firewatch is ready either way."""
        if not self._problems:
            return PartStatus(name="rule files", ready=True, detail="the rules on disk are those that run", vital=False)
        more = f" (and {len(self._problems) - 1} more)" if len(self._problems) > 1 else ""
        detail = f"the rules on disk are not the ones running: {self._problems[0].text}{more}"
        return PartStatus(name="rule files", ready=False, detail=detail[:500], vital=False)

    async def run(self) -> None:
        """Reload whenever the files change or SIGHUP comes, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_signal())
            tasks.create_task(self._follow_files())

    # The tasks.

    async def _follow_signal(self) -> None:
        while True:
            await self._signalled.wait()
            self._signalled.clear()
            await self._reload(ReloadTrigger.SIGNAL)

    async def _follow_files(self) -> None:
        await self._reload_if_changed()  # what changed while firewatch started
        told = ""
        while True:
            try:
                async for _ in awatch(
                    *self._folders(),
                    step=QUIET // timedelta(milliseconds=1),
                    debounce=_LONGEST_WAIT // timedelta(milliseconds=1),
                    rust_timeout=LOOK_AGAIN // timedelta(milliseconds=1),
                    yield_on_timeout=True,
                ):
                    told = ""
                    await self._reload_if_changed()
            except (OSError, RuntimeError) as error:
                if str(error) != told:
                    told = str(error)
                    self._telemetry.emit(RuleFilesUnwatched(reason=told))
            await self._reload_if_changed()
            await asyncio.sleep(LOOK_AGAIN.total_seconds())

    def _folders(self) -> list[Path]:
        """Where to look. An editor that replaces a file is seen from the folder only."""
        paths = (self._settings.rules, self._settings.sites, self._settings.devices)
        return sorted({(path if path.is_dir() else path.parent).resolve() for path in paths})

    async def _reload_if_changed(self) -> None:
        if await asyncio.to_thread(files_stamp, self._settings) != self._seen:
            await self._reload(ReloadTrigger.FILES)

    # One reload.

    async def _reload(self, trigger: ReloadTrigger, operator: str = "") -> RulesReload:
        async with self._turn:
            attempt = RulesReload(self._clock.now(), trigger, ReloadOutcome.UNCHANGED, by=_storable(operator))
            try:
                found = await asyncio.to_thread(self._read)
                if found.digest == self._running.digest and (
                    trigger is ReloadTrigger.FILES or not self._loop.failed_rules()
                ):
                    return self._note_unchanged(msgspec.structs.replace(attempt, rules=found.digest))
                attempt = msgspec.structs.replace(attempt, rules=found.digest)
                prepared, written = await asyncio.to_thread(self._made_ready, found)
                taken = await self._loop.take_over(prepared, msgspec.structs.replace(attempt, difference=written))
            except ProblemsError as error:
                return await self._refuse(attempt, error.problems)
            except Exception as error:  # whatever it is, the rules that run go on
                log.exception("The rules on disk could not be taken over.")
                what = f"firewatch could not take them over: {type(error).__name__}: {error}"
                return await self._refuse(attempt, [Problem(Place(self._settings.rules.as_posix()), "", what)])
            self._running, self._since, self._problems = found, taken.time, ()
            self._tell(taken)
            await self._write_snapshot()
            return taken

    def _read(self) -> RuleSet:
        """What the files say; read again where one changed meanwhile."""
        for _ in range(_READINGS):
            self._seen = files_stamp(self._settings)
            project, problems = read_project(self._settings)
            if files_stamp(self._settings) == self._seen:
                break
        wrong = [problem for problem in problems if problem.severity is Severity.WRONG]
        if wrong:
            raise ProblemsError(wrong)
        found = RuleSet(project.rules, project.inventory)
        self._refuse_what_needs_a_restart(found)
        return found

    def _refuse_what_needs_a_restart(self, found: RuleSet) -> None:
        if found.inventory != self._running.inventory:
            what = "sites, devices or their kinds are not those that firewatch was started with"
            hint = "restart firewatch to take them in, with the rules; its alarms and delays go on"
            raise ProblemsError([Problem(Place(self._settings.sites.as_posix()), "", what, hint)])
        if self._running.rules and not found.rules:
            what, hint = "there are no rules any more", "restart firewatch if nothing shall be judged from now on"
            raise ProblemsError([Problem(Place(self._settings.rules.as_posix()), "", what, hint)])

    def _made_ready(self, found: RuleSet) -> tuple[Prepared, str]:
        """The rules compiled, and how they differ from those that run; a copy of them is on disk when this returns."""
        prepared = prepare(found.rules, found.inventory)
        self._kept.keep(found)
        return prepared, _storable(difference(self._running.rules, found.rules))

    def _note_unchanged(self, attempt: RulesReload) -> RulesReload:
        if self._problems or attempt.trigger is not ReloadTrigger.FILES:
            self._telemetry.emit(RulesUnchanged(trigger=attempt.trigger, by=attempt.by))
        self._problems = ()
        return attempt

    async def _refuse(self, attempt: RulesReload, problems: Sequence[Problem]) -> RulesReload:
        self._problems = tuple(map(_written, problems[:LISTED_PROBLEMS]))
        refused = msgspec.structs.replace(attempt, outcome=ReloadOutcome.REFUSED, problems=self._problems)
        self._telemetry.emit(
            RulesRefused(trigger=refused.trigger, by=refused.by, problems=len(problems), first=self._problems[0].text)
        )
        safe = asyncio.Event()
        self._history.write([refused], on_safe=safe.set)
        await safe.wait()
        return refused

    def _tell(self, taken: RulesReload) -> None:
        report = taken.report
        assert report is not None
        self._telemetry.emit(
            RulesTaken(
                trigger=taken.trigger,
                by=taken.by,
                added=len(report.named(RuleDifference.ADDED)),
                changed=len(report.named(RuleDifference.CHANGED)),
                adjusted=len(report.named(RuleDifference.ADJUSTED)),
                removed=len(report.named(RuleDifference.REMOVED)),
                unchanged=report.unchanged,
            )
        )

    async def _write_snapshot(self) -> None:
        try:
            await self._snapshots.write()
        except OSError as error:  # a restart would replay the reload from the history
            log.error("No snapshot could be written after the reload.", error=str(error))


def _written(problem: Problem) -> RulesProblem:
    return RulesProblem(
        file=_storable(problem.file),
        line=problem.line,
        column=problem.column,
        where=_storable(problem.where),
        what=_storable(problem.what),
        hint=_storable(problem.hint),
        text=_storable(str(problem)),
    )


def _storable(text: str) -> str:
    """PostgreSQL's JSON knows no NUL, and nobody knows a lone surrogate."""
    return text.replace("\0", "\\0").encode(errors="backslashreplace").decode()
