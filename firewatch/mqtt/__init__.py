"""Edge: the MQTT session, payload decoding, acknowledgement, publishing."""
