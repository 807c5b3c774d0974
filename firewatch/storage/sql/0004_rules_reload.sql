-- Every attempt to go on with other rules, for the audit. One that was taken is an input of the engine like any other.
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
