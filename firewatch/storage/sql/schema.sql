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

-- When firewatch began to listen: its starts, at the engine's time. Between two of them it may have been down.
CREATE TABLE listening (
    begin_time timestamptz NOT NULL PRIMARY KEY
);

-- Every change of every alarm; alarm is the alarm after it.
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
    PRIMARY KEY (alarm_id, number, transition_time)
);

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
    shadow          boolean     NOT NULL DEFAULT false
);

CREATE INDEX alarm_by_onset ON alarm (onset_time DESC, alarm_id DESC);
CREATE INDEX alarm_standing ON alarm (onset_time DESC, alarm_id DESC) WHERE state <> 'normal' OR hidden;

CREATE TABLE actuator_command (
    command_id  text        NOT NULL PRIMARY KEY,
    device      text        NOT NULL,
    action      text        NOT NULL,
    parameters  jsonb       NOT NULL,
    cause       text        NOT NULL,
    rule        text        NOT NULL,
    issued_time timestamptz NOT NULL
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
