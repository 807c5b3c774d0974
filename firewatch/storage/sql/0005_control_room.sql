-- Incidents and drills of alarms, the stages an alarm reaches after the screens, and the records of the control room.
ALTER TABLE alarm ADD COLUMN incident text NOT NULL DEFAULT '';
ALTER TABLE alarm ADD COLUMN drill boolean NOT NULL DEFAULT false;
ALTER TABLE actuator_command ADD COLUMN drill text;
CREATE INDEX alarm_by_incident ON alarm (incident) WHERE incident <> '';

-- How people were told of a change; of those before, what the table of transitions would have told.
ALTER TABLE alarm_transition ADD COLUMN annunciation text;
UPDATE alarm_transition SET annunciation = 'of_its_own'
WHERE NOT coalesce((alarm->>'hidden')::boolean, false) AND NOT coalesce((alarm->>'shadow')::boolean, false)
  AND (reason IN ('condition_active', 'realarmed')
       OR reason IN ('unshelved', 'shelf_ended', 'unsuppressed', 'returned_to_service')
          AND alarm->>'state' IN ('unacknowledged', 'latched_unacknowledged'));

-- Until when firewatch had heard before it began again: after that silence tells nothing.
ALTER TABLE listening ADD COLUMN heard_until timestamptz;
CREATE INDEX alarm_transition_by_time ON alarm_transition (transition_time);

CREATE TABLE stage_reached (
    alarm_id   text        NOT NULL,
    stage      text        NOT NULL,
    reached_by text        NOT NULL,
    stage_time timestamptz NOT NULL,
    PRIMARY KEY (alarm_id, stage, reached_by)
);

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

CREATE TABLE duty_check (
    check_id   text        NOT NULL PRIMARY KEY,
    asked_time timestamptz NOT NULL,
    ended      boolean     NOT NULL,
    duty_check jsonb       NOT NULL
);
CREATE INDEX duty_check_by_time ON duty_check (asked_time DESC);

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

CREATE TABLE drill (
    drill_id   text        NOT NULL PRIMARY KEY,
    begun_time timestamptz NOT NULL,
    ended      boolean     NOT NULL,
    drill      jsonb       NOT NULL
);
CREATE INDEX drill_by_time ON drill (begun_time DESC);
