"""What the engine wants done. Effects are values; the app's loop carries them out."""

from __future__ import annotations

import msgspec

from firewatch.model.alarm import Alarm, AlarmTransition
from firewatch.model.command import ActuatorCommand


class Annunciate(msgspec.Struct, frozen=True):
    """Tell people of this alarm, at once and before anything is stored. A `grouped` one belongs to an incident that
    calls for them already: it is shown in it, and neither sounds nor is sent anew.
    """

    alarm: Alarm
    grouped: bool = False


class RecordTransition(msgspec.Struct, frozen=True):
    """Write the change into the history and show it on the feed."""

    transition: AlarmTransition


class SendCommand(msgspec.Struct, frozen=True):
    """Ask an actuator for something."""

    command: ActuatorCommand


Effect = Annunciate | RecordTransition | SendCommand
