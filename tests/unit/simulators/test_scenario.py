from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firewatch.model.command import AnswerState
from firewatch.model.contract import AnswerMessage, CommandMessage
from firewatch.model.text import LocalText
from firewatch.model.topic import DEFAULT_PREFIX, Channel, Topic
from simulators.commands import SCENARIOS
from simulators.device import Broker
from simulators.process import ProcessOptions, Simulation, Wiring
from simulators.scenario import Player, Scenario, ScenarioError, Step, parse_scenario, read_scenario
from simulators.site import read_site

SAMPLE_SITE = Path(__file__).parents[3] / "config/sites/sample.yaml"
START = datetime(2025, 6, 1, tzinfo=UTC)
HEAD = "name: {zh: 甲, en: A}\nsteps:\n"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def player(*lines: str) -> Player:
    return Player(parse_scenario(HEAD + "".join(f"  - {{{line}}}\n" for line in lines)), START, {"lift", "tank"})


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_scenario_speaks_of_the_sample_compound(path):
    read_scenario(path).check(read_site(SAMPLE_SITE).ids())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{who: a, do: set, signal: x, value: 1}", 'give either "at" or "after"'),
        ("{at: 1s, after: {device: d, action: play, state: done}, who: a, do: normal}", 'give either "at" or "after"'),
        ("{at: 1s, delay: 2s, who: a, do: normal}", 'belong to "after"'),
        ("{at: soon, who: a, do: normal}", "expected a duration"),
        ("{at: 1s, who: a, do: dance}", 'unknown verb "dance"'),
        ("{at: 1s, who: a, do: set, value: 1}", '"set" needs "signal"'),
        ("{at: 1s, who: a, do: shift_clock}", '"shift_clock" needs "by"'),
        ("{at: 1s, who: a, do: normal, wehn: 2}", "wehn"),
        ("{at: 1s, who: a, do: send_raw, repeat: 0}", '"repeat" lies between'),
        ("{at: 1s, do: normal}", "who"),
        ("{after: {device: d, action: play, state: perhaps}, who: a, do: normal}", "perhaps"),
    ],
)
def test_a_step_that_makes_no_sense_is_refused_with_the_reason(line, message):
    with pytest.raises(ScenarioError, match=message):
        parse_scenario(f"{HEAD}  - {line}\n")


@pytest.mark.parametrize("text", ["", "[]", "name: 1", "name: {zh: a, en: b}\nsteps: {", "steps: []"])
def test_a_file_that_is_no_scenario_is_refused(text):
    with pytest.raises(ScenarioError):
        parse_scenario(text)


def test_a_scenario_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ScenarioError, match=r"none\.yaml"):
        read_scenario(tmp_path / "none.yaml")


def test_a_step_before_an_earlier_one_of_the_same_device_is_refused():
    with pytest.raises(ScenarioError, match="put them in order"):
        player("at: 2s, who: lift, do: normal", "at: 1s, who: lift, do: normal")


def test_a_name_the_site_does_not_have_is_refused():
    scenario = parse_scenario(f"{HEAD}  - {{at: 1s, who: ghost, do: normal}}\n")
    with pytest.raises(ScenarioError, match='"ghost"'):
        scenario.check({"lift"})


def test_a_step_is_played_once_when_its_time_has_come():
    playing = player("at: 2s, who: lift, do: normal")
    assert playing.due(at(1.99)) == []
    assert [step.do for step in playing.due(at(2))] == ["normal"]
    assert playing.due(at(100)) == []


def test_steps_of_others_are_left_to_them():
    assert player("at: 0s, who: somebody-else, do: normal").due(at(10)) == []


ENTERS = "at: 2s, who: lift, do: e_bike_enters"
LEAVES = "after: {device: horn, action: play, state: accepted}, delay: 8s, at_latest: 45s, who: lift, do: e_bike_leaves"


def verbs(playing: Player, seconds: float) -> list[str]:
    return [step.do for step in playing.due(at(seconds))]


