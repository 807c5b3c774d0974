-- Named queries; see __init__.py for the form. Every insert may be repeated without effect.

-- create_incoming_observation --
-- Where COPY lands, so that rows already there can be told apart.
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_observation
    (LIKE observation) ON COMMIT DELETE ROWS

-- copy_observations --
COPY incoming_observation (
    ordinal, taken_time, signal, number, flag, state, quality, source_time, receive_time, event_time, sequence, picture
) FROM STDIN (FORMAT BINARY)

-- insert_observations --
INSERT INTO observation SELECT * FROM incoming_observation ON CONFLICT DO NOTHING

-- insert_operator_command --
INSERT INTO operator_command (ordinal, taken_time, operator, command)
VALUES (%s, %s, %s, %s::jsonb)
ON CONFLICT DO NOTHING

-- insert_listening --
INSERT INTO listening (begin_time, heard_until) VALUES (%s, %s) ON CONFLICT DO NOTHING

-- insert_rules_reload --
INSERT INTO rules_reload (reload_time, trigger, outcome, ordinal, taken_time, rules, reload)
VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb)
ON CONFLICT DO NOTHING

-- insert_transition --
-- Not by ON CONFLICT alone: a hypertable's key includes the time. There is one writer, so nothing comes in between.
INSERT INTO alarm_transition
    (alarm_id, number, transition_time, reason, previous_state, alarm, changed_by, comment, annunciation)
SELECT incoming.*
FROM (VALUES (%s::text, %s::integer, %s::timestamptz, %s::text, %s::text, %s::jsonb, %s::text, %s::text, %s::text))
    AS incoming (alarm_id, number, transition_time, reason, previous_state, alarm, changed_by, comment, annunciation)
WHERE NOT EXISTS (
    SELECT FROM alarm_transition AS kept WHERE kept.alarm_id = incoming.alarm_id AND kept.number = incoming.number
)

-- upsert_alarm --
-- An older transition that comes late leaves the alarm as it is.
INSERT INTO alarm (alarm_id, number, site, rule, subject, state, onset_time, alarm, hidden, shadow, incident, drill)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s, %s)
ON CONFLICT (alarm_id) DO UPDATE
SET number = excluded.number, state = excluded.state, onset_time = excluded.onset_time, alarm = excluded.alarm,
    hidden = excluded.hidden, incident = excluded.incident
WHERE alarm.number < excluded.number

-- insert_actuator_command --
INSERT INTO actuator_command (command_id, device, action, parameters, cause, rule, issued_time, drill)
VALUES (%s, %s, %s, %s::jsonb, %s, %s, %s, %s)
ON CONFLICT DO NOTHING

-- insert_actuator_answer --
INSERT INTO actuator_answer (command_id, state, source_time, device, detail, receive_time)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING

-- insert_stage_reached --
INSERT INTO stage_reached (alarm_id, stage, reached_by, stage_time) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING

-- insert_log_entry --
INSERT INTO log_entry (entry_id, entry_time, seat, kind, entry)
VALUES (%s, %s, %s, %s, %s::jsonb)
ON CONFLICT DO NOTHING

-- upsert_duty_check --
-- How it ended is never taken back; to one that was missed a late answer may be added.
INSERT INTO duty_check (check_id, asked_time, ended, duty_check) VALUES (%s, %s, %s, %s::jsonb)
ON CONFLICT (check_id) DO UPDATE
SET ended = excluded.ended, duty_check = excluded.duty_check
WHERE NOT duty_check.ended
   OR duty_check.duty_check->>'answered_by' IS NULL AND excluded.duty_check->>'late_answer_time' IS NOT NULL

-- upsert_delivery --
-- What comes late is older: it has a lower revision.
INSERT INTO delivery (delivery_id, target, alarm_id, created_time, state, revision, delivery)
VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb)
ON CONFLICT (delivery_id) DO UPDATE
SET state = excluded.state, revision = excluded.revision, delivery = excluded.delivery
WHERE delivery.revision < excluded.revision

