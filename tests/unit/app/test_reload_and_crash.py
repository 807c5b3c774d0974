"""A kill -9 around a reload: every input is replayed by the rules it was judged by, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firewatch.engine.engine import prepare
from firewatch.model.alarm import AlarmState, AlarmTransition
from firewatch.model.reload import ReloadOutcome, ReloadTrigger, RulesReload
from firewatch.ports import AlarmFilter
from firewatch.rules.spec import RuleSpec
from firewatch.storage.rule_set import RuleSet
from firewatch.storage.snapshot import Snapshot
from tests.unit.app.test_loop_and_recovery import INVENTORY, SMOKE, Daemon

OTHER = SMOKE.model_copy(update={"id": "other"})
SLOW = SMOKE.model_copy(update={"on_delay": timedelta(seconds=3)})
CALM = RuleSpec.model_validate(
    SMOKE.model_dump(by_alias=True, exclude_unset=True) | {"when": {"state": {"signal": "alarm", "is": False}}}
)
"""The same rule, alarming at the opposite."""


async def reload(daemon: Daemon, *rules: RuleSpec) -> RulesReload:
    rule_set = RuleSet(rules, INVENTORY)
    daemon.kept_rules.keep(rule_set)
    attempt = RulesReload(daemon.clock.now(), ReloadTrigger.FILES, ReloadOutcome.UNCHANGED, rules=rule_set.digest)
    return await daemon.loop.take_over(prepare(rules, INVENTORY), attempt)


async def reasons(daemon: Daemon) -> dict[str, list[str]]:
    """What was recorded of each rule's alarms."""
    alarms = await daemon.history.alarms(AlarmFilter())
    found: dict[str, list[str]] = {}
    for alarm in sorted(alarms, key=lambda alarm: alarm.onset_time):
        transitions = await daemon.history.transitions(alarm.alarm_id)
        assert [each.number for each in transitions] == list(range(1, len(transitions) + 1))
        found.setdefault(alarm.rule, []).extend(each.reason for each in transitions)
    return found


async def assert_history_and_engine_agree(daemon: Daemon) -> None:
    standing = await daemon.history.alarms(AlarmFilter(standing=True))
    assert {each.alarm_id for each in standing} == {each.alarm_id for each in daemon.loop.alarms()}


@pytest.mark.parametrize(
    "lost", [False, True], ids=["the reload is in the history", "the reload is lost with the crash"]
)
async def test_a_crash_after_a_rule_was_removed_leaves_its_alarm_closed_and_its_door_released(
    tmp_path: Path, lost: bool
) -> None:
    daemon = Daemon(tmp_path)
    await daemon.boot(SMOKE)
    daemon.snapshots.write(Snapshot(*daemon.loop.snapshot()))
    async with daemon.running():
        await daemon.hear(b"true")
        assert daemon.commands_sent == ["hold_door"]
        daemon.clock.advance(timedelta(seconds=1))
        daemon.history.hold = lost
        reloading = asyncio.ensure_future(reload(daemon, OTHER))
        await asyncio.sleep(0)
        await daemon.settle()
        assert reloading.done() is not lost, "nobody is told of a reload before it is safe"
    daemon.history.forget()
    reloading.cancel()

    await daemon.boot(OTHER)
    assert (await reasons(daemon))["smoke"] == ["condition_active", "rule_removed"]
    await assert_history_and_engine_agree(daemon)
    assert daemon.commands_sent == ["release_door"]
    taken = [each.trigger for each in await daemon.history.reloads()]
    assert taken == [ReloadTrigger.START if lost else ReloadTrigger.FILES], "once in the audit, as what it was"


async def test_inputs_from_before_a_reload_are_replayed_by_the_rules_before_it(tmp_path: Path) -> None:
    """By the rules after it nothing would have been wrong, and the alarm that people saw would be an orphan."""
    daemon = Daemon(tmp_path)
    await daemon.boot(SMOKE)
    daemon.snapshots.write(Snapshot(*daemon.loop.snapshot()))
    async with daemon.running():
        await daemon.hear(b"true")
        [alarm] = daemon.loop.alarms()
        taken = await reload(daemon, CALM)
        assert taken.report is not None
        assert taken.report.rules[0].judged_anew == (alarm.alarm_id,)
    await daemon.boot(CALM)
    async with daemon.running():
        assert [each.alarm_id for each in daemon.loop.alarms()] == [alarm.alarm_id]
        daemon.clock.advance(timedelta(seconds=1))
        await daemon.hear(b"true")
        assert (await reasons(daemon))["smoke"] == ["condition_active", "condition_unknown", "condition_inactive"]
    await assert_history_and_engine_agree(daemon)


