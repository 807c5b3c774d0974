"""Which subjects a scope speaks about, and what stands near them: one answer for compiling, checking and overriding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from firewatch.model.site import Asset, Device, Inventory, Site
from firewatch.model.text import LocalText
from firewatch.rules.spec import ActionSpec, Reach, ScopeSpec


@dataclass(frozen=True, eq=False)
class Subject:
    """What a rule speaks about: an asset with its devices, or a device alone; `order` is its place among them all."""

    site: Site
    item: Asset | Device
    system: str
    devices: tuple[Device, ...]
    order: int
    _surroundings: _Surroundings = field(repr=False)

    @cached_property
    def name(self) -> str:
        """`site/asset` or `site/device`."""
        return f"{self.site.id}/{self.item.id}"

    @property
    def asset(self) -> str | None:
        """The asset that it is, or that it belongs to."""
        return self.item.id if isinstance(self.item, Asset) else self.item.asset

    @property
    def labels(self) -> tuple[LocalText, ...]:
        """What its place is called, outer to inner: building, asset, itself."""
        outer = [self._surroundings.building_labels.get(self.item.building)]
        if isinstance(self.item, Device) and self.item.asset is not None:
            outer.append(self._surroundings.asset_labels.get(self.item.asset))
        return (*(label for label in outer if label is not None), self.item.label)

    def reached(self, action: ActionSpec) -> list[Device]:
        """The devices that an action is for."""
        if action.same is None and self.item.kind == action.device and isinstance(self.item, Device):
            return [self.item]
        return [device for device in self._near(action.same) if device.kind == action.device]

    def _near(self, same: str | None) -> Iterable[Device]:
        if same == "site":
            return self.site.devices
        if same == "building" or (same is None and self.asset is None):
            return self._surroundings.of_building(self.item.building)
        return self._surroundings.of_asset(self.asset) if self.asset is not None else ()

    def place(self, reach: Reach) -> tuple[str, ...]:
        """What two subjects that are the same in this respect have in common."""
        if reach is Reach.SITE:
            return (self.site.id,)
        if reach is Reach.BUILDING:
            return (self.site.id, "building", self.item.building)
        if reach is Reach.ASSET and self.asset is not None:
            return (self.site.id, "asset", self.asset)
        return (self.site.id, "subject", self.item.id)


class Subjects:
    """All subjects of an inventory, found by kind, building and name, so that a rule costs nothing for what it does not
    speak about.
    """

    def __init__(self, inventory: Inventory) -> None:
        self._devices = _Index()
        self._assets = _Index()
        for site in inventory.sites:
            surroundings = _Surroundings(site)
            for device in site.devices:
                kind = inventory.kinds.get(device.kind)
                if kind is not None:
                    self._devices.add(Subject(site, device, kind.system, (device,), len(self._devices), surroundings))
            for asset in site.assets:
                devices = tuple(device for device in surroundings.of_asset(asset.id) if device.kind in inventory.kinds)
                self._assets.add(Subject(site, asset, asset.system, devices, len(self._assets), surroundings))

    def within(self, scope: ScopeSpec) -> Iterator[Subject]:
        """Every subject that a rule with this scope speaks about, in the order of kinds, sites and the site files."""
        names = frozenset(scope.subjects)
        for kind in dict.fromkeys(scope.device or scope.asset):
            for subject in (self._devices if scope.device else self._assets).candidates(kind, scope):
                if _fits(subject, scope) and (not names or subject.item.id in names or subject.name in names):
                    yield subject


class _Index:
    """Devices, or assets."""

    def __init__(self) -> None:
        self._size = 0
        self._of_kind: dict[str, list[Subject]] = {}
        self._in_building: dict[tuple[str, str], list[Subject]] = {}
        self._named: dict[tuple[str, str], list[Subject]] = {}

    def __len__(self) -> int:
        return self._size

    def add(self, subject: Subject) -> None:
        self._size += 1
        kind = subject.item.kind
        self._of_kind.setdefault(kind, []).append(subject)
        self._in_building.setdefault((kind, subject.item.building), []).append(subject)
        self._named.setdefault((kind, subject.item.id), []).append(subject)

    def candidates(self, kind: str, scope: ScopeSpec) -> Iterable[Subject]:
        """Those of the kind that the narrowest part of the scope leaves, in their order."""
        if scope.subjects:
            return self._of(self._named, kind, (name.rpartition("/")[2] for name in scope.subjects))
        if scope.buildings:
            return self._of(self._in_building, kind, scope.buildings)
        return self._of_kind.get(kind, ())

    def _of(self, index: dict[tuple[str, str], list[Subject]], kind: str, names: Iterable[str]) -> list[Subject]:
        found = {subject.order: subject for name in names for subject in index.get((kind, name), ())}
        return [found[order] for order in sorted(found)]


class _Surroundings:
    """The devices of one site by asset and by building, and what these are called."""

    def __init__(self, site: Site) -> None:
        self.building_labels = {building.id: building.label for building in site.buildings}
        self.asset_labels = {asset.id: asset.label for asset in site.assets}
        self._by_asset = _grouped((device.asset, device) for device in site.devices)
        self._by_building = _grouped((device.building, device) for device in site.devices)

    def of_asset(self, asset: str) -> tuple[Device, ...]:
        return self._by_asset.get(asset, ())

    def of_building(self, building: str) -> tuple[Device, ...]:
        return self._by_building.get(building, ())


def _grouped(pairs: Iterable[tuple[str | None, Device]]) -> dict[str, tuple[Device, ...]]:
    groups: dict[str, list[Device]] = {}
    for key, device in pairs:
        if key is not None:
            groups.setdefault(key, []).append(device)
    return {key: tuple(devices) for key, devices in groups.items()}


def _fits(subject: Subject, scope: ScopeSpec) -> bool:
    """Whether it is of the systems, sites, buildings and tags asked for."""
    item = subject.item
    return (
        (not scope.systems or subject.system in scope.systems)
        and (not scope.sites or subject.site.id in scope.sites)
        and (not scope.buildings or item.building in scope.buildings)
        and set(scope.tags) <= set(item.tags)
    )
