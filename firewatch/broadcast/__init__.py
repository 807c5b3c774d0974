"""Edge: loudspeakers, lift doors and other actuators, with their answers."""
