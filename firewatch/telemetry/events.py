"""Every occurrence firewatch tells about itself, edge by edge.

Levels: WARNING means firewatch recovered and nothing was lost; ERROR means something was lost or a person has to act.
Metric names are `firewatch_<noun>_<unit>_total` for counters. Labels take few values: a device or a rule, never an
alarm or a command.
"""

from __future__ import annotations

from typing import ClassVar

from firewatch.telemetry.occurrence import Count, Level, LogLevel, Metric, Occurrence, Spread

# ---------------------------------------------------------------- the broker


class MessagesReceived(Occurrence, frozen=True):
    """Messages read from the broker in one go."""

    count: int
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_mqtt_received_messages_total", "MQTT messages received.", amount="count"),
    )


class MessagesRepeated(Occurrence, frozen=True):
    """The broker sent again, on the same connection, what waits for its acknowledgement; it was left out."""

    count: int
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_mqtt_repeated_messages_total", "MQTT messages that were in work already.", amount="count"),
    )


class PayloadRejected(Occurrence, frozen=True):
    """Input that could not be used, or only with reserve; `RejectionLog` writes the line, at a bounded rate."""

    reason: str
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_rejected_payloads_total", "Inputs that could not be used, by reason.", ("reason",)),
    )


class RejectionsSeen(Occurrence, frozen=True):
    """The log line of one rejection; `unlogged` others for the same reason came since the last line."""

    reason: str
    source: str
    detail: str
    payload: str
    unlogged: int
    sentence: ClassVar[str] = "An input could not be used as it came"
    level: ClassVar[LogLevel] = LogLevel.WARNING


class BrokerConnected(Occurrence, frozen=True):
    """The broker accepted the connection; `session_kept` says whether it still had what was published meanwhile."""

    address: str
    session_kept: bool
    sentence: ClassVar[str] = "Connected to the MQTT broker"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_broker_connections_total", "Connections to the MQTT broker that were accepted."),
        Level("firewatch_broker_connected", "1 while connected to the MQTT broker.", 1.0),
    )


class BrokerDisconnected(Occurrence, frozen=True):
    """The connection ended without firewatch wanting it; it is being made again."""

    address: str
    reason: str
    sentence: ClassVar[str] = "Lost the MQTT broker; connecting again"
    level: ClassVar[LogLevel] = LogLevel.WARNING
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_broker_disconnections_total", "Connections to the MQTT broker that were lost."),
        Level("firewatch_broker_connected", "1 while connected to the MQTT broker.", 0.0),
    )


class BrokerUnreachable(Occurrence, frozen=True):
    """An attempt to connect failed; the next one comes after `retry_seconds`."""

    address: str
    reason: str
    retry_seconds: float
    sentence: ClassVar[str] = "Cannot reach the MQTT broker; look at mqtt.url in the settings"
    level: ClassVar[LogLevel] = LogLevel.WARNING
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_broker_failed_connections_total", "Attempts to connect to the MQTT broker that failed."),
    )


class BrokerIdentified(Occurrence, frozen=True):
    """The broker told which one it is."""

    version: str
    sentence: ClassVar[str] = "The MQTT broker says what it is"


class BrokerUnfit(Occurrence, frozen=True):
    """Something about the broker endangers alarms; `finding` says what, `hint` what to do."""

    finding: str
    hint: str
    sentence: ClassVar[str] = "The MQTT broker is not set up for alarms"
    level: ClassVar[LogLevel] = LogLevel.ERROR
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_broker_findings_total", "Shortcomings found in the MQTT broker's set-up."),
    )


class PublishRefused(Occurrence, frozen=True):
    """The broker refused a message (only MQTT 5 brokers say so)."""

    topic: str
    reason: str
    sentence: ClassVar[str] = "The MQTT broker refused a message"
    level: ClassVar[LogLevel] = LogLevel.ERROR
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_mqtt_refused_messages_total", "Messages that the broker refused."),
    )


class PublishDropped(Occurrence, frozen=True):
    """So much waited for the broker that the oldest waiting message was given up."""

    topic: str
    waiting: int
    sentence: ClassVar[str] = "Gave up a message that waited for the broker"
    level: ClassVar[LogLevel] = LogLevel.ERROR
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_mqtt_dropped_messages_total", "Messages given up because too many waited for the broker."),
    )


