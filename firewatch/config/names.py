"""The names that rules and overrides may use of what the inventory holds, by the key they stand under."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

from firewatch.config.document import Path_
from firewatch.config.problem import Problem, did_you_mean
from firewatch.config.rule_files import Written
from firewatch.model.site import Asset, Device, Inventory

Names = Mapping[str, tuple[str, Set[str]]]
"""For each key what its names are called in a sentence, and those there are."""


def names_in(inventory: Inventory) -> Names:
    """The names of sites, buildings, tags and so on."""
    sites = inventory.sites
    things: list[tuple[str, Device | Asset]] = [(site.id, device) for site in sites for device in site.devices]
    things += [(site.id, asset) for site in sites for asset in site.assets]
    systems = {kind.system for kind in inventory.kinds.values()}
    return {
        "device": ("kind of device", set(inventory.kinds)),
        "asset": ("kind of asset", {asset.kind for site in sites for asset in site.assets}),
        "systems": ("system", systems | {asset.system for site in sites for asset in site.assets}),
        "sites": ("site", {site.id for site in sites}),
        "buildings": ("building", {building.id for site in sites for building in site.buildings}),
        "tags": ("tag", {tag for _, thing in things for tag in thing.tags}),
        "subjects": ("asset or device", {name for site, thing in things for name in (thing.id, f"{site}/{thing.id}")}),
    }


def unknown_names(written: Written[Any], at: tuple[str, ...], spec: object, names: Names) -> Iterator[Problem]:
    """A problem for each name that does not exist under one of the keys that the spec, written at `at`, has."""
    for key, (noun, known) in names.items():
        is_list = isinstance(written.document.get(*written.path, *at, key), list)
        for index, name in enumerate(getattr(spec, key, ())):
            if name not in known:
                place: Path_ = (*at, key, index) if is_list else (*at, key)
                yield written.problem(place, f'there is no {noun} "{name}"', did_you_mean(name, known))
