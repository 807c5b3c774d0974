from __future__ import annotations

from firewatch.rules.absence import AbsenceEvaluator
from firewatch.rules.spec import AbsenceSpec
from tests.unit.rules.drive import BAD, SILENCE, Drive, at, reading, seconds


def absence(*, armed_at: float | None = 0) -> Drive:
    spec = AbsenceSpec.model_validate({"after": "15s"})
    return Drive(AbsenceEvaluator(("s/d/x", "s/d/y"), spec), armed_at=armed_at)


def test_a_device_that_was_never_heard_is_absent_from_the_start_on() -> None:
    drive = absence()
    drive.play([(14.9, SILENCE, ""), (15, SILENCE, "active")])
    assert seconds(drive.told[0].onset_time) == 15


def test_before_firewatch_listens_nothing_is_silent() -> None:
    drive = absence(armed_at=None)
    drive.play([(1000, SILENCE, "")])


def test_any_of_the_devices_signals_is_a_sign_of_life() -> None:
    absence().play(
        [
            (10, "s/d/x", 1.0, "inactive"),
            (24, "s/d/y", 1.0, ""),
            (38, SILENCE, ""),
            (39, SILENCE, "active"),
            (50, "s/d/x", 1.0, "inactive"),
        ]
    )


def test_a_bad_reading_is_heard_all_the_same() -> None:
    absence().play([(10, 1.0, "inactive"), (20, BAD, ""), (34, SILENCE, ""), (35, SILENCE, "active")])


def test_silence_is_judged_by_arrival_and_not_by_the_devices_clock() -> None:
    drive = absence()
    assert drive.hear(10, 1.0, event=-3600) == ["inactive"]
    drive.play([(24, SILENCE, ""), (25, SILENCE, "active")])


def test_what_waited_inside_firewatch_for_longer_than_the_limit_is_no_sign_of_life() -> None:
    drive = absence()
    drive.play([(15, SILENCE, "active")])
    state, changes = drive.evaluator.observe(drive.state, reading("s/d/x", 1.0, 20), at(40))
    assert (state.condition, changes) == ("active", ())


def test_after_an_outage_of_firewatch_silence_counts_anew_unless_it_was_told() -> None:
    drive = absence()
    drive.play([(10, 1.0, "inactive")])
    drive.state = drive.evaluator.arm(drive.state, at(1000))
    drive.play([(1014, SILENCE, ""), (1015, SILENCE, "active")])
    drive.state = drive.evaluator.arm(drive.state, at(2000))
    assert drive.condition == "active"
