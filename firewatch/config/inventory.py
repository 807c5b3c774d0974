"""From site and device-kind files to the `Inventory`, and what can be wrong between them."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Sequence

from firewatch.config.action import action_problems, read_action
from firewatch.config.document import Document, Path_, claim
from firewatch.config.problem import Place, Problem, did_you_mean
from firewatch.config.shape import validate_header, validate_items
from firewatch.config.site_spec import (
    AssetSpec,
    BuildingSpec,
    DecoderSpec,
    DeviceSpec,
    FieldSpec,
    HttpSpec,
    KindFile,
    KindSpec,
    LabelSpec,
    SiteFile,
)
from firewatch.config.units import converter, is_known
from firewatch.model.site import (
    DERIVED_SIGNALS,
    Asset,
    Building,
    Decoder,
    Device,
    DeviceKind,
    FieldMapping,
    HttpAddress,
    Inventory,
    Signal,
    SignalType,
    Site,
)
from firewatch.model.text import LocalText

VALUE_TYPES = {SignalType.NUMBER: float, SignalType.BOOLEAN: bool, SignalType.STATE: str}


def read_inventory(kind_files: Sequence[Document], site_files: Sequence[Document]) -> tuple[Inventory, list[Problem]]:
    """All sites and kinds that could be understood, and every problem with the others."""
    kinds, problems = _read_kinds(kind_files)
    declared = {name for document in kind_files for name in _raw_names(document, "kinds", "kind")}
    sites: list[Site] = []
    site_places: dict[str, Place] = {}
    topic_places: dict[str, Place] = {}
    for document in site_files:
        reader = _SiteReader(document, kinds, declared, topic_places)
        site = reader.read()
        problems += reader.problems
        if site is not None:
            problems += claim(site_places, site.id, document, ("id",), "site")
            sites.append(site)
    return Inventory(sites=tuple(sites), kinds=kinds), problems


def _read_kinds(documents: Iterable[Document]) -> tuple[dict[str, DeviceKind], list[Problem]]:
    kinds: dict[str, DeviceKind] = {}
    places: dict[str, Place] = {}
    problems: list[Problem] = []
    written: list[tuple[Document, Path_, KindSpec]] = []
    for document in documents:
        problems += validate_header(document, KindFile, "kinds")[1]
        specs, wrong = validate_items(document, KindSpec, "kinds")
        problems += wrong
        for path, spec in specs:
            problems += claim(places, spec.kind, document, (*path, "kind"), "kind")
            problems += _signal_problems(document, path, spec)
            kinds.setdefault(spec.kind, _kind(spec))
            written.append((document, path, spec))
    for document, path, spec in written:
        problems += action_problems(document, path, spec, kinds)
    return kinds, problems


def _signal_problems(document: Document, path: Path_, spec: KindSpec) -> list[Problem]:
    places: dict[str, Place] = {}
    problems: list[Problem] = []
    for index, signal in enumerate(spec.signals):
        at = (*path, "signals", index)
        problems += claim(places, signal.name, document, (*at, "name"), "signal")
        if signal.name in {derived.name for derived in DERIVED_SIGNALS}:
            what = f'firewatch derives the signal "{signal.name}" for devices'
            problems.append(document.problem((*at, "name"), what, "leave it out"))
        if not is_known(signal.unit):
            problems.append(document.problem((*at, "unit"), f'unknown unit "{signal.unit}"'))
    return problems


class _SiteReader:
    """Reads one site file against the kinds; `topic_places` is shared between all sites."""

    def __init__(
        self, document: Document, kinds: dict[str, DeviceKind], declared: set[str], topic_places: dict[str, Place]
    ) -> None:
        self._document = document
        self._kinds = kinds
        self._declared = declared
        self._topic_places = topic_places
        self._subjects: dict[str, Place] = {}
        self._buildings = set(_raw_names(document, "buildings", "id"))
        self._assets = set(_raw_names(document, "assets", "id"))
        self._asset_building: dict[str, str] = {}
        self.problems: list[Problem] = []

    def read(self) -> Site | None:
        header, wrong = validate_header(self._document, SiteFile, "buildings", "assets", "devices")
        self.problems += wrong
        buildings = self._read_buildings()
        assets = self._read_assets()
        devices = self._read_devices()
        if header is None:
            return None
        if header.time_zone not in zoneinfo.available_timezones():
            hint = did_you_mean(header.time_zone, zoneinfo.available_timezones()) or "write one such as Asia/Shanghai"
            self._add(("time_zone",), f'there is no time zone "{header.time_zone}"', hint)
        return Site(
            id=header.id,
            label=_text(header.label),
            district=_text(header.district),
            street=_text(header.street),
            community=_text(header.community),
            time_zone=header.time_zone,
            buildings=buildings,
            assets=assets,
            devices=devices,
        )

    def _read_buildings(self) -> tuple[Building, ...]:
        specs, wrong = validate_items(self._document, BuildingSpec, "buildings")
        self.problems += wrong
        places: dict[str, Place] = {}
        for path, spec in specs:
            self.problems += claim(places, spec.id, self._document, (*path, "id"), "building")
        return tuple(Building(id=spec.id, label=_text(spec.label), grid=_text(spec.grid)) for _, spec in specs)

    def _read_assets(self) -> tuple[Asset, ...]:
        specs, wrong = validate_items(self._document, AssetSpec, "assets")
        self.problems += wrong
        for path, spec in specs:
            self._claim_subject(path, spec.id)
            self._check_name((*path, "building"), "building", spec.building, self._buildings)
            self._asset_building[spec.id] = spec.building
        return tuple(
            Asset(
                id=spec.id,
                kind=spec.kind,
                label=_text(spec.label),
                building=spec.building,
                system=spec.system,
                tags=spec.tags,
            )
            for _, spec in specs
        )

    def _read_devices(self) -> tuple[Device, ...]:
        specs, wrong = validate_items(self._document, DeviceSpec, "devices")
        self.problems += wrong
        return tuple(self._device(path, spec) for path, spec in specs)

    def _device(self, path: Path_, spec: DeviceSpec) -> Device:
        self._claim_subject(path, spec.id)
        self._check_name((*path, "kind"), "kind of device", spec.kind, self._declared)
        if spec.asset is not None:
            self._check_name((*path, "asset"), "asset", spec.asset, self._assets)
        building = spec.building
        if building is None:
            building = self._asset_building.get(spec.asset or "", "")
            if spec.asset is None:
                self._add(path, "the device stands nowhere", "give it a `building`, or an `asset` that stands in one")
        else:
            self._check_name((*path, "building"), "building", building, self._buildings)
        if spec.topic is not None:
            at = (*path, "topic")
            self.problems += claim(self._topic_places, spec.topic, self._document, at, "topic")
        kind = self._kinds.get(spec.kind)
        if spec.http is not None and kind is not None and not kind.actions:
            self._add((*path, "http"), f"a {kind.kind} answers no commands", "leave it out")
        if spec.decoder is not None and kind is not None:
            self._check_decoder((*path, "decoder"), spec.decoder, kind)
        return Device(
            id=spec.id,
            kind=spec.kind,
            label=_text(spec.label),
            building=building,
            asset=spec.asset,
            tags=spec.tags,
            topic=spec.topic,
            stream=spec.stream,
            decoder=_decoder(spec.decoder) if spec.decoder else None,
            http=_http(spec.http) if spec.http else None,
        )

    def _check_decoder(self, path: Path_, spec: DecoderSpec, kind: DeviceKind) -> None:
        names = [signal.name for signal in kind.signals]
        for name, field in spec.readings.items():
            at = (*path, "readings", name)
            signal = next((signal for signal in kind.signals if signal.name == name), None)
            if signal is None:
                self._add(at, f'a {kind.kind} has no signal "{name}"', did_you_mean(name, names))
            else:
                self._check_field(at, field, signal)

    def _check_field(self, at: Path_, field: FieldSpec, signal: Signal) -> None:
        if field.scale == 0:
            self._add((*at, "scale"), "a scale of 0 makes every reading 0", "leave it out for 1")
        if field.unit:
            try:
                converter(field.unit, signal.unit)
            except ValueError as error:
                self._add((*at, "unit"), str(error))
        for written, meant in field.enum.items():
            at_value = (*at, "enum", written)
            expected = VALUE_TYPES[signal.type]
            if not isinstance(meant, expected) or (expected is float and isinstance(meant, bool)):
                self._add(at_value, f'the signal "{signal.name}" is of type {signal.type}, this value is not')
            elif signal.states and meant not in signal.states:
                hint = did_you_mean(str(meant), signal.states)
                self._add(at_value, f'the signal "{signal.name}" has no state "{meant}"', hint)

    def _claim_subject(self, path: Path_, name: str) -> None:
        self.problems += claim(self._subjects, name, self._document, (*path, "id"), "asset or device")

    def _check_name(self, path: Path_, noun: str, name: str, known: Iterable[str]) -> None:
        if name not in known:
            self._add(path, f'there is no {noun} "{name}"', did_you_mean(name, known))

    def _add(self, path: Path_, what: str, hint: str = "") -> None:
        self.problems.append(self._document.problem(path, what, hint))


def _raw_names(document: Document, key: str, name_key: str) -> list[str]:
    """The names of a list's items, those of broken items too, so that nobody is told that they do not exist."""
    items = document.get(key)
    names = (item.get(name_key) for item in items if isinstance(item, dict)) if isinstance(items, list) else ()
    return [name for name in names if isinstance(name, str)]


