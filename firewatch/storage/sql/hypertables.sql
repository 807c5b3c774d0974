-- Run after the migrations where the TimescaleDB extension is there; harmless when run again.
-- Rows written before the extension came are moved into chunks.
SELECT create_hypertable(
    'observation', by_range('taken_time', INTERVAL '1 day'), if_not_exists => true, migrate_data => true
);
SELECT create_hypertable(
    'alarm_transition', by_range('transition_time', INTERVAL '30 days'), if_not_exists => true, migrate_data => true
);
