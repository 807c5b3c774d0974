"""Composition root: what is started, in which order, and stopped in reverse."""
