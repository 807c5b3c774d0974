"""The engine: observations, commands and time in, effects out.

Interface only for now; see docs/architecture.md.
"""
