"""A notifications' file written in a test, and the changes of alarms that it is asked about."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from firewatch.broadcast.escalation import Book
from firewatch.config.document import parse_document
from firewatch.config.notification_spec import NotificationFile
from firewatch.config.notifications import read_notifications
from firewatch.config.problem import Severity
from firewatch.model.alarm import (
    Alarm,
    AlarmState,
    AlarmTransition,
    Annunciation,
    ConditionState,
    TransitionReason,
)
from firewatch.model.site import Inventory
from tests.inventory import one_site
from tests.unit.broadcast.alarms import START, smoke

INVENTORY: Inventory = one_site(kinds=())


def notification_file(text: str) -> NotificationFile:
    document, problems = parse_document("notification.yaml", text)
    assert document is not None
    file, found = read_notifications(document, INVENTORY, inventory_whole=False)
    wrong = [str(problem) for problem in (*problems, *found) if problem.severity is Severity.WRONG]
    assert wrong == []
    return file


def book(text: str) -> Book:
    return Book(notification_file(text), {"sample": "Asia/Shanghai"})


class Tale:
    """An alarm's changes, each when the test says."""

    def __init__(self, alarm: Alarm | None = None) -> None:
        self.alarm = alarm or smoke()
        self.number = 0

    def told(self, when: datetime = START, *, grouped: bool = False) -> AlarmTransition:
        """It begins, or begins anew, and people are told."""
        annunciation = Annunciation.GROUPED if grouped else Annunciation.OF_ITS_OWN
        return self._change(
            when,
            TransitionReason.CONDITION_ACTIVE,
            annunciation,
            state=AlarmState.UNACKNOWLEDGED,
            condition=ConditionState.ACTIVE,
        )

    def realarmed(self, when: datetime) -> AlarmTransition:
        return self._change(when, TransitionReason.REALARMED, Annunciation.OF_ITS_OWN)

    def acknowledged(self, when: datetime, by: str = "li") -> AlarmTransition:
        return self._change(
            when,
            TransitionReason.ACKNOWLEDGED,
            state=AlarmState.ACKNOWLEDGED,
            acknowledged_by=by,
            acknowledged_time=when,
            acknowledge_comment="on my way",
        )

    def returned(self, when: datetime) -> AlarmTransition:
        seen = self.alarm.state is AlarmState.ACKNOWLEDGED
        state = AlarmState.NORMAL if seen else AlarmState.RTN_UNACKNOWLEDGED
        return self._change(when, TransitionReason.CONDITION_INACTIVE, state=state, condition=ConditionState.INACTIVE)

    def changed(self, when: datetime, **changes: object) -> AlarmTransition:
        """Something else about it, of which nobody is told."""
        return self._change(when, TransitionReason.CONDITION_KNOWN, **changes)

    def hidden(self, when: datetime) -> AlarmTransition:
        return self._change(when, TransitionReason.SUPPRESSED, hidden=True, suppressed_by="another")

    def _change(
        self,
        when: datetime,
        reason: TransitionReason,
        annunciation: Annunciation | None = None,
        **changes: object,
    ) -> AlarmTransition:
        previous, self.number = self.alarm.state, self.number + 1
        self.alarm = replace(self.alarm, **changes)
        return AlarmTransition(
            alarm_id=self.alarm.alarm_id,
            number=self.number,
            transition_time=when,
            reason=reason,
            previous_state=previous,
            alarm=self.alarm,
            annunciation=annunciation,
        )


def after(**span: float) -> datetime:
    return START + timedelta(**span)
