from __future__ import annotations

from itertools import product

import pytest

from firewatch.alarms.transitions import TRANSITIONS, Move
from firewatch.model.alarm import AlarmState

NORMAL, UNACKNOWLEDGED, ACKNOWLEDGED, RTN_UNACKNOWLEDGED = AlarmState


def test_every_state_is_in_the_table() -> None:
    assert set(TRANSITIONS) == set(AlarmState)


@pytest.mark.parametrize("state", AlarmState)
def test_every_onset_leads_to_unacknowledged_and_is_told(state: AlarmState) -> None:
    row = TRANSITIONS[state][Move.ONSET]
    assert (row.state, row.annunciate) == (UNACKNOWLEDGED, True)


def test_only_onsets_and_rules_made_more_urgent_are_told_at_once() -> None:
    told = {move for moves in TRANSITIONS.values() for move, row in moves.items() if row.annunciate}
    assert told == {Move.ONSET, Move.RAISED}


@pytest.mark.parametrize(("state", "move"), list(product(AlarmState, [Move.LOST, Move.KNOWN])))
def test_losing_sight_of_a_condition_changes_no_state(state: AlarmState, move: Move) -> None:
    row = TRANSITIONS[state].get(move)
    assert row is None if state is NORMAL else row is not None and row.state is state


@pytest.mark.parametrize("state", [UNACKNOWLEDGED, ACKNOWLEDGED])
def test_stepping_down_asks_nobody_to_acknowledge_again(state: AlarmState) -> None:
    row = TRANSITIONS[state][Move.EASED]
    assert (row.state, row.annunciate) == (state, False)


def test_an_unacknowledged_alarm_gets_to_normal_through_people_alone() -> None:
    ways = {
        (state, move)
        for state in (UNACKNOWLEDGED, RTN_UNACKNOWLEDGED)
        for move, row in TRANSITIONS[state].items()
        if row.state is NORMAL
    }
    operators, whoever_changes_rules = {Move.ACKNOWLEDGE}, {Move.REMOVED, Move.PROMOTED, Move.DEMOTED}
    assert {move for _, move in ways} == operators | whoever_changes_rules


def test_every_state_can_get_back_to_normal() -> None:
    reached = {NORMAL}
    while (
        more := {state for state, moves in TRANSITIONS.items() for row in moves.values() if row.state in reached}
        - reached
    ):
        reached |= more
    assert reached == set(AlarmState)
