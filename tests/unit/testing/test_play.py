"""The player of rule tests fails where a rule does not do what is expected: many a line here is wrong on purpose."""

from __future__ import annotations

import pytest

from firewatch.testing.play import play
from tests.unit.testing.conftest import RULES, Folder

LOW = "observations: {tank-1/level: [2.0 m for 5s, 1.4 for 20s, 2.0 for 20s]}"
CLOSED = "observations: {valve-a-riser/position: closed for 30s}"
PRESSED = "observations: {a-lift-1-controller/emergency_button: [false for 5s, true for 5s, false for 5s]}"


def case(observations: str, *expect: str, steps: str = "") -> str:
    lines = [observations, *([f"steps: [{steps}]"] if steps else []), "expect:"]
    return "\n    ".join([*lines, *(f"  - {{at: {one}}}" for one in expect)])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("7s, level-low: unacknowledged", "at 7s level-low of sample/tank-1: expected unacknowledged, came normal"),
        ("8s, level-low: normal", "at 8s level-low of sample/tank-1: expected normal, came unacknowledged"),
        (
            "8s, level-low: unacknowledged, annunciated: false",
            "at 8s level-low of sample/tank-1: expected annunciated false, came true",
        ),
        (
            "7s, level-low: normal, annunciated: true",
            "at 7s level-low of sample/tank-1: expected annunciated true, came false",
        ),
        (
            "8s, level-low: unacknowledged, condition: unknown",
            "at 8s level-low of sample/tank-1: expected condition unknown, came active",
        ),
        (
            "7s, level-low: normal, condition: inactive",
            "at 7s level-low of sample/tank-1: expected condition inactive, came no alarm",
        ),
        (
            "8s, level-low: unacknowledged, priority: low",
            "at 8s level-low of sample/tank-1: expected priority low, came high",
        ),
        (
            "8s, level-low: unacknowledged, activations: 2",
            "at 8s level-low of sample/tank-1: expected activations 2, came 1",
        ),
        (
            "8s, level-low: unacknowledged, shelved: true",
            "at 8s level-low of sample/tank-1: expected shelved true, came false",
        ),
        (
            "8s, level-low: unacknowledged, suppressed: true",
            "at 8s level-low of sample/tank-1: expected suppressed true, came false",
        ),
        (
            "8s, level-low: unacknowledged, out_of_service: true",
            "at 8s level-low of sample/tank-1: expected out_of_service true, came false",
        ),
        (
            "8s, level-low: unacknowledged, commands: [a-lift-2-door hold_door]",
            "at 8s level-low of sample/tank-1: expected commands [a-lift-2-door hold_door], came []",
        ),
        (
            "8s, nothing: true",
            "at 8s expected nothing, came level-low annunciated, level-low of sample/tank-1 unacknowledged",
        ),
    ],
)
def test_a_wrong_expectation_fails_with_what_came(folder: Folder, line: str, expected: str) -> None:
    assert folder.failures(case(LOW, line)) == [f"6: {expected}"]


@pytest.mark.parametrize(
    "line",
    [
        "7s, nothing: true",
        "8s, level-low: unacknowledged, annunciated: true, condition: active, priority: high, activations: 1",
        "8s, level-low: unacknowledged, shelved: false, suppressed: false, out_of_service: false, commands: []",
        "34s, level-low: unacknowledged, condition: active",
        "35s, level-low: rtn_unacknowledged, condition: inactive",
    ],
)
def test_a_right_expectation_passes(folder: Folder, line: str) -> None:
    assert folder.failures(case(LOW, line)) == []


def test_what_was_told_before_an_expectation_is_not_told_again_by_the_next(folder: Folder) -> None:
    told = "level-low: unacknowledged, annunciated: true"
    (failure,) = folder.failures(case(LOW, f"8s, {told}", f"9s, {told}"))
    assert failure.startswith("7: at 9s")


