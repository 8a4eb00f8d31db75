"""JUnit XML, parsed again: what Jenkins and GitLab read of it."""

from xml.etree import ElementTree as ET

from opssquad.evals.report.junit import junit
from opssquad.evals.report.why import decisive
from opssquad.evals.result import Report
from tests.evals.samples import a_report, a_result, a_score, a_transcript, few, large, not_made

MIXED = a_report(
    [
        a_result("good"),
        a_result("bad", False, family="D"),
        a_result("good/approve", score=a_score(misbehaved=("asked again",), seconds=2.25)),
        not_made("late"),
        not_made("ours", "broken", "KeyError: 'x'"),
    ]
)


def parsed(report: Report) -> ET.Element:
    return ET.fromstring(junit(report))


def test_every_run_is_counted_once_as_what_it_is() -> None:
    root = parsed(MIXED)
    for node in (root, root[0]):
        counts = [node.get(name) for name in ("tests", "failures", "errors", "skipped", "time")]
        assert counts == ["5", "2", "1", "1", "5.250"]
    assert (root.tag, root[0].tag) == ("testsuites", "testsuite")


def test_each_case_has_the_element_of_its_outcome() -> None:
    cases = parsed(MIXED).findall("testsuite/testcase")
    assert [(c.get("name"), [e.tag for e in c]) for c in cases] == [
        ("good", []),
        ("bad", ["failure"]),
        ("good/approve", ["failure"]),
        ("late", ["skipped"]),
        ("ours", ["error"]),
    ]
    assert cases[1].get("classname") == "k8s.k8s.D"
    assert cases[2].get("time") == "2.250"


def test_a_failure_tells_why_and_a_skipped_one_too() -> None:
    root = parsed(MIXED)
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.text == decisive(MIXED.results[1])
    assert failure.get("message", "").startswith("said D03, is K01")
    assert root.find("testsuite/testcase/skipped").get("message") == "endpoint: 503 after 3 tries"  # type: ignore[union-attr]
    assert root.find("testsuite/testcase/error").get("message") == "KeyError: 'x'"  # type: ignore[union-attr]


def test_versions_and_settings_are_properties_of_their_suite() -> None:
    told = {p.get("name"): p.get("value") for p in parsed(MIXED).findall("testsuite/properties/property")}
    assert told["opssquad"] == "0.1.0"
    assert told["suite.digest"] == "3f" * 32
    assert told["settings.seed"] == "7"
    assert told["model"] == "offline"


def test_each_model_is_a_suite_of_its_own() -> None:
    root = parsed(a_report([*few(1, 2, model="a"), *few(2, 2, model="b")]))
    assert [(s.get("name"), s.get("failures")) for s in root] == [("k8s (a)", "1"), ("k8s (b)", "0")]
    assert root.get("tests") == "4"


def test_what_xml_forbids_and_what_it_escapes_survives_a_parser() -> None:
    nasty = "\x00\x1b[31m]]></failure>&<b>\ufffe\u202e"
    transcript = a_transcript(False, answer=nasty, warnings=(nasty,))
    root = parsed(
        a_report([a_result("a", False, transcript=transcript), not_made(f"case {nasty}", error=nasty)])
    )
    text = root.findtext("testsuite/testcase/failure") or ""
    assert "]]></failure>&<b>" in text
    assert "<U+202E>" in text
    assert root.findall("testsuite/testcase")[1].get("name", "").startswith("case \ufffd\ufffd[31m]]>")


def test_an_empty_report_is_a_file_too() -> None:
    assert parsed(a_report([])).get("tests") == "0"


def test_the_same_report_gives_the_same_bytes() -> None:
    assert junit(large(5, 4)) == junit(large(5, 4))
