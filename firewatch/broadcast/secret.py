"""Secrets, read once from where the settings say they are. Nothing here ever repeats one."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from firewatch.config.channel_spec import SecretSpec
from firewatch.errors import ConfigError

LIMIT_BYTES = 8_192


def read_secret(spec: SecretSpec, whose: str) -> str:
    """The secret, without the white space around it. `whose` says in an error what it is for.

    Raises:
        ConfigError: it is not there, empty, or longer than any secret is.
    """
    if spec.env is not None:
        text = os.environ.get(spec.env, "")
        where = f"the environment variable {spec.env}"
    else:
        assert spec.file is not None
        where = f"the file {spec.file}"
        try:
            with spec.file.open("rb") as file:
                text = file.read(LIMIT_BYTES + 1).decode()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{whose}: {where} cannot be read ({type(error).__name__})") from None
    text = text.strip()
    if not text:
        raise ConfigError(f"{whose}: {where} is empty or not there")
    if len(text.encode()) > LIMIT_BYTES or not text.isprintable():
        raise ConfigError(f"{whose}: {where} holds no secret: one line of at most {LIMIT_BYTES} bytes is expected")
    return text


def read_address(url: str | SecretSpec, whose: str) -> str:
    """A web address, written in the open or kept as a secret.

    Raises:
        ConfigError: it cannot be read, or is no web address.
    """
    address = url if isinstance(url, str) else read_secret(url, whose)
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(
            f"{whose}: its address is no web address; one begins with https:// or http:// and names a host"
        )
    return address
