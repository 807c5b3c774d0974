"""The results of rule tests for programs: JUnit XML, which build servers read, and JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from firewatch.config.problem import Problem
from firewatch.testing.coverage import Case, Covered
from firewatch.testing.play import Failure, Outcome

COVERAGE = "rule coverage"
"""The name of the suite in which every rule is a test that fails where it lacks a case."""

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class FileResult:
    """A test file: how its tests went, or why it could not be read."""

    file: Path
    outcomes: tuple[Outcome, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Results:
    """A whole run. `covered` is empty where nobody asked for the coverage."""

    files: tuple[FileResult, ...] = ()
    covered: tuple[Covered, ...] = field(default=())

    @property
    def passed(self) -> int:
        """How many tests passed."""
        return sum(1 for file in self.files for outcome in file.outcomes if not outcome.failures)

    @property
    def failed(self) -> int:
        """How many tests failed."""
        return sum(1 for file in self.files for outcome in file.outcomes if outcome.failures)

    @property
    def unreadable(self) -> int:
        """How many files could not be read."""
        return sum(1 for file in self.files if file.problems)

    @property
    def lacking(self) -> tuple[Covered, ...]:
        """The rules that lack a test."""
        return tuple(covered for covered in self.covered if covered.gaps)


def as_junit(results: Results) -> bytes:
    """The results as JUnit XML: a suite a file. There are no times in it: a test takes a few milliseconds."""
    root = ElementTree.Element("testsuites", name="firewatch test")
    for result in results.files:
        suite = _suite(root, result.file.as_posix(), len(result.outcomes) + bool(result.problems))
        for outcome in result.outcomes:
            case = _case(suite, result.file.as_posix(), outcome.name, outcome.place.line)
            if outcome.failures:
                _add(case, "failure", outcome.failures[0].problem.what, "\n".join(map(str, outcome.failures)))
        if result.problems:
            case = _case(suite, result.file.as_posix(), "can be read", result.problems[0].line)
            _add(case, "error", result.problems[0].what, "\n".join(map(str, result.problems)))
    if results.covered:
        suite = _suite(root, COVERAGE, len(results.covered))
        for covered in results.covered:
            case = _case(suite, COVERAGE, covered.name, covered.place.line)
            if (problem := covered.problem) is not None:
                _add(case, "failure", problem.what, str(problem))
    for element in (*root, root):
        element.set("failures", str(sum(1 for _ in element.iter("failure"))))
        element.set("errors", str(sum(1 for _ in element.iter("error"))))
    root.set("tests", str(sum(1 for _ in root.iter("testcase"))))
    ElementTree.indent(root)
    data: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return data


def as_json(results: Results) -> dict[str, Any]:
    """The results as plain values."""
    return {
        "passed": results.passed,
        "failed": results.failed,
        "unreadable": results.unreadable,
        "files": [_file_as_json(file) for file in results.files],
        "coverage": [_covered_as_json(covered) for covered in results.covered],
    }


def _suite(root: ElementTree.Element, name: str, tests: int) -> ElementTree.Element:
    return ElementTree.SubElement(root, "testsuite", name=name, tests=str(tests))


def _case(suite: ElementTree.Element, group: str, name: str, line: int) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=group, name=_clean(name), line=str(line))


def _add(case: ElementTree.Element, tag: str, message: str, text: str) -> None:
    ElementTree.SubElement(case, tag, message=_clean(message)).text = _clean(text)


def _clean(text: str) -> str:
    """Without the characters that XML cannot carry."""
    return _NOT_IN_XML.sub("\ufffd", text)


def _file_as_json(result: FileResult) -> dict[str, Any]:
    return {
        "file": result.file.as_posix(),
        "problems": [_problem_as_json(problem) for problem in result.problems],
        "tests": [
            {
                "name": outcome.name,
                "line": outcome.place.line,
                "passed": not outcome.failures,
                "failures": [_failure_as_json(failure) for failure in outcome.failures],
            }
            for outcome in result.outcomes
        ],
    }


def _covered_as_json(covered: Covered) -> dict[str, Any]:
    return {
        "rule": covered.rule,
        "step": covered.step,
        "override": str(covered.override) if covered.override is not None else None,
        "place": str(covered.place),
        "tests": {case.replace(" ", "_"): covered.tests.get(case, []) for case in Case},
        "gaps": [gap.replace(" ", "_") for gap in covered.gaps],
    }


def _failure_as_json(failure: Failure) -> dict[str, Any]:
    return {**_problem_as_json(failure.problem), "story": list(failure.story)}


def _problem_as_json(problem: Problem) -> dict[str, Any]:
    return {"line": problem.line, "column": problem.column, "where": problem.where, "what": problem.what}
