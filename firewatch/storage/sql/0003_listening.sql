-- A replay has to know when firewatch was down: silence counts from its starts.
CREATE TABLE listening (
    begin_time timestamptz NOT NULL PRIMARY KEY
);
