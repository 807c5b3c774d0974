"""Where a running daemon's console is: written into the state directory, for those who ask on the same machine."""

from __future__ import annotations

from firewatch.config.settings import Settings


def remember_address(settings: Settings, address: str) -> None:
    """Write down the console's address; with `http.port` 0 nobody else could know it."""
    (settings.state_directory / "console-address").write_text(address)


def forget_address(settings: Settings) -> None:
    """The daemon is no longer there."""
    (settings.state_directory / "console-address").unlink(missing_ok=True)


def console_address(settings: Settings) -> str:
    """The address that the last daemon wrote down, else the one that the settings name."""
    try:
        return (settings.state_directory / "console-address").read_text()
    except FileNotFoundError:
        host = f"[{settings.http.host}]" if ":" in settings.http.host else settings.http.host
        return f"http://{host}:{settings.http.port}"
