"""Waiting for a daemon, by asking until it says that it is ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx

ASK_AGAIN_SECONDS = 0.05


async def until_ready(url: str, still_runs: Callable[[], None], seconds: float = 60) -> None:
    """Return once `/readyz` answers 200; `still_runs` raises if there is nothing to wait for any more.

    Raises:
        TimeoutError: it did not within `seconds`; the message has the last answer.
    """
    last = "no answer yet"
    try:
        async with httpx.AsyncClient(base_url=url) as client, asyncio.timeout(seconds):
            while True:
                still_runs()
                try:
                    answer = await client.get("/readyz")
                except httpx.TransportError as error:
                    last = repr(error)
                else:
                    if answer.status_code == 200:
                        return
                    last = f"{answer.status_code} {answer.text}"
                await asyncio.sleep(ASK_AGAIN_SECONDS)
    except TimeoutError:
        raise TimeoutError(f"{url}/readyz did not answer 200 within {seconds:g} s; its last answer: {last}") from None
