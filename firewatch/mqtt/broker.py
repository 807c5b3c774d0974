"""Which broker, and as whom: the settings made into what a connection needs, refused where they cannot work."""

from __future__ import annotations

import re
import ssl
from urllib.parse import urlsplit

import msgspec

from firewatch.config.settings import MqttSettings
from firewatch.errors import ConfigError

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class BrokerAddress(msgspec.Struct, frozen=True):
    """Where the broker listens, and how to speak to it."""

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


def broker_address(settings: MqttSettings) -> BrokerAddress:
    """Read `mqtt.url`.

    Raises:
        ConfigError: it cannot be used; the message says why.
    """
    if settings.url is None:
        raise ConfigError("mqtt.url is not set; it names the broker, such as mqtt://127.0.0.1:1883")
    try:
        parts = urlsplit(settings.url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"mqtt.url cannot be read: {error}") from None
    if parts.username is not None or parts.password is not None:
        raise ConfigError("mqtt.url must not hold a password; set mqtt.username and mqtt.password_file")
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path.strip("/"):
        raise ConfigError("mqtt.url must look like mqtt://host:1883, or mqtts://host:8883 for TLS")
    tls = parts.scheme == "mqtts"
    if settings.ca_file is not None and not tls:
        raise ConfigError("mqtt.ca_file is set but mqtt.url is not mqtts://, so nothing would be encrypted")
    return BrokerAddress(parts.hostname, port or (8883 if tls else 1883), tls)


def tls_context(settings: MqttSettings) -> ssl.SSLContext:
    """What the broker's certificate is checked against: `mqtt.ca_file`, or else the system's authorities.

    Raises:
        ConfigError: the file cannot be read.
    """
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise ConfigError(f"mqtt.ca_file: {settings.ca_file} cannot be read: {error.strerror or error}") from None


def password(settings: MqttSettings) -> str | None:
    """The password, from the file if one is named.

    Raises:
        ConfigError: the file cannot be read, or there is a password without a user name.
    """
    if settings.password_file is not None:
        try:
            word: str | None = settings.password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"mqtt.password_file: {settings.password_file} cannot be read: {error}") from None
    else:
        word = settings.password.get_secret_value() if settings.password is not None else None
    if word is not None and settings.username is None:
        raise ConfigError("mqtt.password is set without mqtt.username")
    return word


def client_id(settings: MqttSettings) -> str:
    """The stable name under which the broker keeps firewatch's session.

    Raises:
        ConfigError: some brokers would refuse it.
    """
    if not _CLIENT_ID.fullmatch(settings.client_id):
        raise ConfigError(
            f'mqtt.client_id "{settings.client_id}" may hold only letters, digits, "-" and "_", at most 64: '
            "brokers refuse other characters"
        )
    return settings.client_id
