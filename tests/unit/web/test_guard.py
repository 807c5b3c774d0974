from __future__ import annotations

import httpx
import pytest

from firewatch.config.settings import HttpSettings
from firewatch.errors import ConfigError
from firewatch.web.guard import CONTENT_SECURITY_POLICY
from tests.unit.web.conftest import ORIGIN
from tests.unit.web.world import ALARM_ID, World

ACKNOWLEDGE = f"/api/v1/alarms/{ALARM_ID}/acknowledge"


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/alarms", "/api/v1/nothing", "/metrics"])
async def test_every_answer_lets_a_browser_run_our_own_files_only(client, path):
    headers = (await client.get(path)).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers
    assert headers["date"] == "Wed, 01 Jan 2025 00:00:00 GMT"


def test_the_policy_allows_nothing_inline_and_nothing_of_others():
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert "*" not in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize(
    ("host", "served"),
    [
        ("127.0.0.1:8080", True),
        ("localhost", True),
        ("localhost:8080", True),
        ("[::1]:8080", True),
        ("[::1]", True),
        ("192.168.1.20:8080", True),
        ("firewatch:8080", True),
        ("evil.example", False),
        ("evil.example:8080", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.", False),
        ("", False),
        (":8080", False),
    ],
)
async def test_a_name_that_could_be_rebound_to_us_is_refused(client, host, served):
    response = await client.get("/healthz", headers={"Host": host})
    assert response.status_code == (200 if served else 403), response.text


async def test_who_opens_a_name_of_a_daemon_that_listens_everywhere_is_told_what_can_be_done():
    settings = HttpSettings(host="0.0.0.0", allow_remote_without_login=True)
    transport = httpx.ASGITransport(World(settings=settings).server.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://firewatch.example") as client:
        refused = await client.get("/healthz")
        assert refused.status_code == 403
        assert "address in numbers" in refused.json()["error"]["hint"]
        assert "http.host" not in refused.json()["error"]["hint"]
        assert (await client.get("/healthz", headers={"Host": "192.168.1.20:8080"})).status_code == 200


async def test_the_name_we_were_told_to_listen_on_is_ours():
    settings = HttpSettings(host="firewatch.compound.example", allow_remote_without_login=True)
    transport = httpx.ASGITransport(World(settings=settings).server.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://Firewatch.compound.example") as client:
        assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (ORIGIN, 200),
        ("https://127.0.0.1:8080", 200),
        (None, 403),
        ("null", 403),
        ("http://127.0.0.1", 403),
        ("http://localhost:8080", 403),
        ("http://evil.example", 403),
        ("http://127.0.0.1:8080.evil.example", 403),
    ],
)
async def test_only_our_own_page_may_change_anything(world, client, origin, status):
    world.alarm()
    headers = {} if origin is None else {"Origin": origin}
    response = await client.post(ACKNOWLEDGE, json={"operator": "Wang"}, headers=headers)
    assert response.status_code == status
    assert len(world.submitted) == (status == 200)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.20", "::", "firewatch.example"])
def test_an_address_that_others_reach_is_refused_with_what_it_risks(host):
    with pytest.raises(ConfigError, match=r"acknowledge alarms.*allow_remote_without_login"):
        World(settings=HttpSettings(host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_permission(host):
    World(settings=HttpSettings(host=host))


def test_an_address_that_others_reach_is_taken_when_the_settings_say_so():
    World(settings=HttpSettings(host="0.0.0.0", allow_remote_without_login=True))