def test_a_shadow_rule_is_tested_as_if_it_were_live(folder: Folder) -> None:
    expect = [
        "5s, button: unacknowledged, annunciated: true, commands: [a-lift-1-loudspeaker play]",
        "10s, button: rtn_unacknowledged, commands: [a-lift-1-loudspeaker stop]",
    ]
    assert folder.failures(case(PRESSED, *expect)) == []


def test_commands_are_those_of_the_rules_named(folder: Folder) -> None:
    (failure,) = folder.failures(case(PRESSED, "5s, button: unacknowledged, commands: []"))
    assert failure.endswith("expected commands [], came [a-lift-1-loudspeaker play]")


def test_a_failure_shows_what_happened_around_it_and_what_comes_later(folder: Folder) -> None:
    (failure,) = folder.outcome(case(LOW, "7s, level-low: unacknowledged")).failures
    assert [line.split(maxsplit=1) for line in failure.story] == [
        ["0s", "sample/tank-1/level: 2"],
        ["5s", "sample/tank-1/level: 1.4"],
        [">", failure.story[2].split(maxsplit=1)[1]],
        ["8s", "alarm high unacknowledged: condition active, annunciated"],
        ["25s", "sample/tank-1/level: 2"],
        ["35s", "alarm high rtn_unacknowledged: condition inactive"],
    ]
    assert failure.story[2].split(maxsplit=2)[1:] == [
        "7s",
        "expected unacknowledged, came normal; delay inactive since 5s, due at 8s < low active since 5s",
    ]


def test_several_failures_of_a_rule_tell_its_story_once(folder: Folder) -> None:
    outcome = folder.outcome(case(LOW, "7s, level-low: unacknowledged", "8s, level-low: normal"))
    assert [bool(failure.story) for failure in outcome.failures] == [False, True]


# -- what people do ----------------------------------------------------------------------------------------------------


def test_commands_follow_from_those_that_operators_have(folder: Folder) -> None:
    steps = [
        "{at: 9s, shelve: level-low, reason: works, duration: 10s}",
        "{at: 20s, acknowledge: level-low, comment: seen}",
        "{at: 21s, out_of_service: level-low, reason: order 7, operator: chief}",
        "{at: 22s, return_to_service: level-low, reason: done}",
    ]
    expect = [
        "18s, level-low: unacknowledged, shelved: true",
        "19s, level-low: unacknowledged, shelved: false, annunciated: true",
        "20s, level-low: acknowledged",
        "21s, level-low: acknowledged, out_of_service: true",
        "22s, level-low: unacknowledged, out_of_service: false, annunciated: true",
    ]
    assert folder.failures(case(LOW, *expect, steps=", ".join(steps))) == []


def test_a_maintenance_ends_so_long_after_it_began_and_a_verdict_needs_an_acknowledgement(folder: Folder) -> None:
    steps = [
        "{at: 8s, confirm: level-low, verdict: real, refused: true}",
        "{at: 9s, acknowledge: level-low}",
        "{at: 10s, confirm: level-low, verdict: real, comment: leak}",
        "{at: 11s, out_of_service: level-low, reason: order 7, work_order: WO-7, until_time: 8s}",
    ]
    expect = [
        "18s, level-low: acknowledged, out_of_service: true",
        "19s, level-low: unacknowledged, out_of_service: false, annunciated: true",
    ]
    assert folder.failures(case(LOW, *expect, steps=", ".join(steps))) == []


def test_the_first_alarms_of_an_incident_are_acknowledged_in_one_go(folder: Folder) -> None:
    steps = [
        "{at: 9s, acknowledge_incident: level-low, seen: 1}",
        "{at: 10s, acknowledge_incident: level-low, seen: 1, refused: true}",
    ]
    expect = ["8s, level-low: unacknowledged", "10s, level-low: acknowledged"]
    assert folder.failures(case(LOW, *expect, steps=", ".join(steps))) == []


