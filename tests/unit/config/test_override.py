"""Templates, calendars and overrides: what plain rules come of them, and from where each number is."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from firewatch.config.effective_rule import EffectiveRule
from firewatch.rules.compile import compile_rules
from tests.unit.config.world import INVENTORY, LOW, read, told


def limits(*texts: str) -> dict[str, float]:
    """The limit that holds for each subject."""
    rules, problems = read(*texts)
    assert told(problems) == []
    found = {}
    for instance in compile_rules([rule.spec for rule in rules], INVENTORY):
        assert instance.rule.when is not None
        assert instance.rule.when.low is not None
        assert instance.subject not in found
        found[instance.subject] = instance.rule.when.low.limit.value
    return found


def overriding(*lines: str) -> str:
    return "overrides:\n" + "".join(f"  - {line}\n" for line in lines)


def only(*texts: str) -> EffectiveRule:
    rules, problems = read(*texts)
    assert told(problems) == []
    (rule,) = rules
    return rule


# -- overrides ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], {"g1": 0.2, "g2": 0.2, "g3": 0.2}),
        (["{rule: low, set: {when.low.limit: 0.3 MPa}}"], {"g1": 0.3, "g2": 0.3, "g3": 0.3}),
        (["{rule: low, buildings: [tower], set: {when.low.limit: 300 kPa}}"], {"g1": 0.3, "g2": 0.3, "g3": 0.2}),
        (["{rule: low, subjects: [g1], set: {when.low.limit: 0.3 MPa}}"], {"g1": 0.3, "g2": 0.2, "g3": 0.2}),
        (
            [
                "{rule: low, subjects: [g1], set: {when.low.limit: 0.5 MPa}}",
                "{rule: low, buildings: [tower], set: {when.low.limit: 0.4 MPa}}",
                "{rule: low, set: {when.low.limit: 0.3 MPa}}",
            ],
            {"g1": 0.5, "g2": 0.4, "g3": 0.3},
        ),
        (
            [
                "{rule: low, buildings: [tower], set: {when.low.limit: 0.3 MPa}}",
                "{rule: low, buildings: [tower, cellar], set: {when.low.limit: 0.4 MPa}}",
            ],
            {"g1": 0.4, "g2": 0.4, "g3": 0.4},
        ),
        (
            ["{rule: low, set: {when.low: {signal: pressure, limit: 0.3 MPa}}}"],
            {"g1": 0.3, "g2": 0.3, "g3": 0.3},
        ),
    ],
    ids=["none", "everywhere", "a building", "a device", "narrowest", "last read", "a whole condition"],
)
def test_the_narrowest_override_wins_and_among_equals_the_last(
    overrides: list[str], expected: dict[str, float]
) -> None:
    everywhere = limits(f"rules:{LOW}", *([overriding(*overrides)] if overrides else []))
    assert everywhere == {f"{site}/{device}": limit for site in ("east", "west") for device, limit in expected.items()}


def test_an_override_may_be_for_one_site_and_read_before_the_rule() -> None:
    found = limits(overriding("{rule: low, sites: [west], set: {when.low.limit: 0.3 MPa}}"), f"rules:{LOW}")
    assert {subject.split("/")[0]: limit for subject, limit in found.items()} == {"east": 0.2, "west": 0.3}


def test_what_is_asked_for_at_once_must_hold_at_once() -> None:
    found = limits(
        f"rules:{LOW}", overriding("{rule: low, sites: [west], buildings: [tower], set: {when.low.limit: 0.3 MPa}}")
    )
    assert [subject for subject, limit in found.items() if limit == 0.3] == ["west/g1", "west/g2"]


def test_a_key_that_the_rule_does_not_write_may_be_set() -> None:
    rule = only(f"rules:{LOW}", overriding("{rule: low, set: {off_delay: 1min, shelving.at_most: 2h, mode: shadow}}"))
    assert (rule.spec.off_delay, rule.spec.shelving.at_most) == (timedelta(minutes=1), timedelta(hours=2))
    assert rule.spec.mode.value == "shadow"


def test_the_rules_of_one_id_share_no_subject_and_leave_none_out() -> None:
    rules, _ = read(f"rules:{LOW}", overriding("{rule: low, buildings: [cellar], set: {on_delay: 9s}}"))
    assert [(rule.spec.on_delay.total_seconds(), rule.spec.scope.subjects) for rule in rules] == [
        (3.0, ("east/g1", "east/g2", "west/g1", "west/g2")),
        (9.0, ("east/g3", "west/g3")),
    ]


def test_each_number_leads_to_the_line_that_holds_and_to_those_it_replaces() -> None:
    rules, _ = read(
        f"rules:{LOW}",
        overriding(
            "{rule: low, sites: [east], set: {when.low.limit: 250 kPa}}",
            "{rule: low, buildings: [tower], set: {when.low.limit: 0.3 MPa}}",
        ),
    )
    shown = {
        rule.subjects[0].name: (value.text, str(value.place), [(text, str(place)) for text, place in value.instead_of])
        for rule in rules
        for value in rule.values()
        if value.path == "when.low.limit"
    }
    base = ("0.2 MPa", "1.yaml:4:43")
    assert shown == {
        "east/g1": ("0.3 MPa", "2.yaml:3:59", [base, ("250 kPa", "2.yaml:2:54")]),
        "east/g3": ("0.25 MPa", "2.yaml:2:54", [base]),
        "west/g1": ("0.3 MPa", "2.yaml:3:59", [base]),
        "west/g3": ("0.2 MPa", "1.yaml:4:43", []),
    }


def test_what_holds_by_default_has_no_place() -> None:
    values = {value.path: value for value in only(f"rules:{LOW}").values()}
    assert (values["off_delay"].text, values["off_delay"].place) == ("0s", None)
    assert str(values["on_delay"].place) == "1.yaml:5:15"


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        (
            "{rule: lo, set: {on_delay: 1s}}",
            '2.yaml:2:12: override lo: rule: there is no rule "lo"; did you mean "low"?',
        ),
        (
            "{rule: low, buildings: [towr], set: {on_delay: 1s}}",
            '2.yaml:2:29: override low: building 1: there is no building "towr"; did you mean "tower"?',
        ),
        (
            "{rule: low, set: {when.low.limt: 1 MPa}}",
            '2.yaml:2:38: override low: set.when.low.limt: the rule "low" has no `when.low.limt`; '
            'did you mean "when.low.limit"?',
        ),
        (
            "{rule: low, set: {when.high.limit: 1 MPa}}",
            '2.yaml:2:40: override low: set.when.high.limit: the rule "low" has no `when.high.limit`; '
            'did you mean "when.low.limit"?',
        ),
        (
            "{rule: low, set: {scope.device: pump}}",
            "2.yaml:2:37: override low: set.scope.device: an override changes values, and `scope` says which rule it "
            "is and for whom; write another rule",
        ),
        (
            "{rule: low, set: {when.low.limit: 0.3 kg}}",
            '2.yaml:2:39: rule low: when.low.limit: "kg" does not convert to "MPa": "MPa" measures a pressure, this '
            "measures [mass]",
        ),
        (
            "{rule: low, set: {on_delay: soon}}",
            '2.yaml:2:33: rule low: on_delay: expected a duration such as "30s", "5min" or "1h30min", found "soon"',
        ),
        (
            "{rule: low, sites: [east], subjects: [west/g1], set: {on_delay: 1s}}",
            '2.yaml:2:5: override low: it changes nothing: the rule "low" speaks of nothing there; correct it, or '
            "remove it",
        ),
        ("{rule: low, set: {}}", "2.yaml:2:22: override low: set: expected at least 1 items"),
    ],
)
def test_an_override_that_cannot_be_is_told_at_its_own_line(override: str, problem: str) -> None:
    _, problems = read(f"rules:{LOW}", overriding(override))
    assert told(problems) == [problem]


def test_an_item_of_a_list_is_counted_from_1() -> None:
    rule = LOW.replace("{low:", "{any: [{low:").replace("MPa}}", "MPa}}, {low: {signal: pressure, limit: 1 MPa}}]}")
    found = only(f"rules:{rule}", overriding("{rule: low, set: {when.any.2.low.limit: 0.9 MPa}}"))
    assert found.spec.when is not None
    assert found.spec.when.any_ is not None
    assert [each.low.limit.value for each in found.spec.when.any_ if each.low] == [0.2, 0.9]


# -- templates ------------------------------------------------------------------------------------------------------

TEMPLATE = """templates:
  calm: {on_delay: 30s, off_delay: 1min, priority: low}
