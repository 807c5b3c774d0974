"""Overrides beside a model of their own: for one subject and one key, the best of all that are said, by a sort."""

from __future__ import annotations

import json

import hypothesis.strategies as st
from hypothesis import given, settings

from firewatch.rules.compile import compile_rules
from firewatch.rules.scope import Subjects
from tests.unit.config.world import INVENTORY, LOW, read

KEYS = ("on_delay", "off_delay", "shelving.at_most")
WRITTEN = {"on_delay": 3, "off_delay": 0, "shelving.at_most": 8 * 3600}
SUBJECTS = {
    f"{site.id}/{device.id}": device.building
    for site in INVENTORY.sites
    for device in site.devices
    if device.kind == "gauge"
}

names = st.fixed_dictionaries(
    {},
    optional={
        "sites": st.lists(st.sampled_from(["east", "west"]), min_size=1, max_size=2, unique=True),
        "buildings": st.lists(st.sampled_from(["tower", "cellar"]), min_size=1, max_size=2, unique=True),
        "subjects": st.lists(st.sampled_from(["g1", "g2", "east/g1", "west/g3"]), min_size=1, max_size=3, unique=True),
    },
)
overrides = st.tuples(names, st.dictionaries(st.sampled_from(KEYS), st.integers(10, 99), min_size=1))


def speaks_of(where: dict[str, list[str]], subject: str) -> bool:
    site, device = subject.split("/")
    asked = {"sites": {site}, "buildings": {SUBJECTS[subject]}, "subjects": {device, subject}}
    return all(asked[key] & set(wanted) for key, wanted in where.items())


def narrowness(where: dict[str, list[str]]) -> int:
    return max((["sites", "buildings", "subjects"].index(key) + 1 for key in where), default=0)


@settings(max_examples=60, deadline=None)
@given(files=st.lists(st.lists(overrides, max_size=4), max_size=3))
def test_for_every_subject_and_key_the_narrowest_holds_and_among_equals_the_last(
    files: list[list[tuple[dict[str, list[str]], dict[str, int]]]],
) -> None:
    texts = [
        "overrides:\n"
        + "".join(
            f"  - {json.dumps({'rule': 'low', **where, 'set': {key: f'{n}s' for key, n in said.items()}})}\n"
            for where, said in file
        )
        for file in files
        if file
    ]
    rules, _ = read(f"rules:{LOW}", *texts)
    in_order = [
        (narrowness(where), number, line, where, said)
        for number, file in enumerate((file for file in files if file), 2)
        for line, (where, said) in enumerate(file, 2)
    ]
    expected = {
        (subject, key): max(
            (
                (narrow, number, line, f"{number}.yaml:{line}", said[key])
                for narrow, number, line, where, said in in_order
                if key in said and speaks_of(where, subject)
            ),
            default=(0, 0, 0, None, WRITTEN[key]),
        )[3:]
        for subject in SUBJECTS
        for key in KEYS
    }
    found = {}
    for rule in rules:
        places = {value.path: value.place for value in rule.values()}
        for subject in Subjects(INVENTORY).within(rule.spec.scope):
            seconds = {
                "on_delay": rule.spec.on_delay.total_seconds(),
                "off_delay": rule.spec.off_delay.total_seconds(),
                "shelving.at_most": rule.spec.shelving.at_most.total_seconds(),
            }
            for key in KEYS:
                place = places[key]
                written = f"{place.file}:{place.line}" if place is not None and place.file != "1.yaml" else None
                found[subject.name, key] = (written, seconds[key])
    assert found == expected
    assert sorted(instance.subject for instance in compile_rules([r.spec for r in rules], INVENTORY)) == sorted(
        SUBJECTS
    )
