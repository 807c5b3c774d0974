"""Alarms as messages of the Common Alerting Protocol, CAP 1.2 (OASIS; ITU-T X.1303): what is said, and how.

An alarm's changes make a thread of messages. It begins with an Alert when people are told of the alarm; a change of
what a receiver sees is an Update; the Cancel comes when the alarm is over, hidden, or found to be none. What comes
after a Cancel begins with an Alert again. A message follows from the alarm's recorded changes (and from what its rule
rests on, for how certain it is), so that it is the same whenever it is written. A drill is an Exercise throughout.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import msgspec

from firewatch.model.alarm import Alarm, AlarmClass, AlarmState, AlarmTransition, Priority, Verdict
from firewatch.model.site import Inventory, Site
from firewatch.model.text import LocalText

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
MEDIA_TYPE = "application/cap+xml"
ATOM = "http://www.w3.org/2005/Atom"

VALIDITY = timedelta(days=31)
"""How long a message holds unless another one follows. Longer than any alarm should stand: a receiver that lets a
message lapse while its alarm stands would take silence for good news.
"""
REFERENCES_KEPT = 20
"""A message names at most so many earlier ones: the first of its thread and the last."""
HEADLINE_LIMIT = 160
"""CAP 1.2, 3.2.2: some displays show no more of a headline."""
TEXT_LIMIT = 2_000

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What may not stand in an XML 1.0 document, however it is written."""


class MessageType(enum.StrEnum):
    """CAP's `msgType`."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"


class Status(enum.StrEnum):
    """CAP's `status`: whether to act on it."""

    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    TEST = "Test"


class Certainty(enum.StrEnum):
    """CAP's `certainty`: one sensor says so (Likely), two do or somebody has looked (Observed), it is a suspicion
    (Possible), or somebody has looked and found nothing (Unlikely).
    """

    OBSERVED = "Observed"
    LIKELY = "Likely"
    POSSIBLE = "Possible"
    UNLIKELY = "Unlikely"


class Withdrawal(enum.StrEnum):
    """Why a Cancel was sent."""

    OVER = "over"
    HIDDEN = "hidden"
    FALSE_ALARM = "false_alarm"
    TESTED = "tested"


class CapMessage(msgspec.Struct, frozen=True):
    """One message, before it is written. `references` are CAP's: `sender,identifier,sent` of what was said before."""

    identifier: str
    sender: str
    sent: datetime
    message_type: MessageType
    status: Status
    certainty: Certainty
    alarm: Alarm
    references: tuple[str, ...] = ()
    withdrawal: Withdrawal | None = None

    @property
    def reference(self) -> str:
        """How a later message names this one."""
        return f"{self.sender},{self.identifier},{_instant(self.sent)}"


@dataclass(frozen=True)
class Voice:
    """Who speaks, of which compounds, and how it is known how certain the sensors are."""

    sender: str
    inventory: Inventory
    certainty_of: Callable[[Alarm], Certainty]

    def site(self, site_id: str) -> Site | None:
        """A compound, None if it is not watched any more."""
        return next((site for site in self.inventory.sites if site.id == site_id), None)

    def zone(self, site_id: str) -> tzinfo:
        """In which time zone a compound's alarms are told."""
        site = self.site(site_id)
        return ZoneInfo(site.time_zone) if site is not None else UTC


class Thread(msgspec.Struct, frozen=True):
    """What was said of one alarm: the last message, and up to which of the alarm's changes. Empty at first."""

    last: CapMessage | None = None
    number: int = 0

    def after(self, transition: AlarmTransition, voice: Voice) -> Thread:
        """What has been said once this change is told; the same message stays last where there is nothing new in it."""
        if transition.number <= self.number:
            return self
        before = self.last if self.last is not None and self.last.message_type is not MessageType.CANCEL else None
        message = _next(before, transition, voice)
        return Thread(message or self.last, transition.number)


