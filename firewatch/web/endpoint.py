"""How a route is declared once, and parsed, answered and documented from that declaration.

A handler takes one value, the request's parameters as a struct whose field types carry their bounds, and returns one
document. Everything else (reading, refusing, encoding) happens here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from firewatch.errors import BusyError, RefusedCommandError, StorageError
from firewatch.web.guard import error_response

BODY_LIMIT_BYTES = 8_192
_SEE_DOCUMENT = "The parameters are described in /api/v1/openapi.json."


class ApiError(Exception):
    """A request that cannot be carried out, with the status that says whose fault it is."""

    def __init__(self, status: int, what: str, hint: str) -> None:
        super().__init__(what)
        self.status = status
        self.what = what
        self.hint = hint


class NoParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing may be asked."""


class Endpoint(msgspec.Struct, frozen=True):
    """One route. `parameters` holds the fields of the path, then of the query, or of the JSON body if `body` is set.

    `answer` is the struct it gives as JSON, or a media type for what is not JSON. `refusals` are the statuses beyond
    400 with the reason for each.
    """

    path: str
    handler: Callable[[Any], Awaitable[Any]]
    answer: type | str
    summary: str
    parameters: type[msgspec.Struct] = NoParameters
    method: str = "GET"
    body: bool = False
    refusals: dict[int, str] = {}

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """The names between braces in the path."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))

    def route(self) -> Route:
        """The route to serve it by."""

        async def serve(request: Request) -> Response:
            try:
                document = await self.handler(await self._read(request))
            except ApiError as error:
                return error_response(error.status, error.what, error.hint)
            except RefusedCommandError as error:
                return error_response(409, str(error), "The alarm's present state is shown by /api/v1/alarms.")
            except BusyError as error:
                return error_response(409, str(error), "Ask again when it has ended.")
            except StorageError as error:
                return error_response(503, str(error), "Alarms go on without the history; try again in a moment.")
            if isinstance(document, Response):
                return document
            return Response(msgspec.json.encode(document), media_type="application/json")

        return Route(self.path, serve, methods=[self.method])

    async def _read(self, request: Request) -> msgspec.Struct:
        given: dict[str, Any] = await _read_body(request) if self.body else _read_query(request)
        clash = given.keys() & request.path_params.keys()
        if clash:
            raise ApiError(400, f"{', '.join(sorted(clash))} belongs in the path only.", _SEE_DOCUMENT)
        try:
            return msgspec.convert(given | request.path_params, self.parameters, strict=self.body)
        except msgspec.ValidationError as error:
            raise ApiError(400, f"A parameter is wrong: {error}.", _SEE_DOCUMENT) from None


def _read_query(request: Request) -> dict[str, Any]:
    pairs = request.query_params.multi_items()
    given = dict(pairs)
    if len(given) != len(pairs):
        raise ApiError(400, "A parameter is given twice.", _SEE_DOCUMENT)
    return given


async def _read_body(request: Request) -> dict[str, Any]:
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise ApiError(415, "The body is not declared as JSON.", "Send the header `Content-Type: application/json`.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT_BYTES:
            raise ApiError(413, f"The body is longer than {BODY_LIMIT_BYTES} bytes.", _SEE_DOCUMENT)
    try:
        given = msgspec.json.decode(bytes(body), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ApiError(400, f"The body is not a JSON object: {error}.", _SEE_DOCUMENT) from None
    return given
