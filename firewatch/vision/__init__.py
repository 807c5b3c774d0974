"""Edge: cameras to frames to detections to observations."""
