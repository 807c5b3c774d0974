"""firewatch: an event-stream fire-safety daemon for residential compounds.

Sensors send telemetry over MQTT; an engine of YAML rules decides what is abnormal; alarms go to the
control room, to loudspeakers and lift doors; everything is written to TimescaleDB. Start reading at
`firewatch.model` (the vocabulary), then `firewatch.engine` (the decisions), then `firewatch.app`
(how the parts are put together).
"""

__version__ = "0.1.0"
