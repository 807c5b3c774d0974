"""Cameras on the network: each drawn camera is served as an MJPEG stream over HTTP, as many real ones do.

`http://HOST:PORT/NAME.mjpg` answers with `multipart/x-mixed-replace`, one JPEG a part. A frame is drawn only while
someone watches, and drawn and encoded once however many watch. A watcher who reads too slowly is disconnected and
never holds up another.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]

MOST_CLIENTS = 32
"""How many may watch at once; the next one is answered 503."""

_BOUNDARY = "firewatch-frame"
_JPEG_QUALITY = 85
_WRITE_TIMEOUT_SECONDS = 5.0


class StreamServer:
    """Serves named cameras until stopped. `cameras` draw the present picture (BGR) when called; they are called from
    the server's threads, one at a time for each camera. Port 0 takes a free one; `port` and `url` say which.
    """

    def __init__(
        self, host: str, port: int, cameras: Mapping[str, Callable[[], Frame]], frames_per_second: float
    ) -> None:
        self._shared = {name: _SharedFrames(draw, frames_per_second) for name, draw in cameras.items()}
        self._stopping = threading.Event()
        self._server = _Server((host, port), self._shared, self._stopping)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="camera-stream")

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def url(self, name: str) -> str:
        """The address of a camera's stream."""
        return f"http://{self._server.server_address[0]!s}:{self.port}/{name}.mjpg"

    def start(self) -> None:
        """Serve from a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End every stream and close the port."""
        self._stopping.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _SharedFrames:
    """One camera's frames: whoever asks first for a frame's turn draws it, the others get the same bytes."""

    def __init__(self, draw: Callable[[], Frame], frames_per_second: float) -> None:
        self._draw = draw
        self._interval_seconds = 1 / frames_per_second
        self._lock = threading.Lock()
        self._turn = -1
        self._jpeg = b""

    def newest(self) -> bytes:
        with self._lock:
            turn = int(time.monotonic() / self._interval_seconds)
            if turn != self._turn:
                self._jpeg = _encode(self._draw())
                self._turn = turn
            return self._jpeg

    def seconds_to_next(self) -> float:
        return self._interval_seconds - time.monotonic() % self._interval_seconds


def _encode(frame: Frame) -> bytes:
    written, jpeg = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not written:
        raise ValueError("the drawn frame could not be encoded as JPEG")
    return jpeg.tobytes()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], cameras: Mapping[str, _SharedFrames], stopping: threading.Event
    ) -> None:
        self.cameras = cameras
        self.stopping = stopping
        self.places = threading.BoundedSemaphore(MOST_CLIENTS)
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A watcher who goes away is no error; anything else is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _WRITE_TIMEOUT_SECONDS

    def do_GET(self) -> None:
        """Stream one camera until the watcher or the server ends it."""
        name = self.path.partition("?")[0].removeprefix("/").removesuffix(".mjpg")
        camera = self.server.cameras.get(name)
        if camera is None or not self.path.partition("?")[0].endswith(".mjpg"):
            self.send_error(HTTPStatus.NOT_FOUND, "no such camera")
            return
        if not self.server.places.acquire(blocking=False):
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE, "too many watchers")
            return
        try:
            self._stream(camera)
        finally:
            self.server.places.release()

    def _stream(self, camera: _SharedFrames) -> None:
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        while not self.server.stopping.is_set():
            jpeg = camera.newest()
            head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")
            self.server.stopping.wait(camera.seconds_to_next())

    def log_message(self, *_line: Any) -> None:
        """Watching is not worth a line."""
