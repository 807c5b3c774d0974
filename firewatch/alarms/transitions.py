"""The life of an alarm, as one table. Everything that moves an alarm from state to state stands in this file.

Theory
======
Three things are kept apart. The *condition* is what the signals say: active, inactive or unknown. The *state* is what
the operator still has to do with it (ISA-18.2 / IEC 62682):

    normal                  nothing; unless an operator's word keeps it open, the alarm's record is closed
    unacknowledged          it is active and nobody has said that they saw it
    acknowledged            it is active and somebody is on it
    rtn_unacknowledged      it returned to normal by itself and nobody has said that they saw it
    latched_unacknowledged  its condition is over, it waits for a reset, and nobody has said that they saw it
    latched_acknowledged    its condition is over, somebody has seen it, and it waits for a reset

And *hidden* is whether people are told: not while it is shelved, suppressed by design or out of service. A hidden alarm
goes through the same table, and what a row would tell at once is told when nothing hides it any more.

What moves it:

    onset         the condition became active, anew: not before the alarm, or after a return, or at a further device
    returned      the condition became inactive, and that is known
    unseen        it returned, and all the while it was hidden: nobody was told, so nobody has to acknowledge
    latched       it returned, and its rule says that it stays until it is reset
    lost          the condition became unknown: it keeps its state, and the record says since when nobody can tell
    known         the condition, unknown before, is what it was
    acknowledge   an operator has seen it
    confirm       an operator says what it turned out to be, once somebody has acknowledged it
    reset         an operator lets a latched alarm go; refused unless its condition is known to be inactive
    realarm       it was told a while ago, and nobody has acknowledged it
    shelve        an operator hides it, for a time or once
    suppress      an alarm that explains this one became active, and hides it by design
    take_out      an operator takes it out of service, for maintenance
    remind        its maintenance is about to end
    unshelve, shelf_ended, unsuppress, return_to_service, maintenance_ended
                  one of what hid it is over, by an operator's word, by time, or because its reason is
    eased         the ladder stepped down: the condition stands, milder than before
    raised        the rule was given a more urgent priority while its alarm stood
    regraded      the rule was given a less urgent priority, or another class
    removed       the rule, or the alarm's subject in its scope, was removed: nothing judges the alarm any more
    promoted      a shadow rule went live; if its condition stands, a live alarm begins in place of the shadow's
    demoted       a live rule became a shadow: it speaks to nobody any more

What the table promises:

* Every onset leads to `unacknowledged` and is annunciated, whatever was acknowledged before: an acknowledgement never
  hides a new onset.
* Only a return, an operator and a change of the rules lead towards `normal`; `lost` never does.
* What is shown again is told at once where it is active (or was, and nobody can tell), or latched and not acknowledged;
  whoever acknowledged it before, it is `unacknowledged` anew.
* What an operator confirmed goes with the acknowledgement that it rests on.
* A pair that is not in the table is refused: a command raises, and nothing is changed. Conditions never are: the
  engine only reports changes, and each change has its row in every state where it can come.

A return and a new onset before the acknowledgement belong to the same alarm (`activations` counts them). After
`normal` the next onset is another alarm with another id; while a shelf or maintenance keeps the record open it is not.

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
    UNSEEN = "unseen"
    LATCHED = "latched"
    LOST = "lost"
    KNOWN = "known"
    ACKNOWLEDGE = "acknowledge"
    CONFIRM = "confirm"
    RESET = "reset"
    REALARM = "realarm"
    SHELVE = "shelve"
    SUPPRESS = "suppress"
    TAKE_OUT = "take_out"
    REMIND = "remind"
    UNSHELVE = "unshelve"
    SHELF_ENDED = "shelf_ended"
    UNSUPPRESS = "unsuppress"
    RETURN_TO_SERVICE = "return_to_service"
    MAINTENANCE_ENDED = "maintenance_ended"
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
_LATCHED_UNACKNOWLEDGED = AlarmState.LATCHED_UNACKNOWLEDGED
_LATCHED_ACKNOWLEDGED = AlarmState.LATCHED_ACKNOWLEDGED

_onset = Row(_UNACKNOWLEDGED, TransitionReason.CONDITION_ACTIVE, annunciate=True)


def _returned(state: AlarmState) -> Row:
    return Row(state, TransitionReason.CONDITION_INACTIVE)


def _acknowledged(state: AlarmState) -> Row:
    return Row(state, TransitionReason.ACKNOWLEDGED)


def _confirmed(state: AlarmState) -> Row:
    return Row(state, TransitionReason.CONFIRMED)


def _realarmed(state: AlarmState) -> Row:
    return Row(state, TransitionReason.REALARMED, annunciate=True)


def _eased(state: AlarmState) -> Row:
    return Row(state, TransitionReason.STEPPED_DOWN)


def _regraded(state: AlarmState) -> Row:
    return Row(state, TransitionReason.RULE_CHANGED)


def _watched(state: AlarmState) -> dict[Move, Row]:
    """Whether anybody can tell how its condition stands is recorded, and changes nothing else."""
    return {
        Move.LOST: Row(state, TransitionReason.CONDITION_UNKNOWN),
        Move.KNOWN: Row(state, TransitionReason.CONDITION_KNOWN),
    }


def _hidden(state: AlarmState) -> dict[Move, Row]:
    """Hiding an alarm moves it nowhere, nor does the word that this is to end soon."""
    return {
        Move.SHELVE: Row(state, TransitionReason.SHELVED),
        Move.SUPPRESS: Row(state, TransitionReason.SUPPRESSED),
        Move.TAKE_OUT: Row(state, TransitionReason.TAKEN_OUT_OF_SERVICE),
        Move.REMIND: Row(state, TransitionReason.MAINTENANCE_REMINDED),
    }


def _shown(state: AlarmState, *, annunciate: bool = False) -> dict[Move, Row]:
    return {
        Move.UNSHELVE: Row(state, TransitionReason.UNSHELVED, annunciate),
        Move.SHELF_ENDED: Row(state, TransitionReason.SHELF_ENDED, annunciate),
        Move.UNSUPPRESS: Row(state, TransitionReason.UNSUPPRESSED, annunciate),
        Move.RETURN_TO_SERVICE: Row(state, TransitionReason.RETURNED_TO_SERVICE, annunciate),
        Move.MAINTENANCE_ENDED: Row(state, TransitionReason.MAINTENANCE_ENDED, annunciate),
    }


_raised = Row(_UNACKNOWLEDGED, TransitionReason.RULE_CHANGED, annunciate=True)
_closed_by_reload = {
    Move.REMOVED: Row(_NORMAL, TransitionReason.RULE_REMOVED),
    Move.PROMOTED: Row(_NORMAL, TransitionReason.PROMOTED),
    Move.DEMOTED: Row(_NORMAL, TransitionReason.DEMOTED),
}

TRANSITIONS: dict[AlarmState, dict[Move, Row]] = {
    _NORMAL: {
        Move.ONSET: _onset,
        **_watched(_NORMAL),
        Move.CONFIRM: _confirmed(_NORMAL),
        **_hidden(_NORMAL),
        **_shown(_NORMAL),
        Move.RAISED: _regraded(_NORMAL),
        Move.REGRADED: _regraded(_NORMAL),
        **_closed_by_reload,
    },
    _UNACKNOWLEDGED: {
        Move.ONSET: _onset,
        Move.RETURNED: _returned(_RTN_UNACKNOWLEDGED),
        Move.UNSEEN: _returned(_NORMAL),
        Move.LATCHED: _returned(_LATCHED_UNACKNOWLEDGED),
        **_watched(_UNACKNOWLEDGED),
        Move.ACKNOWLEDGE: _acknowledged(_ACKNOWLEDGED),
        Move.REALARM: _realarmed(_UNACKNOWLEDGED),
        **_hidden(_UNACKNOWLEDGED),
        **_shown(_UNACKNOWLEDGED, annunciate=True),
        Move.EASED: _eased(_UNACKNOWLEDGED),
        Move.RAISED: _raised,
        Move.REGRADED: _regraded(_UNACKNOWLEDGED),
        **_closed_by_reload,
    },
    _ACKNOWLEDGED: {
        Move.ONSET: _onset,
        Move.RETURNED: _returned(_NORMAL),
        Move.LATCHED: _returned(_LATCHED_ACKNOWLEDGED),
        **_watched(_ACKNOWLEDGED),
        Move.CONFIRM: _confirmed(_ACKNOWLEDGED),
        **_hidden(_ACKNOWLEDGED),
        **_shown(_UNACKNOWLEDGED, annunciate=True),
        Move.EASED: _eased(_ACKNOWLEDGED),
        Move.RAISED: _raised,
        Move.REGRADED: _regraded(_ACKNOWLEDGED),
        **_closed_by_reload,
    },
    _RTN_UNACKNOWLEDGED: {
        Move.ONSET: _onset,
        **_watched(_RTN_UNACKNOWLEDGED),
        Move.ACKNOWLEDGE: _acknowledged(_NORMAL),
        **_hidden(_RTN_UNACKNOWLEDGED),
        **_shown(_RTN_UNACKNOWLEDGED),
        Move.RAISED: _regraded(_RTN_UNACKNOWLEDGED),
        Move.REGRADED: _regraded(_RTN_UNACKNOWLEDGED),
        **_closed_by_reload,
    },
    _LATCHED_UNACKNOWLEDGED: {
        Move.ONSET: _onset,
        **_watched(_LATCHED_UNACKNOWLEDGED),
        Move.ACKNOWLEDGE: _acknowledged(_LATCHED_ACKNOWLEDGED),
        Move.RESET: Row(_RTN_UNACKNOWLEDGED, TransitionReason.RESET),
        Move.REALARM: _realarmed(_LATCHED_UNACKNOWLEDGED),
        **_hidden(_LATCHED_UNACKNOWLEDGED),
        **_shown(_LATCHED_UNACKNOWLEDGED, annunciate=True),
        Move.RAISED: _regraded(_LATCHED_UNACKNOWLEDGED),
        Move.REGRADED: _regraded(_LATCHED_UNACKNOWLEDGED),
        **_closed_by_reload,
    },
    _LATCHED_ACKNOWLEDGED: {
        Move.ONSET: _onset,
        **_watched(_LATCHED_ACKNOWLEDGED),
        Move.CONFIRM: _confirmed(_LATCHED_ACKNOWLEDGED),
        Move.RESET: Row(_NORMAL, TransitionReason.RESET),
        **_hidden(_LATCHED_ACKNOWLEDGED),
        **_shown(_LATCHED_ACKNOWLEDGED),
        Move.RAISED: _regraded(_LATCHED_ACKNOWLEDGED),
        Move.REGRADED: _regraded(_LATCHED_ACKNOWLEDGED),
        **_closed_by_reload,
    },
}
