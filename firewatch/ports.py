"""What the app needs from its edges, in terms of the model only. Edges never import each other; they meet here."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from firewatch.alarms.deadline import StageWay
from firewatch.alarms.drill import DrillNews, DrillReport
from firewatch.alarms.incident import Incident
from firewatch.alarms.nuisance import Mark
from firewatch.alarms.workload import Figures, IntervalLoad
from firewatch.model.alarm import Alarm, AlarmTransition, StageReached
from firewatch.model.command import ActuatorAnswer, ActuatorCommand, CommandState, OperatorCommand, command_state
from firewatch.model.control_room import Drill, DutyCheck, DutyQuestion, EntryKind, LogEntry
from firewatch.model.delivery import Delivery, DeliveryState
from firewatch.model.drill import DrillPlan
from firewatch.model.effect import Annunciate
from firewatch.model.observation import Observation
from firewatch.model.reload import RulesReload, RulesState
from firewatch.model.seat import ControlRoom


class Clock(Protocol):
    """The time. One implementation reads it (`app/clock.py`), one is moved by tests (`testing/`)."""

    def now(self) -> datetime:
        """The present, aware, in UTC, never earlier than an answer before."""
        ...


class Picture(msgspec.Struct, frozen=True):
    """A camera's frame kept as evidence: `jpeg` bytes, named by what took it and when."""

    picture_id: str
    device: str
    taken_time: datetime
    jpeg: bytes


class Rejection(msgspec.Struct, frozen=True):
    """Input that could not be used. `payload` is its beginning, as text; `reason` is one of `mqtt.rejection`'s."""

    receive_time: datetime
    source: str
    reason: str
    detail: str
    payload: str


class EngineInput(msgspec.Struct, frozen=True):
    """One thing the engine took, with its place in the order (`ordinal`) and the engine's time then (`now`).
    Replaying inputs by ordinal gives the same state again. `rules` names the rule set that was taken over; such an
    input is written as a `RulesReload` and read as this.
    """

    ordinal: int
    now: datetime
    observation: Observation | None = None
    command: OperatorCommand | None = None
    rules: str | None = None


class Listening(msgspec.Struct, frozen=True):
    """firewatch began to listen: it was started, for the first time or after it was down. Silence counts from `now`,
    the engine's time; a replay has to know. Before, it had heard until `heard_until`; None at the very first start.
    """

    now: datetime
    heard_until: datetime | None = None


Record = (
    EngineInput
    | AlarmTransition
    | ActuatorCommand
    | ActuatorAnswer
    | Picture
    | Rejection
    | Listening
    | RulesReload
    | StageReached
    | LogEntry
    | DutyCheck
    | Delivery
    | Drill
)
"""Everything the history keeps."""


class History(Protocol):
    """Where records become safe. Writing never blocks the caller and never loses what it accepted."""

    def write(self, records: Sequence[Record], on_safe: Callable[[], None] | None = None) -> None:
        """Take records for writing, in order; `on_safe` is called in the event loop once all are on disk."""
        ...

    def outlive(self) -> None:
        """Wait, for a few milliseconds at the most, until what was taken survives kill -9 of this process."""
        ...

    def room(self) -> bool:
        """False while so much is waiting that telemetry should be left with the broker for now."""
        ...

    async def flush(self) -> None:
        """Return when everything taken so far is safe."""
        ...


class AlarmFilter(msgspec.Struct, frozen=True):
    """Which alarms to read; None means any, but for those of shadow rules. `before` pages: only alarms whose
    (onset, id) come before it.
    """

    site: str | None = None
    standing: bool | None = None
    hidden: bool | None = None
    rule: str | None = None
    subject: str | None = None
    incident: str | None = None
    before: tuple[datetime, str] | None = None
    limit: int = 100


class StoredObservation(msgspec.Struct, frozen=True):
    """An observation as history gives it back."""

    signal: str
    value: float | bool | str | None
    quality: str
    source_time: datetime
    receive_time: datetime


class CommandRecord(msgspec.Struct, frozen=True):
    """A command, the last answer to it (None while there is none), how far it is, and when a second signal showed that
    it was carried out. `attempts` is how often it was asked since the start, as its actuator answered and nothing
    showed it; the history does not keep it.
    """

    command: ActuatorCommand
    answer: ActuatorAnswer | None
    state: CommandState
    proven_time: datetime | None = None
    attempts: int = 1

    @classmethod
    def of(
        cls,
        command: ActuatorCommand,
        answer: ActuatorAnswer | None = None,
        proven_time: datetime | None = None,
        attempts: int = 1,
    ) -> CommandRecord:
        """The record of a command with what is known of it."""
        return cls(command, answer, command_state(answer, proven_time), proven_time, attempts)