def _text(label: LabelSpec) -> LocalText:
    return LocalText(zh=label.zh, en=label.en)


def _kind(spec: KindSpec) -> DeviceKind:
    signals = tuple(
        Signal(
            name=signal.name,
            type=signal.type,
            label=_text(signal.label),
            unit=signal.unit,
            states=signal.states,
            range=signal.range,
            trigger=signal.trigger,
        )
        for signal in spec.signals
    )
    return DeviceKind(
        kind=spec.kind,
        label=_text(spec.label),
        system=spec.system,
        signals=signals,
        actions=tuple(map(read_action, spec.actions)),
        certified=spec.certified,
        duty_checks=spec.duty_checks,
    )


def _http(spec: HttpSpec) -> HttpAddress:
    token = spec.token or None
    return HttpAddress(
        url=spec.url,
        token_file=str(token.file) if token is not None and token.file is not None else None,
        token_env=token.env if token is not None else None,
    )


def _decoder(spec: DecoderSpec) -> Decoder:
    readings = {
        name: FieldMapping(path=field.path, unit=field.unit, scale=field.scale, enum=field.enum)
        for name, field in spec.readings.items()
    }
    return Decoder(
        readings=readings,
        time_path=spec.time_path,
        time_format=spec.time_format,
        sequence_path=spec.sequence_path,
    )
