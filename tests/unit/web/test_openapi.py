from __future__ import annotations

import re

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.routing import Route, WebSocketRoute

from firewatch.model.command import AnswerState
from tests.unit.web.world import ALARM_ID, World


@pytest.fixture
async def document(client):
    return (await client.get("/api/v1/openapi.json")).json()


@pytest.mark.slow
async def test_the_document_is_valid_openapi(document):
    OpenAPIV31SpecValidator(document).validate()


async def test_the_document_describes_the_routes_and_no_others(world: World, document):
    served = {
        (route.path, method.lower())
        for route in world.server.app.routes
        if isinstance(route, Route) and route.path.startswith("/api/") and not route.path.endswith("openapi.json")
        for method in route.methods - {"HEAD"}
    }
    served |= {(route.path, "get") for route in world.server.app.routes if isinstance(route, WebSocketRoute)}
    described = {(path, method) for path, item in document["paths"].items() for method in item}
    assert described == served


async def test_every_path_parameter_is_described_as_one(document):
    for path, item in document["paths"].items():
        for operation in item.values():
            described = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
            assert described == set(re.findall(r"{(\w+)}", path))


async def test_operations_have_names_of_their_own(document):
    names = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/alarms",
        f"/api/v1/alarms/{ALARM_ID}",
        f"/api/v1/alarms/{ALARM_ID}/transitions",
        "/api/v1/devices",
        "/api/v1/observations?signal=sample/tank-1/level",
        "/api/v1/commands",
        "/api/v1/status",
        "/api/v1/site",
    ],
)
async def test_answers_are_what_the_document_says(world, client, document, path):
    world.alarm()
    world.command("sample/a-lift-2-door", "hold_door", (AnswerState.DONE, "held"))
    world.observe("sample/tank-1/level", 2.5)
    world.reject("not_finite")
    template = path.split("?")[0].replace(ALARM_ID, "{alarm_id}")
    [content] = document["paths"][template]["get"]["responses"]["200"]["content"].values()
    schema = {**content["schema"], "components": document["components"]}
    jsonschema.validate((await client.get(path)).json(), schema)


async def test_refusals_are_what_the_document_says(client, document):
    refusal = (await client.get("/api/v1/alarms?limit=0")).json()
    schema = {"$ref": "#/components/schemas/ErrorAnswer", "components": document["components"]}
    jsonschema.validate(refusal, schema)
