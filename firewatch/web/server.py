"""The web server: puts API, live feed, metrics, health and console together and listens.

It promises that a slow or silent screen holds nobody up, and that it answers nobody beyond this machine unless the
settings say that this is wanted. It leaves signals to the app.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import msgspec
import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope
from starlette.websockets import WebSocket, WebSocketDisconnect

from firewatch.config.settings import HttpSettings
from firewatch.errors import ConfigError, StartError, StorageError
from firewatch.model.site import Inventory
from firewatch.ports import (
    AlertFeed,
    Backtests,
    Clock,
    CommandRecord,
    CommandSink,
    ControlRoomDesk,
    Drills,
    HistoryReader,
    LiveView,
    Notifications,
    RuleReloader,
    Workloads,
)
from firewatch.web import openapi
from firewatch.web.actuators import ActuatorRoutes
from firewatch.web.api import Api
from firewatch.web.control_room import ControlRoomApi
from firewatch.web.document import Heartbeat, Resynchronise
from firewatch.web.drills import DrillsApi
from firewatch.web.explanation import EngineQuestions, Explainer
from firewatch.web.feed import COMMANDS_KEPT, FeedReader, LiveFeed, encode
from firewatch.web.guard import Guard, error_response
from firewatch.web.incidents import IncidentsApi
from firewatch.web.notifications import NotificationsApi
from firewatch.web.overview import Overview
from firewatch.web.workload import WorkloadApi

HEARTBEAT_SECONDS = 2.0
SCREEN_LIMIT = 64
STOP_SECONDS = 3
HISTORY_SECONDS = 1.0
STATIC = Path(__file__).parent / "static"

_log = structlog.get_logger(__name__)


class WebServer:
    """The HTTP side of the daemon. `metrics` gives the Prometheus text; the app pushes events into `feed`.

    Raises:
        ConfigError: the settings name an address that others can reach, without saying that this is wanted.
    """

    def __init__(
        self,
        settings: HttpSettings,
        inventory: Inventory,
        live: LiveView,
        reader: HistoryReader,
        sink: CommandSink,
        rules: RuleReloader,
        engine: EngineQuestions,
        backtests: Backtests,
        clock: Clock,
        metrics: Callable[[], bytes],
        feed: LiveFeed,
        alerts: AlertFeed,
        control_room: ControlRoomDesk,
        workloads: Workloads,
        notifications: Notifications,
        drills: Drills,
    ) -> None:
        _refuse_exposure(settings)
        self._settings = settings
        self._clock = clock
        self._reader = reader
        self._metrics = metrics
        self._live = live
        self._feed = feed
        self._overview = Overview(inventory, live, clock)
        self._control_room = control_room
        self._drills = drills
        desk = ControlRoomApi(control_room, live, reader, self._overview, clock)
        self._pages = desk.pages()
        api = Api(
            inventory=inventory,
            live=live,
            reader=reader,
            sink=sink,
            rules=rules,
            clock=clock,
            feed=self._feed,
            overview=self._overview,
            explainer=Explainer(engine, self._overview, live, clock),
            backtests=backtests,
            alerts=alerts,
        )
        incidents = IncidentsApi(live, reader, sink)
        self._endpoints = (
            *api.endpoints(),
            *incidents.endpoints(),
            *desk.endpoints(),
            *WorkloadApi(workloads, live, reader, inventory, clock).endpoints(),
            *ActuatorRoutes(inventory, sink, clock).endpoints(),
            *NotificationsApi(notifications, reader).endpoints(),
            *DrillsApi(drills, reader).endpoints(),
        )
        self.app = self._build()
        self._server: _Server | None = None

    async def start(self) -> str:
        """Listen, and return the address to open, with the real port where the settings say 0.

        Raises:
            StartError: the address or port cannot be had.
        """
        listener = _listen(self._settings)
        config = uvicorn.Config(
            self.app,
            http="h11",
            ws="websockets-sansio",
            ws_max_size=1_024,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        self._server = _Server(config)
        await self._server.listen(listener)
        host, port = listener.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def stop(self) -> None:
        """Close every connection and the port; harmless when nothing was started."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.shutdown()

    def _build(self) -> Starlette:
        document = msgspec.json.encode(openapi.build(self._endpoints, version("firewatch")))

        async def describe(_: Request) -> Response:
            return Response(document, media_type="application/json")

        return Starlette(
            routes=[
                *(endpoint.route() for endpoint in (*self._endpoints, *self._pages)),
                WebSocketRoute("/api/v1/stream", self._stream),
                Route("/api/v1/openapi.json", describe),
                Route("/metrics", self._answer_metrics),
                Route("/healthz", self._answer_alive),
                Route("/readyz", self._answer_ready),
                Mount("/", _console()),
            ],
            middleware=[Middleware(Guard, host=self._settings.host, clock=self._clock)],
            exception_handlers={HTTPException: _answer_http_error, Exception: _answer_fault},
        )

    async def _answer_metrics(self, _: Request) -> Response:
        return Response(self._metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def _answer_alive(self, _: Request) -> Response:
        return Response(b"alive\n", media_type="text/plain")

    async def _answer_ready(self, _: Request) -> Response:
        readiness = self._overview.readiness()
        return Response(msgspec.json.encode(readiness), 200 if readiness.ready else 503, media_type="application/json")

    async def _stream(self, websocket: WebSocket) -> None:
        if self._feed.screens >= SCREEN_LIMIT:
            await websocket.close(1013, f"{SCREEN_LIMIT} screens are connected already")
            return
        await websocket.accept()
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(self._tell(websocket))
            with contextlib.suppress(WebSocketDisconnect):
                while True:
                    await websocket.receive_text()
            telling.cancel()

    async def _tell(self, websocket: WebSocket) -> None:
        with self._feed.reader() as reader, contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await websocket.send_text(await self._snapshot(reader))
            clock = asyncio.get_running_loop().time
            beat = clock() + HEARTBEAT_SECONDS
            while True:
                messages, missed = await reader.take(beat - clock())
                if missed:
                    await websocket.send_text(encode(Resynchronise(missed)))
                    await websocket.send_text(await self._snapshot(reader))
                for message in messages:
                    await websocket.send_text(message)
                if clock() >= beat:
                    beat = clock() + HEARTBEAT_SECONDS
                    await websocket.send_text(self._heartbeat())

    def _heartbeat(self) -> str:
        counts = self._live.rejection_counts()
        return encode(Heartbeat(now=self._clock.now(), parts=self._live.parts(), rejection_counts=counts))

    async def _snapshot(self, reader: FeedReader) -> str:
        stored = await self._stored_commands()
        reader.forget()
        commands = self._feed.recent_commands(stored)
        return encode(self._overview.snapshot(commands, self._control_room.open_checks(), self._drills.present()))

    async def _stored_commands(self) -> list[CommandRecord]:
        """The last commands, or none where the history does not answer at once: a screen never waits for it."""
        try:
            async with asyncio.timeout(HISTORY_SECONDS):
                return await self._reader.commands(limit=COMMANDS_KEPT)
        except (StorageError, TimeoutError):
            return []


class _Server(uvicorn.Server):
    """uvicorn without its main loop, which only watches for signals and counts requests."""

    async def listen(self, listener: socket.socket) -> None:
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        await self.startup(sockets=[listener])


class _Console(StaticFiles):
    """The built console. Vite names assets by their content, so a browser may keep those and nothing else."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        kept = path.startswith("assets/")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "no-cache"
        return response


def _console() -> ASGIApp:
    if (STATIC / "index.html").is_file():
        return _Console(directory=STATIC, html=True)
    return error_response(
        503,
        "The console has not been built.",
        "Install firewatch again (`pip install -e .` in its folder); that builds the console.",
    )


def _refuse_exposure(settings: HttpSettings) -> None:
    if not _is_loopback(settings.host) and not settings.allow_remote_without_login:
        raise ConfigError(
            f"http.host is {settings.host}, which others can reach, and there is no log-in yet: everyone who reaches "
            "it could see the cameras and acknowledge alarms. Set http.host to 127.0.0.1, or accept that with "
            "http.allow_remote_without_login: true."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(settings: HttpSettings) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise StartError(
            f"The console cannot listen on {settings.host}:{settings.port}: {error.strerror or error}. "
            "Set another http.port (0 takes any free one), or stop what uses it (`ss -tanp` shows it): a port from "
            "32768 up may have become the near end of any program's connection."
        ) from error


async def _answer_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return error_response(
        error.status_code,
        f"{request.method} {request.url.path[:200]}: {error.detail}.",
        "/api/v1/openapi.json lists what can be asked.",
    )


async def _answer_fault(request: Request, error: Exception) -> Response:
    _log.error("A request failed by a fault of firewatch's own", path=request.url.path, exc_info=error)
    return error_response(500, "firewatch made a mistake.", "The daemon's log says more.")