"""


def test_a_rule_takes_every_key_that_it_does_not_write_from_its_template_in_whatever_file() -> None:
    rule = only(f"rules:{LOW}    extends: calm\n", TEMPLATE)
    assert (rule.spec.on_delay, rule.spec.off_delay) == (timedelta(seconds=3), timedelta(minutes=1))
    assert rule.spec.priority is not None
    assert rule.spec.priority.value == "high"
    assert str(rule.place("off_delay")) == "2.yaml:2:36"
    assert str(rule.place("on_delay")) == "1.yaml:5:15"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            [f"rules:{LOW}    extends: clam\n", TEMPLATE],
            ['1.yaml:10:14: rule low: extends: there is no template "clam"; did you mean "calm"?'],
        ),
        (
            [TEMPLATE, TEMPLATE],
            ['2.yaml:2:9: templates.calm: another template is called "calm"; rename one (1.yaml:2:3)'],
        ),
        (
            ["templates:\n  calm: {on_dely: 1s}\n", f"rules:{LOW}    extends: calm\n"],
            ['1.yaml:2:10: templates.calm: unknown key "on_dely"; did you mean "on_delay"?'],
        ),
        (
            ["templates:\n  calm: {ib: calm}\n", f"rules:{LOW}    extends: calm\n"],
            ['1.yaml:2:10: templates.calm: unknown key "ib"'],
        ),
        (
            ["templates:\n  calm: {when: {low: {signal: pressure}}}\n"],
            ['1.yaml:2:22: templates.calm.when.low: the key "limit" is missing'],
        ),
    ],
    ids=["unknown", "twice", "misspelt key", "unknown key", "incomplete"],
)
def test_a_template_that_cannot_be_is_told_once_at_its_own_line(files: list[str], expected: list[str]) -> None:
    _, problems = read(*files)
    assert told(problems) == expected


# -- calendars ------------------------------------------------------------------------------------------------------

CALENDARS = """calendars:
  - id: work
    windows: [{days: [mon, tue], from: "08:00", to: "18:00"}]
    except: [2026-10-01]