def test_a_latched_alarm_waits_for_its_reset(folder: Folder) -> None:
    observations = "observations: {tank-1/level: [2.0, silence for 29s, 2.0 for 30s]}"
    steps = ", ".join(
        [
            "{at: 20s, reset: tank-silent, refused: true}",
            "{at: 31s, acknowledge: tank-silent}",
            "{at: 40s, reset: tank-silent}",
        ]
    )
    expect = [
        "15s, tank-silent: unacknowledged",
        "30s, tank-silent: latched_unacknowledged",
        "31s, tank-silent: latched_acknowledged",
        "40s, tank-silent: normal",
    ]
    assert folder.failures(case(observations, *expect, steps=steps)) == []


def test_a_command_without_its_alarm_fails(folder: Folder) -> None:
    body = case(LOW, "3s, level-low: normal", steps="{at: 2s, acknowledge: level-low}")
    assert folder.failures(body) == ["5: there is no alarm of level-low of sample/tank-1 to acknowledge"]


def test_a_refused_command_fails_as_it_does_in_service(folder: Folder) -> None:
    steps = "{at: 9s, acknowledge: level-low}, {at: 10s, acknowledge: level-low}"
    (failure,) = folder.failures(case(LOW, "11s, level-low: acknowledged", steps=steps))
    assert "acknowledged" in failure


def test_a_command_may_be_expected_to_be_refused(folder: Folder) -> None:
    steps = "{at: 2s, shelve: valve-closed, reason: works, duration: 1h, refused: true}"
    assert folder.failures(case(CLOSED, "3s, valve-closed: unacknowledged, shelved: false", steps=steps)) == []


def test_a_command_that_should_have_been_refused_fails(folder: Folder) -> None:
    steps = "{at: 9s, acknowledge: level-low, refused: true}"
    (failure,) = folder.failures(case(LOW, "11s, level-low: acknowledged", steps=steps))
    assert failure == "5: expected that acknowledge is refused, but it was carried out"


# -- what is heard, and when -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("down", ["restart", "kill"])
def test_what_is_sent_while_firewatch_is_down_is_heard_when_it_is_up_again(folder: Folder, down: str) -> None:
    expect = "12s, level-low: unacknowledged, annunciated: true"
    assert folder.failures(case(LOW, expect, steps=f"{{at: 2s, {down}: 10s}}")) == []


@pytest.mark.parametrize("down", ["restart", "kill"])
@pytest.mark.parametrize("at", range(13))
def test_the_alarm_comes_at_the_same_time_and_once_whenever_firewatch_goes_down(
    folder: Folder, down: str, at: int
) -> None:
    expect = [
        "7s, level-low: normal, annunciated: false",
        "8s, level-low: unacknowledged, annunciated: true",
        "20s, level-low: unacknowledged, annunciated: false",
        "35s, level-low: rtn_unacknowledged",
    ]
    assert folder.failures(case(LOW, *expect, steps=f"{{at: {at}s, {down}: 0s}}")) == []


def test_a_kill_loses_no_command_of_an_operator(folder: Folder) -> None:
    steps = "{at: 9s, acknowledge: level-low}, {at: 10s, kill: 5s}, {at: 16s, kill: 0s}"
    expect = ["15s, level-low: acknowledged, annunciated: true", "34s, level-low: acknowledged", "35s, nothing: true"]
    assert folder.failures(case(LOW, *expect, steps=steps)) == []


def test_a_late_reading_raises_an_alarm_and_clears_none(folder: Folder) -> None:
    late = "observations: {valve-a-riser/position: [open for 5s, closed late 3s, closed for 3s, open late 8s]}"
    expect = ["5s, valve-closed: unacknowledged", "9s, valve-closed: unacknowledged"]
    assert folder.failures(case(late, *expect)) == []


