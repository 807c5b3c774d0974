"""From files to the project: what the other parts are given."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from firewatch.config.problem import Place, Problem, ProblemsError, Severity
from firewatch.config.project import load_inventory, load_project, load_rules, load_settings, read_project
from firewatch.config.settings import Settings
from firewatch.model.site import Decoder, FieldMapping, Inventory, TimeFormat
from firewatch.rules.spec import Quantity, RuleSpec

RULE = """
  - id: {id}
    scope: {scope}
    when: {when}
    priority: high
    class: supervisory
    text: {{zh: 文, en: text}}
    advice: {{zh: 文, en: advice}}
"""


@pytest.fixture(scope="module")
def sample() -> Inventory:
    return load_inventory(Settings())


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("FIREWATCH_MQTT__URL", "FIREWATCH_HTTP__PORT", "FIREWATCH_DATABASE__DSN"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def rules_of(folder: Path, *rules: tuple[str, str, str]) -> Path:
    file = folder / "rules.yaml"
    text = "".join(RULE.format(id=name, scope=scope, when=when) for name, scope, when in rules)
    file.write_text(f"rules:{text}", encoding="utf-8")
    return file


def only(rules: tuple[RuleSpec, ...]) -> RuleSpec:
    (rule,) = rules
    return rule


# -- the sample compound ----------------------------------------------------------------------------------------------


def test_the_sample_compound_is_without_problems() -> None:
    project, problems = read_project(Settings())
    assert problems == ()
    assert [site.id for site in project.inventory.sites] == ["sample"]


def test_a_device_stands_in_its_assets_building_unless_it_says_another(sample: Inventory) -> None:
    buildings = {device.id: device.building for device in sample.sites[0].devices}
    assert buildings["a-lift-2-camera"] == "tower-a"
    assert buildings["jockey-pump"] == "pump-house"
    assert buildings["tank-1"] == "tower-a"


def test_a_vendors_decoder_is_read_as_it_is_written(sample: Inventory) -> None:
    device = next(device for device in sample.sites[0].devices if device.id == "hydrant-b-roof")
    assert device.topic == "vendor/acme/hb01/up"
    assert device.decoder == Decoder(
        readings={"pressure": FieldMapping(path="d.p", unit="kPa")},
        time_path="ts",
        time_format=TimeFormat.UNIX_MILLISECONDS,
        sequence_path="n",
    )


# -- rules ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "deadband", "unit", "expected", "expected_deadband", "signal"),
    [
        ("70 kPa", "5 kPa", "MPa", 0.07, 0.005, ("pressure_transmitter", "pressure")),
        ("0.7 bar", "0.05 bar", "MPa", 0.07, 0.005, ("pressure_transmitter", "pressure")),
        ("140 degF", "9 degF", "degC", 60.0, 5.0, ("heat_detector", "temperature")),
        ("60 degC", "5 K", "degC", 60.0, 5.0, ("heat_detector", "temperature")),
        ("1.5 m", "5 cm", "m", 1.5, 0.05, ("water_tank", "level")),
    ],
)
def test_a_limit_is_given_in_the_signals_own_unit(
    tmp_path: Path,
    sample: Inventory,
    limit: str,
    deadband: str,
    unit: str,
    expected: float,
    expected_deadband: float,
    signal: tuple[str, str],
) -> None:
    kind, name = signal
    when = f"{{high: {{signal: {name}, limit: {limit}, deadband: {deadband}}}}}"
    rule = only(load_rules([rules_of(tmp_path, ("r", f"{{device: {kind}}}", when))], sample))
    assert rule.when.high is not None
    assert rule.when.high.limit == Quantity(value=expected, unit=unit)
    assert rule.when.high.deadband == Quantity(value=expected_deadband, unit=unit)


def test_units_are_converted_inside_a_coincidence_too(tmp_path: Path, sample: Inventory) -> None:
    when = "{k_of_n: {k: 1, within: 60s, of: [{high: {signal: heat_detector/temperature, limit: 140 degF}}]}}"
    rule = only(load_rules([rules_of(tmp_path, ("r", "{asset: fire_zone}", when))], sample))
    assert rule.when.k_of_n is not None
    (inner,) = rule.when.k_of_n.of
    assert inner.high is not None
    assert inner.high.limit == Quantity(value=60.0, unit="degC")


def test_one_broken_rule_does_not_hide_the_mistakes_of_the_next(tmp_path: Path, sample: Inventory) -> None:
    file = rules_of(
        tmp_path,
        ("first", "{device: pump}", "{state: {signal: fault}}"),
        ("second", "{device: pump}", "{state: {signal: falt, is: true}}"),
    )
    with pytest.raises(ProblemsError) as wrong:
        load_rules([file], sample)
    assert [problem.where.split(":")[0] for problem in wrong.value.problems] == ["rule first", "rule second"]


def test_two_rules_of_one_name_in_two_files_are_told_with_both_places(tmp_path: Path, sample: Inventory) -> None:
    condition = ("same", "{device: pump}", "{state: {signal: fault, is: true}}")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    files = [rules_of(tmp_path / folder, condition) for folder in ("a", "b")]
    with pytest.raises(ProblemsError) as wrong:
        load_rules(files, sample)
    (problem,) = wrong.value.problems
    assert problem.file == files[1].as_posix()
    assert str(problem.other) == f"{files[0].as_posix()}:2:9"


@pytest.mark.parametrize(
    ("scope", "when", "what"),
    [
        ("{device: pump, buildings: [tower-a]}", "{state: {signal: fault, is: true}}", "nothing in the sites matches"),
        (
            "{asset: lift, tags: [hydrant]}",
            "{state: {signal: lift_controller/moving, is: true}}",
            "nothing in the sites matches",
        ),
    ],
)
def test_a_rule_that_matches_nothing_is_worth_a_look_and_stops_nothing(
    tmp_path: Path, sample: Inventory, scope: str, when: str, what: str
) -> None:
    file = rules_of(tmp_path, ("r", scope, when))
    _, problems = read_project(Settings(rules=file))
    (problem,) = problems
    assert problem.severity is Severity.LINT
    assert what in problem.what
    assert len(load_project(Settings(rules=file)).rules) == 1


def test_nobody_is_told_that_a_device_does_not_exist_while_its_kind_cannot_be_read(tmp_path: Path) -> None:
    kinds = tmp_path / "kinds.yaml"
    kinds.write_text("kinds:\n  - {kind: pump, labl: {zh: 泵, en: Pump}, system: water, signals: []}\n")
    site = tmp_path / "site.yaml"
    site.write_text(
        Path("tests/data/small.site.yaml").read_text().replace("buildings: []", "buildings: []\n")
        + "devices:\n  - {id: p, kind: pump, building: tower, label: {zh: 泵, en: Pump}}\n"
    )
    rules = rules_of(tmp_path, ("r", "{device: pump}", "{state: {signal: fault, is: true}}"))
    _, problems = read_project(Settings(sites=site, devices=kinds, rules=rules))
    assert {problem.file for problem in problems} == {kinds.as_posix(), site.as_posix()}
    assert not [problem for problem in problems if "kind of device" in problem.what]


@pytest.mark.parametrize("setting", ["sites", "devices", "rules"])
def test_a_folder_that_does_not_exist_is_named_with_its_setting(tmp_path: Path, setting: str) -> None:
    with pytest.raises(ProblemsError, match=f"no such file or folder; create it, or correct `{setting}`"):
        load_project(Settings(**{setting: tmp_path / "none"}))


# -- problems ---------------------------------------------------------------------------------------------------------


def test_problems_come_sorted_without_repetitions_and_with_a_closing_line(tmp_path: Path, sample: Inventory) -> None:
    file = rules_of(
        tmp_path, *((name, "{device: pump}", "{state: {signal: falt, is: true}}") for name in ("a", "b", "c"))
    )
    with pytest.raises(ProblemsError) as wrong:
        load_rules([file], sample)
    lines = str(wrong.value).splitlines()
    assert [line.split(":")[1] for line in lines[:3]] == ["4", "12", "20"]
    assert lines[3:] == ["3 problems in 1 file"]


def test_a_problem_without_hint_and_place_within_is_still_a_sentence() -> None:
    assert str(Problem(Place("a.yaml"), "", "the file is empty")) == "a.yaml: the file is empty"


# -- settings ---------------------------------------------------------------------------------------------------------


def test_the_annotated_file_says_nothing_but_the_defaults(no_environment: pytest.MonkeyPatch) -> None:
    assert load_settings(Path("config/firewatch.yaml")).model_dump() == Settings().model_dump()


def test_without_a_file_the_defaults_hold(tmp_path: Path, no_environment: pytest.MonkeyPatch) -> None:
    no_environment.chdir(tmp_path)
    assert load_settings().http.port == 8080


def test_an_environment_variable_wins_over_the_file(tmp_path: Path, no_environment: pytest.MonkeyPatch) -> None:
    file = tmp_path / "firewatch.yaml"
    file.write_text("http: {port: 9000}\nmqtt: {url: mqtt://file.example, keep_alive: 20s}\n")
    no_environment.setenv("FIREWATCH_MQTT__URL", "mqtt://environment.example")
    settings = load_settings(file)
    assert settings.mqtt.url == "mqtt://environment.example"
    assert settings.mqtt.keep_alive == timedelta(seconds=20)
    assert settings.http.port == 9000


@pytest.mark.parametrize(
    ("variable", "value", "what"),
    [
        ("FIREWATCH_HTTP__PORT", "web", "environment: FIREWATCH_HTTP__PORT: "),
        ("FIREWATCH_HTTP__PROT", "80", "environment: FIREWATCH_HTTP__PROT: there is no such setting"),
        ("FIREWATCH_RULE", "x", 'environment: FIREWATCH_RULE: there is no such setting; did you mean "rules"?'),
        ("FIREWATCH_HTTP__HOST", "0.0.0.0", "environment: http.host: there is no log-in yet"),
        ("FIREWATCH_HTTP", "{", "environment: "),
    ],
)
def test_a_wrong_environment_variable_is_named(
    no_environment: pytest.MonkeyPatch, variable: str, value: str, what: str
) -> None:
    no_environment.setenv(variable, value)
    with pytest.raises(ProblemsError) as wrong:
        load_settings(Path("config/firewatch.yaml"))
    assert str(wrong.value).startswith(what)


def test_a_variable_that_belongs_to_somebody_else_is_left_alone(no_environment: pytest.MonkeyPatch) -> None:
    no_environment.setenv("FIREWATCH_TEST_DATABASE", "postgresql://nowhere")
    assert load_settings(Path("config/firewatch.yaml")).http.port == 8080


def test_a_secret_stands_in_no_message(tmp_path: Path, no_environment: pytest.MonkeyPatch) -> None:
    file = tmp_path / "firewatch.yaml"
    file.write_text("mqtt:\n  url: ftp://user:hunter2@broker\n  password: [hunter2]\ndatabase:\n  dsn: {a: hunter2}\n")
    with pytest.raises(ProblemsError) as wrong:
        load_settings(file)
    assert "hunter2" not in str(wrong.value)


def test_another_address_than_loopback_is_taken_once_the_risk_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "firewatch.yaml"
    file.write_text("http: {host: 0.0.0.0, allow_remote_without_login: true}\n")
    assert load_settings(file).http.host == "0.0.0.0"
