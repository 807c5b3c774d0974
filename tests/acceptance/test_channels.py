"""One alarm of a real daemon, told to real receivers: a mail server, web servers, the broker, and whoever asks."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import capvalidator
import httpx
import msgspec
import pytest
import standardwebhooks
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from lxml import etree

from firewatch.broadcast import cap
from firewatch.model.topic import Channel, topic_filter
from tests.acceptance.plant import Plant, low, running
from tests.integration.broadcast.mailbox import Mailbox, mail_server, mailto
from tests.integration.broadcast.receivers import Receiver, receiver, says

pytestmark = pytest.mark.slow

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
NOTIFICATIONS = """\
targets:
  - {id: mail, apprise: {url: {env: MAIL_URL}}, language: zh}
  - {id: group, robot: {url: {env: ROBOT_URL}}, language: zh}
  - {id: platform, webhook: {url: {env: HOOK_URL}, secrets: [{env: HOOK_SECRET}]}, language: en}
  - {id: centre, cap: {url: {env: CAP_URL}}, language: en}
plans:
  - {id: all, steps: [{targets: [mail, group, platform, centre]}]}
"""
TWO_SENSORS = """\
  - id: two
    scope: {asset: riser}
    when: {k_of_n: {k: 2, within: 1min, of: [{low: {signal: pressure_transmitter/pressure, limit: 0.07 MPa}}]}}
    priority: highest
    class: fire
    text: {zh: 立管“双探”报警, en: Two sensors of the riser agree}
    advice: {zh: 立即核实, en: Look at once}
