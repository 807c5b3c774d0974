"""firewatch watching itself: one class an occurrence, which is its log line and its counter.

`Telemetry.emit(SomethingHappened(...))` is all a caller needs; `events.py` has the occurrences.
"""

from firewatch.telemetry.logs import configure_logging
from firewatch.telemetry.rejections import RejectionLog
from firewatch.telemetry.telemetry import METRICS_CONTENT_TYPE, Telemetry

__all__ = ["METRICS_CONTENT_TYPE", "RejectionLog", "Telemetry", "configure_logging"]
