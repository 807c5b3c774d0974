"""Cameras as one more source of observations: stream -> frames -> detections -> scores.

Nothing here decides what is an alarm: a camera reports how sure the detector is (0..1) and how well the picture is,
and the rules judge. `watch.CameraWatch` is the way in; the limits of what is seen are in docs/cameras.md.
"""
