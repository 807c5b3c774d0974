-- The history as it is after every migration. Times are in UTC. docs/history.md explains the tables.

-- What the engine took from devices, in the order in which it took it. Together with operator_command and
-- rules_reload it is everything a restart has to replay. Of number, flag and state at most one is set; none if there was no value.
CREATE TABLE observation (
    ordinal      bigint           NOT NULL,
    taken_time   timestamptz      NOT NULL,
    signal       text             NOT NULL,
    number       double precision,
    flag         boolean,
    state        text,
    quality      text             NOT NULL,
    source_time  timestamptz      NOT NULL,
    receive_time timestamptz      NOT NULL,
    event_time   timestamptz      NOT NULL,
    sequence     bigint,
    picture      text,
    -- taken_time is in the key because TimescaleDB wants the time a hypertable is cut by in every unique index. It
    -- rises with the ordinal, whatever devices' clocks say, so old chunks are never touched again.
    PRIMARY KEY (ordinal, taken_time)
);

CREATE INDEX observation_by_signal ON observation (signal, source_time DESC);

-- What operators asked for and the engine carried out, in the same order of ordinals. command says what, by its type.
CREATE TABLE operator_command (
    ordinal    bigint      NOT NULL PRIMARY KEY,
    taken_time timestamptz NOT NULL,
    operator   text        NOT NULL,
    command    jsonb       NOT NULL
);

-- Every attempt to go on with other rules; reload is all that is known of it. One that was taken has its place in the
-- same order of ordinals, the engine's time then, and the name of the rule set that the engine went on with.
CREATE TABLE rules_reload (
    reload_time timestamptz NOT NULL,
    trigger     text        NOT NULL,
    outcome     text        NOT NULL,
    ordinal     bigint      UNIQUE,
    taken_time  timestamptz,
    rules       text        NOT NULL,
    reload      jsonb       NOT NULL,
    PRIMARY KEY (reload_time, trigger)
);

-- When firewatch began to listen: its starts, at the engine's time. Before, it had heard until heard_until, NULL at the
-- very first.
CREATE TABLE listening (
    begin_time  timestamptz NOT NULL PRIMARY KEY,
    heard_until timestamptz
);

-- Every change of every alarm; alarm is the alarm after it. annunciation says how people were told, NULL if nobody was.
CREATE TABLE alarm_transition (
    alarm_id        text        NOT NULL,
    number          integer     NOT NULL,
    transition_time timestamptz NOT NULL,
    reason          text        NOT NULL,
    previous_state  text        NOT NULL,
    alarm           jsonb       NOT NULL,
    changed_by      text        NOT NULL,
    comment         text        NOT NULL,
    journalled_time timestamptz NOT NULL DEFAULT clock_timestamp(),
    annunciation    text,
    PRIMARY KEY (alarm_id, number, transition_time)
);

CREATE INDEX alarm_transition_by_time ON alarm_transition (transition_time);

-- Every alarm as it stands: the alarm of its last transition. One in state normal that is hidden is shelved or out of
-- service, and its record is open.
CREATE TABLE alarm (
    alarm_id        text        NOT NULL PRIMARY KEY,
    number          integer     NOT NULL,
    site            text        NOT NULL,
    rule            text        NOT NULL,
    subject         text        NOT NULL,
    state           text        NOT NULL,
    onset_time      timestamptz NOT NULL,
    alarm           jsonb       NOT NULL,
    journalled_time timestamptz NOT NULL DEFAULT clock_timestamp(),
    hidden          boolean     NOT NULL DEFAULT false,
    shadow          boolean     NOT NULL DEFAULT false,
    incident        text        NOT NULL DEFAULT '',
    drill           boolean     NOT NULL DEFAULT false
);

CREATE INDEX alarm_by_onset ON alarm (onset_time DESC, alarm_id DESC);
CREATE INDEX alarm_standing ON alarm (onset_time DESC, alarm_id DESC) WHERE state <> 'normal' OR hidden;