"""
SAFE = etree.XMLParser(resolve_entities=False, no_network=True)


@dataclass
class Outside:
    """Everybody who is told."""

    plant: Plant
    mail: Mailbox
    group: Receiver
    platform: Receiver
    centre: Receiver

    async def told(self, count: int) -> None:
        """Return once each receiver was told so often."""

        async def all_were() -> bool | None:
            were = (self.mail.envelopes, self.group.taken, self.platform.taken, self.centre.taken)
            return all(len(each) >= count for each in were) or None

        await self.plant.until(f"{count} messages at each receiver", all_were, 60)


@pytest.fixture
async def outside(nats_url: str, dsn: str, tmp_path: Path) -> AsyncIterator[Outside]:
    async with AsyncExitStack() as stack:
        mail = await stack.enter_async_context(mail_server())
        group, platform, centre = [await stack.enter_async_context(receiver()) for _ in range(3)]
        group.answer = says(200, '{"errcode":0,"errmsg":"ok"}')
        plant = Plant(nats_url, dsn, tmp_path, ["p1"])
        plant.site.write_text(
            plant.site.read_text()
            + "  - {id: p2, kind: pressure_transmitter, asset: riser, label: {zh: p2, en: p2}}\n"
            + "  - {id: p3, kind: pressure_transmitter, asset: riser, label: {zh: p3, en: p3}}\n"
            + "assets:\n  - {id: riser, kind: riser, building: b, system: water, label: {zh: 立管, en: Riser}}\n"
        )
        plant.write_rules(
            low("low").replace("pressure_transmitter}", "pressure_transmitter, subjects: [p1]}"), TWO_SENSORS
        )
        (tmp_path / "notifications.yaml").write_text(NOTIFICATIONS)
        plant.environment |= {
            "FIREWATCH_NOTIFICATIONS": str(tmp_path / "notifications.yaml"),
            "FIREWATCH_SENDER": "firewatch.example",
            "FIREWATCH_LOG__LEVEL": "debug",
            "MAIL_URL": mailto(mail),
            "ROBOT_URL": f"{group.url}/robot/send?access_token=t0ken",
            "HOOK_URL": f"{platform.url}/events",
            "HOOK_SECRET": SECRET,
            "CAP_URL": f"{centre.url}/cap",
        }
        await stack.enter_async_context(running(plant))
        yield Outside(plant, mail, group, platform, centre)


def alert(document: bytes) -> Any:
    assert capvalidator.check_schema(document).passed, document.decode()
    return etree.fromstring(document, SAFE)


def field(root: Any, name: str) -> list[str]:
    return [found.text for found in root.iter(f"{{{cap.NAMESPACE}}}{name}")]


async def cancelled(centre: Receiver) -> bool:
    return field(alert(centre.taken[-1].body), "msgType") == ["Cancel"]


async def test_an_alarm_and_its_end_reach_every_receiver_in_its_language(outside: Outside) -> None:
    plant = outside.plant
    async with plant.client() as client:
        await client.subscribe(topic_filter(Channel.ALARM), qos=1)
        await plant.report(client, "p1", 0.05)
        on_the_broker = msgspec.json.decode(bytes((await anext(client.messages)).payload))  # type: ignore[arg-type]
        assert on_the_broker["text"] == {"zh": "压力低", "en": "Pressure is low"}
        await outside.told(1)

        (mail,) = outside.mail.mails
        assert "压力低" in mail["Subject"]
        body = mail.get_body(("plain",))
        assert body is not None
        assert "检查" in body.get_content()
        assert "压力低" in json.loads(outside.group.taken[0].body)["text"]["content"]

        request = outside.platform.taken[0]
        standardwebhooks.Webhook(SECRET).verify(request.body, request.headers)
        event = from_structured_event(HTTPMessage(request.headers, request.body))
        assert (event.get_type(), event.get_source()) == ("firewatch.alarm.onset", "urn:firewatch:firewatch.example")
        data = event.get_data()
        assert isinstance(data, dict)
        assert "Pressure is low" in data["title"]
        assert data["alarms"][0]["alarm_id"] == on_the_broker["alarm_id"]

        first = alert(outside.centre.taken[0].body)
        assert (field(first, "msgType"), field(first, "status")) == (["Alert"], ["Actual"])
        assert field(first, "headline") == ["压力低", "Pressure is low"]
        assert field(first, "certainty") == ["Likely", "Likely"]

        await plant.report(client, "p1", 0.2)
        await plant.post(f"/api/v1/alarms/{on_the_broker['alarm_id']}/acknowledge", operator="li")
        await outside.told(2)
        await plant.until("the cancel", lambda: cancelled(outside.centre), 60)

    last = alert(outside.centre.taken[-1].body)
    assert field(last, "msgType") == ["Cancel"]
    assert field(first, "identifier")[0] in field(last, "references")[0]
    async with httpx.AsyncClient(base_url=plant.url) as console:
        index = etree.fromstring((await console.get("/api/v1/cap")).content, SAFE)
        (link,) = index.iterfind(f"{{{cap.ATOM}}}entry/{{{cap.ATOM}}}link")
        assert (await console.get(link.get("href"))).content == outside.centre.taken[-1].body
        assert (await console.get(f"/api/v1/cap/{field(first, 'identifier')[0]}")).content == outside.centre.taken[
            0
        ].body

    log = (plant.folder / "daemon.log").read_text()
    for secret in ("t0ken", "pa55word", SECRET.removeprefix("whsec_"), "/events"):
        assert secret not in log, f"a secret stands in the log: {secret}"


async def test_what_two_sensors_say_is_observed_and_is_known_after_a_restart(outside: Outside) -> None:
    plant = outside.plant
    async with plant.client() as client:
        for device in ("p2", "p3"):
            await plant.report(client, device, 0.05)
    await outside.told(1)
    root = alert(outside.centre.taken[0].body)
    assert field(root, "certainty") == ["Observed", "Observed"]
    assert field(root, "severity") == ["Extreme", "Extreme"]
    await plant.alarm("two")
    await plant.reasons((await plant.alarm("two"))["alarm_id"], 1)

    await plant.kill()
    await plant.start()
    async with httpx.AsyncClient(base_url=plant.url) as console:
        found = await console.get(f"/api/v1/cap/{field(root, 'identifier')[0]}")
        index = await console.get("/api/v1/cap")
    assert found.content == outside.centre.taken[0].body
    assert field(root, "identifier")[0] in index.text
