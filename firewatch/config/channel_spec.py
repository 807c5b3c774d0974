"""The settings of each kind of channel, under the key that a target names it by. Secrets never stand in the file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from firewatch.rules.spec import SpecModel


class SecretSpec(SpecModel):
    """Where a secret is read from at the start: a file that holds it alone, or a variable of the environment."""

    file: Annotated[Path, Field(strict=False)] | None = None
    env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")] | None = None

    @model_validator(mode="after")
    def _one_place(self) -> SecretSpec:
        if (self.file is None) == (self.env is None):
            raise ValueError("write either `file` or `env`")
        return self


_HOST_NAME = r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?"
WEB_ADDRESS = rf"^https?://({_HOST_NAME}|\[[0-9A-Fa-f:.]{{2,45}}\])(:[0-9]{{1,5}})?([/?][^\s#]*)?$"
WebAddress = Annotated[str, Field(pattern=WEB_ADDRESS, max_length=2000)]
"""An address that is no secret: without a password or token in it."""


class WebhookSpec(SpecModel):
    """A web address that takes CloudEvents. Signed with each of `secrets`: two while one takes the other's place."""

    url: WebAddress | SecretSpec
    secrets: Annotated[tuple[SecretSpec, ...], Field(strict=False, max_length=2)] = ()


class CapSpec(SpecModel):
    """A web address that takes CAP 1.2 messages; `token` is sent as a bearer token."""

    url: WebAddress | SecretSpec
    token: SecretSpec | None = None


class AppriseSpec(SpecModel):
    """A service that Apprise knows: its address in Apprise's own form, which is a secret as a whole."""

    url: SecretSpec


class RobotSpec(SpecModel):
    """The robot of a chat group, at the address that DingTalk, its government edition or WeCom gave it, which is a
    secret. `secret` is the key of DingTalk's signature (加签).
    """

    url: SecretSpec
    secret: SecretSpec | None = None
