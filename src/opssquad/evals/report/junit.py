"""JUnit XML as Jenkins and GitLab read it: a run of a case is a testcase, a suite of a model a testsuite."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC
from xml.etree import ElementTree as ET

from opssquad.evals.comparing import run_name
from opssquad.evals.report.why import decisive, outcome, why
from opssquad.evals.result import CaseResult, Report

__all__ = ["decisive", "junit"]

# XML 1.0 has no way to write these, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report) -> bytes:
    """The report as JUnit XML, UTF-8; the same report gives the same bytes."""
    root = ET.Element("testsuites", name="opssquad eval")
    _count(root, report.results)
    for suite, model in dict.fromkeys((r.suite, r.model) for r in report.results):
        those = [r for r in report.results if (r.suite, r.model) == (suite, model)]
        node = ET.SubElement(root, "testsuite", name=_clean(f"{suite} ({model})"))
        _count(node, those)
        node.set("timestamp", report.started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"))
        node.set("hostname", _clean(report.machine) or "unknown")
        _properties(node, report, suite, model)
        for result in those:
            _case(node, result)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'.encode()


def _count(node: ET.Element, results: Sequence[CaseResult]) -> None:
    kinds = Counter(_kind(result) for result in results)
    node.set("tests", str(len(results)))
    node.set("failures", str(kinds["failure"]))
    node.set("errors", str(kinds["error"]))
    node.set("skipped", str(kinds["skipped"]))
    node.set("time", f"{sum(map(_seconds, results)):.3f}")


def _properties(node: ET.Element, report: Report, suite: str, model: str) -> None:
    used = next((s for s in report.suites if s.name == suite), None)
    told = {"model": model, **report.versions}
    if used:
        told |= {"suite.version": str(used.version), "suite.digest": used.digest}
    told |= {"partial": "the run was stopped"} if report.partial else {}
    told |= {f"settings.{name}": str(value) for name, value in report.settings.get(model, {}).items()}
    properties = ET.SubElement(node, "properties")
    for name, value in told.items():
        ET.SubElement(properties, "property", name=_clean(name), value=_clean(value))


def _case(suite: ET.Element, result: CaseResult) -> None:
    name = run_name(result).removeprefix(f"{result.suite}:")
    case = ET.SubElement(
        suite,
        "testcase",
        name=_clean(name),
        classname=_clean(f"{result.suite}.{result.squad}.{result.family}"),
        time=f"{_seconds(result):.3f}",
    )
    kind = _kind(result)
    if kind:
        node = ET.SubElement(case, kind, message=_clean(why(result)))
        if kind != "skipped":
            node.set("type", outcome(result))
            node.text = _clean(decisive(result))


def _kind(result: CaseResult) -> str:
    """The element that tells the outcome; none for a run that passed."""
    match outcome(result):
        case "passed":
            return ""
        case "not run":
            return "skipped"
        case "broken":
            return "error"
    return "failure"


def _seconds(result: CaseResult) -> float:
    return result.score.seconds if result.score else 0.0


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