-- upsert_drill --
INSERT INTO drill (drill_id, begun_time, ended, drill) VALUES (%s, %s, %s, %s::jsonb)
ON CONFLICT (drill_id) DO UPDATE
SET ended = excluded.ended, drill = excluded.drill
WHERE NOT drill.ended

-- insert_picture --
INSERT INTO picture (picture_id, device, taken_time, jpeg)
VALUES (%s, %s, %s, %b)
ON CONFLICT DO NOTHING

-- insert_rejection --
INSERT INTO rejection (rejection_id, receive_time, source, reason, detail, payload)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING

-- alarms --
-- Alarms as they stand, newest onset first; none of shadow rules, and none of drills.
SELECT alarm::text, journalled_time
FROM alarm
WHERE NOT shadow AND NOT drill
  AND (%(incident)s::text IS NULL OR incident = %(incident)s)
  AND (%(site)s::text IS NULL OR site = %(site)s)
  AND (%(rule)s::text IS NULL OR rule = %(rule)s)
  AND (%(subject)s::text IS NULL OR subject = %(subject)s)
  AND (%(standing)s::boolean IS NULL OR (state <> 'normal' OR hidden) = %(standing)s)
  AND (%(hidden)s::boolean IS NULL OR hidden = %(hidden)s)
  AND (%(before_time)s::timestamptz IS NULL OR (onset_time, alarm_id) < (%(before_time)s, %(before_id)s))
ORDER BY onset_time DESC, alarm_id DESC
LIMIT %(limit)s

-- transitions --
SELECT *
FROM (
    SELECT number, transition_time, reason, previous_state, alarm::text, changed_by, comment, annunciation
    FROM alarm_transition
    WHERE alarm_id = %(alarm_id)s
    ORDER BY number DESC
    LIMIT %(newest)s
) AS newest
ORDER BY number

-- observations --
-- The newest ones of a signal, oldest first. A message that came twice was taken twice but is one reading.
SELECT number, flag, state, quality, source_time, receive_time
FROM (
    SELECT number, flag, state, quality, source_time, min(receive_time) AS receive_time, min(ordinal) AS ordinal
    FROM observation
    WHERE signal = %(signal)s AND source_time >= %(start)s AND source_time < %(end)s
    GROUP BY source_time, sequence, number, flag, state, quality
    ORDER BY source_time DESC, ordinal DESC
    LIMIT %(limit)s
) AS newest
ORDER BY source_time, ordinal

-- commands --
-- Newest first, each with when it was proven and its answer: the first that it failed, else that it is done, else the
-- last.
SELECT c.command_id, c.device, c.action, c.parameters::text, c.cause, c.rule, c.issued_time, c.drill, p.stage_time,
       a.state, a.detail, a.device, a.source_time, a.receive_time
FROM actuator_command AS c
LEFT JOIN LATERAL (
    SELECT *
    FROM actuator_answer AS each
    WHERE each.command_id = c.command_id
    ORDER BY each.state <> 'failed', each.state = 'accepted',
             CASE WHEN each.state <> 'accepted' THEN each.receive_time END,
             each.receive_time DESC
    LIMIT 1
) AS a ON true
LEFT JOIN stage_reached AS p
    ON p.alarm_id = c.cause AND p.stage = 'proven' AND p.reached_by = c.command_id
WHERE (%(cause)s::text IS NULL OR c.cause = %(cause)s)
  AND (%(drill)s::text IS NULL OR c.drill = %(drill)s)
  AND (NOT %(unanswered)s OR a.state IS NULL OR a.state = 'accepted')
ORDER BY c.issued_time DESC, c.command_id DESC
LIMIT %(limit)s

-- newest_commands --
-- One for each device, like those above; none of drills.
SELECT c.command_id, c.device, c.action, c.parameters::text, c.cause, c.rule, c.issued_time, c.drill, p.stage_time,
       a.state, a.detail, a.device, a.source_time, a.receive_time
