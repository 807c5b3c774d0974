"""From the control room's file to its seats, and what can be wrong between them and the compounds."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Iterator
from datetime import time

import msgspec

from firewatch.config.control_room_spec import ControlRoomFile, SeatSpec, ShiftSpec
from firewatch.config.document import Document, Path_
from firewatch.config.problem import Place, Problem, Severity, did_you_mean
from firewatch.config.shape import validate_header, validate_items
from firewatch.model.seat import ONE_SEAT, ControlRoom, Seat, Shift
from firewatch.model.site import Inventory
from firewatch.model.text import LocalText


def one_seat(inventory: Inventory) -> ControlRoom:
    """What there is where nobody wrote down any seats: one for everything, at the first desk there is."""
    (seat,) = ONE_SEAT.seats
    zones = (site.time_zone for site in inventory.sites)
    seat = msgspec.structs.replace(
        seat, time_zone=next(zones, seat.time_zone), desk=next(iter(_desks(inventory)), None)
    )
    return ControlRoom((seat,))


def read_control_room(
    document: Document, inventory: Inventory, *, inventory_whole: bool
) -> tuple[ControlRoom, list[Problem]]:
    """The seats, and every problem with them. Where the inventory is not whole, nobody is told that a name in it does
    not exist.
    """
    header, problems = validate_header(document, ControlRoomFile, "seats")
    if header is not None and header.time_zone not in zoneinfo.available_timezones():
        hint = did_you_mean(header.time_zone, zoneinfo.available_timezones()) or "write one such as Asia/Shanghai"
        problems.append(document.problem(("time_zone",), f'there is no time zone "{header.time_zone}"', hint))
    specs, wrong = validate_items(document, SeatSpec, "seats")
    problems += wrong
    if document.get("seats") == []:
        problems.append(document.problem(("seats",), "there is no seat", "write one, or leave the file out"))
    problems += _claimed_twice(document, specs)
    for path, spec in specs:
        problems += _shift_problems(document, path, spec.shifts)
    if inventory_whole:
        names = _Names(inventory)
        for path, spec in specs:
            problems += names.problems(document, path, spec)
    if header is None or problems:
        return one_seat(inventory), problems
    room = ControlRoom(tuple(_seat(spec, header.time_zone) for _, spec in specs))
    return room, _unclaimed(document, room, inventory) if inventory_whole else []


class _Names:
    """What there is in the compounds for a seat to answer for."""

    def __init__(self, inventory: Inventory) -> None:
        self._sites = {site.id for site in inventory.sites}
        self._buildings = {f"{site.id}/{building.id}" for site in inventory.sites for building in site.buildings}
        self._systems = {system for _, _, system in _parts(inventory)}
        self._devices = {f"{site.id}/{device.id}" for site in inventory.sites for device in site.devices}
        self._desks = _desks(inventory)

    def problems(self, document: Document, path: Path_, spec: SeatSpec) -> Iterator[Problem]:
        known = {"sites": ("site", self._sites), "buildings": ("building", self._buildings)}
        known["systems"] = ("system", self._systems)
        for key, (noun, names) in known.items():
            for index, name in enumerate(getattr(spec, key)):
                if name not in names:
                    hint = did_you_mean(name, names)
                    yield document.problem((*path, key, index), f'there is no {noun} "{name}"', hint)
        for index, building in enumerate(spec.buildings):
            site = building.split("/")[0]
            if spec.sites and site not in spec.sites and building in self._buildings:
                what = f'the seat does not answer for the site "{site}"'
                yield document.problem((*path, "buildings", index), what, "add it to `sites`, or leave `sites` out")
        if spec.desk is not None and spec.desk not in self._devices:
            hint = did_you_mean(spec.desk, self._desks)
            yield document.problem((*path, "desk"), f'there is no device "{spec.desk}"', hint)
        elif spec.desk is not None and spec.desk not in self._desks:
            hint = "its kind has `duty_checks: true` where it is one"
            yield document.problem((*path, "desk"), f'"{spec.desk}" is no desk that is asked for duty checks', hint)


def _claimed_twice(document: Document, specs: Iterable[tuple[Path_, SeatSpec]]) -> Iterator[Problem]:
    places: dict[tuple[str, str], Place] = {}
    for path, spec in specs:
        for key, name, what in (("id", spec.id, "is called"), ("desk", spec.desk, "has the desk")):
            if name is None:
                continue
            place = document.place(*path, key)
            first = places.setdefault((key, name), place)
            if first != place:
                yield document.problem((*path, key), f'another seat {what} "{name}"', "change one", other=first)


def _shift_problems(document: Document, path: Path_, shifts: tuple[ShiftSpec, ...]) -> Iterator[Problem]:
    """Two people who both think that it is the other's turn, and hours that are nobody's."""
    minutes: dict[int, int] = {}
    for index, shift in enumerate(shifts):
        at = (*path, "shifts", index)
        mine = list(_minutes(shift))
        taken = next((minutes[minute] for minute in mine if minute in minutes), None)
        if taken is not None:
            other = document.place(*path, "shifts", taken)
            yield document.problem(
                at, "it is at the same time as another shift", "let one follow the other", other=other
            )
        minutes |= dict.fromkeys(mine, index)
    free = next((minute for minute in range(24 * 60) if minute not in minutes), None)
    if shifts and free is not None:
        what = f"nobody is on duty at {free // 60:02}:{free % 60:02}"
        hint = "let the shifts follow each other around the clock"
        yield document.problem((*path, "shifts"), what, hint, severity=Severity.LINT)


def _minutes(shift: ShiftSpec) -> Iterator[int]:
    """The minutes of the day in which a shift is on duty."""
    begin, end = _minute(shift.from_), _minute(shift.to)
    if end <= begin:
        end += 24 * 60
    return (minute % (24 * 60) for minute in range(begin, end))


def _minute(clock_time: time) -> int:
    return 24 * 60 if clock_time == time.max else clock_time.hour * 60 + clock_time.minute


def _unclaimed(document: Document, room: ControlRoom, inventory: Inventory) -> list[Problem]:
    """What only falls to the first seat because nobody thought of it."""
    nobodys = [
        f"{system} in {site}/{building}"
        for site, building, system in sorted(_parts(inventory))
        if not any(seat.covers(site, building, system) for seat in room.seats)
    ]
    if not nobodys:
        return []
    more = f" (and {len(nobodys) - 1} more)" if len(nobodys) > 1 else ""
    what = f"no seat answers for {nobodys[0]}{more}, so {room.seats[0].id} does"
    return [document.problem(("seats",), what, "add it to a seat", severity=Severity.LINT)]


def _parts(inventory: Inventory) -> set[tuple[str, str, str]]:
    """Site, building and system of everything that an alarm can be about."""
    return {
        *(
            (site.id, device.building, inventory.kinds[device.kind].system)
            for site in inventory.sites
            for device in site.devices
            if device.kind in inventory.kinds
        ),
        *((site.id, asset.building, asset.system) for site in inventory.sites for asset in site.assets),
    }


def _desks(inventory: Inventory) -> list[str]:
    return [
        f"{site.id}/{device.id}"
        for site in inventory.sites
        for device in site.devices
        if device.kind in inventory.kinds and inventory.kinds[device.kind].duty_checks
    ]


def _seat(spec: SeatSpec, time_zone: str) -> Seat:
    return Seat(
        id=spec.id,
        label=LocalText(zh=spec.label.zh, en=spec.label.en),
        time_zone=time_zone,
        sites=spec.sites,
        buildings=spec.buildings,
        systems=spec.systems,
        desk=spec.desk,
        shifts=tuple(
            Shift(LocalText(zh=shift.name.zh, en=shift.name.en), _of_day(shift.from_), _of_day(shift.to))
            for shift in spec.shifts
        ),
    )


def _of_day(clock_time: time) -> time:
    """The end of the day is the beginning of the next."""
    return time.min if clock_time == time.max else clock_time