def _next(before: CapMessage | None, transition: AlarmTransition, voice: Voice) -> CapMessage | None:
    """The message that tells a change, `before` being the one that holds; None if there is nothing to tell."""
    alarm = transition.alarm
    withdrawal = _withdrawal(alarm)
    certainty = _certainty(alarm, voice.certainty_of)
    if before is None:
        if withdrawal is not None:
            return None
        message_type = MessageType.ALERT
    elif withdrawal is not None:
        message_type = MessageType.CANCEL
    elif _content(before.alarm, before.certainty) == _content(alarm, certainty):
        return None
    else:
        message_type = MessageType.UPDATE
    return CapMessage(
        identifier=identifier(transition.alarm_id, transition.number),
        sender=voice.sender,
        sent=transition.transition_time.astimezone(voice.zone(alarm.site)).replace(microsecond=0),
        message_type=message_type,
        status=Status.ACTUAL if alarm.drill is None else Status.EXERCISE,
        certainty=certainty,
        alarm=alarm,
        references=() if before is None else _bounded((*before.references, before.reference)),
        withdrawal=withdrawal,
    )


def identifier(alarm_id: str, number: int) -> str:
    """A message's identifier: its alarm's id, and the number of the change that it tells."""
    return f"{alarm_id}-{number}"


def split_identifier(text: str) -> tuple[str, int] | None:
    """The alarm's id and the number of the change; None if it is no identifier of ours."""
    alarm_id, _, number = text.rpartition("-")
    return (alarm_id, int(number)) if alarm_id and re.fullmatch("[0-9]{1,9}", number) else None


def messages(transitions: Iterable[AlarmTransition], voice: Voice) -> list[CapMessage]:
    """All that is said of one alarm, from its changes, first to last."""
    said: list[CapMessage] = []
    thread = Thread()
    for transition in transitions:
        before, thread = thread, thread.after(transition, voice)
        if thread.last is not None and thread.last is not before.last:
            said.append(thread.last)
    return said


# -- what is said ------------------------------------------------------------------------------------------------------


def _withdrawal(alarm: Alarm) -> Withdrawal | None:
    """Why nobody is told of the alarm, None while people are."""
    if alarm.confirmation is not None and alarm.confirmation.verdict is Verdict.FALSE:
        return Withdrawal.FALSE_ALARM
    if alarm.confirmation is not None and alarm.confirmation.verdict is Verdict.TEST:
        return Withdrawal.TESTED
    if alarm.state is AlarmState.NORMAL:
        return Withdrawal.OVER
    return Withdrawal.HIDDEN if alarm.hidden or alarm.shadow else None


def _certainty(alarm: Alarm, certainty_of: Callable[[Alarm], Certainty]) -> Certainty:
    """What somebody found who looked outweighs what sensors say."""
    if alarm.confirmation is None:
        return certainty_of(alarm)
    return Certainty.OBSERVED if alarm.confirmation.verdict is Verdict.REAL else Certainty.UNLIKELY


def _content(alarm: Alarm, certainty: Certainty) -> tuple[object, ...]:
    """What a receiver sees of an alarm; a change in anything else is no news to it."""
    return (alarm.state, alarm.condition, alarm.priority, alarm.alarm_class, certainty, alarm.text, alarm.activations)


def _bounded(references: Sequence[str]) -> tuple[str, ...]:
    if len(references) <= REFERENCES_KEPT:
        return tuple(references)
    return (references[0], *references[1 - REFERENCES_KEPT :])


_EVENT = {
    AlarmClass.FIRE: LocalText(zh="火灾报警", en="Fire alarm"),
    AlarmClass.SUPERVISORY: LocalText(zh="消防设施监管报警", en="Fire protection supervisory alarm"),
    AlarmClass.SECURITY: LocalText(zh="安全报警", en="Security alarm"),
    AlarmClass.TROUBLE: LocalText(zh="故障报警", en="Trouble alarm"),
}
_CATEGORY = {
    AlarmClass.FIRE: "Fire",
    AlarmClass.SUPERVISORY: "Safety",
    AlarmClass.SECURITY: "Security",
    AlarmClass.TROUBLE: "Infra",
}
_URGENCY = {
    Priority.HIGHEST: "Immediate",
    Priority.HIGH: "Immediate",
    Priority.MEDIUM: "Expected",
    Priority.LOW: "Future",
}
_SEVERITY = {
    AlarmClass.FIRE: ("Extreme", "Severe", "Moderate", "Minor"),
    AlarmClass.SUPERVISORY: ("Severe", "Moderate", "Minor", "Minor"),
    AlarmClass.SECURITY: ("Severe", "Moderate", "Minor", "Minor"),
    AlarmClass.TROUBLE: ("Moderate", "Minor", "Minor", "Minor"),
}
"""By class, then by priority from the most urgent one: how bad it is if it is true."""

