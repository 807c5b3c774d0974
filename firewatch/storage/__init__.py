"""Edge: history in TimescaleDB or plain PostgreSQL."""
