"""An alarm driven at random beside a model of its own: what the operator was told, and what they said they saw.

The model knows nothing of states or tables. It follows what a person in the control room would hold against us.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from firewatch.alarms.lifecycle import ConditionSeen, Onset, StandingAlarm, step
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import AlarmState, ConditionState
from firewatch.model.command import Acknowledge
from firewatch.model.effect import Annunciate, Effect, RecordTransition
from tests.unit.alarms.test_lifecycle import draft

START = datetime(2026, 3, 1, 8, tzinfo=UTC)


class Operator(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.standing: StandingAlarm | None = None
        self.seconds = 0
        # The model: is it true now, was it ever told since it began, did anyone see what was told last.
        self.is_active = False
        self.can_be_seen = True
        self.told_since_onset = False
        self.seen_since_onset = True
        self.numbers: list[int] = []

    def _step(self, event: Onset | ConditionSeen | Acknowledge) -> tuple[Effect, ...]:
        self.seconds += 1
        before = self.standing
        self.standing, effects = step(before, event, START + timedelta(seconds=self.seconds))
        for effect in effects:
            if isinstance(effect, Annunciate):
                self.told_since_onset = True
            if isinstance(effect, RecordTransition):
                if effect.transition.previous_state is AlarmState.NORMAL:
                    self.numbers = []
                self.numbers.append(effect.transition.number)
        return effects

    @rule()
    def begins(self) -> None:
        self.told_since_onset = self.seen_since_onset = False
        self.is_active = self.can_be_seen = True
        self._step(Onset(draft(self.seconds)))

    @precondition(lambda self: self.is_active or not self.can_be_seen)
    @rule()
    def returns(self) -> None:
        self.is_active, self.can_be_seen = False, True
        self._step(ConditionSeen(ConditionState.INACTIVE))

    @rule(times=st.integers(1, 3))
    def falls_silent_or_bad(self, times: int) -> None:
        self.can_be_seen = False
        before = self.standing
        for _ in range(times):
            effects = self._step(ConditionSeen(ConditionState.UNKNOWN))
            assert not any(isinstance(effect, Annunciate) for effect in effects)
        assert (self.standing is None) == (before is None)
        if before is not None and self.standing is not None:
            assert self.standing.alarm.state is before.alarm.state

    @precondition(lambda self: self.is_active and not self.can_be_seen)
    @rule()
    def is_seen_to_be_still_so(self) -> None:
        self.can_be_seen = True
        self._step(ConditionSeen(ConditionState.ACTIVE))

    @rule()
    def acknowledges(self) -> None:
        identity = self.standing.alarm.alarm_id if self.standing else "none"
        before = self.standing
        if self.seen_since_onset:
            with pytest.raises(RefusedCommandError):
                self._step(Acknowledge(identity, "li"))
            assert self.standing is before
            return
        self.seen_since_onset = True
        self._step(Acknowledge(identity, "li"))

    @invariant()
    def what_is_active_was_told(self) -> None:
        assert self.told_since_onset or not self.is_active

    @invariant()
    def it_stands_while_it_is_active_or_unseen(self) -> None:
        assert (self.standing is not None) == (self.is_active or not self.seen_since_onset)

    @invariant()
    def an_acknowledgement_covers_what_was_seen_and_no_later_onset(self) -> None:
        if self.standing is not None:
            unseen = self.standing.alarm.state in (AlarmState.UNACKNOWLEDGED, AlarmState.RTN_UNACKNOWLEDGED)
            assert unseen == (not self.seen_since_onset)

    @invariant()
    def the_record_has_no_gap(self) -> None:
        assert self.numbers == list(range(1, len(self.numbers) + 1))


TestOperator = pytest.mark.slow(Operator.TestCase)
TestOperator.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
