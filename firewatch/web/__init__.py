"""Edge: the HTTP API, the WebSocket feed and the console."""