# ---------------------------------------------------------------- the engine


class EngineInputs(Occurrence, frozen=True):
    """Observations and commands that the engine took in one go."""

    count: int
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_engine_inputs_total", "Observations and commands taken by the engine.", amount="count"),
    )


class ObservationDecided(Occurrence, frozen=True):
    """From the arrival of an observation to the alarm it caused being handed out."""

    seconds: float
    metrics: ClassVar[tuple[Metric, ...]] = (
        Spread(
            "firewatch_observation_to_alarm_seconds",
            "From receiving an observation to annunciating the alarm it caused.",
            "seconds",
            (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
        ),
    )


_ANNUNCIATED = Count("firewatch_annunciated_alarms_total", "Alarms annunciated.", ("rule", "priority"))


class AlarmAnnunciated(Occurrence, frozen=True):
    """People are being told of an alarm."""

    alarm_id: str
    rule: str
    subject: str
    priority: str
    sentence: ClassVar[str] = "Alarm"
    metrics: ClassVar[tuple[Metric, ...]] = (_ANNUNCIATED,)


class AlarmGrouped(Occurrence, frozen=True):
    """An alarm is shown in an incident that calls for people already; hundreds in a second need no log line each."""

    rule: str
    priority: str
    metrics: ClassVar[tuple[Metric, ...]] = (_ANNUNCIATED,)


class AlarmChanged(Occurrence, frozen=True):
    """An alarm was recorded anew, a hidden one as well."""

    reason: str
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count(
            "firewatch_alarm_transitions_total",
            "Changes of alarms, hidden ones as well, by reason: shelved, suppressed, acknowledged and so on.",
            ("reason",),
        ),
    )


class SeatTold(Occurrence, frozen=True):
    """People at a seat of the control room are being told of an alarm; `grouped` is true or false."""

    seat: str
    priority: str
    grouped: str
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count(
            "firewatch_seat_alarms_total",
            "Alarms that a seat was told of; grouped ones were shown in an incident without a sound.",
            ("seat", "priority", "grouped"),
        ),
    )


class SeatWorkload(Occurrence, frozen=True):
    """The workload of a seat now, and in the last 24 h."""

    seat: str
    in_10_minutes: int
    grouped_in_10_minutes: int
    in_1_hour: int
    most_in_10_minutes: int
    in_flood: float
    flood_seconds: float
    active: int
    unacknowledged: int
    shelved: int
    suppressed: int
    out_of_service: int
    stale: int
    chattering: int
    longest_unacknowledged_seconds: float
    median_answer_seconds: float
    metrics: ClassVar[tuple[Metric, ...]] = (
        Level(
            "firewatch_seat_recent_alarms",
            "Alarms that sounded at a seat in the last 10 min.",
            "in_10_minutes",
            ("seat",),
        ),
        Level(
            "firewatch_seat_recent_grouped_alarms",
            "Alarms that were shown at a seat in an incident, without a sound, in the last 10 min.",
            "grouped_in_10_minutes",
            ("seat",),
        ),
        Level(
            "firewatch_seat_hourly_alarms",
            "Alarms that sounded at a seat in the last hour.",
            "in_1_hour",
            ("seat",),
        ),
        Level(
            "firewatch_seat_peak_alarms",
            "The most alarms that sounded at a seat within any 10 min of the last 24 h.",
            "most_in_10_minutes",
            ("seat",),
        ),
        Level("firewatch_seat_flooded", "1 while alarms flood a seat (ISA-18.2).", "in_flood", ("seat",)),
        Level(
            "firewatch_seat_flood_seconds",
            "How long alarms flooded a seat in the last 24 h.",
            "flood_seconds",
            ("seat",),
        ),
        Level("firewatch_seat_active_alarms", "Active alarms that a seat is shown.", "active", ("seat",)),
        Level(
            "firewatch_seat_unacknowledged_alarms",
            "Alarms that a seat is shown and has not acknowledged.",
            "unacknowledged",
            ("seat",),
        ),
        Level("firewatch_seat_shelved_alarms", "Alarms of a seat that are shelved.", "shelved", ("seat",)),
        Level(
            "firewatch_seat_suppressed_alarms",
            "Alarms of a seat that are suppressed by design.",
            "suppressed",
            ("seat",),
        ),
        Level(
            "firewatch_seat_out_of_service_alarms",
            "Alarms of a seat that are out of service.",
            "out_of_service",
            ("seat",),
        ),
        Level(
            "firewatch_seat_stale_alarms",
            "Alarms of a seat that have been active for more than 24 h.",
            "stale",
            ("seat",),
        ),
        Level(
            "firewatch_seat_chattering_alarms",
            "What chattered at a seat in the last 24 h.",
            "chattering",
            ("seat",),
        ),
        Level(
            "firewatch_seat_longest_unacknowledged_seconds",
            "The longest that an alarm went unacknowledged at a seat in the last 24 h.",
            "longest_unacknowledged_seconds",
            ("seat",),
        ),
        Level(
            "firewatch_seat_median_answer_seconds",
            "In which time a seat acknowledged half of its alarms of the last 24 h.",
            "median_answer_seconds",
            ("seat",),
        ),
    )


