-- Operators may ask for more than an acknowledgement, and alarms may be hidden, or those of shadow rules.
ALTER TABLE operator_command ADD COLUMN command jsonb;
UPDATE operator_command SET command = jsonb_build_object(
    'type', 'acknowledge', 'alarm_id', alarm_id, 'operator', operator, 'comment', comment
);
ALTER TABLE operator_command ALTER COLUMN command SET NOT NULL, DROP COLUMN alarm_id, DROP COLUMN comment;

ALTER TABLE alarm
    ADD COLUMN hidden boolean NOT NULL DEFAULT false,
    ADD COLUMN shadow boolean NOT NULL DEFAULT false;
DROP INDEX alarm_standing;
CREATE INDEX alarm_standing ON alarm (onset_time DESC, alarm_id DESC) WHERE state <> 'normal' OR hidden;
