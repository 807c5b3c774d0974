"""What pydantic cannot see in the settings: values that contradict each other or mean something nobody wants."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from firewatch.config.document import Document
from firewatch.config.problem import Place, Problem
from firewatch.config.settings import Settings

ENV_PREFIX = "FIREWATCH_"
MQTT_SCHEMES = ("mqtt", "mqtts")
STREAM_SCHEMES = ("http", "https", "rtsp", "file")

Finding = tuple[str, str, str]
"""The setting's name, what is wrong with it, the way out. Never the value itself: it may hold a password."""


def settings_problems(settings: Settings, document: Document | None) -> list[Problem]:
    """Every problem, at its place in the file."""
    return [
        Problem(_place(document, name), name, what, hint)
        for name, what, hint in (*_mqtt(settings), *_database(settings), *_http(settings), *_times(settings))
    ]


def _mqtt(settings: Settings) -> Iterator[Finding]:
    mqtt = settings.mqtt
    if mqtt.url is not None and not _has_host(mqtt.url, MQTT_SCHEMES):
        yield "mqtt.url", "expected an address such as mqtt://broker.example:1883", "mqtts:// for TLS"
    if mqtt.password is not None and mqtt.password_file is not None:
        yield "mqtt.password_file", "the password is given twice", "keep password_file"
    if mqtt.username is None and (mqtt.password or mqtt.password_file):
        yield "mqtt.username", "there is a password without a user name", "add username"
    if not mqtt.prefix.endswith("/") or mqtt.prefix.startswith(("/", "$")) or set("+# ") & set(mqtt.prefix):
        yield "mqtt.prefix", "expected the beginning of a topic name that ends in /", "firewatch/v1/ is the default"
    if not timedelta(seconds=1) <= mqtt.keep_alive <= timedelta(seconds=65535):
        yield "mqtt.keep_alive", "expected a duration from 1s to 65535s (MQTT 3.1.1, 3.1.2.10)", ""


def _database(settings: Settings) -> Iterator[Finding]:
    if settings.database.password_file is not None and settings.database.dsn is None:
        yield "database.password_file", "there is a password without a database", "add dsn"


def _http(settings: Settings) -> Iterator[Finding]:
    if not settings.http.allow_remote_without_login and not _is_loopback(settings.http.host):
        what = "there is no log-in yet, so everyone who reaches this address could acknowledge alarms"
        yield "http.host", what, "use 127.0.0.1, or set http.allow_remote_without_login to true"
    if not _has_host(settings.vision.stream_base_url, STREAM_SCHEMES):
        yield "vision.stream_base_url", "expected an address such as http://127.0.0.1:8090/", ""


def _times(settings: Settings) -> Iterator[Finding]:
    if settings.ingest.clock_skew_limit <= timedelta(0):
        yield "ingest.clock_skew_limit", "expected a duration above 0s", "5min is the default"


def _has_host(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
        valid_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return valid_port and parts.scheme in schemes and bool(parts.hostname or parts.scheme == "file")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _place(document: Document | None, name: str) -> Place:
    """Where the setting stands, or its section; the environment where the value comes from there."""
    variable = f"{ENV_PREFIX}{name.replace('.', '__').upper()}"
    if document is None or variable in {each.upper() for each in os.environ}:
        return Place("environment")
    return document.place(*name.split("."))