FROM (
    SELECT DISTINCT ON (device) *
    FROM actuator_command
    WHERE drill IS NULL
    ORDER BY device, issued_time DESC, command_id DESC
) AS c
LEFT JOIN LATERAL (
    SELECT *
    FROM actuator_answer AS each
    WHERE each.command_id = c.command_id
    ORDER BY each.state <> 'failed', each.state = 'accepted',
             CASE WHEN each.state <> 'accepted' THEN each.receive_time END,
             each.receive_time DESC
    LIMIT 1
) AS a ON true
LEFT JOIN stage_reached AS p
    ON p.alarm_id = c.cause AND p.stage = 'proven' AND p.reached_by = c.command_id
ORDER BY c.device

-- stages --
SELECT alarm_id, stage, stage_time, reached_by
FROM stage_reached
WHERE alarm_id = ANY(%(alarm_ids)s)
ORDER BY stage_time

-- log_entries --
-- Newest first; a seat's with those of all seats.
SELECT entry::text
FROM log_entry
WHERE entry_time >= %(start)s AND entry_time < %(end)s
  AND (%(seat)s::text IS NULL OR seat IN (%(seat)s, ''))
  AND (%(kinds)s::text[] IS NULL OR kind = ANY(%(kinds)s))
ORDER BY entry_time DESC, entry_id DESC
LIMIT %(limit)s

-- log_entry --
SELECT entry::text FROM log_entry WHERE entry_id = %(entry_id)s

-- duty_checks --
-- Newest first.
SELECT duty_check::text
FROM duty_check
WHERE (%(before)s::timestamptz IS NULL OR asked_time < %(before)s) AND NOT (%(unended)s AND ended)
  AND (%(seat)s::text IS NULL OR duty_check->>'seat' = %(seat)s)
ORDER BY asked_time DESC
LIMIT %(limit)s

-- deliveries --
-- Newest first.
SELECT delivery::text
FROM delivery
WHERE (%(alarm_id)s::text IS NULL OR alarm_id = %(alarm_id)s) AND (%(state)s::text IS NULL OR state = %(state)s)
  AND (%(target)s::text IS NULL OR target = %(target)s)
  AND (%(before_time)s::timestamptz IS NULL OR (created_time, delivery_id) < (%(before_time)s, %(before_id)s))
ORDER BY created_time DESC, delivery_id DESC
LIMIT %(limit)s

-- delivery --
SELECT delivery::text FROM delivery WHERE delivery_id = %(delivery_id)s

-- called --
-- What called for somebody about some alarms, oldest first.
SELECT delivery::text
FROM delivery
WHERE alarm_id = ANY(%(alarm_ids)s) AND state <> 'withdrawn'
  AND delivery->>'reason' IN ('onset', 'realarmed', 'escalated')
ORDER BY created_time, delivery_id

-- drills --
-- Newest first.
SELECT drill::text
FROM drill
WHERE %(before)s::timestamptz IS NULL OR begun_time < %(before)s
ORDER BY begun_time DESC
LIMIT %(limit)s

-- drill --
SELECT drill::text FROM drill WHERE drill_id = %(drill_id)s

-- picture --
SELECT device, taken_time, jpeg FROM picture WHERE picture_id = %(picture_id)s

-- inputs_after --
-- A page of what the engine took, in order.
SELECT ordinal, taken_time, signal, number, flag, state, quality, source_time, receive_time, event_time, sequence,
       picture, NULL AS command, NULL AS rules
FROM observation
WHERE ordinal > %(ordinal)s
UNION ALL
SELECT ordinal, taken_time, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       NULL, command::text, NULL
FROM operator_command
WHERE ordinal > %(ordinal)s
UNION ALL
SELECT ordinal, taken_time, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       NULL, NULL, rules
FROM rules_reload
WHERE ordinal > %(ordinal)s
ORDER BY ordinal
LIMIT %(limit)s

