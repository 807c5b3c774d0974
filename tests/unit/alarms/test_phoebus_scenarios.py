"""What alarm servers have learned in control rooms, as tables: one line a step, and after each step everything is held.

The scenarios are those that the Phoebus alarm server (ControlSystemStudio) is tested with, each about one thing that
operators once stumbled over; what happens in them is told here in firewatch's own terms. `Scenario.differs` says where
firewatch means to answer otherwise, and why.

A line is what happens, then priority, state and condition of the alarm, `hidden` if it is, `!` if people were told, and
the reasons recorded. `-` is no alarm at all. A line `9 wait` comes 9 s after the start; others come 1 s after the one
before. After every line the same reading is heard again, and time is told again: nothing new, so nothing may follow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import Alarm
from firewatch.model.command import Acknowledge, OperatorCommand, OutOfService, Reset, ReturnToService, Shelve, Unshelve
from firewatch.model.effect import Annunciate, Effect, RecordTransition
from firewatch.rules.spec import RuleSpec
from tests.unit.engine.world import BAD, World, at, rule

READINGS: dict[str, Any] = {
    "ok": 10.0,
    "mild": 30.0,
    "mild again": 35.0,
    "severe": 60.0,
    "worse": 90.0,
    "no value": BAD,
}
SIGNAL = "hydrant-1/pressure"
DEVICE = {"device": "pressure_transmitter", "subjects": ["hydrant-1"]}
MILD, SEVERE = ({"high": {"signal": "pressure", "limit": limit}} for limit in (20, 50))


def ladder(**fields: Any) -> RuleSpec:
    """Too high is of low priority, much too high of priority high."""
    delay = {"on_delay": fields.pop("on_delay")} if "on_delay" in fields else {}
    steps = [{"when": MILD, "priority": "low"} | delay, {"when": SEVERE, "priority": "high"} | delay]
    return rule("gas", DEVICE, None, ladder=steps, **{"class": "supervisory"} | fields)


def single(when: dict[str, Any] = SEVERE, **fields: Any) -> RuleSpec:
    return rule("gas", DEVICE, when, **{"class": "supervisory"} | fields)


THRICE = {"count": {"of": MILD, "at_least": 3, "within": "60s"}}
FIVE_TIMES = {"count": {"of": MILD, "at_least": 5, "within": "60s"}}
TOLD_AGAIN = {"realarm_after": "30s"}


@dataclass(frozen=True)
class Scenario:
    """A story told to an engine with one rule. `differs`: why Phoebus' answer is another one."""

    rule: RuleSpec
    story: str
    differs: str = ""


