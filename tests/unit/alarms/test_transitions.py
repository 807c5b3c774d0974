from __future__ import annotations

import pytest

from firewatch.alarms.transitions import TRANSITIONS, Move, Row
from firewatch.model.alarm import AlarmState, TransitionReason

SHORT = dict(zip(["N", "U", "A", "R", "LU", "LA"], AlarmState, strict=True))
NORMAL, UNACKNOWLEDGED, ACKNOWLEDGED, RTN_UNACKNOWLEDGED, LATCHED_UNACKNOWLEDGED, LATCHED_ACKNOWLEDGED = AlarmState

# What every move does in every state: the state after it, `!` if people are told, `-` if it cannot come or is refused.
TABLE = """
    move               N    U    A    R    LU   LA
    onset              U!   U!   U!   U!   U!   U!
    returned           -    R    N    -    -    -
    unseen             -    N    -    -    -    -
    latched            -    LU   LA   -    -    -
    lost               N    U    A    R    LU   LA
    known              N    U    A    R    LU   LA
    acknowledge        -    A    -    N    LA   -
    confirm            N    -    A    -    -    LA
    reset              -    -    -    -    R    N
    realarm            -    U!   -    -    LU!  -
    shelve             N    U    A    R    LU   LA
    suppress           N    U    A    R    LU   LA
    take_out           N    U    A    R    LU   LA
    remind             N    U    A    R    LU   LA
    unshelve           N    U!   U!   R    LU!  LA
    shelf_ended        N    U!   U!   R    LU!  LA
    unsuppress         N    U!   U!   R    LU!  LA
    return_to_service  N    U!   U!   R    LU!  LA
    maintenance_ended  N    U!   U!   R    LU!  LA
    eased              -    U    A    -    -    -
    raised             N    U!   U!   R    LU   LA
    regraded           N    U    A    R    LU   LA
    removed            N    N    N    N    N    N
    promoted           N    N    N    N    N    N
    demoted            N    N    N    N    N    N
"""
CELLS = [
    (Move(move), SHORT[column], cell)
    for head, *lines in [TABLE.strip().splitlines()]
    for move, *cells in map(str.split, lines)
    for column, cell in zip(head.split()[1:], cells, strict=True)
]


@pytest.mark.parametrize(("move", "state", "cell"), CELLS, ids=[f"{state}-{move}" for move, state, _ in CELLS])
def test_every_move_in_every_state(move: Move, state: AlarmState, cell: str) -> None:
    row = TRANSITIONS[state].get(move)
    assert _written(row) == cell


def _written(row: Row | None) -> str:
    if row is None:
        return "-"
    return next(short for short, state in SHORT.items() if state is row.state) + ("!" if row.annunciate else "")


def test_no_state_and_no_move_is_missing_above() -> None:
    assert {(move, state) for move, state, _ in CELLS} == {(move, state) for move in Move for state in AlarmState}
    assert set(TRANSITIONS) == set(AlarmState)


def test_a_move_is_recorded_with_the_same_reason_in_every_state() -> None:
    reasons = {(move, row.reason) for moves in TRANSITIONS.values() for move, row in moves.items()}
    assert len(reasons) == len(Move)
    assert {reason for _, reason in reasons} == set(TransitionReason)


def test_what_people_were_told_of_gets_to_normal_through_people_alone() -> None:
    by_people = {Move.ACKNOWLEDGE, Move.RESET, Move.REMOVED, Move.PROMOTED, Move.DEMOTED}
    unanswered = {UNACKNOWLEDGED, RTN_UNACKNOWLEDGED, LATCHED_UNACKNOWLEDGED}
    ways = {move for state in unanswered for move, row in TRANSITIONS[state].items() if row.state not in unanswered}
    assert ways == by_people - {Move.RESET} | {Move.UNSEEN}


def test_a_latched_alarm_gets_to_normal_through_a_reset_or_a_change_of_rules_alone() -> None:
    latched = {LATCHED_UNACKNOWLEDGED, LATCHED_ACKNOWLEDGED}
    ways = {move for state in latched for move, row in TRANSITIONS[state].items() if row.state not in latched}
    assert ways == {Move.ONSET, Move.RESET, Move.REMOVED, Move.PROMOTED, Move.DEMOTED}


def test_every_state_can_get_back_to_normal() -> None:
    reached = {NORMAL}
    while (
        more := {state for state, moves in TRANSITIONS.items() for row in moves.values() if row.state in reached}
        - reached
    ):
        reached |= more
    assert reached == set(AlarmState)