class HistoryReader(Protocol):
    """What screens and recovery read."""

    async def alarms(self, wanted: AlarmFilter) -> list[Alarm]:
        """Alarms as they stand now, newest onset first."""
        ...

    async def transitions(self, alarm_id: str, *, newest: int | None = None) -> list[AlarmTransition]:
        """The changes of one alarm, all or the newest, first to last; empty if there is no such alarm."""
        ...

    async def observations(self, signal: str, start: datetime, end: datetime, limit: int) -> list[StoredObservation]:
        """The newest `limit` observations with start <= source_time < end, oldest first."""
        ...

    async def commands(
        self, *, cause: str | None = None, drill: str | None = None, unanswered: bool = False, limit: int = 100
    ) -> list[CommandRecord]:
        """Commands, newest first: those of one alarm or session, of one drill, or those without a final answer."""
        ...

    async def newest_commands(self) -> list[CommandRecord]:
        """The newest command of every device but those of drills, with the last answer to it, by device."""
        ...

    async def picture(self, picture_id: str) -> Picture | None:
        """A kept picture."""
        ...

    async def reloads(self, *, before: datetime | None = None, limit: int = 100) -> list[RulesReload]:
        """Attempts to go on with other rules, newest first: the last ones, or those before a time."""
        ...

    async def stages(self, alarm_ids: Sequence[str]) -> list[StageReached]:
        """The later stages that some alarms reached, first to last."""
        ...

    def transitions_between(self, start: datetime, end: datetime) -> AsyncIterator[AlarmTransition]:
        """What happened to alarms in start <= time < end, in the order of time; of shadow rules too."""
        ...

    async def condition_changes(self, alarm_ids: Sequence[str], limit: int) -> list[AlarmTransition]:
        """The newest changes, at most so many each, by which the conditions of some alarms became active or inactive,
        in the order of time.
        """
        ...

    async def stage_ways(self, alarm_ids: Sequence[str]) -> list[StageWay]:
        """What the later stages of some alarms wait for, or waited for."""
        ...

    async def standing_at(self, time: datetime) -> list[AlarmTransition]:
        """The last change before a time of every alarm that stood then, in the order of time."""
        ...

    async def log_entries(
        self,
        start: datetime,
        end: datetime,
        *,
        seat: str | None = None,
        kinds: Sequence[EntryKind] | None = None,
        limit: int = 1000,
    ) -> list[LogEntry]:
        """Entries of the log with start <= time < end, newest first: a seat's and those of all seats, of some kinds."""
        ...

    async def log_entry(self, entry_id: str) -> LogEntry | None:
        """One entry of the log."""
        ...

    async def duty_checks(
        self, *, before: datetime | None = None, seat: str | None = None, unended: bool = False, limit: int = 100
    ) -> list[DutyCheck]:
        """Duty checks, newest first, of all seats or one; `unended`: those that are open."""
        ...

    async def deliveries(
        self,
        *,
        alarm_id: str | None = None,
        target: str | None = None,
        state: DeliveryState | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> list[Delivery]:
        """Deliveries as they stand, newest first: of one alarm, for one target, in one state, before a (time, id)."""
        ...

    async def delivery(self, delivery_id: str) -> Delivery | None:
        """One delivery as it stands; None if there is none."""
        ...

    async def called(self, alarm_ids: Sequence[str]) -> list[Delivery]:
        """What called for somebody about some alarms and was not withdrawn, oldest first."""
        ...

    async def drills(self, *, before: datetime | None = None, limit: int = 100) -> list[Drill]:
        """Drills, newest first."""
        ...

    async def drill(self, drill_id: str) -> Drill | None:
        """One drill; None if there is none."""
        ...

    def inputs_after(self, ordinal: int) -> AsyncIterator[EngineInput]:
        """What the engine took after that ordinal, in order: what a restart has to replay."""
        ...

    async def last_ordinal(self) -> int:
        """The highest ordinal stored, 0 if there is none."""
        ...

    async def last_word(self) -> datetime | None:
        """When the last input was taken or the last change of an alarm recorded; None in an empty history."""
        ...


class CommandSink(Protocol):
    """How an edge hands an operator's command to the engine."""

    async def submit(self, command: OperatorCommand) -> tuple[Alarm, ...]:
        """Carry it out; returns the alarms that it is about, after it, once it is in the history or its journal.

        An alarm that is over by it is returned in state normal. A command to an actuator is about no alarm.

        Raises:
            RefusedCommandError: it does not fit the alarm's state; nothing was changed.
        """
        ...


class ControlRoomDesk(Protocol):
    """How an edge writes into the log of the control room, asks whether anybody is at a seat, and answers."""

    @property
    def room(self) -> ControlRoom:
        """The seats there are."""
        ...

    async def note(self, entry: LogEntry) -> LogEntry:
        """Keep an entry; it is in the history or its journal when this returns."""
        ...

    def open_checks(self) -> list[DutyCheck]:
        """The duty checks that nobody has answered yet, oldest first; at most one for a seat."""
        ...

    def put(self, question: DutyQuestion) -> DutyCheck:
        """Ask a seat whether anybody is there, in place of what it was asked before; asked twice, it is one check.

        Raises:
            RefusedCommandError: there is no such seat, or it was asked something else less than a second ago.
        """
        ...

    async def ask(self, question: DutyQuestion) -> DutyCheck:
        """Ask as `put` does; the check is in the history or its journal when this returns.

        Raises:
            RefusedCommandError: as above.
        """
        ...

    async def answer(self, name: str, operator: str) -> DutyCheck:
        """Somebody is there, to the check of that id; the answer is in the history or its journal when this returns.

        Raises:
            RefusedCommandError: the check is not open any more, or was never asked.
        """
        ...


class RuleReloader(Protocol):
    """How an edge asks for the rules on disk, and learns whether they are those that run."""

    async def reload(self, operator: str) -> RulesReload:
        """Go on with what the files say, if it is right; what came of it is in the history when this returns."""
        ...

    def state(self) -> RulesState:
        """Which rules run, and what keeps those on disk from running."""
        ...


class BacktestPhase(enum.StrEnum):
    """How far a backtest is. `failed` ones say why; `cancelled` ones were given up by whoever asked for them."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class BacktestWish(msgspec.Struct, frozen=True):
    """The rules on disk, shadow ones as if they were live, on the history from `start` to before `end`, compared with
    what people were really told (`recorded`) or with what the running rules would have told them (`live`).
    """

    start: datetime
    end: datetime
    against: Literal["recorded", "live"]
    operator: str


class BacktestState(msgspec.Struct, frozen=True):
    """A backtest that was asked for. `progress` is the share that is done, `result` what `firewatch backtest` answers
    as JSON, null until it is done.
    """

    backtest_id: str
    asked_time: datetime
    wish: BacktestWish
    phase: BacktestPhase = BacktestPhase.RUNNING
    progress: float = 0.0
    error: str = ""
    result: msgspec.Raw | None = None


class Backtests(Protocol):
    """How an edge asks what rules would have said. One goes on at a time, beside the engine; the last few are kept."""

    def start(self, wish: BacktestWish) -> BacktestState:
        """Begin one.

        Raises:
            BusyError: another one goes on.
        """
        ...

    def cancel(self, backtest_id: str) -> None:
        """Give it up, if it still goes on."""
        ...

    def all(self) -> list[BacktestState]:
        """Those that are kept, newest first."""
        ...


class NotificationTarget(msgspec.Struct, frozen=True):
    """How a target is: `ready` unless its last attempt failed, `failures` of them in a row, the last with `error`.
    `waiting` messages are for it, those planned for later included; `delivered` and `dead` count since the start.
    """

    target: str
    kind: str
    ready: bool
    waiting: int
    delivered: int
    dead: int
    failures: int
    error: str
    last_delivered_time: datetime | None
    next_attempt_time: datetime | None


class Notifications(Protocol):
    """How an edge asks about messages to people and systems outside, and has them sent."""

    def targets(self) -> list[NotificationTarget]:
        """Every target, by id."""
        ...

    async def test(self, target: str, operator: str) -> Delivery | None:
        """Send a test to a target, once and at once; returns what came of it, None if there is no such target."""
        ...

    async def send_again(self, delivery_id: str, operator: str) -> Delivery | None:
        """Have a dead delivery sent again; returns it as it waits now, None if there is no such delivery.

        Raises:
            RefusedCommandError: it is not dead, or its target is not in the notifications' file any more.
            StorageError: the history cannot be read.
        """
        ...


class AlertFeed(Protocol):
    """What is published of alarms for other systems: messages of the Common Alerting Protocol, and their index."""

    async def index(self, standing: Sequence[Alarm]) -> bytes:
        """An Atom feed of the messages that hold of these alarms, and of those that ended lately."""
        ...

    async def alert(self, identifier: str) -> bytes | None:
        """One message as XML; None if there never was one.

        Raises:
            StorageError: it is an old one, and the history cannot be read at present.
        """
        ...


class Workloads(Protocol):
    """How an edge learns what work its alarms make each seat of the control room."""

    @property
    def room(self) -> ControlRoom:
        """The seats there are."""
        ...

    def figures(self, seat: str) -> Figures | None:
        """The workload of one of the seats in the last 24 h; None while that is still read back from the history."""
        ...

    def intervals(self, seat: str) -> tuple[IntervalLoad, ...]:
        """What came in each 10 min of those 24 h, quiet ones left out."""
        ...


class Drills(Protocol):
    """How an edge has drills run. One goes on at a time."""

    def plans(self) -> list[DrillPlan]:
        """What can be run, by id."""
        ...

    def present(self) -> DrillNews | None:
        """The drill that goes on, with its alarms that stand."""
        ...

    def present_report(self, drill_id: str) -> DrillReport | None:
        """What the drill that goes on has shown so far; None if it is another one, or none."""
        ...

    async def start(self, plan: str, operator: str) -> Drill:
        """Begin one; it is in the history or its journal when this returns.

        Raises:
            RefusedCommandError: another one goes on, a real alarm calls for somebody, or the plan is not what it was
                and wrong now.
        """
        ...

    async def stop(self, drill_id: str, operator: str) -> Drill:
        """End one; what came of it is in the history or its journal when this returns.

        Raises:
            RefusedCommandError: it does not go on.
        """
        ...


class Publisher(Protocol):
    """How messages leave over MQTT. Publishing never blocks; what cannot be sent now is sent after reconnecting."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, replaces: str | None = None) -> None:
        """Hand over a message at QoS 1. While it waits for the broker, a later one that `replaces` the same key takes
        its place. Give all messages of a retained topic the same key, or none.
        """
        ...

    def withdraw(self, key: str) -> None:
        """Do not send the message handed over as one that `replaces` this key, if it still waits for the broker."""
        ...


class PartStatus(msgspec.Struct, frozen=True):
    """How one part of the daemon is: `ready`, and a sentence about it. Without a `vital` part the daemon as a whole
    cannot do its work; one camera is not vital to the others.
    """

    name: str
    ready: bool
    detail: str
    vital: bool = True


FeedEvent = Annunciate | Alarm | Observation | CommandRecord | Rejection | DutyCheck | DrillNews
"""Everything the live feed is told; the parts of the daemon travel with its heartbeat. An alarm that calls for people
comes as its annunciation, and any other change of one, those grouped in an incident as well, as the alarm.
"""


class LiveView(Protocol):
    """What is true at this moment, read from memory."""

    def alarms(self) -> list[Alarm]:
        """Every alarm that stands: not back to normal, or shelved, or out of service."""
        ...

    def incidents(self) -> list[Incident]:
        """Every incident of which an alarm stands, the one with the newest onset last."""
        ...

    def marks(self, alarms: Sequence[Alarm]) -> dict[str, tuple[Mark, ...]]:
        """Which of some alarms wear people out, by id."""
        ...

    def last(self, signal: str) -> Observation | None:
        """The newest observation of a signal, None if it was never heard."""
        ...

    def rejections(self) -> list[Rejection]:
        """The last inputs that could not be used, newest first."""
        ...

    def rejection_counts(self) -> dict[str, int]:
        """How many inputs were refused since the start, by reason."""
        ...

    def parts(self) -> list[PartStatus]:
        """Broker, database, engine, cameras and whatever else the daemon is made of."""
        ...

    def frame(self, device: str) -> bytes | None:
        """The newest picture (JPEG) of a camera `site/device`; None while there is none."""
        ...

    def picture(self, picture_id: str) -> Picture | None:
        """A picture taken a moment ago, which may not be in the history yet; None once it is older."""
        ...


class Feed(Protocol):
    """Where the app pushes what has just happened; a slow reader never holds it up."""

    def push(self, event: FeedEvent) -> None:
        """Hand one event to every connected screen."""
        ...