SCENARIOS = {
    "latched: mild, severe, acknowledged, milder, over": Scenario(
        ladder(latched=True),
        """
        ok         | -
        mild       | low unacknowledged active ! condition_active
        mild again | low unacknowledged active
        severe     | high unacknowledged active ! condition_active
        worse      | high unacknowledged active
        ack        | high acknowledged active acknowledged
        mild       | low acknowledged active stepped_down
        ok         | low latched_acknowledged inactive condition_inactive
        reset      | - reset
        """,
        differs="what latches waits for a reset; and the priority shown is that of now, the highest is in the record",
    ),
    "latched: mild, severe, milder, over, acknowledged": Scenario(
        ladder(latched=True),
        """
        mild   | low unacknowledged active ! condition_active
        severe | high unacknowledged active ! condition_active
        mild   | low unacknowledged active stepped_down
        ok     | low latched_unacknowledged inactive condition_inactive
        ack    | low latched_acknowledged inactive acknowledged
        reset  | - reset
        """,
        differs="what latches waits for a reset besides",
    ),
    "latched: reset before anybody acknowledged": Scenario(
        ladder(latched=True),
        """
        severe | high unacknowledged active ! condition_active
        reset  | high unacknowledged active refused
        ok     | high latched_unacknowledged inactive condition_inactive
        reset  | high rtn_unacknowledged inactive reset
        ack    | - acknowledged
        """,
        differs="there is no reset there",
    ),
    "latched: severe, acknowledged, no value, severe again, over": Scenario(
        ladder(latched=True),
        """
        severe   | high unacknowledged active ! condition_active
        ack      | high acknowledged active acknowledged
        no value | high acknowledged unknown condition_unknown
        ack      | high acknowledged unknown refused
        severe   | high acknowledged active condition_known
        no value | high acknowledged unknown condition_unknown
        reset    | high acknowledged unknown refused
        ok       | high latched_acknowledged inactive condition_inactive
        no value | high latched_acknowledged unknown condition_unknown
        reset    | high latched_acknowledged unknown refused
        ok       | high latched_acknowledged inactive condition_known
        reset    | - reset
        """,
        differs="unknown is no severity: it keeps the alarm as it is, and a device that says nothing is another alarm",
    ),
    "latched: severe, milder, severe again before anybody acknowledged": Scenario(
        ladder(latched=True),
        """
        severe | high unacknowledged active ! condition_active
        mild   | low unacknowledged active stepped_down
        severe | high unacknowledged active ! condition_active
        ack    | high acknowledged active acknowledged
        mild   | low acknowledged active stepped_down
        ok     | low latched_acknowledged inactive condition_inactive
        """,
        differs="every step up is told, also the second one: there it is silent while the first waits",
    ),
    "latched: severe, no value, acknowledged like that, and back milder": Scenario(
        ladder(latched=True),
        """
        severe   | high unacknowledged active ! condition_active
        no value | high unacknowledged unknown condition_unknown
        ack      | high acknowledged unknown acknowledged
        mild     | low acknowledged active condition_known stepped_down
        severe   | high unacknowledged active ! condition_active
        ack      | high acknowledged active acknowledged
        """,
        differs="no un-acknowledge: what is shown is always how it stands, so there is nothing to put right by it",
    ),
    "latched: acknowledged at the milder step, so that the severe one is new": Scenario(
        ladder(latched=True),
        """
        severe | high unacknowledged active ! condition_active
        mild   | low unacknowledged active stepped_down
        ack    | low acknowledged active acknowledged
        severe | high unacknowledged active ! condition_active
        mild   | low unacknowledged active stepped_down
        ack    | low acknowledged active acknowledged
        ok     | low latched_acknowledged inactive condition_inactive
        """,
    ),
    "unlatched: severe, milder, severe, acknowledged, milder, over": Scenario(
        ladder(),
        """
        severe | high unacknowledged active ! condition_active
        mild   | low unacknowledged active stepped_down
        severe | high unacknowledged active ! condition_active
        ack    | high acknowledged active acknowledged
        mild   | low acknowledged active stepped_down
        ok     | - condition_inactive
        """,
    ),
    "unlatched: severe, milder, acknowledged, severe, acknowledged, milder, over": Scenario(
        ladder(),
        """
        severe | high unacknowledged active ! condition_active
        mild   | low unacknowledged active stepped_down
        ack    | low acknowledged active acknowledged
        severe | high unacknowledged active ! condition_active
        ack    | high acknowledged active acknowledged
        mild   | low acknowledged active stepped_down
        ok     | - condition_inactive
        """,
    ),
    "unlatched: over before anybody saw it": Scenario(
        ladder(),
        """
        severe | high unacknowledged active ! condition_active
        ok     | high rtn_unacknowledged inactive condition_inactive
        ack    | - acknowledged
        """,
        differs="an alarm that people were told of waits to be seen, latched or not",
    ),
    "unlatched: acknowledged, over, and a new onset": Scenario(
        single(),
        """
        severe | high unacknowledged active ! condition_active
        ack    | high acknowledged active acknowledged
        ok     | - condition_inactive
        severe | high unacknowledged active ! condition_active
        """,
    ),
    "unlatched: acknowledged twice, and once more when it is over": Scenario(
        single(),
        """
        ack    | - refused
        severe | high unacknowledged active ! condition_active
        ack    | high acknowledged active acknowledged
        ack    | high acknowledged active refused
        ok     | - condition_inactive
        ack    | - refused
        """,
        differs="there the second one is taken in silence; here the one who was slower is told who was faster",
    ),
    "never told: a rule on trial": Scenario(
        ladder(mode="shadow", latched=True),
        """
        mild   | low unacknowledged active condition_active
        severe | high unacknowledged active condition_active
        ack    | high unacknowledged active refused
        ok     | - condition_inactive
        """,
        differs="what is not annunciated is for trial only: nobody acknowledges or resets it",
    ),
    "delayed: over before the delay is": Scenario(
        single(latched=True, on_delay="2s"),
        """
        severe | -
        ok     | -
        9 wait | -
        """,
    ),
    "delayed: over before the delay is, and the next one stays": Scenario(
        single(on_delay="2s"),
        """
        severe    | -
        ok        | -
        9 wait    | -
        10 severe | -
        11 wait   | -
        12 wait   | high unacknowledged active ! condition_active
        13 worse  | high unacknowledged active
        14 ok     | high rtn_unacknowledged inactive condition_inactive
        """,
        differs="an alarm that people were told of waits to be seen, latched or not",
    ),
    "delayed and latched: it stays, over, acknowledged": Scenario(
        single(latched=True, on_delay="2s"),
        """
        severe | -
        3 wait | high unacknowledged active ! condition_active
        4 ok   | high latched_unacknowledged inactive condition_inactive
        5 ack  | high latched_acknowledged inactive acknowledged
        reset  | - reset
        """,
        differs="what latches waits for a reset besides",
    ),
    "delayed: severe only for a moment, and mild all the while": Scenario(
        ladder(on_delay="2s"),
        """
        mild     | -
        severe   | -
        mild     | low unacknowledged active ! condition_active
        9 wait   | low unacknowledged active
        10 worse | low unacknowledged active
        11 worse | low unacknowledged active
        12 worse | high unacknowledged active ! condition_active
        """,
        differs="each step has a delay of its own: what did not last does not count, latched or not",
    ),
    "delayed: severe first, mild when the delay is over": Scenario(
        ladder(on_delay="2s", latched=True),
        """
        severe | -
        mild   | -
        wait   | low unacknowledged active ! condition_active
        """,
    ),
    "delayed: a burst of short ones never adds up": Scenario(
        single(latched=True, on_delay="2s"),
        """
        severe  | -
        ok      | -
        severe  | -
        ok      | -
        severe  | -
        ok      | -
        severe  | -
        ok      | -
        20 wait | -
        """,
    ),
    "delayed: nobody can tell for a moment, which is no return": Scenario(
        single(on_delay="9s"),
        """
        ok       | -
        severe   | -
        no value | -
        10 wait  | -
        11 wait  | high unacknowledged unknown ! condition_active condition_unknown
        """,
        differs="there no value is an alarm; here the delay goes on, for nobody says that it is over",
    ),
    "counted and latched: the third time within a minute": Scenario(
        single(THRICE, latched=True),
        """
        mild    | -
        ok      | -
        mild    | -
        ok      | -
        5 mild  | high unacknowledged active ! condition_active
        6 ok    | high unacknowledged active
        60 wait | high unacknowledged active
        62 wait | high latched_unacknowledged inactive condition_inactive
        63 ack  | high latched_acknowledged inactive acknowledged
        reset   | - reset
        """,
        differs="so many within the time is the condition itself, and lasts as long as it is true",
    ),
    "counted: afterwards it begins to count from the start": Scenario(
        single(THRICE),
        """
        mild    | -
        ok      | -
        mild    | -
        ok      | -
        5 mild  | high unacknowledged active ! condition_active
        6 ack   | high acknowledged active acknowledged
        7 ok    | high acknowledged active
        70 wait | - condition_inactive
        71 mild | -
        72 ok   | -
        73 mild | -
        74 ok   | -
        75 mild | high unacknowledged active ! condition_active
        """,
    ),
    "counted: too far apart": Scenario(
        single(THRICE),
        """
        mild    | -
        ok      | -
        40 mild | -
        41 ok   | -
        62 mild | -
        """,
    ),
    "counted: the number is changed while it counts": Scenario(
        single(THRICE),
        """
        mild    | -
        ok      | -
        mild    | -
        ok      | -
        changed | -
        6 mild  | -
        ok      | -
        mild    | -
        ok      | -
        mild    | -
        ok      | -
        mild    | -
        ok      | -
        mild    | high unacknowledged active ! condition_active
        """,
    ),
    "no value, and none in another way": Scenario(
        single(latched=True),
        """
        no value | -
        no value | -
        severe   | high unacknowledged active ! condition_active
        """,
        differs="no value is no alarm of what is measured; that the device says nothing is told by a rule for it",
    ),
    "disabled: what comes is recorded and not told, and told at once when enabled": Scenario(
        ladder(latched=True),
        """
        ok     | -
        out    | low normal inactive hidden taken_out_of_service
        mild   | low unacknowledged active hidden condition_active
        in     | low unacknowledged active ! returned_to_service
        mild   | low unacknowledged active
        severe | high unacknowledged active ! condition_active
        out    | high unacknowledged active hidden taken_out_of_service
        in     | high unacknowledged active ! returned_to_service
        """,
        differs="out of service is not blind: it is listed and recorded",
    ),
    "disabled while acknowledged: told again when enabled, for it stands": Scenario(
        single(),
        """
        severe | high unacknowledged active ! condition_active
        ack    | high acknowledged active acknowledged
        out    | high acknowledged active hidden taken_out_of_service
        in     | high unacknowledged active ! returned_to_service
        in     | high unacknowledged active refused
        """,
    ),
    "disabled: it came and went": Scenario(
        single(),
        """
        out    | high normal unknown hidden taken_out_of_service
        severe | high unacknowledged active hidden condition_active
        ok     | high normal inactive hidden condition_inactive
        in     | - returned_to_service
        """,
    ),
    "disabled while nobody can tell, and enabled like that": Scenario(
        single(),
        """
        severe   | high unacknowledged active ! condition_active
        out      | high unacknowledged active hidden taken_out_of_service
        no value | high unacknowledged unknown hidden condition_unknown
        in       | high unacknowledged unknown ! returned_to_service
        """,
    ),
    "disabled during the delay": Scenario(
        single(on_delay="5s"),
        """
        0 ok   | -
        severe | -
        2 out  | high normal inactive hidden taken_out_of_service
        6 wait | high unacknowledged active hidden condition_active
        7 in   | high unacknowledged active ! returned_to_service
        """,
        differs="the delay goes on meanwhile, and who enables it is told at once; there it would begin anew",
    ),
    "disabled and enabled during the delay": Scenario(
        single(on_delay="5s"),
        """
        0 ok   | -
        severe | -
        2 out  | high normal inactive hidden taken_out_of_service
        3 in   | - returned_to_service
        6 wait | high unacknowledged active ! condition_active
        """,
    ),
    "maintenance: nothing is told until its end, and it has one": Scenario(
        single(),
        """
        out       | high normal unknown hidden taken_out_of_service
        severe    | high unacknowledged active hidden condition_active
        ack       | high acknowledged active hidden acknowledged
        no value  | high acknowledged unknown hidden condition_unknown
        1801 wait | high acknowledged unknown hidden maintenance_reminded
        3600 wait | high acknowledged unknown hidden
        3601 wait | high unacknowledged unknown ! maintenance_ended
        """,
        differs="there maintenance is of the whole server, and only acknowledges what is no value by itself",
    ),
    "shelved: hidden for a time, and told at once when it is over": Scenario(
        single(),
        """
        severe   | high unacknowledged active ! condition_active
        ack      | high acknowledged active acknowledged
        shelve   | high acknowledged active hidden shelved
        worse    | high acknowledged active hidden
        62 wait  | high acknowledged active hidden
        63 wait  | high unacknowledged active ! shelf_ended
        unshelve | high unacknowledged active refused
        """,
        differs="there is no shelf there",
    ),
    "told again: not if it was over and acknowledged in time": Scenario(
        single(latched=True, **TOLD_AGAIN),
        """
        severe  | high unacknowledged active ! condition_active
        ok      | high latched_unacknowledged inactive condition_inactive
        ack     | high latched_acknowledged inactive acknowledged
        99 wait | high latched_acknowledged inactive
        """,
    ),
    "told again: it stands and nobody acknowledged": Scenario(
        single(**TOLD_AGAIN),
        """
        severe   | high unacknowledged active ! condition_active
        30 wait  | high unacknowledged active
        31 wait  | high unacknowledged active ! realarmed
        32 ack   | high acknowledged active acknowledged
        99 wait  | high acknowledged active
        100 ok   | - condition_inactive
        199 wait | -
        """,
    ),
    "told again: latched, over, and nobody acknowledged": Scenario(
        single(latched=True, **TOLD_AGAIN),
        """
        severe  | high unacknowledged active ! condition_active
        ok      | high latched_unacknowledged inactive condition_inactive
        31 wait | high latched_unacknowledged inactive ! realarmed
        32 ack  | high latched_acknowledged inactive acknowledged
        99 wait | high latched_acknowledged inactive
        """,
    ),
    "told again: back before anybody saw it, it waits anew": Scenario(
        single(latched=True, **TOLD_AGAIN),
        """
        severe    | high unacknowledged active ! condition_active
        ok        | high latched_unacknowledged inactive condition_inactive
        20 severe | high unacknowledged active (!) condition_active
        31 wait   | high unacknowledged active
        50 wait   | high unacknowledged active ! realarmed
        """,
        differs="a new onset is always shown; without a sound here, because the alarm calls already",
    ),
    "told again: over, not latched, and nobody acknowledged": Scenario(
        single(**TOLD_AGAIN),
        """
        severe  | high unacknowledged active ! condition_active
        ok      | high rtn_unacknowledged inactive condition_inactive
        99 wait | high rtn_unacknowledged inactive
        """,
        differs="nobody is called again for what is over; it waits on the list",
    ),
    "told again: more severe meanwhile, which is told and counts from there": Scenario(
        ladder(**TOLD_AGAIN),
        """
        mild      | low unacknowledged active ! condition_active
        20 severe | high unacknowledged active ! condition_active
        31 wait   | high unacknowledged active
        50 wait   | high unacknowledged active ! realarmed
        """,
        differs="there the time counts from the first telling, though people were told a moment ago",
    ),
}


