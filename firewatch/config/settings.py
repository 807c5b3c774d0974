"""The daemon's settings: `config/firewatch.yaml` with `FIREWATCH_` environment variables over it.

A nested name is joined by two underscores: `FIREWATCH_MQTT__URL` sets `mqtt.url`.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from firewatch.model.duration import parse_duration
from firewatch.model.topic import DEFAULT_PREFIX


def _read_duration(value: Any) -> Any:
    if isinstance(value, int | float):
        raise ValueError(f'a duration needs its unit: write "{value}s" for seconds')
    return parse_duration(value) if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(_read_duration)]
"""`500ms`, `30s`, `5min`, `1h30min`."""


class Section(BaseModel):
    """Unknown keys are mistakes, and numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class MqttSettings(Section):
    """The broker. Without `url` firewatch starts an embedded one on a free loopback port."""

    url: str | None = None
    client_id: str = "firewatch"
    username: str | None = None
    password_file: Path | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None
    protocol: Literal["3.1.1", "5"] = "3.1.1"
    prefix: str = DEFAULT_PREFIX
    keep_alive: Duration = timedelta(seconds=30)


class DatabaseSettings(Section):
    """The history. Without `dsn` firewatch starts an embedded PostgreSQL under the state directory.

    `password_file` holds the password alone, so that `dsn` needs none.
    """

    dsn: SecretStr | None = None
    password_file: Path | None = None


class HttpSettings(Section):
    """The console and API. There is no log-in yet: another address than loopback gives everyone who can reach it
    every right, so it is refused until `allow_remote_without_login` says that this is wanted.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    allow_remote_without_login: bool = False


class VisionSettings(Section):
    """Cameras. A camera's `stream` in the site file is taken relative to `stream_base_url`."""

    enabled: bool = True
    stream_base_url: str = "http://127.0.0.1:8090/"
    frames_per_second: float = Field(default=5.0, gt=0, le=30)


class IngestSettings(Section):
    """How telemetry is judged before it reaches the rules."""

    clock_skew_limit: Duration = timedelta(minutes=5)


class LogSettings(Section):
    """How the log is written: `console` for people, `json` for collectors."""

    format: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="FIREWATCH_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    mqtt: MqttSettings = MqttSettings()
    database: DatabaseSettings = DatabaseSettings()
    http: HttpSettings = HttpSettings()
    vision: VisionSettings = VisionSettings()
    ingest: IngestSettings = IngestSettings()
    log: LogSettings = LogSettings()
    state_directory: Path = Path(".firewatch")
    sites: Path = Path("config/sites")
    devices: Path = Path("config/devices")
    rules: Path = Path("rules")
    control_room: Path | None = None
    notifications: Path | None = None
    drills: Path | None = None
    sender: str = Field(default="firewatch", max_length=100, pattern=r"^[^\s,<&]+$")
