from __future__ import annotations

import pytest

from firewatch.errors import StorageError


async def test_the_index_is_about_the_alarms_that_stand(world, client):
    alarm = world.alarm()
    response = await client.get("/api/v1/cap")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/atom+xml"
    assert response.content == b"<feed/>"
    assert world.alerts.asked == [alarm]


async def test_a_message_is_given_as_cap(world, client):
    world.alerts.messages["a-1"] = b"<alert/>"
    response = await client.get("/api/v1/cap/a-1")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/cap+xml"
    assert response.content == b"<alert/>"


async def test_a_message_that_there_never_was_is_not_found(client):
    response = await client.get("/api/v1/cap/nosuch-1")
    assert response.status_code == 404
    assert "nosuch-1" in response.json()["error"]["what"]


@pytest.mark.parametrize("identifier", ["%20", "a" * 200, "a<b", "-1"])
async def test_what_is_no_identifier_is_refused(client, identifier):
    assert (await client.get(f"/api/v1/cap/{identifier}")).status_code == 400


async def test_an_old_message_waits_for_the_history(world, client, monkeypatch):
    async def away(identifier: str) -> bytes:
        raise StorageError

    monkeypatch.setattr(world.alerts, "alert", away)
    assert (await client.get("/api/v1/cap/a-1")).status_code == 503