class Control:
    """Tells a story to an engine, and what came of each step."""

    def __init__(self, *rules: RuleSpec) -> None:
        self.world = World(*rules)
        self.now = 0.0
        self.last: str | None = None

    def do(self, what: str) -> str:
        number, _, word = what.partition(" ")
        self.now, what = (float(number), word) if number.isdigit() else (self.now + 1, what)
        self._took()
        try:
            self._carry_out(what)
        except RefusedCommandError:
            return f"{self._shown()} refused"
        return " ".join([self._shown(), *map(_word, self._took())])

    def again(self) -> list[str]:
        """What follows from hearing the same, and from being told the time, once more."""
        if self.last is not None:
            self.world.hear(self.now, SIGNAL, READINGS[self.last])
        self.world.advance(self.now)
        return [_word(effect) for effect in self._took()]

    def _carry_out(self, what: str) -> None:
        if what in READINGS:
            self.last = what
            self.world.hear(self.now, SIGNAL, READINGS[what])
        elif what == "wait":
            self.world.advance(self.now)
        elif what == "changed":
            self.world.reload(self.now, single(FIVE_TIMES))
        else:
            self.world.command(self.now, self._command(what))

    def _command(self, what: str) -> OperatorCommand:
        alarm = self._alarm()
        identity = alarm.alarm_id if alarm is not None else "none"
        commands: dict[str, Callable[[], OperatorCommand]] = {
            "ack": lambda: Acknowledge(identity, "li"),
            "reset": lambda: Reset(identity, "li"),
            "shelve": lambda: Shelve(identity, "li", "welding", timedelta(minutes=1)),
            "unshelve": lambda: Unshelve(identity, "li"),
            "out": lambda: OutOfService("gas", "s/hydrant-1", "li", "painting", "7", at(self.now + 3600)),
            "in": lambda: ReturnToService(identity, "li", "done"),
        }
        return commands[what]()

    def _alarm(self) -> Alarm | None:
        engine = self.world.engine
        return next(iter((*engine.alarms(), *engine.shadow_alarms())), None)

    def _shown(self) -> str:
        alarm = self._alarm()
        if alarm is None:
            return "-"
        return f"{alarm.priority} {alarm.state} {alarm.condition}{' hidden' if alarm.hidden else ''}"

    def _took(self) -> list[Effect]:
        effects, self.world.effects = self.world.effects, []
        return effects


def _word(effect: Effect) -> str:
    if isinstance(effect, Annunciate):
        return "(!)" if effect.grouped else "!"
    assert isinstance(effect, RecordTransition)
    return str(effect.transition.reason)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_scenarios(scenario: Scenario) -> None:
    control = Control(scenario.rule)
    for line in filter(None, map(str.strip, scenario.story.splitlines())):
        what, expected = map(str.strip, line.split("|"))
        assert f"{what} | {control.do(what)}" == f"{what} | {expected}"
        assert control.again() == [], f"the same again after: {line}"