async def test_a_delay_that_runs_goes_on_through_a_reload_and_a_crash(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    await daemon.boot(SLOW)
    daemon.snapshots.write(Snapshot(*daemon.loop.snapshot()))
    async with daemon.running():
        onset = daemon.clock.now()
        await daemon.hear(b"true")
        daemon.clock.advance(timedelta(seconds=2))
        await reload(daemon, SLOW, OTHER)
    await daemon.boot(SLOW, OTHER)
    async with daemon.running():
        assert {each.rule for each in daemon.loop.alarms()} == set()
        daemon.clock.advance(timedelta(seconds=1))
        daemon.loop.offer_observations(())
        await daemon.settle()
        [alarm] = daemon.loop.alarms()
    assert (alarm.rule, alarm.onset_time) == ("smoke", onset)
    [begun] = await daemon.history.transitions(alarm.alarm_id)
    assert begun.transition_time == onset + timedelta(seconds=3)


async def test_rules_changed_while_firewatch_was_down_are_a_reload_in_the_audit(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    await daemon.boot(SMOKE)
    async with daemon.running():
        await daemon.hear(b"true")
        daemon.snapshots.write(Snapshot(*daemon.loop.snapshot()))
    ordinal = await daemon.history.last_ordinal()
    daemon.clock.advance(timedelta(minutes=1))
    await daemon.boot(OTHER)
    [taken] = await daemon.history.reloads()
    assert (taken.trigger, taken.ordinal, taken.rules) == (ReloadTrigger.START, ordinal + 1, daemon.rule_set.digest)
    assert "smoke:\n  - scope.device: smoke_detector" in taken.difference
    await daemon.boot(OTHER)
    assert await daemon.history.reloads() == [taken], "the next start has nothing to reload"
    assert (await reasons(daemon))["smoke"] == ["condition_active", "rule_removed"]


async def test_a_snapshot_whose_rules_are_lost_is_still_used(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    await daemon.boot(SMOKE)
    async with daemon.running():
        await daemon.hear(b"true")
        daemon.snapshots.write(Snapshot(*daemon.loop.snapshot()))
        [alarm] = daemon.loop.alarms()
    for file in (tmp_path / "rule-sets").iterdir():
        file.unlink()
    await daemon.boot(SMOKE, OTHER)
    assert [each.alarm_id for each in daemon.loop.alarms()] == [alarm.alarm_id]
    assert daemon.loop.alarms()[0].state is AlarmState.UNACKNOWLEDGED


RULES: dict[str, tuple[RuleSpec, ...]] = {
    "smoke": (SMOKE,),
    "other": (OTHER,),
    "both": (SMOKE, OTHER),
    "slow": (SLOW, OTHER),
    "calm": (CALM,),
}
steps = st.lists(
    st.one_of(
        st.sampled_from([b"true", b"false", b"null"]),
        st.sampled_from(sorted(RULES)),
        st.sampled_from(["+snapshot", "+crash", "+wait"]),
    ),
    max_size=14,
)


async def transitions_after(
    story: list[bytes | str], *, crashes: bool, folder: Path
) -> dict[str, list[AlarmTransition]]:
    daemon = Daemon(folder)
    rules = RULES["smoke"]
    await daemon.boot(*rules)
    daemon.snapshots.write(Snapshot(*daemon.loop.snapshot()))
    running = daemon.running()
    await running.__aenter__()
    for step in story:
        if isinstance(step, bytes):
            await daemon.hear(step)
        elif step in RULES:
            rules = RULES[step]
            await reload(daemon, *rules)
        elif step == "+wait":
            daemon.clock.advance(timedelta(seconds=2))
            await daemon.hear(b"null")
        elif crashes and step == "+snapshot":
            daemon.snapshots.write(Snapshot(*daemon.loop.snapshot()))
        elif crashes and step == "+crash":
            await running.__aexit__(None, None, None)
            await daemon.boot(*rules)
            daemon.snapshots.write(Snapshot(*daemon.loop.snapshot()))
            await assert_history_and_engine_agree(daemon)
            running = daemon.running()
            await running.__aenter__()
    await running.__aexit__(None, None, None)
    await assert_history_and_engine_agree(daemon)
    alarms = await daemon.history.alarms(AlarmFilter())
    return {alarm.alarm_id: await daemon.history.transitions(alarm.alarm_id) for alarm in alarms}


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(story=steps)
def test_a_daemon_that_crashes_anywhere_records_what_one_that_never_crashed_does(story: list[bytes | str]) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        crashed = asyncio.run(transitions_after(story, crashes=True, folder=Path(one)))
        straight = asyncio.run(transitions_after(story, crashes=False, folder=Path(other)))
    assert crashed == straight