CREATE INDEX alarm_by_incident ON alarm (incident) WHERE incident <> '';

-- Stages that an alarm reached after it was told to the screens; reached_by is a receiver, or a command that was proven.
CREATE TABLE stage_reached (
    alarm_id   text        NOT NULL,
    stage      text        NOT NULL,
    reached_by text        NOT NULL,
    stage_time timestamptz NOT NULL,
    PRIMARY KEY (alarm_id, stage, reached_by)
);

CREATE TABLE actuator_command (
    command_id  text        NOT NULL PRIMARY KEY,
    device      text        NOT NULL,
    action      text        NOT NULL,
    parameters  jsonb       NOT NULL,
    cause       text        NOT NULL,
    rule        text        NOT NULL,
    issued_time timestamptz NOT NULL,
    drill       text
);

CREATE INDEX actuator_command_by_time ON actuator_command (issued_time DESC, command_id DESC);
CREATE INDEX actuator_command_by_cause ON actuator_command (cause);

CREATE TABLE actuator_answer (
    command_id   text        NOT NULL,
    state        text        NOT NULL,
    source_time  timestamptz NOT NULL,
    device       text        NOT NULL,
    detail       text        NOT NULL,
    receive_time timestamptz NOT NULL,
    PRIMARY KEY (command_id, state, source_time)
);

-- A camera's frame kept as evidence.
CREATE TABLE picture (
    picture_id text        NOT NULL PRIMARY KEY,
    device     text        NOT NULL,
    taken_time timestamptz NOT NULL,
    jpeg       bytea       NOT NULL
);

-- Input that could not be used, and rows the database itself refused (source 'history').
CREATE TABLE rejection (
    rejection_id text        NOT NULL PRIMARY KEY, -- made from the content, so that keeping one twice is harmless
    receive_time timestamptz NOT NULL,
    source       text        NOT NULL,
    reason       text        NOT NULL,
    detail       text        NOT NULL,
    payload      text        NOT NULL
);

CREATE INDEX rejection_by_time ON rejection (receive_time DESC);

-- The log of the control room. Nothing in it is ever changed (GB 25506-2010: records are kept).
CREATE TABLE log_entry (
    entry_id   text        NOT NULL PRIMARY KEY,
    entry_time timestamptz NOT NULL,
    seat       text        NOT NULL,
    kind       text        NOT NULL,
    entry      jsonb       NOT NULL
);

CREATE INDEX log_entry_by_time ON log_entry (entry_time DESC, entry_id DESC);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is never changed', TG_TABLE_NAME; END $$;

CREATE TRIGGER log_entry_stays BEFORE UPDATE OR DELETE ON log_entry EXECUTE FUNCTION refuse_change();

-- Duty checks as they stand.
CREATE TABLE duty_check (
    check_id   text        NOT NULL PRIMARY KEY,
    asked_time timestamptz NOT NULL,
    ended      boolean     NOT NULL,
    duty_check jsonb       NOT NULL
);

CREATE INDEX duty_check_by_time ON duty_check (asked_time DESC);

-- What was sent to people and systems outside, as it stands after its last attempt.
CREATE TABLE delivery (
    delivery_id  text        NOT NULL PRIMARY KEY,
    target       text        NOT NULL,
    alarm_id     text        NOT NULL,
    created_time timestamptz NOT NULL,
    state        text        NOT NULL,
    revision     integer     NOT NULL,
    delivery     jsonb       NOT NULL
);

CREATE INDEX delivery_by_time ON delivery (created_time DESC, delivery_id DESC);
CREATE INDEX delivery_by_alarm ON delivery (alarm_id);
CREATE INDEX delivery_waiting ON delivery (created_time) WHERE state = 'waiting';

-- Drills as they stand.
CREATE TABLE drill (
    drill_id   text        NOT NULL PRIMARY KEY,
    begun_time timestamptz NOT NULL,
    ended      boolean     NOT NULL,
    drill      jsonb       NOT NULL
);

CREATE INDEX drill_by_time ON drill (begun_time DESC);
