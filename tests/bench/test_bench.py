"""The benchmark's own parts, so that its figures mean what they say."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from firewatch.config.project import load_project
from firewatch.config.settings import Settings
from firewatch.engine.engine import Engine
from firewatch.model.contract import OneReading
from firewatch.rules.compile import compile_rules
from tests.bench import ingest
from tests.bench.compound import PROBE_RULE, write_compound
from tests.bench.engine import START, EngineReport, Evaluated, Scaled, compound, quiet_readings, rules_by_building
from tests.bench.engine import table as engine_table
from tests.bench.ingest import IngestBench, Verdict
from tests.bench.latency import percentile
from tests.bench.load import READING_BYTES, reading, time_text
from tests.bench.report import environment
from tests.bench.wire import remaining_length

NOW = datetime(2025, 6, 1, 1, 2, 3, 45, tzinfo=UTC)


@pytest.mark.parametrize("sequence", [1, 4_000_000_000])
def test_a_reading_has_its_size_and_keeps_the_contract(sequence):
    payload = reading(time_text(NOW), b"0.300000", sequence)
    decoded = msgspec.json.decode(payload, type=OneReading)
    assert len(payload) == READING_BYTES
    assert (decoded.time, decoded.signal, decoded.value, decoded.seq) == (NOW, "pressure", 0.3, sequence)


@pytest.mark.parametrize(
    ("length", "encoded"), [(0, b"\x00"), (127, b"\x7f"), (128, b"\x80\x01"), (16_384, b"\x80\x80\x01")]
)
def test_a_packets_length_is_written_as_mqtt_wants_it(length, encoded):
    assert remaining_length(length) == encoded


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, None), ([7.0], 0.99, 7.0), ([3.0, 1.0, 2.0], 0.5, 2.0), (list(map(float, range(1, 101))), 0.99, 99.0)],
)
def test_percentiles_are_nearest_rank(values, share, expected):
    assert percentile(values, share) == expected


class Limited:
    """Takes everything up to a rate and loses `lost` beyond it."""

    name = "limited"

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.rate = 0.0

    def begin(self) -> None:
        pass

    def arrived(self, first_sequence: int, last_sequence: int) -> int:
        return last_sequence - first_sequence + 1 - (7 if self.rate > self.limit else 0)


@pytest.mark.parametrize("limit", [2_500.0, 9_900.0, 33_000.0])
def test_the_search_comes_close_to_the_highest_rate_without_loss(monkeypatch, limit):
    receiver = Limited(limit)

    def load(_port: int, rate: float, seconds: float, _first: int) -> dict[str, float]:
        receiver.rate = rate
        return {"published": round(rate * seconds), "seconds": seconds}

    monkeypatch.setattr(ingest, "run_load", load)
    monkeypatch.setattr(ingest, "DRAIN_SECONDS", 0.0)
    monkeypatch.setattr(ingest, "GIVE_UP_SECONDS", 0.0)
    lines: list[str] = []
    result = IngestBench(1, receiver, lines.append).search(full_seconds=30, trial_seconds=5)
    assert result.rate is not None
    assert limit * 0.9 < result.rate <= limit
    assert result.trials[-1].passed
    assert result.trials[-1].seconds == 30
    assert result.ended_by is Verdict.LOST
    assert any("7 of" in line for line in lines)


def test_a_rate_the_load_could_not_keep_is_not_passed(monkeypatch):
    monkeypatch.setattr(ingest, "run_load", lambda *_: {"published": 10_000, "seconds": 2.0})
    trial = IngestBench(1, Limited(1e9), lambda _: None).trial(10_000, 1)
    assert trial.verdict is Verdict.LOAD


def test_each_device_is_judged_by_one_rule_however_many_there_are():
    for rules in (1, 7, 30):
        instances = compile_rules(rules_by_building(rules), compound(20, rules))
        assert sorted(instance.subject for instance in instances) == sorted(f"bench/d{number}" for number in range(20))


def test_the_readings_the_engine_is_timed_with_are_judged_and_raise_nothing():
    engine = Engine(rules_by_building(3), compound(20, 3))
    engine.start(START)
    effects = [engine.observe(reading, reading.receive_time) for reading in quiet_readings(20, 500)]
    assert not any(effects)
    assert engine.explain("low-0", "bench/d0").steps[0].finding.condition == "inactive"


def test_the_engines_figures_are_shown_with_their_ratio():
    report = EngineReport(
        measured_time=NOW,
        environment=environment("no database"),
        scaled=[Scaled(10_000, 100_000, 5.0, 1500.0, 300_000.0, 1.02)],
        evaluated=[Evaluated("a limit", 2_000_000.0)],
    )
    assert "10,000" in engine_table(report)
    assert "1.02" in engine_table(report)
    assert "2,000,000" in engine_table(report)


def test_the_compound_that_is_timed_is_in_order_and_judged_by_shipped_rules(tmp_path):
    write_compound(tmp_path)
    settings = Settings(sites=tmp_path / "sites", devices=tmp_path / "devices", rules=tmp_path / "rules")
    judged = {rule.id for rule in load_project(settings).rules}
    assert {PROBE_RULE, "hydrant-pressure-low"} <= judged