def test_readings_that_come_twice_change_nothing(folder: Folder) -> None:
    twice = "observations: {tank-1/level: [2.0 m twice for 5s, 1.4 twice for 20s]}"
    expect = ["7s, nothing: true", "20s, level-low: unacknowledged, activations: 1"]
    assert folder.failures(case(twice, *expect)) == []


def test_a_series_may_have_an_interval_of_its_own(folder: Folder) -> None:
    two = (
        "observations: {tank-1/level: {every: 5s, values: [2.0 for 10s, 1.4 for 20s]}, valve-a-riser/position: closed}"
    )
    expect = ["0s, valve-closed: unacknowledged", "12s, level-low: normal", "13s, level-low: unacknowledged"]
    assert folder.failures(case(two, *expect)) == []


# -- rules that change -------------------------------------------------------------------------------------------------


def test_a_reload_goes_on_with_the_other_files(folder: Folder) -> None:
    folder.write("deeper.yaml", RULES.replace("limit: 1.5 m", "limit: 1.2 m"))
    expect = [
        "9s, level-low: unacknowledged",
        "10s, level-low: unacknowledged, condition: unknown",
        "11s, level-low: rtn_unacknowledged",
    ]
    assert folder.failures(case(LOW, *expect, steps="{at: 10s, reload: [deeper.yaml]}")) == []


def test_a_reload_of_the_same_files_changes_nothing(folder: Folder) -> None:
    expect = ["7s, level-low: normal", "8s, level-low: unacknowledged, annunciated: true"]
    assert folder.failures(case(LOW, *expect, steps="{at: 6s, reload: [plain.yaml]}, {at: 7s, kill: 0s}")) == []


def test_a_reload_without_the_rule_closes_its_alarm(folder: Folder) -> None:
    folder.write("less.yaml", "rules:\n" + RULES[RULES.index("  - id: valve-closed") :])
    steps = "{at: 10s, reload: [less.yaml]}"
    assert folder.failures(case(LOW, "9s, level-low: unacknowledged", "10s, level-low: normal", steps=steps)) == []


def test_an_override_judges_its_own_subjects(folder: Folder) -> None:
    folder.write("site.yaml", "overrides: [{rule: level-low, subjects: [tank-1], set: {when.low.limit: 1.2 m}}]\n")
    assert folder.failures(case(LOW, "20s, level-low: normal"), rules="plain.yaml, site.yaml") == []


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("", "2025-01-01T00:00:00+00:00"),
        ('start: "2026-03-02 08:00"\n    ', "2026-03-02T00:00:00+00:00"),
        ('start: "2026-03-02T07:59:40"\n    ', "2026-03-01T23:59:40+00:00"),
    ],
)
def test_a_test_may_begin_at_a_time_of_the_site(folder: Folder, start: str, expected: str) -> None:
    (scenario,) = folder.scenarios(case(f"{start}{CLOSED}", "0s, valve-closed: unacknowledged"))
    assert scenario.start.isoformat() == expected
    assert play(scenario).failures == ()


@pytest.mark.parametrize(
    ("start", "expect"),
    [
        ("2026-03-02 07:59:40", ["19s, valve-closed: normal", "20s, valve-closed: unacknowledged"]),
        ("2026-03-02 17:59:40", ["19s, valve-closed: unacknowledged", "20s, valve-closed: rtn_unacknowledged"]),
        ("2026-03-01 12:00", ["20s, valve-closed: normal"]),
    ],
)
def test_a_schedule_is_judged_from_where_the_test_begins(folder: Folder, start: str, expect: list[str]) -> None:
    closed = "{state: {signal: position, is: closed}}"
    office_hours = "{schedule: {windows: [{days: [mon], from: '08:00', to: '18:00'}]}}"
    folder.write("plain.yaml", RULES.replace(closed, f"{{all: [{closed}, {office_hours}]}}"))
    assert folder.failures(case(f'start: "{start}"\n    {CLOSED}', *expect)) == []
