from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from firewatch.ports import BacktestPhase
from firewatch.testing.clock import START
from tests.unit.web.conftest import ORIGIN

OWN_PAGE = {"Origin": ORIGIN}
WISH = {"operator": "Wang", "start": "2024-12-25T00:00:00Z", "against": "live"}


async def start(client, status=200, **changes):
    response = await client.post("/api/v1/backtests", json=WISH | changes, headers=OWN_PAGE)
    assert response.status_code == status, response.text
    return response.json()


async def test_a_backtest_is_begun_until_now_and_followed_to_its_result(world, client):
    asked = await start(client)
    [kept] = world.backtests.kept
    assert (kept.wish.operator, kept.wish.against, kept.wish.end) == ("Wang", "live", START)
    path = f"/api/v1/backtests/{asked['backtest_id']}"
    world.backtests.note(progress=0.25)
    running = (await client.get(path)).json()
    assert (running["phase"], running["progress"], running["result"]) == ("running", 0.25, None)
    world.backtests.note(phase=BacktestPhase.DONE, progress=1.0, result=msgspec.Raw(b'{"before": 3}'))
    assert (await client.get(path)).json()["result"] == {"before": 3}
    [listed] = (await client.get("/api/v1/backtests")).json()["backtests"]
    assert (listed["phase"], listed["result"]) == ("done", None)


async def test_one_goes_on_at_a_time_and_can_be_given_up(world, client):
    asked = await start(client)
    refused = await start(client, 409)
    assert "Another backtest goes on" in refused["error"]["what"]
    path = f"/api/v1/backtests/{asked['backtest_id']}/cancel"
    given_up = await client.post(path, json={"operator": "Wang"}, headers=OWN_PAGE)
    assert given_up.json()["phase"] == "cancelled"
    await start(client)


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": (START + timedelta(days=1)).isoformat()},
        {"end": "2024-12-24T00:00:00Z"},
        {"start": "0001-01-01T00:00:00Z"},
        {"against": "yesterday"},
        {"operator": ""},
        {"rules": "rules: []"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
async def test_what_makes_no_sense_is_refused(world, client, wrong):
    await start(client, 400, **wrong)
    assert world.backtests.kept == []


async def test_only_firewatchs_own_page_begins_one(world, client):
    response = await client.post("/api/v1/backtests", json=WISH, headers={"Origin": "http://elsewhere.example"})
    assert response.status_code == 403
    assert world.backtests.kept == []


@pytest.mark.parametrize("path", ["/api/v1/backtests/none", "/api/v1/backtests/none/cancel"])
async def test_there_is_none_of_that_name(client, path):
    post = path.endswith("cancel")
    answer = await (client.post(path, json={"operator": "W"}, headers=OWN_PAGE) if post else client.get(path))
    assert answer.status_code == 404