def test_a_step_follows_the_answer_it_waits_for_after_its_delay():
    playing = player(ENTERS, LEAVES)
    assert verbs(playing, 2) == ["e_bike_enters"]
    playing.answered("horn", "play", AnswerState.ACCEPTED, at(5))
    playing.answered("horn", "play", AnswerState.ACCEPTED, at(9))
    assert verbs(playing, 12.9) == []
    assert verbs(playing, 13) == ["e_bike_leaves"]


@pytest.mark.parametrize(
    ("device", "action", "state"),
    [
        ("other", "play", AnswerState.ACCEPTED),
        ("horn", "stop", AnswerState.ACCEPTED),
        ("horn", "play", AnswerState.FAILED),
    ],
)
def test_another_answer_does_not_count_and_at_latest_plays_the_step_without_it(device, action, state):
    playing = player(ENTERS, LEAVES)
    playing.due(at(2))
    playing.answered(device, action, state, at(5))
    assert verbs(playing, 44.9) == []
    assert verbs(playing, 45) == ["e_bike_leaves"]


def test_an_answer_from_before_the_step_before_does_not_count():
    playing = player(ENTERS, LEAVES)
    playing.answered("horn", "play", AnswerState.ACCEPTED, at(1))
    playing.due(at(2))
    assert verbs(playing, 20) == []


def test_a_late_answer_does_not_put_off_at_latest():
    playing = player(ENTERS, LEAVES)
    playing.due(at(2))
    playing.answered("horn", "play", AnswerState.ACCEPTED, at(44))
    assert verbs(playing, 45) == ["e_bike_leaves"]


@given(
    times=st.lists(st.integers(0, 60), max_size=20).map(sorted),
    looks=st.lists(st.integers(0, 100), min_size=1, max_size=30).map(sorted),
    whos=st.lists(st.sampled_from(["lift", "tank"]), min_size=20, max_size=20),
)
def test_steps_come_in_order_each_once_and_never_early(times, looks, whos):
    steps = tuple(
        Step(number=number, who=who, do="normal", at=timedelta(seconds=seconds))
        for number, (seconds, who) in enumerate(zip(times, whos, strict=False))
    )
    playing = Player(Scenario(name=LocalText(zh="", en=""), steps=steps), START, {"lift", "tank"})
    played: list[Step] = []
    for look in looks:
        due = playing.due(at(look))
        assert all(step.at is not None and step.at.total_seconds() <= look for step in due)
        played += due
    assert played == [step for step in steps if step.at is not None and step.at.total_seconds() <= looks[-1]]


def test_the_actuators_a_scenario_listens_to_are_those_of_its_own_steps():
    assert player(ENTERS, LEAVES).listens_to() == {"horn"}
    assert player(ENTERS).listens_to() == set()


@pytest.mark.parametrize("answer_first", [False, True])
def test_an_answer_counts_whether_it_is_heard_before_its_command_or_after(answer_first):
    story = HEAD + "  - {after: {device: horn, action: play, state: accepted}, who: lift, do: normal}\n"
    playing = Player(parse_scenario(story), START, {"lift"})
    options = ProcessOptions(
        name="lifts",
        broker=Broker(host="127.0.0.1", port=1883, prefix=DEFAULT_PREFIX),
        site=read_site(SAMPLE_SITE),
        scenario=parse_scenario(story),
        start_time=START,
        interval=timedelta(seconds=1),
    )
    wiring = Wiring(options, Simulation({}), playing)
    command = CommandMessage(id="c1", action="play", parameters={}, time=START)
    answer = AnswerMessage(id="c1", state=AnswerState.ACCEPTED, time=START)
    heard = [(Channel.COMMAND, command), (Channel.ANSWER, answer)]
    for channel, message in reversed(heard) if answer_first else heard:
        topic = Topic(channel=channel, site="sample", device="horn").name()
        wiring.take(topic, msgspec.json.encode(message), at(2))
    assert [step.who for step in playing.due(at(2))] == ["lift"]