_WITHDRAWN = {
    Withdrawal.OVER: LocalText(zh="报警已结束。", en="The alarm is over."),
    Withdrawal.HIDDEN: LocalText(
        zh="报警已被搁置、抑制或退出服务,不再通知;情况未必已消除。",
        en="The alarm was shelved, suppressed or taken out of service. Nobody is told of it; it need not be over.",
    ),
    Withdrawal.FALSE_ALARM: LocalText(zh="经核实为误报。", en="Somebody looked: it was a false alarm."),
    Withdrawal.TESTED: LocalText(zh="经核实为测试。", en="Somebody looked: it was a test."),
}
_DRILL = LocalText(zh="演练", en="DRILL")
_RESTRICTION = "消防控制室及其通知的单位 / the control room and those it notifies"
_LANGUAGES = (("zh-CN", "zh"), ("en", "en"))


# -- how it is written -------------------------------------------------------------------------------------------------


def write(message: CapMessage, voice: Voice) -> bytes:
    """The message as XML, in both languages."""
    alarm = message.alarm
    root = ElementTree.Element("alert", xmlns=NAMESPACE)
    _head(root, message.identifier, message.sender, message.sent, message.status, message.message_type)
    if message.withdrawal is not None:
        reason = _WITHDRAWN[message.withdrawal]
        _add(root, "note", f"{reason.zh} / {reason.en}")
    if message.references:
        _add(root, "references", " ".join(message.references), limit=None)
    if alarm.incident:
        _add(root, "incidents", alarm.incident)
    for code, language in _LANGUAGES:
        _info(root, message, code, language, voice.site(alarm.site))
    return _document(root)


def write_test(message_id: str, sender: str, sent: datetime, title: LocalText, body: LocalText) -> bytes:
    """A message of status Test, which no receiver may act on."""
    root = ElementTree.Element("alert", xmlns=NAMESPACE)
    _head(root, message_id, sender, sent.astimezone(UTC), Status.TEST, MessageType.ALERT)
    for code, language in _LANGUAGES:
        info = ElementTree.SubElement(root, "info")
        for name, text in (
            ("language", code),
            ("category", "Other"),
            ("event", getattr(title, language)),
            ("urgency", "Unknown"),
            ("severity", "Unknown"),
            ("certainty", "Unknown"),
            ("headline", getattr(title, language)),
            ("description", getattr(body, language)),
        ):
            _add(info, name, text)
    return _document(root)


def _head(
    root: ElementTree.Element, message_id: str, sender: str, sent: datetime, status: Status, kind: MessageType
) -> None:
    _add(root, "identifier", message_id)
    _add(root, "sender", sender)
    _add(root, "sent", _instant(sent))
    _add(root, "status", status)
    _add(root, "msgType", kind)
    _add(root, "scope", "Restricted")
    _add(root, "restriction", _RESTRICTION)


def _info(root: ElementTree.Element, message: CapMessage, code: str, language: str, site: Site | None) -> None:
    alarm = message.alarm
    is_over = message.message_type is MessageType.CANCEL
    event, headline = getattr(_EVENT[alarm.alarm_class], language), getattr(alarm.text, language)
    if message.status is Status.EXERCISE:
        mark = getattr(_DRILL, language)
        event, headline = f"[{mark}] {event}", f"[{mark}] {headline}"
    info = ElementTree.SubElement(root, "info")
    _add(info, "language", code)
    _add(info, "category", _CATEGORY[alarm.alarm_class])
    _add(info, "event", event)
    _add(info, "responseType", _response(message))
    _add(info, "urgency", "Past" if message.withdrawal is Withdrawal.OVER else _URGENCY[alarm.priority])
    _add(info, "severity", _SEVERITY[alarm.alarm_class][list(Priority).index(alarm.priority)])
    _add(info, "certainty", message.certainty)
    _named(info, "eventCode", "firewatch:rule", alarm.rule)
    _add(info, "effective", _instant(message.sent))
    _add(info, "onset", _instant(alarm.onset_time.astimezone(message.sent.tzinfo)))
    _add(info, "expires", _instant(message.sent + VALIDITY))
    _add(info, "senderName", "firewatch")
    _add(info, "headline", headline, limit=HEADLINE_LIMIT)
    reason = _WITHDRAWN[message.withdrawal] if message.withdrawal is not None else None
    _add(info, "description", headline if reason is None else f"{headline}\n{getattr(reason, language)}")
    if not is_over:
        _add(info, "instruction", getattr(alarm.advice, language))
    for name, value in _parameters(alarm):
        _named(info, "parameter", f"firewatch:{name}", value)
    area = ElementTree.SubElement(info, "area")
    _add(area, "areaDesc", _area(alarm, site, language))
    _named(area, "geocode", "firewatch:building", f"{alarm.site}/{alarm.building}")


