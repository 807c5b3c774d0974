"""What the API answers and the feed says, as values; `openapi.py` describes them from here.

Alarms, commands, parts and rejections travel as the model has them. Devices are described without their topic,
decoder and stream address: the last may carry a camera's password.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from firewatch.alarms.deadline import Measured
from firewatch.alarms.drill import DrillNews, DrillReport
from firewatch.alarms.nuisance import Mark
from firewatch.alarms.target import Judgement
from firewatch.alarms.workload import Figures, IntervalLoad
from firewatch.engine.failure import RuleFailure
from firewatch.model.alarm import Alarm, AlarmClass, AlarmTransition, ConditionState, Priority
from firewatch.model.control_room import Drill, DutyCheck, LogEntry
from firewatch.model.drill import DrillPlan
from firewatch.model.observation import Observation
from firewatch.model.reload import RulesReload
from firewatch.model.seat import Seat, Turn
from firewatch.model.site import Asset, Building
from firewatch.model.text import LocalText
from firewatch.ports import BacktestState, CommandRecord, PartStatus, Rejection, StoredObservation
from firewatch.rules.evaluator import Phase
from firewatch.rules.spec import Mode


class Error(msgspec.Struct, frozen=True):
    """What is wrong, and the way out."""

    what: str
    hint: str


class ErrorAnswer(msgspec.Struct, frozen=True):
    """The answer to every request that was not carried out."""

    error: Error


class AlarmPage(msgspec.Struct, frozen=True):
    """Alarms, newest onset first. `next` is the `before` of the following page, null on the last. `marks` says, by id,
    which of them wear people out: chattering, fleeting, stale.
    """

    alarms: list[Alarm]
    next: str | None
    marks: dict[str, tuple[Mark, ...]]


class IncidentView(msgspec.Struct, frozen=True):
    """An event of which an alarm stands. `first_out` is the alarm that began it, whether it stands or not, and
    `incident` its id.

    `count` is how many alarms joined so far; the other counts, the most urgent `priority` and `alarm_class`, and where
    it is are of those that stand. `unacknowledged` ones call for somebody; `hidden` ones nobody is told of.
    """

    incident: str
    site: str
    first_out: Alarm
    count: int
    standing: int
    unacknowledged: int
    hidden: int
    priority: Priority
    alarm_class: AlarmClass
    begun_time: datetime
    last_onset_time: datetime
    buildings: tuple[str, ...]
    systems: tuple[str, ...]


class IncidentList(msgspec.Struct, frozen=True):
    """The incidents of which an alarm stands, newest onset first."""

    incidents: list[IncidentView]


class IncidentPage(msgspec.Struct, frozen=True):
    """An incident, null when it is over, and its alarms: paged and marked as in an `AlarmPage`. The alarm with the
    `incident_number` 1 is the first-out.
    """

    incident: IncidentView | None
    alarms: list[Alarm]
    next: str | None
    marks: dict[str, tuple[Mark, ...]]


class AlarmList(msgspec.Struct, frozen=True):
    """The alarms that a request was about, as they stand after it."""

    alarms: list[Alarm]


class TransitionList(msgspec.Struct, frozen=True):
    """The changes of one alarm, first to last; of a long story the end."""

    transitions: list[AlarmTransition]


class LastReading(msgspec.Struct, frozen=True):
    """The newest reading of a signal."""

    value: float | bool | str | None
    quality: str
    source_time: datetime
    receive_time: datetime


class SignalView(msgspec.Struct, frozen=True):
    """A signal of a device. `last` is null when it was never heard: its state is unknown, not normal."""

    signal: str
    name: str
    label: LocalText
    type: str
    unit: str
    supervisory: bool
    last: LastReading | None


class DeviceView(msgspec.Struct, frozen=True):
    """A device, where it stands and what it last said. `online` is null while nothing is known of it."""

    site: str
    device: str
    kind: str
    kind_label: LocalText
    label: LocalText
    system: str
    building: str
    asset: str | None
    tags: tuple[str, ...]
    camera: bool
    actions: tuple[str, ...]
    online: bool | None
    signals: list[SignalView]


class DeviceList(msgspec.Struct, frozen=True):
    """The inventory with its last values."""

    devices: list[DeviceView]


class ObservationList(msgspec.Struct, frozen=True):
    """The newest observations of a signal within the range, oldest first."""

    signal: str
    observations: list[StoredObservation]


class CommandList(msgspec.Struct, frozen=True):
    """Commands with their last answers, newest first."""

    commands: list[CommandRecord]


class ReloadList(msgspec.Struct, frozen=True):
    """Reloads of the rules, newest first."""

    reloads: list[RulesReload]


class InputView(msgspec.Struct, frozen=True):
    """A signal that a rule listens to, with its newest reading; `last` is null when it was never heard."""

    signal: str
    device: LocalText
    label: LocalText
    type: str
    unit: str
    last: LastReading | None


class FindingView(msgspec.Struct, frozen=True):
    """How one condition of a rule stands. `text` says what it asks for, `note` what is known of it so far.

    `signals` are those it reads itself, without those of its `parts`. `onset_time` is since when it holds or is about
    to, `due` when time alone will change it. `facts` are its numbers by name: durations in seconds, times as text.
    """

    kind: str
    condition: ConditionState
    text: LocalText
    note: LocalText | None
    signals: tuple[str, ...]
    onset_time: datetime | None
    due: datetime | None
    facts: dict[str, float | bool | str]
    parts: list[FindingView]


class StepView(msgspec.Struct, frozen=True):
    """One step of a rule's ladder; a rule without a ladder has one. `decides` is set on the step that gives the alarm
    its priority. `finding` is null where the subject has none of the step's signals.
    """

    priority: Priority
    decides: bool
    finding: FindingView | None


class ExplanationView(msgspec.Struct, frozen=True):
    """Why a rule alarms for a subject, or why it does not. `verdict` says it in plain sentences.

    `steps` go from mild to severe; `inputs` are all signals the rule listens to here. `alarm` is the one that stands,
    with what hides it, `suppressor` the alarm that suppresses it. `failure` is set while the rule is out of service.
    `is_carried` says that the alarm waits for the word of a rule that was changed. `engaged` is the phase for which
    actuators were asked for something that is not yet undone, `next_repetition` when they are asked again, `next_wake`
    when time alone may change something.
    """

    now: datetime
    rule: str
    subject: str
    place: LocalText
    text: LocalText
    alarm_class: AlarmClass
    mode: Mode
    verdict: LocalText
    steps: list[StepView]
    inputs: list[InputView]
    alarm: Alarm | None
    suppressor: Alarm | None
    failure: RuleFailure | None
    is_carried: bool
    engaged: Phase | None
    next_repetition: datetime | None
    next_wake: datetime | None


class AlarmExplanation(msgspec.Struct, frozen=True):
    """Why an alarm stands, or what became of it. `explanation` is how its rule stands now, null if there is none."""

    alarm: Alarm
    verdict: LocalText
    explanation: ExplanationView | None


class ExplanationList(msgspec.Struct, frozen=True):
    """Every rule that listens to a device or speaks about it, in the order of the rules."""

    explanations: list[ExplanationView]


class ShadowRule(msgspec.Struct, frozen=True):
    """A rule that is tried beside the others. `count` is how often it would have told people since the start."""

    rule: str
    count: int


class ShadowList(msgspec.Struct, frozen=True):
    """The shadow rules, and what would stand now if they were live, newest onset first."""

    rules: list[ShadowRule]
    alarms: list[Alarm]


class FailureList(msgspec.Struct, frozen=True):
    """The rules that failed at run time and judge nothing until a reload, in the order they failed."""

    failures: list[RuleFailure]


class BacktestList(msgspec.Struct, frozen=True):
    """The backtests asked for since the start, newest first, without their results."""

    backtests: list[BacktestState]


class WorkloadView(msgspec.Struct, frozen=True):
    """The work that alarms made a seat in the last 24 h; `figures` is null for a moment after a start, while they are
    counted anew from the history. `intervals` are the 10 min in which something was told, first to last. `judgements`
    say what ISA-18.2 and EEMUA 191 want of the figures.
    """

    seat: str
    label: LocalText
    figures: Figures | None
    intervals: tuple[IntervalLoad, ...]
    judgements: tuple[Judgement, ...]


class AlarmDeadlines(msgspec.Struct, frozen=True):
    """The ways of an alarm, one for each time that people were told of an onset of its record; none if they never were,
    because it was hidden then.
    """

    alarm_id: str
    measured: list[Measured]


class DeadlineList(msgspec.Struct, frozen=True):
    """Of the `alarms` that people were told of from `start` to before `end`, those that were `late`, newest first and
    the first 500 of them, in `measured`. `not_yet` are neither late nor where they have to come.
    """

    start: datetime
    end: datetime
    alarms: int
    late: int
    not_yet: int
    measured: list[Measured]


class SiteView(msgspec.Struct, frozen=True):
    """A compound in its administrative ladder, with its buildings and assets."""

    id: str
    label: LocalText
    district: LocalText
    street: LocalText
    community: LocalText
    time_zone: str
    buildings: tuple[Building, ...]
    assets: tuple[Asset, ...]


class SiteList(msgspec.Struct, frozen=True):
    """All compounds this daemon watches."""

    sites: list[SiteView]


class ClassCount(msgspec.Struct, frozen=True):
    """How many alarms of a class stand and are told of, how many of those nobody has acknowledged, and how many more
    are hidden: shelved, suppressed by design, or out of service.
    """

    standing: int
    unacknowledged: int
    hidden: int


class DeviceCount(msgspec.Struct, frozen=True):
    """Devices by what is known of them."""

    online: int
    offline: int
    unknown: int


class Status(msgspec.Struct, frozen=True):
    """How the daemon is. `alarms` has one entry for each class, `screens` counts connected live feeds."""

    now: datetime
    ready: bool
    parts: list[PartStatus]
    alarms: dict[str, ClassCount]
    devices: DeviceCount
    rejection_counts: dict[str, int]
    rejections: list[Rejection]
    screens: int


class SeatView(msgspec.Struct, frozen=True):
    """A seat of the control room. `turn` is the turn of duty that goes on, null between shifts."""

    seat: Seat
    turn: Turn | None


class SeatList(msgspec.Struct, frozen=True):
    """All seats."""

    seats: list[SeatView]


class LogEntryList(msgspec.Struct, frozen=True):
    """Entries of the log, newest first."""

    entries: list[LogEntry]


class DutyFigures(msgspec.Struct, frozen=True):
    """How duty checks ended, and how long it took to answer those that were answered; null where none was."""

    answered: int
    missed: int
    replaced: int
    median_answer_seconds: float | None
    longest_answer_seconds: float | None


class DutyCheckList(msgspec.Struct, frozen=True):
    """Duty checks, newest first, and the figures of these."""

    duty_checks: list[DutyCheck]
    figures: DutyFigures


class Readiness(msgspec.Struct, frozen=True):
    """Whether every part is ready; `waiting_for` lists those that are not."""

    ready: bool
    waiting_for: list[PartStatus]


class DrillPlanList(msgspec.Struct, frozen=True):
    """What can be run, by id."""

    plans: list[DrillPlan]


class DrillList(msgspec.Struct, frozen=True):
    """Drills, newest first, without their reports."""

    drills: list[Drill]


class DrillView(msgspec.Struct, frozen=True):
    """A drill and its report: as it stands while it goes on, and as it ended. `passed` is early until then."""

    drill: Drill
    report: DrillReport | None


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot"):
    """Everything a screen shows, sent first and after a resynchronisation: replace what you have by it."""

    now: datetime
    sites: list[SiteView]
    devices: list[DeviceView]
    alarms: list[Alarm]
    commands: list[CommandRecord]
    duty_checks: list[DutyCheck]
    drill: DrillNews | None
    parts: list[PartStatus]
    rejections: list[Rejection]
    rejection_counts: dict[str, int]


class Resynchronise(msgspec.Struct, frozen=True, tag="resynchronise"):
    """The reader was too slow and `missed` messages were dropped for it; a snapshot follows."""

    missed: int


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat"):
    """Sent every two seconds. A reader that hears nothing for three of these has lost the connection."""

    now: datetime
    parts: list[PartStatus]
    rejection_counts: dict[str, int]


class AlarmEvent(msgspec.Struct, frozen=True, tag="alarm"):
    """An alarm as it stands now; one in state `normal` that is not hidden has left the list."""

    alarm: Alarm


class AlarmsEvent(msgspec.Struct, frozen=True, tag="alarms"):
    """Several alarms as they stand now, that changed within a moment; none of them calls for people by itself."""

    alarms: list[Alarm]


class ObservationEvent(msgspec.Struct, frozen=True, tag="observation"):
    """The newest observation of each signal heard since the last such message."""

    observations: list[Observation]


class CommandEvent(msgspec.Struct, frozen=True, tag="command"):
    """A command was sent or answered."""

    command: CommandRecord


class DutyCheckEvent(msgspec.Struct, frozen=True, tag="duty_check"):
    """A seat was asked whether anybody is there, or that ended. Sound while it is open, at that seat."""

    duty_check: DutyCheck


class DrillEvent(msgspec.Struct, frozen=True, tag="drill"):
    """A drill began, went on with these of its alarms as they stand now, or ended. They are no alarms."""

    drill: DrillNews


class RejectionEvent(msgspec.Struct, frozen=True, tag="rejection"):
    """An input could not be used. Of many in a short time only the first are sent; all are in the next counts."""

    rejection: Rejection


FeedMessage = (
    Snapshot
    | Resynchronise
    | Heartbeat
    | AlarmEvent
    | AlarmsEvent
    | ObservationEvent
    | CommandEvent
    | DutyCheckEvent
    | DrillEvent
    | RejectionEvent
)
"""What travels on the WebSocket, told apart by `type`."""
