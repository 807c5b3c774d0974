"""Which alarms wait for an answer in each incident, and which of them is escalated for all.

What joins an incident that calls for people already calls nobody by itself. So it has to be somebody's business once
the alarm that did call is answered: a person may have acknowledged that one card, and not seen the one below it.
"""

from __future__ import annotations

from firewatch.alarms.incident import urgency_of
from firewatch.broadcast.escalation import is_unanswered
from firewatch.model.alarm import AlarmTransition, Annunciation


class OpenIncidents:
    """The unanswered alarms that people were told of, each by its last change."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[str, AlarmTransition]] = {}
        self._escalated: set[str] = set()

    def note(self, change: AlarmTransition) -> None:
        """An alarm has changed."""
        alarm = change.alarm
        waiting = self._waiting.setdefault(alarm.incident, {})
        if not is_unanswered(alarm):
            waiting.pop(alarm.alarm_id, None)
            self._escalated.discard(alarm.alarm_id)
        elif change.annunciation is not None or alarm.alarm_id in waiting:
            waiting[alarm.alarm_id] = change
            if change.annunciation is Annunciation.OF_ITS_OWN:
                self.note_escalated(alarm.alarm_id)
        if not waiting:
            del self._waiting[alarm.incident]

    def note_escalated(self, alarm_id: str) -> None:
        """The alarm's own plan is carried out."""
        self._escalated.add(alarm_id)

    def heir(self, incident: str) -> AlarmTransition | None:
        """The alarm to escalate for the incident from now on: the most urgent, then the first. None if one of them is
        escalated already, or none waits.
        """
        waiting = self._waiting.get(incident, {})
        if not waiting or not self._escalated.isdisjoint(waiting):
            return None
        return min(waiting.values(), key=lambda change: (urgency_of(change.alarm), change.alarm.incident_number))