-- last_ordinal --
SELECT greatest(
    (SELECT max(ordinal) FROM observation),
    (SELECT max(ordinal) FROM operator_command),
    (SELECT max(ordinal) FROM rules_reload),
    0
)

-- last_word --
-- When the last input was taken, or the last change of an alarm was recorded: until then firewatch was up.
SELECT greatest(
    (SELECT taken_time FROM observation ORDER BY ordinal DESC LIMIT 1),
    (SELECT max(taken_time) FROM operator_command),
    (SELECT max(taken_time) FROM rules_reload),
    (SELECT max(transition_time) FROM alarm_transition)
)

-- reloads --
-- Newest first.
SELECT reload::text
FROM rules_reload
WHERE %(before)s::timestamptz IS NULL OR reload_time < %(before)s
ORDER BY reload_time DESC
LIMIT %(limit)s

-- first_observation --
-- The first one from an ordinal on.
SELECT ordinal, taken_time FROM observation WHERE ordinal >= %(ordinal)s ORDER BY ordinal LIMIT 1

-- last_observation --
SELECT ordinal, taken_time FROM observation ORDER BY ordinal DESC LIMIT 1

-- observation_columns --
-- Some signals' observations, an array for each column; names are given as their places in the lists asked with.
SELECT array_agg(ordinal), array_agg(taken_time), array_agg(signal), array_agg(kind), array_agg(number),
       array_agg(state), array_agg(quality), array_agg(source_time), array_agg(receive_time), array_agg(event_time)
FROM (
    SELECT o.ordinal, o.taken_time, (wanted.place - 1)::int4 AS signal,
           CASE WHEN o.number IS NOT NULL THEN 1 WHEN o.flag IS NOT NULL THEN 2 WHEN o.state IS NOT NULL THEN 3 ELSE 0
           END::int2 AS kind,
           coalesce(o.number, o.flag::int4::float8, 0) AS number,
           (coalesce(known.place, 0) - 1)::int4 AS state,
           CASE o.quality WHEN 'good' THEN 0 WHEN 'uncertain' THEN 1 ELSE 2 END::int2 AS quality,
           o.source_time, o.receive_time, o.event_time
    FROM observation AS o
    JOIN unnest(%(signals)s::text[]) WITH ORDINALITY AS wanted (signal, place) ON wanted.signal = o.signal
    LEFT JOIN unnest(%(states)s::text[]) WITH ORDINALITY AS known (state, place) ON known.state = o.state
    WHERE o.ordinal >= %(first)s AND o.ordinal < %(last)s
      AND o.taken_time >= %(start)s AND o.taken_time < %(end)s
    ORDER BY o.ordinal
) AS page

-- states_at --
SELECT ordinal, state FROM observation WHERE ordinal = ANY(%(ordinals)s)

-- copy_csv --
COPY (
    SELECT ordinal, taken_time, signal, number, flag, state, quality, source_time, receive_time, event_time
    FROM observation
    WHERE ordinal >= %(first)s AND ordinal < %(last)s AND taken_time >= %(start)s AND taken_time < %(end)s
    ORDER BY ordinal
) TO STDOUT (FORMAT CSV, HEADER)

-- transitions_between --
SELECT alarm_id, number, transition_time, reason, previous_state, alarm::text, changed_by, comment, annunciation
FROM alarm_transition
WHERE transition_time >= %(start)s AND transition_time < %(end)s
ORDER BY transition_time, alarm_id, number

-- transitions_page --
-- Those of above after a place in their order.
SELECT alarm_id, number, transition_time, reason, previous_state, alarm::text, changed_by, comment, annunciation
FROM alarm_transition
WHERE transition_time >= %(time)s AND transition_time < %(end)s
  AND (transition_time, alarm_id, number) > (%(time)s, %(alarm_id)s, %(number)s)
