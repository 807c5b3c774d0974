"""What a replay leaves out changes nothing: for any rules and stream the transitions are those of the whole history."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firewatch.backtest.replay import Player
from firewatch.model.alarm import AlarmTransition
from firewatch.model.observation import Observation, Quality
from firewatch.ports import EngineInput
from firewatch.rules.compile import compile_rules
from firewatch.rules.spec import RuleSpec
from firewatch.storage.columns import Start
from tests.stored import StoredHistory
from tests.unit.engine.world import INVENTORY, START, at, rule

pytestmark = pytest.mark.slow

HYDRANTS = {"device": "pressure_transmitter"}
ZONE = {"asset": "fire_zone"}
LIFT = {"asset": "lift"}

pressures = st.sampled_from(
    [
        {kind: {"signal": "pressure", "limit": limit, "deadband": deadband}}
        for kind in ("low", "high")
        for limit in (0.5, 0.7)
        for deadband in (0.1, 0.0)
    ]
    + [
        {"rate_of_change": {"signal": "pressure", "within": "10s", "rises_by": 0.2}},
        {"stuck": {"signal": "pressure", "after": "10s"}},
    ]
)
silences = st.sampled_from([{"absence": {"after": after}} for after in ("4s", "15s")])
smoke = st.sampled_from(
    [
        {"state": {"signal": "smoke_detector/alarm", "is": True}},
        {"k_of_n": {"k": 2, "within": "5s", "of": [{"state": {"signal": "smoke_detector/alarm", "is": True}}]}},
        {"not": {"state": {"signal": "smoke_detector/alarm", "is": False}}},
        {
            "all": [
                {"state": {"signal": "smoke_detector/alarm", "is": True}},
                {"not": {"absence": {"after": "4s", "signal": "smoke_detector/alarm"}}},
            ]
        },
        {"count": {"of": {"state": {"signal": "smoke_detector/alarm", "is": True}}, "at_least": 2, "within": "20s"}},
        {
            "duty_cycle": {
                "of": {"state": {"signal": "smoke_detector/alarm", "is": True}},
                "share": 0.3,
                "within": "20s",
            }
        },
        {
            "sequence": {
                "first": {"state": {"signal": "smoke_detector/alarm", "is": True}},
                "without": {"state": {"signal": "smoke_detector/alarm", "is": False}},
                "within": "5s",
            }
        },
        {"state_changed": {"signal": "smoke_detector/alarm", "to": [True], "hold": "4s"}},
        {"chatter": {"signal": "smoke_detector/alarm", "changes": 2, "within": "20s"}},
    ]
)
doors = st.sampled_from(
    [
        {"state": {"signal": "lift_controller/door", "in": ["open", "opening"]}},
        {"absence": {"after": "6s", "signal": "lift_controller/door"}},
    ]
)
GUARDED_SESSION = {
    "camera_session": {
        "signal": "lift_camera/e_bike",
        "hold": "3s",
        "while": {"state": {"signal": "lift_controller/door", "in": ["open"]}},
    }
}
sessions = st.sampled_from(
    [
        {"camera_session": {"signal": "lift_camera/e_bike", "hold": "3s", "quiet": "4s"}},
        GUARDED_SESSION,
    ]
)
delays = st.sampled_from(["0s", "0s", "3s", "20s"])


def one_rule(scope: dict[str, Any], whens: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[RuleSpec]:
    return st.builds(
        lambda when, on_delay, off_delay: rule("r", scope, when, on_delay=on_delay, off_delay=off_delay),
        whens,
        delays,
        delays,
    )


ladders = st.builds(
    lambda first, second, on_delay: rule(
        "r",
        HYDRANTS,
        None,
        ladder=[{"when": first, "priority": "low"}, {"when": second, "priority": "high", "on_delay": on_delay}],
    ),
    pressures,
    pressures,
    delays,
)


class Subject(NamedTuple):
    """Rules for the same subjects, what may be heard from those, how soon after one another, and how often alike."""

    rules: st.SearchStrategy[RuleSpec]
    values: dict[str, list[Any]]
    pauses: tuple[float, ...] = (0.2, 1.0, 3.0, 0.0, 5.0, 14.0, 15.0)
    alike: int = 4


SUBJECTS: dict[str, Subject] = {
    "hydrants": Subject(
        st.one_of(one_rule(HYDRANTS, pressures), one_rule(HYDRANTS, pressures), one_rule(HYDRANTS, silences), ladders),
        {
            "hydrant-1/pressure": [
                0.1,
                0.3,
                0.31,
                0.35,
                0.4,
                0.45,
                0.5,
                0.51,
                0.55,
                0.6,
                0.9,
                float("nan"),
                True,
                None,
            ],
            "hydrant-2/pressure": [0.2, 0.35, 0.6],
        },
    ),
    "silent hydrants": Subject(one_rule(HYDRANTS, silences), {"hydrant-1/pressure": [0.3, 0.8]}),
    "smoke": Subject(one_rule(ZONE, smoke), {"smoke-1/alarm": [True, False, None], "smoke-2/alarm": [True, False]}),
    "cameras": Subject(
        one_rule(LIFT, sessions),
        {"cam/e_bike": [0.0, 0.05, 0.0, 0.2, 0.6, 0.9, None], "controller/door": ["open", "closed", None]},
        pauses=(0.5, 1.0),
        alike=10,
    ),
    "lift": Subject(
        st.one_of(one_rule(LIFT, doors), one_rule(LIFT, sessions)),
        {
            "cam/e_bike": [0.0, 0.0, 0.05, 0.2, 0.6, 0.9, None],
            "controller/door": ["open", "closed", "ajar", None],
        },
    ),
}

Reading = tuple[float, str, Any, str, float, float]
"""The pause before it, its signal, value and quality, how late it comes, and how long it then waited."""


@st.composite
def runs_of_readings(draw: st.DrawFn, subject: Subject, troubles: st.SearchStrategy[Any]) -> list[Reading]:
    """Some readings of one signal, each value a few times."""
    signal = draw(st.sampled_from(sorted(subject.values)))
    pause = draw(st.sampled_from(subject.pauses))
    stretches = st.tuples(st.sampled_from(subject.values[signal]), st.integers(1, subject.alike))
    return [
        (pause, signal, value, *draw(troubles))
        for value, times in draw(st.lists(stretches, min_size=2, max_size=8))
        for _ in range(times)
    ]


ORDERLY = st.just(("good", 0.0, 0.0))
TROUBLES = {
    "none": ORDERLY,
    "bad quality": st.tuples(st.sampled_from(["good", "good", "uncertain", "bad"]), st.just(0.0), st.just(0.0)),
    "late": st.tuples(st.just("good"), st.sampled_from([0.0, 0.0, 0.0, 0.2, 4.0]), st.just(0.0)),
    "waited": st.tuples(st.just("good"), st.just(0.0), st.sampled_from([0.0, 0.0, 0.5, 2.0, 6.0])),
}


@st.composite
def stories(draw: st.DrawFn, subject: Subject) -> tuple[list[RuleSpec], list[Reading]]:
    """Some rules, and what is heard."""
    written = draw(st.lists(subject.rules, min_size=1, max_size=3))
    named = [each.model_copy(update={"id": f"rule-{number}"}) for number, each in enumerate(written)]
    troubles = TROUBLES[draw(st.sampled_from(["none", "none", "bad quality", "late", "waited"]))]
    runs = draw(st.lists(runs_of_readings(subject, troubles), min_size=1, max_size=5))
    return named, [one for run in runs for one in run]


def inputs(stream: list[Reading]) -> list[EngineInput]:
    now, taken = 0.0, []
    for ordinal, (pause, signal, value, quality, late, waited) in enumerate(stream, start=1):
        now += pause
        heard = now - waited
        event = at(heard - late)
        quality = "bad" if value is None else quality
        observation = Observation(f"s/{signal}", value, Quality(quality), event, at(heard), event)
        taken.append(EngineInput(ordinal=ordinal, now=at(now), observation=observation))
    return taken


def restart(taken: list[EngineInput], time: datetime) -> Start:
    return Start(time, heard_until=max((each.now for each in taken if each.now < time), default=None))


def transitions(rules: list[RuleSpec], stored: StoredHistory, *, thinned: bool) -> tuple[list[AlarmTransition], int]:
    signals = sorted({s for instance in compile_rules(rules, INVENTORY) for s in instance.evaluator.signals})
    states = ["open"]
    told: list[AlarmTransition] = []
    player = Player(rules, INVENTORY, signals, states, told.append, thinned=thinned)
    player.start(START, stored.began, [])
    for _, page in stored.pages(signals, states, START, START + timedelta(days=1)):
        player.play(page)
    player.finish(START + timedelta(days=1))
    return told, player.taken


@pytest.mark.parametrize("subject", SUBJECTS)
@settings(max_examples=200, deadline=None)
@given(data=st.data(), page=st.sampled_from([1000, 1000, 7, 1]), starts=st.sets(st.integers(1, 60), max_size=3))
def test_a_thinned_history_gives_the_transitions_of_the_whole_one(
    subject: str, data: st.DataObject, page: int, starts: set[int]
) -> None:
    rules, stream = data.draw(stories(SUBJECTS[subject]))
    taken = inputs(stream)
    stored = StoredHistory(taken, page=page, began=[restart(taken, at(second + 0.5)) for second in sorted(starts)])
    whole, _ = transitions(rules, stored, thinned=False)
    thinned, _ = transitions(rules, stored, thinned=True)
    assert thinned == whole


def test_what_repeats_itself_is_left_out() -> None:
    rules = [
        rule("low", HYDRANTS, {"low": {"signal": "pressure", "limit": 0.3, "deadband": 0.1}}, on_delay="3s"),
        rule("silent", HYDRANTS, {"absence": {"after": "60s"}}),
        rule("smoke", ZONE, {"state": {"signal": "smoke_detector/alarm", "is": True}}),
    ]
    stream = [
        one
        for second in range(600)
        for one in (
            (0.5, "hydrant-1/pressure", 0.5 + second / 10_000, "good", 0.0, 0.0),
            (0.5, "smoke-1/alarm", second >= 300, "good", 0.0, 0.0),
        )
    ]
    whole, everything = transitions(rules, StoredHistory(inputs(stream)), thinned=False)
    thinned, few = transitions(rules, StoredHistory(inputs(stream)), thinned=True)
    assert thinned == whole
    assert everything == 1200
    assert few < 20


def runs(*parts: tuple[int, str, Any]) -> list[Reading]:
    """So many readings of a signal, half a second apart."""
    return [(0.5, signal, value, "good", 0.0, 0.0) for times, signal, value in parts for _ in range(times)]


@pytest.mark.parametrize(
    ("rules", "stream", "left_out"),
    [
        pytest.param(
            [rule("session", LIFT, GUARDED_SESSION)],
            runs(
                (1, "controller/door", "open"),
                (3, "cam/e_bike", 0.9),
                (1, "controller/door", "closed"),
                (40, "cam/e_bike", 0.0),
                (1, "controller/door", "open"),
                (40, "cam/e_bike", 0.0),
            ),
            50,
            id="a session that the guard interrupts ends by the frames after it",
        ),
        pytest.param(
            [rule("silent", HYDRANTS, {"absence": {"after": "15s"}})],
            [
                (0.0, "hydrant-1/pressure", 0.5, "good", 0.0, 0.0),
                (5.0, "hydrant-1/pressure", 0.5, "good", 0.0, 0.0),
                (5.0, "hydrant-1/pressure", 0.5, "good", 0.0, 8.0),
                (30.0, "hydrant-1/pressure", 0.5, "good", 0.0, 0.0),
            ],
            0,
            id="a sign of life that waited is not the newest",
        ),
        pytest.param(
            [rule("low", HYDRANTS, {"low": {"signal": "pressure", "limit": 0.5, "deadband": 0.1}})],
            runs(*((2, "hydrant-1/pressure", pressure) for pressure in (0.8, 0.3, 0.55, 0.8, 0.55, 0.3))),
            6,
            id="within the deadband it stays as it was",
        ),
    ],
)
def test_cases_that_chance_seldom_makes(rules: list[RuleSpec], stream: list[Reading], left_out: int) -> None:
    whole, everything = transitions(rules, StoredHistory(inputs(stream)), thinned=False)
    thinned, few = transitions(rules, StoredHistory(inputs(stream)), thinned=True)
    assert thinned == whole
    assert everything - few >= left_out
