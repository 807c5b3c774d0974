"""The OpenAPI 3.1 document, made from the routes and the types they take and give."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import msgspec

from firewatch.web.document import ErrorAnswer, FeedMessage
from firewatch.web.endpoint import Endpoint

_REFERENCE = "#/components/schemas/{name}"
_STREAM_DESCRIPTION = (
    "A WebSocket. The first message is a `Snapshot`; each one after it tells what has just happened. "
    "Nothing is expected from the client. A client that was too slow is sent `Resynchronise` and a new `Snapshot`."
)


def build(endpoints: Sequence[Endpoint], version: str) -> dict[str, Any]:
    """Describe the routes, and the WebSocket feed as far as OpenAPI has words for it."""
    answers = [endpoint.answer for endpoint in endpoints if not isinstance(endpoint.answer, str)]
    asked = list(dict.fromkeys(endpoint.parameters for endpoint in endpoints))
    (feed_schema, *asked_schemas, _), components = msgspec.json.schema_components(
        [FeedMessage, *asked, *answers, ErrorAnswer], ref_template=_REFERENCE
    )
    parameters = {type_: components.pop(_name(schema)) for type_, schema in zip(asked, asked_schemas, strict=False)}
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, parameters[endpoint.parameters])
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    paths["/api/v1/stream"] = {
        "get": {
            "operationId": "stream",
            "summary": "The live feed",
            "description": _STREAM_DESCRIPTION,
            "responses": {"101": {"description": "The connection is a WebSocket now."}},
        }
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "firewatch",
            "version": version,
            "description": "Alarms, devices and history of the compounds that this firewatch watches.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": {**components, "FeedMessage": feed_schema}},
    }


def _operation(endpoint: Endpoint, parameters: dict[str, Any]) -> dict[str, Any]:
    fields, required = parameters["properties"], parameters["required"]
    in_path = endpoint.path_parameters
    operation: dict[str, Any] = {
        "operationId": getattr(endpoint.handler, "__name__"),  # noqa: B009 - a Callable need not have a name
        "summary": endpoint.summary,
        "responses": _responses(endpoint),
    }
    described = [
        {"name": name, "in": "path" if name in in_path else "query", "required": name in required, "schema": schema}
        for name, schema in fields.items()
        if name in in_path or not endpoint.body
    ]
    if described:
        operation["parameters"] = described
    if endpoint.body:
        operation["requestBody"] = {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "description": inspect.getdoc(endpoint.parameters),
                        "properties": {name: schema for name, schema in fields.items() if name not in in_path},
                        "required": [name for name in required if name not in in_path],
                        "additionalProperties": False,
                    }
                }
            },
        }
    return operation


def _name(reference: dict[str, Any]) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _responses(endpoint: Endpoint) -> dict[str, Any]:
    if isinstance(endpoint.answer, str):
        content: dict[str, Any] = {endpoint.answer: {}}
    else:
        content = {"application/json": {"schema": {"$ref": _REFERENCE.format(name=endpoint.answer.__name__)}}}
    refused = {"application/json": {"schema": {"$ref": _REFERENCE.format(name="ErrorAnswer")}}}
    refusals = {400: "A parameter is wrong.", **endpoint.refusals}
    return {
        "200": {"description": endpoint.summary, "content": content},
        **{str(status): {"description": reason, "content": refused} for status, reason in sorted(refusals.items())},
    }
