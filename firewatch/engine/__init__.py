"""Joins rules and alarms: observations and commands in, effects out. Pure; time is an argument."""
