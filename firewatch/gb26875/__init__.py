"""Edge: fire panels and user information transmission devices over GB/T 26875.3 (not built yet)."""
