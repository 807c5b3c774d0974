"""What every request passes before it reaches a route: is it meant for us, and did our own page send it?

There is no log-in yet, so the browser of someone in the control room is the way in for a stranger's page. Two doors:
a name that is re-bound to our address (the Host header gives it away), and a form or script that posts across sites
(the Origin header does). What leaves carries the headers that let a browser run our own files only.
"""

from __future__ import annotations

import ipaddress
from email.utils import format_datetime

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from firewatch.ports import Clock
from firewatch.web.document import Error, ErrorAnswer

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_READING_METHODS = ("GET", "HEAD")


def error_response(status: int, what: str, hint: str) -> Response:
    """A refusal in the form every refusal has."""
    answer = msgspec.json.encode(ErrorAnswer(Error(what, hint)))
    return Response(answer, status, media_type="application/json")


class Guard:
    """ASGI middleware; `host` is the address firewatch was told to listen on."""

    def __init__(self, app: ASGIApp, *, host: str, clock: Clock) -> None:
        self._app = app
        self._host = host.lower()
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or pass it on and put the headers on what comes back."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if scope["type"] == "websocket":
            if refusal:
                await send({"type": "websocket.close", "code": 1008, "reason": "refused"})
            else:
                await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
                headers["Date"] = format_datetime(self._clock.now(), usegmt=True)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        if not self._is_ours(host):
            return error_response(
                403,
                f"The name in the Host header is not one of ours: {host[:100]!r}.",
                "Open the console by its address in numbers or as localhost. For another name, put a proxy in front "
                "that sets Host to the address in numbers, and Origin to match it.",
            )
        origin = headers.get("origin")
        own_page = origin is not None and origin.lower() in (f"http://{host}", f"https://{host}")
        if scope["type"] == "websocket":
            allowed = origin is None or own_page
        else:
            allowed = scope["method"] in _READING_METHODS or own_page
        if not allowed:
            return error_response(
                403,
                "The request does not come from firewatch's own page.",
                f"A program that calls this API sends the header `Origin: http://{host}`.",
            )
        return None

    def _is_ours(self, host_header: str) -> bool:
        """Re-binding needs a name in somebody's domain: an address, and a name without a dot, cannot be one."""
        name = host_header.rsplit(":", 1)[0] if not host_header.endswith("]") else host_header
        if not name:
            return False
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return "." not in name or name == self._host
        return True