class AlarmStageReached(Occurrence, frozen=True):
    """An alarm that people are told of came to a stage, `seconds` after the one before."""

    stage: str
    alarm_class: str
    seconds: float
    metrics: ClassVar[tuple[Metric, ...]] = (
        Spread(
            "firewatch_alarm_stage_seconds",
            "How long alarms took to a stage from the one before: docs/workload.md.",
            "seconds",
            (0.01, 0.05, 0.1, 0.5, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0),
            ("stage", "alarm_class"),
        ),
    )


class AlarmLate(Occurrence, frozen=True):
    """An alarm did not reach people or actuators in the time that standards leave for it; `stage` took longest."""

    alarm_id: str
    rule: str
    subject: str
    alarm_class: str
    stage: str
    sentence: ClassVar[str] = "An alarm is late; look at the stage that is named"
    level: ClassVar[LogLevel] = LogLevel.WARNING
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_late_alarms_total", "Alarms that were late, by what made them so.", ("alarm_class", "stage")),
    )


class InputFailed(Occurrence, frozen=True):
    """Taking an input raised an error nobody foresaw; the log line with its trace is written beside this."""

    error: str
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_failed_inputs_total", "Inputs that failed in a way nobody foresaw."),
    )


class RuleFailed(Occurrence, frozen=True):
    """A rule raised an error on one input; the other rules were not disturbed."""

    rule: str
    error: str
    sentence: ClassVar[str] = "A rule failed on an input; the other rules went on"
    level: ClassVar[LogLevel] = LogLevel.ERROR
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_rule_failures_total", "Inputs on which a rule failed.", ("rule",)),
    )


class SnapshotWritten(Occurrence, frozen=True):
    """The engine's state is on disk."""

    ordinal: int
    size_bytes: int
    seconds: float
    sentence: ClassVar[str] = "Wrote a snapshot of the engine"
    level: ClassVar[LogLevel] = LogLevel.DEBUG
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_written_snapshots_total", "Snapshots of the engine written."),
        Level("firewatch_snapshot_ordinal", "The last input contained in a snapshot.", "ordinal"),
    )


class RulesTaken(Occurrence, frozen=True):
    """The engine goes on with other rules; the numbers count rules."""

    trigger: str
    by: str
    added: int
    changed: int
    adjusted: int
    removed: int
    unchanged: int
    sentence: ClassVar[str] = "Rules were reloaded"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_rule_reloads_total", "Reloads of the rules that were taken over.", ("trigger",)),
        Level("firewatch_refused_rules", "1 while the rules on disk are not those that run.", 0.0),
    )


class RulesRefused(Occurrence, frozen=True):
    """The rules on disk cannot be taken over; the engine goes on with those it has."""

    trigger: str
    by: str
    problems: int
    first: str
    sentence: ClassVar[str] = "Rules on disk are not the ones running; mend them, or look at `firewatch check`"
    level: ClassVar[LogLevel] = LogLevel.ERROR
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_refused_rule_reloads_total", "Reloads of the rules that were refused.", ("trigger",)),
        Level("firewatch_refused_rules", "1 while the rules on disk are not those that run.", 1.0),
    )