def _response(message: CapMessage) -> str:
    if message.withdrawal is None:
        return "Execute"
    return "None" if message.withdrawal is Withdrawal.HIDDEN else "AllClear"


def _parameters(alarm: Alarm) -> list[tuple[str, str]]:
    found = [
        ("alarm_id", alarm.alarm_id),
        ("subject", alarm.subject),
        ("class", str(alarm.alarm_class)),
        ("priority", str(alarm.priority)),
        ("state", str(alarm.state)),
        ("condition", str(alarm.condition)),
        ("incident_number", str(alarm.incident_number)),
    ]
    if alarm.value is not None:
        found.append(("value", f"{msgspec.json.encode(alarm.value).decode().strip(chr(34))} {alarm.unit}".strip()))
    if alarm.drill is not None:
        found.append(("drill", alarm.drill))
    return found


def _area(alarm: Alarm, site: Site | None, language: str) -> str:
    ladder = () if site is None else (site.district, site.street, site.community)
    parts = [getattr(label, language) for label in (*ladder, alarm.place)]
    return " ".join(part for part in parts if part) or alarm.subject


def _named(parent: ElementTree.Element, element: str, name: str, value: str) -> None:
    pair = ElementTree.SubElement(parent, element)
    _add(pair, "valueName", name)
    _add(pair, "value", value)


def _add(parent: ElementTree.Element, name: str, text: str, *, limit: int | None = TEXT_LIMIT) -> None:
    """An element with a text of at most `limit` characters, and none that XML cannot carry."""
    if limit is not None and len(text) > limit:
        text = text[: limit - 1] + "…"
    ElementTree.SubElement(parent, name).text = _ILLEGAL.sub("\ufffd", text)


def _instant(moment: datetime) -> str:
    """CAP 1.2, 3.3.2: a numeric offset, and UTC written as -00:00."""
    text = moment.replace(microsecond=0).isoformat()
    return text[:-6] + "-00:00" if text.endswith("+00:00") else text


def _document(root: ElementTree.Element) -> bytes:
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


# -- the feed ----------------------------------------------------------------------------------------------------------


def write_index(said: Sequence[CapMessage], sender: str, now: datetime) -> bytes:
    """An Atom feed (RFC 4287) with one entry for each message, in the order given; each links to its message."""
    feed = ElementTree.Element("feed", xmlns=ATOM)
    _add(feed, "id", f"urn:firewatch:cap:{sender}")
    _add(feed, "title", "firewatch CAP 1.2")
    _add(feed, "updated", _rfc3339(max((message.sent for message in said), default=now)))
    _add(ElementTree.SubElement(feed, "author"), "name", sender)
    ElementTree.SubElement(feed, "link", rel="self", type="application/atom+xml", href="/api/v1/cap")
    for message in said:
        entry = ElementTree.SubElement(feed, "entry")
        mark = f"[{_DRILL.zh} {_DRILL.en}] " if message.status is Status.EXERCISE else ""
        text = message.alarm.text
        _add(entry, "id", f"urn:firewatch:cap:{sender}:{message.identifier}")
        _add(entry, "title", f"{mark}{text.zh} / {text.en}", limit=2 * HEADLINE_LIMIT)
        _add(entry, "updated", _rfc3339(message.sent))
        _add(entry, "summary", f"{message.message_type} {message.status} {message.certainty}")
        ElementTree.SubElement(entry, "category", term=_CATEGORY[message.alarm.alarm_class])
        ElementTree.SubElement(
            entry, "link", rel="alternate", type=MEDIA_TYPE, href=f"/api/v1/cap/{message.identifier}"
        )
    return _document(feed)


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).isoformat()
