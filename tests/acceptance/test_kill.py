"""kill -9 at each second of a delay of a minute: every alarm comes once, at the time it would have come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.acceptance.plant import Plant, low, running

pytestmark = pytest.mark.slow

DELAY = timedelta(minutes=1)
DEVICES = [f"p{number}" for number in range(60)]
"""The pressure falls at each a second after the one before, so that one kill meets delays of every age."""
UP_SECONDS = 2.0
TOLERANCE = timedelta(seconds=1)


@pytest.fixture
async def plant(nats_url: str, dsn: str, tmp_path: Path) -> AsyncIterator[Plant]:
    plant = Plant(nats_url, dsn, tmp_path, DEVICES)
    plant.write_rules(low("low", on_delay="60s"))
    async with running(plant) as plant:
        yield plant


async def test_a_delay_that_is_killed_at_each_of_its_seconds_ends_when_it_would_have(plant: Plant) -> None:
    onsets: dict[str, datetime] = {}
    kills: list[datetime] = []
    story = asyncio.ensure_future(report_falling_pressure(plant, onsets))
    while not story.done() or datetime.now(UTC) < max(onsets.values()) + DELAY:
        await asyncio.sleep(UP_SECONDS)
        kills.append(await plant.kill())
        await plant.start()
    await story

    async def all_begun() -> bool:
        return (await plant.rows("SELECT count(*) FROM alarm"))[0][0] >= len(DEVICES)

    await plant.until("an alarm of every device", all_begun)
    heard = await plant.rows(
        "SELECT split_part(signal, '/', 2), source_time, taken_time FROM observation WHERE number IS NOT NULL"
    )
    taken = {device: time for device, source_time, time in heard if source_time == onsets[device]}
    cut = {
        (kill - onset) // timedelta(seconds=1)
        for device, onset in onsets.items()
        for kill in kills
        if taken[device] < kill < onset + DELAY
    }
    assert cut >= set(range(1, 60)), "the daemon died in every second of a delay that it had begun to count"

    transitions = await plant.rows("SELECT alarm ->> 'subject', number, reason, transition_time FROM alarm_transition")
    assert sorted((subject, number, reason) for subject, number, reason, _ in transitions) == sorted(
        (f"s/{device}", 1, "condition_active") for device in DEVICES
    ), "once for every device"
    for subject, _, _, time in transitions:
        due = onsets[subject.removeprefix("s/")] + DELAY
        assert abs(time - due) <= TOLERANCE, f"{subject}: {time} instead of {due}"
    alarms = await plant.rows("SELECT subject, onset_time, (alarm ->> 'activations')::int FROM alarm")
    assert {(subject, onset) for subject, onset, _ in alarms} == {(f"s/{each}", time) for each, time in onsets.items()}
    assert {activations for _, _, activations in alarms} == {1}


async def report_falling_pressure(plant: Plant, onsets: dict[str, datetime]) -> None:
    """Whether the daemon is up or not; the broker keeps what it does not hear."""
    async with plant.client() as client:
        for device in DEVICES:
            onsets[device] = await plant.report(client, device, 0.05)
            await asyncio.sleep(1)
