"""No container engine is needed to see that Dockerfile and compose.yaml say what the program understands."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from firewatch.cli.main import COMMANDS
from firewatch.config.project import load_settings
from firewatch.config.settings import Settings
from tests.brokers import BROKER_CONFIG

DOCKERFILE = Path("Dockerfile").read_text()
COMPOSE: dict[str, Any] = YAML(typ="safe", pure=True).load(Path("compose.yaml"))


def dockerfile_environment() -> dict[str, str]:
    [block] = re.findall(r"^ENV ((?:.*\\\n)*.*)$", DOCKERFILE, re.MULTILINE)
    return dict(pair.split("=", 1) for pair in block.replace("\\\n", " ").split())


def firewatch_commands() -> list[list[str]]:
    return [json.loads(found) for found in re.findall(r"CMD (\[.*\])", DOCKERFILE)]


def test_the_image_runs_commands_that_exist() -> None:
    commands = firewatch_commands()
    assert [command[1] for command in commands] == ["status", "run"]
    for program, name, *_ in commands:
        assert program == "firewatch"
        assert name in COMMANDS


def test_the_image_installs_as_make_setup_does() -> None:
    assert "pip install --no-cache-dir --constraint constraints.txt ." in DOCKERFILE
    assert "--constraint constraints.txt --editable ." in Path("Makefile").read_text()


def test_nothing_in_the_image_runs_as_root() -> None:
    assert DOCKERFILE.index("\nUSER firewatch") < DOCKERFILE.index("\nCMD ")


@pytest.mark.parametrize(
    "environment", [dockerfile_environment(), COMPOSE["services"]["firewatch"]["environment"]], ids=["image", "compose"]
)
def test_every_variable_is_a_setting(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        if name.startswith("FIREWATCH_"):
            monkeypatch.setenv(name, value)
    assert load_settings() != Settings()


def test_the_console_is_published_on_loopback_only_and_no_other_port_is_published() -> None:
    published = {name: service.get("ports", []) for name, service in COMPOSE["services"].items()}
    assert published == {"firewatch": ["127.0.0.1:8080:8080"], "broker": [], "database": []}


def test_passwords_come_from_files_outside_the_repository() -> None:
    for service in COMPOSE["services"].values():
        for name, value in service.get("environment", {}).items():
            assert "PASSWORD" not in name or (name.endswith("_FILE") and value.startswith("/run/secrets/")), name
    assert COMPOSE["secrets"] == {"database-password": {"file": "./secrets/database-password"}}
    assert "secrets/" in Path(".gitignore").read_text().splitlines()


def test_the_containers_broker_starts_with_the_file_that_the_integration_tests_start() -> None:
    [mounted] = [volume for volume in COMPOSE["services"]["broker"]["volumes"] if volume.endswith(".conf:ro")]
    assert Path(mounted.split(":")[0]).resolve() == BROKER_CONFIG.resolve()


def test_passwords_do_not_get_into_the_image() -> None:
    assert "secrets" in Path(".dockerignore").read_text().splitlines()


def test_mounted_files_exist() -> None:
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert not source.startswith("./") or Path(source).exists(), source