class DutyCheckAsked(Occurrence, frozen=True):
    """A seat of the control room was asked whether anybody is there."""

    seat: str
    asked_by: str
    sentence: ClassVar[str] = "A duty check was asked"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_duty_checks_total", "Duty checks that seats were asked.", ("seat",)),
    )


class DutyCheckEnded(Occurrence, frozen=True):
    """A duty check was answered, missed, or replaced by another one."""

    seat: str
    outcome: str
    seconds: float
    sentence: ClassVar[str] = "A duty check ended"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_duty_checks_ended_total", "Duty checks by how they ended.", ("seat", "outcome")),
        Spread(
            "firewatch_duty_check_seconds",
            "From a duty check being asked to how it ended.",
            "seconds",
            (5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0),
            ("outcome",),
        ),
    )


class DrillBegan(Occurrence, frozen=True):
    """A drill began."""

    plan: str
    drill: str
    by: str
    sentence: ClassVar[str] = "A drill began"
    metrics: ClassVar[tuple[Metric, ...]] = (Level("firewatch_drill_running", "1 while a drill goes on.", 1.0),)


class DrillEnded(Occurrence, frozen=True):
    """A drill ended; `passed` says whether all that was expected came in time."""

    plan: str
    drill: str
    outcome: str
    passed: str
    seconds: float
    sentence: ClassVar[str] = "A drill ended"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_drills_total", "Drills by how they ended and whether they passed.", ("outcome", "passed")),
        Level("firewatch_drill_running", "1 while a drill goes on.", 0.0),
    )


class RulesUnchanged(Occurrence, frozen=True):
    """The rules on disk are those that run already."""

    trigger: str
    by: str
    sentence: ClassVar[str] = "The rules on disk are those that run"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Level("firewatch_refused_rules", "1 while the rules on disk are not those that run.", 0.0),
    )


class RuleFilesUnwatched(Occurrence, frozen=True):
    """Changes of the files are not seen at once; they are looked at again and again instead."""

    reason: str
    sentence: ClassVar[str] = "Rule files cannot be watched; they are looked at every few seconds"
    level: ClassVar[LogLevel] = LogLevel.WARNING


# ---------------------------------------------------------------- the history


class HistoryWritten(Occurrence, frozen=True):
    """A batch is safe in the database."""

    rows: int
    seconds: float
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_history_rows_total", "Rows written into the history.", amount="rows"),
        Spread(
            "firewatch_history_write_seconds",
            "How long a batch took to become safe.",
            "seconds",
            (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0),
        ),
    )


class HistoryDelayed(Occurrence, frozen=True):
    """The database cannot take rows now; they are kept on disk meanwhile."""

    reason: str
    waiting: int
    sentence: ClassVar[str] = "The database takes no rows now; they wait on disk"
    level: ClassVar[LogLevel] = LogLevel.WARNING
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_history_delays_total", "Times the database could not take a batch."),
        Level("firewatch_history_waiting_rows", "Rows that wait for the database.", "waiting"),
    )


class HistoryCaughtUp(Occurrence, frozen=True):
    """The database takes rows again and nothing waits."""

    rows: int
    sentence: ClassVar[str] = "The database has taken every row that waited"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Level("firewatch_history_waiting_rows", "Rows that wait for the database.", 0.0),
    )


class InputsGivenUp(Occurrence, frozen=True):
    """So much waited on disk for the database that the oldest inputs were given up; alarm transitions never are."""

    count: int
    sentence: ClassVar[str] = "Gave up the oldest readings that waited on disk for the database"
    level: ClassVar[LogLevel] = LogLevel.ERROR
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count(
            "firewatch_history_given_up_inputs_total",
            "Inputs given up because too many waited on disk for the database.",
            amount="count",
        ),
    )


class RowIsolated(Occurrence, frozen=True):
    """The database refused one row for what is in it; the row is kept aside and its batch went through."""

    table: str
    error: str
    sentence: ClassVar[str] = "The database refused one row; it was put aside, the others are written"
    level: ClassVar[LogLevel] = LogLevel.ERROR
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_history_isolated_rows_total", "Rows that the database refused.", ("table",)),
    )


# ---------------------------------------------------------------- actuators