"""

AT_WORK = LOW.replace("{low: {signal: pressure, limit: 0.2 MPa}}", "{schedule: work}")


def test_a_named_calendar_stands_in_the_rule_with_its_places() -> None:
    rule = only(f"rules:{AT_WORK}", CALENDARS)
    assert rule.spec.when is not None
    schedule = rule.spec.when.schedule
    assert schedule is not None
    assert (schedule.calendar, schedule.windows[0].from_) == ("work", time(8))
    values = {value.path: (value.text, str(value.place)) for value in rule.values()}
    assert values["when.schedule.windows.1.from"] == ("08:00", "2.yaml:3:40")
    assert values["when.schedule.except.1.first"] == ("2026-10-01", "2.yaml:4:14")


def test_an_override_may_name_another_calendar() -> None:
    other = CALENDARS.replace("work", "rest").replace("08:00", "20:00")
    rule = only(f"rules:{AT_WORK}", CALENDARS, other, overriding("{rule: low, set: {when.schedule: rest}}"))
    assert rule.spec.when is not None
    assert rule.spec.when.schedule is not None
    assert rule.spec.when.schedule.windows[0].from_ == time(20)


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (
            [f"rules:{AT_WORK}", CALENDARS.replace("work", "word")],
            '1.yaml:4:22: rule low: when.schedule.calendar: there is no calendar "work"; did you mean "word"?',
        ),
        (
            [f"rules:{AT_WORK}"],
            '1.yaml:4:22: rule low: when.schedule.calendar: there is no calendar "work"; write its windows here',
        ),
        (
            [CALENDARS, CALENDARS],
            '2.yaml:2:9: calendar work: id: another calendar is called "work"; rename one (1.yaml:2:9)',
        ),
    ],
    ids=["misspelt", "none", "twice"],
)
def test_a_calendar_that_cannot_be_is_told(files: list[str], problem: str) -> None:
    _, problems = read(*files)
    assert told(problems) == [problem]


def test_a_mistake_in_a_template_is_told_once_however_many_rules_it_is_in() -> None:
    template = "templates:\n  calm: {when: {low: {signal: presure, limit: 1 bar}}}\n"
    rule = LOW.replace("    when: {low: {signal: pressure, limit: 0.2 MPa}}\n", "    extends: calm\n")
    _, problems = read(template, f"rules:{rule}{rule.replace('id: low', 'id: again')}")
    assert told(problems) == [
        '1.yaml:2:31: rule again: when.low.signal: a gauge has no signal "presure"; did you mean "pressure"?'
    ]
