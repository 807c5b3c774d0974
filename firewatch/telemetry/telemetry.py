"""Where occurrences go: `emit` writes the log line and moves the metrics; `metrics` is the text for `/metrics`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from firewatch.telemetry.events import KNOWN
from firewatch.telemetry.occurrence import Count, Level, LogLevel, Metric, Occurrence

METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""The content type of what `Telemetry.metrics` returns."""

_Move = Callable[[Any], None]


class Telemetry:
    """One for the whole daemon. `emit` is cheap, never raises for a well-formed occurrence, and may be called from
    any thread.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Register every known occurrence's metrics, so that a counter that never moved shows as 0."""
        self.registry = registry or CollectorRegistry()
        if registry is None:
            ProcessCollector(registry=self.registry)
        self._log = structlog.get_logger("firewatch")
        self._instruments: dict[str, Any] = {}
        self._moves: dict[type[Occurrence], tuple[_Move, ...]] = {}
        for kind in KNOWN:
            self._register(kind)

    def emit(self, occurrence: Occurrence) -> None:
        """Count it and, if it has a sentence, log it."""
        kind = type(occurrence)
        moves = self._moves.get(kind)
        for move in self._register(kind) if moves is None else moves:
            move(occurrence)
        if kind.sentence:
            self._log.log(_LEVELS[kind.level], kind.sentence, **msgspec.structs.asdict(occurrence))

    def metrics(self) -> bytes:
        """Everything counted so far, in Prometheus' text format."""
        return generate_latest(self.registry)

    def _register(self, kind: type[Occurrence]) -> tuple[_Move, ...]:
        moves = tuple(self._move_of(metric) for metric in kind.metrics)
        self._moves[kind] = moves
        return moves

    def _move_of(self, metric: Metric) -> _Move:
        instrument = self._instruments.get(metric.name)
        if instrument is None:
            instrument = self._instruments[metric.name] = _instrument(metric, self.registry)
        labels = metric.labels

        def child(occurrence: Occurrence) -> Any:
            return instrument.labels(*[getattr(occurrence, name) for name in labels]) if labels else instrument

        if isinstance(metric, Count):
            amount = metric.amount
            if amount is None:
                return lambda occurrence: child(occurrence).inc()
            return lambda occurrence: child(occurrence).inc(getattr(occurrence, amount))
        value = metric.value
        if isinstance(metric, Level):
            if isinstance(value, str):
                return lambda occurrence: child(occurrence).set(getattr(occurrence, value))
            return lambda occurrence: child(occurrence).set(value)
        return lambda occurrence: child(occurrence).observe(getattr(occurrence, str(value)))


_LEVELS = {LogLevel.DEBUG: 10, LogLevel.INFO: 20, LogLevel.WARNING: 30, LogLevel.ERROR: 40}


def _instrument(metric: Metric, registry: CollectorRegistry) -> Counter | Gauge | Histogram:
    if isinstance(metric, Count):
        return Counter(metric.name, metric.help, metric.labels, registry=registry)
    if isinstance(metric, Level):
        return Gauge(metric.name, metric.help, metric.labels, registry=registry)
    return Histogram(metric.name, metric.help, metric.labels, registry=registry, buckets=metric.buckets)
