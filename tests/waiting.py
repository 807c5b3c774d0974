"""Waiting for a daemon, by asking until it says that it is ready."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import httpx

ASK_AGAIN_SECONDS = 0.05


async def until_ready(url: str, still_runs: Callable[[], None], seconds: float = 60) -> None:
    """Return once `/readyz` answers 200; `still_runs` raises if there is nothing to wait for any more."""
    async with httpx.AsyncClient(base_url=url) as client, asyncio.timeout(seconds):
        while True:
            still_runs()
            with contextlib.suppress(httpx.TransportError):
                if (await client.get("/readyz")).status_code == 200:
                    return
            await asyncio.sleep(ASK_AGAIN_SECONDS)
