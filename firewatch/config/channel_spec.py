"""The settings of each kind of channel, under the key that a target names it by. Secrets never stand in the file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from firewatch.rules.spec import SpecModel


class WebhookSpec(SpecModel):
    """A web address that takes CloudEvents; the signature's key stands in `secret_file`."""

    url: Annotated[str, Field(max_length=2000)]
    secret_file: Annotated[Path, Field(strict=False)] | None = None
