"""Reloads under random stories: what is judged as before never notices them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from firewatch.engine.engine import Engine
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import Alarm, AlarmClass, Priority
from firewatch.model.command import OperatorCommand, OutOfService, ReturnToService, Shelve
from firewatch.model.effect import Annunciate, Effect, RecordTransition, SendCommand
from firewatch.rules.spec import Mode, RuleSpec, ShelvingSpec
from tests.property import test_incident_model as incident_model
from tests.property.test_engine_properties import RULES, Player, Step, by_kind, stories
from tests.unit.engine.world import E_BIKE, INVENTORY, LOW, SILENT, SLOW_LOW, at, rule

pytestmark = pytest.mark.slow
quick = settings(max_examples=25, deadline=None)

LADDER = rule(
    "ladder",
    {"device": "pressure_transmitter"},
    None,
    ladder=[
        {"when": {"low": {"signal": "pressure", "limit": 0.08}}, "priority": "low", "off_delay": "2s"},
        {"when": {"low": {"signal": "pressure", "limit": 0.06}}, "priority": "high", "on_delay": "3s"},
    ],
)
STRICTER = rule("low", {"device": "pressure_transmitter"}, {"low": {"signal": "pressure", "limit": 0.06}})
RULE_SETS: dict[str, tuple[RuleSpec, ...]] = {
    "all": (*RULES, LADDER),
    "fewer": RULES[:2],
    "none": (),
    "changed": (STRICTER, E_BIKE.model_copy(update={"on_delay": SLOW_LOW.on_delay}), LADDER, *RULES[2:]),
    "shorter": (*RULES, LADDER.model_copy(update={"ladder": LADDER.ladder[:1]})),
    "shadow": tuple(one.model_copy(update={"mode": Mode.SHADOW}) for one in (*RULES, LADDER)),
    "reworded": tuple(one.model_copy(update={"text": one.advice}) for one in (*RULES, LADDER)),
}
rule_sets = st.sampled_from(sorted(RULE_SETS))
places = st.integers(0, 30)


def player(rules: tuple[RuleSpec, ...]) -> Player:
    one = Player()
    one.engine = Engine(rules, INVENTORY)
    one.effects = list(one.engine.start(at(0)))
    return one


def reload(one: Player, rules: tuple[RuleSpec, ...]) -> list[Effect]:
    effects, _ = one.engine.reload(rules, INVENTORY, at(one.now))
    one.effects += effects
    return effects


def of_rule(effects: list[Effect], rule_id: str) -> list[Effect]:
    return [effect for effect in effects if _rule_of(effect) == rule_id]


def _rule_of(effect: Effect) -> str:
    if isinstance(effect, Annunciate):
        return effect.alarm.rule
    return effect.command.rule if isinstance(effect, SendCommand) else effect.transition.alarm.rule


def but_for_incidents(effects: list[Effect]) -> list[str]:
    """Everything that was told, recorded and asked for, without what it says about the alarms around it."""
    return sorted(repr(_but_for_incident(effect)) for effect in effects)


def _but_for_incident(effect: Effect) -> Effect:
    if isinstance(effect, Annunciate):
        return Annunciate(_alone(effect.alarm))
    if isinstance(effect, RecordTransition):
        return RecordTransition(replace(effect.transition, alarm=_alone(effect.transition.alarm)))
    return effect


def _alone(alarm: Alarm) -> Alarm:
    return replace(alarm, incident="", incident_number=0)


@quick
@given(story=stories, name=rule_sets, moment=places)
def test_the_same_rules_again_at_any_moment_change_nothing(story: list[Step], name: str, moment: int) -> None:
    rules = RULE_SETS[name]
    straight, reloaded = player(rules), player(rules)
    straight.play(story)
    reloaded.play(story[:moment])
    assert reload(reloaded, rules) == []
    reloaded.play(story[moment:])
    assert reloaded.effects == straight.effects
    assert reloaded.engine.snapshot() == straight.engine.snapshot()


@quick
@given(story=stories, name=rule_sets, moments=st.tuples(places, places).map(sorted))
def test_a_rule_that_stays_does_not_notice_what_comes_and_goes_around_it(
    story: list[Step], name: str, moments: list[int]
) -> None:
    """The others are changed and changed back; acknowledgements are left out, because they go to any alarm.

    With whom its alarms share an incident, and whether that calls for people already, is left out, too: it says
    something about the neighbours. Whether and when people are told is not; that is in here.
    """
    story = [step for step in story if step.acknowledge is None]
    others = tuple(one for one in RULE_SETS[name] if one.id not in ("low", "silent"))
    straight, reloaded = player(RULES), player(RULES)
    straight.play(story)
    reloaded.play(story[: moments[0]])
    reload(reloaded, (*others, SILENT, LOW))
    reloaded.play(story[moments[0] : moments[1]])
    reload(reloaded, (LOW, SILENT))
    reloaded.play(story[moments[1] :])
    for stays in ("low", "silent"):
        assert but_for_incidents(of_rule(reloaded.effects, stays)) == but_for_incidents(
            of_rule(straight.effects, stays)
        )


@quick
@given(story=stories, before=rule_sets, after=rule_sets, moment=places)
def test_a_reload_is_a_restart_with_the_new_rules(story: list[Step], before: str, after: str, moment: int) -> None:
    """But for silence, which a restart counts anew because firewatch was deaf."""
    old, new = (tuple(one for one in RULE_SETS[name] if one.id != "silent") for name in (before, after))
    reloaded, restarted = player(old).play(story[:moment]), player(old).play(story[:moment])
    by_reload = reload(reloaded, new)
    snapshot = restarted.engine.snapshot()
    restarted.engine = Engine(new, INVENTORY)
    restarted.engine.restore(snapshot)
    by_restart = restarted.engine.resume(at(restarted.now))
    restarted.effects += by_restart
    assert sorted(map(repr, by_reload)) == sorted(map(repr, by_restart))
    reloaded.play(story[moment:])
    restarted.play(story[moment:])
    assert by_kind(reloaded.effects) == by_kind(restarted.effects)


@quick
@given(story=stories, moments=st.lists(st.tuples(places, rule_sets), max_size=4))
def test_whatever_is_reloaded_alarms_tell_one_story(story: list[Step], moments: list[tuple[int, str]]) -> None:
    """No record comes twice, what stands was told, what is gone was closed, and no command is given twice."""
    one = player(RULE_SETS["all"])
    done = 0
    for moment, name in sorted(moments):
        one.play(story[done:moment])
        done = max(done, min(moment, len(story)))
        reload(one, RULE_SETS[name])
    one.play(story[done:])
    records = [effect.transition for effect in one.effects if isinstance(effect, RecordTransition)]
    numbers = [(record.alarm_id, record.number) for record in records]
    assert len(numbers) == len(set(numbers))
    told = {effect.alarm.alarm_id for effect in one.effects if isinstance(effect, Annunciate)}
    standing = one.engine.alarms()
    assert {alarm.alarm_id for alarm in standing} <= told
    assert not told & {record.alarm_id for record in records if record.alarm.shadow}
    last = {record.alarm_id: record.alarm for record in records}
    open_alarms = {identity for identity, alarm in last.items() if alarm.state != "normal"}
    assert open_alarms == {alarm.alarm_id for alarm in (*standing, *one.engine.shadow_alarms())}
    commands = [effect.command.command_id for effect in one.effects if isinstance(effect, SendCommand)]
    assert len(commands) == len(set(commands))


def may_be_shelved(name: str) -> tuple[RuleSpec, ...]:
    return tuple(one.model_copy(update={"shelving": ShelvingSpec(allowed=True)}) for one in RULE_SETS[name])


def asked(word: str, alarm: Alarm | None) -> OperatorCommand:
    """What an operator asks; where no alarm stands, what a rule says of the lift is taken out of service."""
    if alarm is None or (word == "take out" and not alarm.out_of_service):
        rule_id, subject = (alarm.rule, alarm.subject) if alarm is not None else ("e-bike", "s/lift")
        return OutOfService(rule_id, subject, "li", "work order 7")
    if word == "shelve":
        return Shelve(alarm.alarm_id, "li", "nuisance", timedelta(seconds=4))
    return ReturnToService(alarm.alarm_id, "li", "repaired")


words_or_sets = st.one_of(st.sampled_from(["shelve", "take out", "put back", "restart"]), rule_sets)


@quick
@given(story=stories, moments=st.lists(st.tuples(places, words_or_sets, places), max_size=8))
def test_shelves_end_and_nothing_out_of_service_begins_to_act_whatever_changes(
    story: list[Step], moments: list[tuple[int, str, int]]
) -> None:
    rules = may_be_shelved("all")
    one = player(rules)
    for place in range(len(story) + 1):
        for _, word, which in (moment for moment in moments if moment[0] == place):
            standing = one.engine.alarms()
            if word == "restart":
                snapshot = one.engine.snapshot()
                one.engine = Engine(rules, INVENTORY)
                one.engine.restore(snapshot)
                one.effects += one.engine.resume(at(one.now))
            elif word in RULE_SETS:
                rules = may_be_shelved(word)
                reload(one, rules)
            else:
                try:
                    command = asked(word, standing[which % len(standing)] if standing else None)
                    one.effects += one.engine.command(command, at(one.now))
                except RefusedCommandError:
                    one.effects += one.engine.advance(at(one.now))
        out = {alarm.rule for alarm in one.engine.alarms() if alarm.out_of_service}
        before = len(one.effects)
        one.play(story[place : place + 1])
        commands = [effect.command for effect in one.effects[before:] if isinstance(effect, SendCommand)]
        assert not [command for command in commands if command.rule in out and command.action != "release_door"]
        shelves = [alarm.shelf for alarm in one.engine.alarms() if alarm.shelf is not None]
        assert all(shelf.until_time > at(one.now) for shelf in shelves)
        next_wake = one.engine.next_wake()
        assert next_wake is None or next_wake > at(one.now)


def _with(name: str, **fields: Any) -> tuple[RuleSpec, ...]:
    return tuple(one.model_copy(update=fields) if one.id == name else one for one in incident_model.RULES)


INCIDENT_SETS: dict[str, tuple[RuleSpec, ...]] = {
    "all": incident_model.RULES,
    "no fire": tuple(one for one in incident_model.RULES if one.id != "fire"),
    "only fire": tuple(one for one in incident_model.RULES if one.id == "fire"),
    "more urgent": _with("mild", priority=Priority.HIGHEST),
    "of another class": _with("mild", alarm_class=AlarmClass.FIRE),
    "judged differently": _with("mild", on_delay=timedelta(seconds=20)),
}


class ReloadingPlayer(incident_model.Player):
    """Plays on after other rules were taken over."""

    def reload(self, name: str) -> None:
        places = {alarm.alarm_id: (alarm.incident, alarm.incident_number) for alarm in self.engine.alarms()}
        self.rules = INCIDENT_SETS[name]
        effects, _ = self.engine.reload(self.rules, INVENTORY, at(self.now))
        self._took(effects, at(self.now))
        for alarm in self.engine.alarms():
            assert (alarm.incident, alarm.incident_number) == places.get(alarm.alarm_id, ("", 0))
        self._check_what_is_kept()


@quick
@given(
    story=incident_model.stories,
    moments=st.lists(st.tuples(places, st.sampled_from(sorted(INCIDENT_SETS))), min_size=1, max_size=4),
)
def test_a_reload_tears_no_incident_apart_and_leaves_nobody_uncalled(
    story: list[incident_model.Step], moments: list[tuple[int, str]]
) -> None:
    """The model of incidents goes on through it: an alarm stays in its incident, whatever its rule says by now; what is
    shown without a sound belongs to one that calls; and what is gone with its rule calls for nobody any more.
    """
    one = ReloadingPlayer()
    done = 0
    for moment, name in sorted(moments):
        one.play(story[done:moment])
        done = max(done, min(moment, len(story)))
        one.reload(name)
    one.play(story[done:])
