"""A compound of one site with the devices a test needs, and nothing else said about it."""

from __future__ import annotations

from firewatch.model.site import Asset, Building, Device, DeviceKind, Inventory, Site
from firewatch.model.text import LocalText

LABEL = LocalText(zh="测试", en="test")


def one_site(
    *devices: Device,
    kinds: tuple[DeviceKind, ...],
    site: str = "sample",
    buildings: tuple[Building, ...] = (),
    assets: tuple[Asset, ...] = (),
) -> Inventory:
    return Inventory(
        sites=(
            Site(
                id=site,
                label=LABEL,
                district=LABEL,
                street=LABEL,
                community=LABEL,
                time_zone="Asia/Shanghai",
                buildings=buildings,
                assets=assets,
                devices=devices,
            ),
        ),
        kinds={kind.kind: kind for kind in kinds},
    )