class CommandSent(Occurrence, frozen=True):
    """An actuator was asked for something."""

    command_id: str
    device: str
    action: str
    sentence: ClassVar[str] = "Sent a command"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_sent_commands_total", "Commands sent to actuators.", ("action",)),
    )


class CommandAnswered(Occurrence, frozen=True):
    """An actuator answered; `state` says how far it is, `detail` is its own word."""

    command_id: str
    device: str
    state: str
    detail: str
    sentence: ClassVar[str] = "An actuator answered"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_command_answers_total", "Answers from actuators.", ("state",)),
    )


class CommandUnanswered(Occurrence, frozen=True):
    """An actuator did not answer in time; somebody has to go and look."""

    command_id: str
    device: str
    action: str
    waited_seconds: float
    sentence: ClassVar[str] = "An actuator did not answer"
    level: ClassVar[LogLevel] = LogLevel.ERROR
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_unanswered_commands_total", "Commands without an answer in time.", ("action",)),
    )


class HttpCommandLost(Occurrence, frozen=True):
    """A device that takes commands by HTTP did not take one; it is posted again while the command is repeated."""

    device: str
    command_id: str
    error: str
    sentence: ClassVar[str] = "A command could not be posted"
    level: ClassVar[LogLevel] = LogLevel.WARNING
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_lost_http_commands_total", "Requests with a command that failed.", ("device",)),
    )


class CommandProven(Occurrence, frozen=True):
    """A second signal showed that an actuator did what it was asked."""

    command_id: str
    device: str
    action: str
    seconds: float
    attempts: int
    sentence: ClassVar[str] = "A command was proven by a second signal"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Spread(
            "firewatch_command_proof_seconds",
            "From a command to the second signal that shows it.",
            "seconds",
            (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0),
        ),
    )


class CommandRepeated(Occurrence, frozen=True):
    """An actuator answered, no second signal showed that it acted, and it is asked again."""

    command_id: str
    device: str
    action: str
    attempt: int
    sentence: ClassVar[str] = "A command was repeated because no second signal shows it"
    level: ClassVar[LogLevel] = LogLevel.WARNING
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_repeated_commands_total", "Commands repeated for want of proof.", ("action",)),
    )


class CommandUnproven(Occurrence, frozen=True):
    """No second signal ever showed that an actuator did what it said; somebody has to go and look."""

    command_id: str
    device: str
    action: str
    waited_seconds: float
    attempts: int
    sentence: ClassVar[str] = "An actuator answered, and nothing shows that it acted"
    level: ClassVar[LogLevel] = LogLevel.ERROR
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_unproven_commands_total", "Commands that no second signal showed.", ("action",)),
    )


# ---------------------------------------------------------------- notifications


class NotificationFileTaken(Occurrence, frozen=True):
    """The notifications' file was changed, and firewatch goes by it."""

    targets: int
    plans: int
    sentence: ClassVar[str] = "firewatch goes by other notifications"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Level("firewatch_notification_file_valid", "1 unless the notifications on disk are wrong.", 1.0),
    )


class NotificationFileRefused(Occurrence, frozen=True):
    """The notifications' file is wrong; those before go on."""

    problems: int
    first: str
    sentence: ClassVar[str] = "The notifications on disk are wrong; those before go on"
    level: ClassVar[LogLevel] = LogLevel.ERROR
    metrics: ClassVar[tuple[Metric, ...]] = (
        Level("firewatch_notification_file_valid", "1 unless the notifications on disk are wrong.", 0.0),
    )


class NotificationDelivered(Occurrence, frozen=True):
    """A target took a message; `seconds` from when it fell due."""

    target: str
    reason: str
    count: int
    seconds: float
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_delivered_notifications_total", "Messages that a target took.", ("target",), amount="count"),
        Spread(
            "firewatch_notification_delivery_seconds",
            "From a message's falling due to the target's taking it.",
            "seconds",
            (0.1, 0.5, 1.0, 3.0, 10.0, 30.0, 100.0, 600.0, 3600.0),
        ),
    )


class NotificationFailed(Occurrence, frozen=True):
    """A target did not take a message; it is tried again."""

    target: str
    error: str
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_failed_notifications_total", "Attempts that a target did not take.", ("target",)),
    )


