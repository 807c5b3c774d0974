"""What a simulator has to know of a site: its devices and assets, read from the site's YAML file."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError


class SiteError(Exception):
    """A site file cannot be used; the message names it and says what is wrong with it."""


class SiteDevice(msgspec.Struct, frozen=True):
    """A device as its site file describes it; `topic` is set where a vendor's device publishes under its own."""

    id: str
    kind: str
    building: str = ""
    asset: str | None = None
    tags: tuple[str, ...] = ()
    topic: str | None = None
    stream: str | None = None


class SiteAsset(msgspec.Struct, frozen=True):
    """An asset as its site file describes it."""

    id: str
    kind: str


class SimulatedSite(msgspec.Struct, frozen=True):
    """A compound to simulate."""

    id: str
    time_zone: str
    devices: tuple[SiteDevice, ...]
    assets: tuple[SiteAsset, ...] = ()

    def of_kind(self, *kinds: str) -> tuple[SiteDevice, ...]:
        """The devices of these kinds, in the order of the file."""
        return tuple(device for device in self.devices if device.kind in kinds)

    def assets_of_kind(self, kind: str) -> tuple[str, ...]:
        """The ids of the assets of a kind."""
        return tuple(asset.id for asset in self.assets if asset.kind == kind)

    def ids(self) -> set[str]:
        """Everything a scenario may speak of."""
        return {device.id for device in self.devices} | {asset.id for asset in self.assets}

    def zone(self) -> ZoneInfo:
        """The site's time zone, for what follows the hour of the day."""
        return ZoneInfo(self.time_zone)


def read_site(path: Path) -> SimulatedSite:
    """Read a site file.

    Raises:
        SiteError: it cannot be read or does not describe a site.
    """
    try:
        return msgspec.convert(YAML(typ="safe", pure=True).load(path), SimulatedSite)
    except OSError as error:
        raise SiteError(f"{path}: {error.strerror}") from error
    except (YAMLError, msgspec.ValidationError) as error:
        raise SiteError(f"{path}: {error}; `firewatch check` lists every problem") from error