ORDER BY transition_time, alarm_id, number
LIMIT %(limit)s

-- condition_changes --
-- The newest by which the conditions of some alarms became active or inactive.
SELECT newest.*
FROM unnest(%(alarm_ids)s::text[]) AS wanted (alarm_id)
CROSS JOIN LATERAL (
    SELECT alarm_id, number, transition_time, reason, previous_state, alarm::text, changed_by, comment, annunciation
    FROM alarm_transition AS t
    WHERE t.alarm_id = wanted.alarm_id AND t.reason IN ('condition_active', 'condition_inactive')
    ORDER BY t.number DESC
    LIMIT %(limit)s
) AS newest
ORDER BY newest.transition_time, newest.alarm_id, newest.number

-- first_transition --
SELECT min(transition_time) FROM alarm_transition

-- stage_ways --
-- What the later stages of some alarms wait for, or waited for.
SELECT alarm_id, 'journalled', '', onset_time, journalled_time, '', ''
FROM alarm
WHERE alarm_id = ANY(%(alarm_ids)s)
UNION ALL
SELECT d.alarm_id, 'delivered', d.target, (d.delivery->>'due_time')::timestamptz, s.stage_time, '', ''
FROM delivery AS d
LEFT JOIN stage_reached AS s
    ON s.alarm_id = d.alarm_id AND s.stage = 'delivered' AND s.reached_by = d.target
WHERE d.alarm_id = ANY(%(alarm_ids)s)
UNION ALL
SELECT c.cause, 'proven', c.command_id, c.issued_time, s.stage_time, c.device, c.action
FROM actuator_command AS c
LEFT JOIN stage_reached AS s
    ON s.alarm_id = c.cause AND s.stage = 'proven' AND s.reached_by = c.command_id
WHERE c.cause = ANY(%(alarm_ids)s)

-- standing_at --
-- The last change before a time of every alarm that stood then. Such an alarm stands still, or was closed since.
SELECT last.alarm_id, last.number, last.transition_time, last.reason, last.previous_state, last.alarm, last.changed_by,
       last.comment, last.annunciation
FROM (
    SELECT alarm_id FROM alarm WHERE state <> 'normal' OR hidden
    UNION
    SELECT alarm_id FROM alarm_transition WHERE transition_time >= %(time)s
) AS candidate
CROSS JOIN LATERAL (
    SELECT alarm_id, number, transition_time, reason, previous_state, alarm::text AS alarm, changed_by, comment,
           annunciation, alarm->>'state' <> 'normal' OR (alarm->>'hidden')::boolean AS stood
    FROM alarm_transition AS t
    WHERE t.alarm_id = candidate.alarm_id AND t.transition_time < %(time)s
    ORDER BY t.number DESC
    LIMIT 1
) AS last
WHERE last.stood
ORDER BY last.transition_time, last.alarm_id

-- listening_between --
-- The starts of firewatch, each with the time until which it had heard before.
SELECT begin_time, heard_until
FROM listening
WHERE begin_time >= %(start)s AND begin_time < %(end)s
ORDER BY begin_time

-- commands_between --
SELECT ordinal, taken_time, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       NULL, command::text, NULL
FROM operator_command
WHERE taken_time >= %(start)s AND taken_time < %(end)s
ORDER BY ordinal

-- server --
-- What this database is, and whether it keeps hypertables.
SELECT current_setting('server_version'), (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb')

-- create_migration_table --
CREATE TABLE IF NOT EXISTS schema_migration (
    version      integer     NOT NULL PRIMARY KEY,
    name         text        NOT NULL,
    checksum     text        NOT NULL,
    applied_time timestamptz NOT NULL DEFAULT clock_timestamp()
)

-- applied_migrations --
SELECT version, name, checksum FROM schema_migration ORDER BY version

-- insert_migration --
INSERT INTO schema_migration (version, name, checksum) VALUES (%s, %s, %s)