class TargetLost(Occurrence, frozen=True):
    """A target began to take nothing; what is for it waits, and the others go on."""

    target: str
    reason: str
    sentence: ClassVar[str] = "A notification target takes no messages; they wait and are sent again"
    level: ClassVar[LogLevel] = LogLevel.WARNING
    metrics: ClassVar[tuple[Metric, ...]] = (
        Level("firewatch_notification_target_ready", "1 unless the last attempt failed.", 0.0, ("target",)),
    )


class TargetKnown(Occurrence, frozen=True):
    """There is such a target; nothing was sent to it yet."""

    target: str
    metrics: ClassVar[tuple[Metric, ...]] = (
        Level("firewatch_notification_target_ready", "1 unless the last attempt failed.", 1.0, ("target",)),
    )


class TargetBack(Occurrence, frozen=True):
    """A target takes messages again."""

    target: str
    sentence: ClassVar[str] = "A notification target takes messages again"
    metrics: ClassVar[tuple[Metric, ...]] = TargetKnown.metrics


class NotificationDead(Occurrence, frozen=True):
    """A message was given up; it is kept, and somebody can have it sent again."""

    target: str
    delivery_id: str
    alarm_id: str
    error: str
    sentence: ClassVar[str] = "A notification was given up and is kept among the dead"
    level: ClassVar[LogLevel] = LogLevel.ERROR
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_dead_notifications_total", "Messages that were given up.", ("target",)),
    )


class NotificationsWaiting(Occurrence, frozen=True):
    """So many messages wait for a target, those planned for later included."""

    target: str
    count: int
    metrics: ClassVar[tuple[Metric, ...]] = (
        Level("firewatch_waiting_notifications", "Messages that wait for a target.", "count", ("target",)),
    )


class NotificationPlanningFailed(Occurrence, frozen=True):
    """Working out who is to be told of an alarm failed; the console and the feed tell of it all the same."""

    alarm_id: str
    error: str
    sentence: ClassVar[str] = "Nobody could be notified of an alarm because working out who failed"
    level: ClassVar[LogLevel] = LogLevel.ERROR
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_unplanned_notifications_total", "Changes of alarms that could not be planned for."),
    )


# ---------------------------------------------------------------- cameras


class CameraOnline(Occurrence, frozen=True):
    """A camera delivers pictures."""

    device: str
    sentence: ClassVar[str] = "A camera delivers pictures"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Level("firewatch_camera_online", "1 while the camera delivers pictures.", 1.0, ("device",)),
    )


class CameraOffline(Occurrence, frozen=True):
    """A camera delivers no pictures; it is being opened again."""

    device: str
    reason: str
    sentence: ClassVar[str] = "A camera delivers no pictures; opening it again"
    level: ClassVar[LogLevel] = LogLevel.WARNING
    metrics: ClassVar[tuple[Metric, ...]] = (
        Level("firewatch_camera_online", "1 while the camera delivers pictures.", 0.0, ("device",)),
        Count("firewatch_camera_losses_total", "Times a camera stopped delivering pictures.", ("device",)),
    )


class FrameDecided(Occurrence, frozen=True):
    """The detector looked at a camera's frame; `seconds` from its capture to the scores."""

    device: str
    seconds: float
    metrics: ClassVar[tuple[Metric, ...]] = (
        Spread(
            "firewatch_camera_frame_to_scores_seconds",
            "From capturing a camera's frame to its scores being known.",
            "seconds",
            (0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.4, 5.0),
        ),
    )


class FrameFailed(Occurrence, frozen=True):
    """The detector began to fail on a camera's frames; the scores are unknown until it manages one."""

    device: str
    reason: str
    sentence: ClassVar[str] = "A camera's picture could not be looked at; its scores are unknown"
    level: ClassVar[LogLevel] = LogLevel.ERROR
    metrics: ClassVar[tuple[Metric, ...]] = (
        Count("firewatch_camera_failures_total", "Times the detector began to fail on a camera.", ("device",)),
    )


KNOWN = tuple(
    kind
    for kind in list(globals().values())
    if isinstance(kind, type) and issubclass(kind, Occurrence) and kind is not Occurrence
)
"""Every occurrence of this module; their metrics are there from the start, at 0."""
