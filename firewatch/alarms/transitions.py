"""The life of an alarm, as one table. Everything that moves an alarm from state to state stands in this file.

Theory
======
Two things are kept apart. The *condition* is what the signals say: active, inactive or unknown. The *state* is what
the operator still has to do with it (ISA-18.2 / IEC 62682):

    normal               nothing; the alarm's record is closed
    unacknowledged       it is active and nobody has said that they saw it
    acknowledged         it is active and somebody is on it
    rtn_unacknowledged   it returned to normal by itself and nobody has said that they saw it

What moves it:

    onset         the condition became active, anew: not before the alarm, or after a return, or at a further device
    returned      the condition became inactive, and that is known
    lost          the condition became unknown: it keeps its state, and the record says since when nobody can tell
    known         the condition, unknown before, is what it was
    acknowledge   an operator has seen it
    eased         the ladder stepped down: the condition stands, milder than before
    raised        the rule was given a more urgent priority while its alarm stood
    regraded      the rule was given a less urgent priority, or another class
    removed       the rule, or the alarm's subject in its scope, was removed: nothing judges the alarm any more
    promoted      a shadow rule went live; if its condition stands, a live alarm begins in place of the shadow's
    demoted       a live rule became a shadow: it speaks to nobody any more

What the table promises:

* Every onset leads to `unacknowledged` and is annunciated, whatever was acknowledged before: an acknowledgement never
  hides a new onset.
* Only `returned`, an operator and a change of the rules lead towards `normal`; `lost` never does.
* A pair that is not in the table is refused: a command raises, and nothing is changed. Conditions never are: the
  engine only reports changes, and each change has its row in every state where it can come.

A return and a new onset before the acknowledgement belong to the same alarm (`activations` counts them). After
`normal` the next onset is another alarm with another id.

docs/lifecycle.md shows this table as a diagram drawn from it (`python -m firewatch.alarms.diagram`).
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from firewatch.model.alarm import AlarmState, TransitionReason


class Move(enum.StrEnum):
    """What happened to an alarm."""

    ONSET = "onset"
    RETURNED = "returned"
    LOST = "lost"
    KNOWN = "known"
    ACKNOWLEDGE = "acknowledge"
    EASED = "eased"
    RAISED = "raised"
    REGRADED = "regraded"
    REMOVED = "removed"
    PROMOTED = "promoted"
    DEMOTED = "demoted"


class Row(NamedTuple):
    """Where a move leads, the reason recorded, and whether people are told at once."""

    state: AlarmState
    reason: TransitionReason
    annunciate: bool = False


_NORMAL = AlarmState.NORMAL
_UNACKNOWLEDGED = AlarmState.UNACKNOWLEDGED
_ACKNOWLEDGED = AlarmState.ACKNOWLEDGED
_RTN_UNACKNOWLEDGED = AlarmState.RTN_UNACKNOWLEDGED

_onset = Row(_UNACKNOWLEDGED, TransitionReason.CONDITION_ACTIVE, annunciate=True)


def _returned(state: AlarmState) -> Row:
    return Row(state, TransitionReason.CONDITION_INACTIVE)


def _lost(state: AlarmState) -> Row:
    return Row(state, TransitionReason.CONDITION_UNKNOWN)


def _known(state: AlarmState) -> Row:
    return Row(state, TransitionReason.CONDITION_KNOWN)


def _acknowledged(state: AlarmState) -> Row:
    return Row(state, TransitionReason.ACKNOWLEDGED)


def _eased(state: AlarmState) -> Row:
    return Row(state, TransitionReason.STEPPED_DOWN)


def _regraded(state: AlarmState) -> Row:
    return Row(state, TransitionReason.RULE_CHANGED)


_raised = Row(_UNACKNOWLEDGED, TransitionReason.RULE_CHANGED, annunciate=True)
_closed_by_reload = {
    Move.REMOVED: Row(_NORMAL, TransitionReason.RULE_REMOVED),
    Move.PROMOTED: Row(_NORMAL, TransitionReason.PROMOTED),
    Move.DEMOTED: Row(_NORMAL, TransitionReason.DEMOTED),
}

TRANSITIONS: dict[AlarmState, dict[Move, Row]] = {
    _NORMAL: {
        Move.ONSET: _onset,
    },
    _UNACKNOWLEDGED: {
        Move.ONSET: _onset,
        Move.RETURNED: _returned(_RTN_UNACKNOWLEDGED),
        Move.LOST: _lost(_UNACKNOWLEDGED),
        Move.KNOWN: _known(_UNACKNOWLEDGED),
        Move.ACKNOWLEDGE: _acknowledged(_ACKNOWLEDGED),
        Move.EASED: _eased(_UNACKNOWLEDGED),
        Move.RAISED: _raised,
        Move.REGRADED: _regraded(_UNACKNOWLEDGED),
        **_closed_by_reload,
    },
    _ACKNOWLEDGED: {
        Move.ONSET: _onset,
        Move.RETURNED: _returned(_NORMAL),
        Move.LOST: _lost(_ACKNOWLEDGED),
        Move.KNOWN: _known(_ACKNOWLEDGED),
        Move.EASED: _eased(_ACKNOWLEDGED),
        Move.RAISED: _raised,
        Move.REGRADED: _regraded(_ACKNOWLEDGED),
        **_closed_by_reload,
    },
    _RTN_UNACKNOWLEDGED: {
        Move.ONSET: _onset,
        Move.LOST: _lost(_RTN_UNACKNOWLEDGED),
        Move.KNOWN: _known(_RTN_UNACKNOWLEDGED),
        Move.ACKNOWLEDGE: _acknowledged(_NORMAL),
        Move.RAISED: _regraded(_RTN_UNACKNOWLEDGED),
        Move.REGRADED: _regraded(_RTN_UNACKNOWLEDGED),
        **_closed_by_reload,
    },
}
