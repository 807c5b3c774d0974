"""What could not be used: counted by reason, the last ones kept where people can look, the log protected."""

from __future__ import annotations

from collections import Counter, OrderedDict
from datetime import datetime, timedelta

from firewatch.ports import Rejection
from firewatch.telemetry.events import PayloadRejected, RejectionsSeen
from firewatch.telemetry.telemetry import Telemetry

KEPT = 200
"""How many rejections are kept: one for each source and reason, so that one bad device cannot push out the others."""

LOG_INTERVAL = timedelta(seconds=10)
"""At most one log line for each reason in this time; the next line says how many were left out."""


class RejectionLog:
    """Takes every rejection. Memory and log volume are bounded, however much bad input comes."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._counts: Counter[str] = Counter()
        self._kept: OrderedDict[tuple[str, str], Rejection] = OrderedDict()
        self._logged_time: dict[str, datetime] = {}
        self._unlogged: Counter[str] = Counter()

    def add(self, rejection: Rejection) -> None:
        """Count it, keep it in place of an older one of the same source and reason, log it if its turn has come."""
        reason = rejection.reason
        self._counts[reason] += 1
        self._telemetry.emit(PayloadRejected(reason=reason))
        key = (rejection.source, reason)
        self._kept[key] = rejection
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        self._log(rejection)

    def recent(self) -> list[Rejection]:
        """The last ones, newest first, one for each source and reason."""
        return list(reversed(self._kept.values()))

    def counts(self) -> dict[str, int]:
        """How many there were since the start, by reason."""
        return dict(self._counts)

    def _log(self, rejection: Rejection) -> None:
        logged_time = self._logged_time.get(rejection.reason)
        if logged_time is not None and rejection.receive_time - logged_time < LOG_INTERVAL:
            self._unlogged[rejection.reason] += 1
            return
        self._logged_time[rejection.reason] = rejection.receive_time
        self._telemetry.emit(
            RejectionsSeen(
                reason=rejection.reason,
                source=rejection.source,
                detail=rejection.detail,
                payload=rejection.payload,
                unlogged=self._unlogged.pop(rejection.reason, 0),
            )
        )
