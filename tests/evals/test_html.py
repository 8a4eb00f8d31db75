"""The page: whole HTML, nothing loaded, nothing run, nothing from outside believed, small enough to send."""

import base64
import hashlib
import re
from collections.abc import Sequence
from html.parser import HTMLParser

import pytest

from opssquad.evals.comparing import Comparison, against, between
from opssquad.evals.figures import figures
from opssquad.evals.report.html import html
from opssquad.evals.result import CaseResult, Report
from opssquad.evals.transcript import Look
from opssquad.findings import Evidence, Finding, Quote
from tests.evals.samples import (
    AUTH,
    JUDGED,
    LINE,
    LOCATOR,
    a_conclusion,
    a_report,
    a_result,
    a_score,
    a_transcript,
    an_act,
    few,
    fixed_end,
    large,
    not_made,
)

VOID = {"meta", "br", "input", "link", "img", "hr"}
NASTY = "</script></pre><img src=x onerror=alert(1)> \u202eevil\u200b \x1b[31m \"'&amp;"


class Page(HTMLParser):
    """A page taken apart: tags must close in order; texts and marks are kept."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.marks: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "mark":
            self.marks.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.open and self.open[-1] == "mark":
            self.marks[-1] += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def page_of(report: Report, comparisons: Sequence[Comparison] = ()) -> Page:
    page = Page(html(report, figures(report), comparisons))
    assert page.open == []
    return page


EVERYTHING = a_report(
    [
        a_result("a", manner="approve", transcript=a_transcript(acts=(an_act(),)), end=fixed_end()),
        a_result("b", False, score=a_score(False, proposed=("delete x",), invented=("no such line",))),
        a_result("c", score=a_score(misbehaved=("asked again",))),
        a_result("d", score=a_score(False, abstained="wrong"), transcript=None, expected=None),
        not_made("e"),
        not_made("f", "broken", "KeyError"),
        *few(2, 3, model="other", repeat=1),
    ],
    judged=JUDGED,
    partial=True,
    planned=20,
)


@pytest.mark.parametrize(
    "report",
    [EVERYTHING, a_report([]), a_report([], models=()), a_report([not_made("x")]), a_report(few(3, 3))],
)
def test_every_tag_is_closed_and_every_link_leads_somewhere(report: Report) -> None:
    page = page_of(report)
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [attrs["href"] or "" for attrs in page.named("a")]
    assert all(link.startswith("#") and link[1:] in ids for link in links)
    labels = {attrs["for"] for attrs in page.named("label")}
    assert labels == {attrs["id"] for attrs in page.named("input")}


def test_nothing_is_loaded_and_nothing_is_run() -> None:
    text = html(EVERYTHING, figures(EVERYTHING), [between(EVERYTHING, "offline", "other")])
    page = Page(text)
    assert not {tag for tag, _ in page.tags} & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
    }
    assert not [
        (t, a) for t, attrs in page.tags for a in attrs if a.startswith("on") or a in {"src", "style"}
    ]
    assert not re.search(r"https?://|url\(|@import", text)


def test_the_policy_allows_the_one_style_and_nothing_else() -> None:
    text = html(EVERYTHING, figures(EVERYTHING))
    style = text[text.index("<style>") + 7 : text.index("</style>")]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = [m["content"] for m in Page(text).named("meta") if "http-equiv" in m]
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def nasty() -> CaseResult:
    """A run where every text from outside is hostile."""
    run = a_result(
        "x",
        score=a_score(False, proposed=(NASTY,), missing=(NASTY,), misbehaved=(NASTY,), overblamed=(NASTY,)),
        tags=(NASTY,),
        model=NASTY,
        transcript=a_transcript(
            False,
            log=f"{NASTY}\n{LINE} {NASTY}",
            question=NASTY,
            answer=NASTY,
            warnings=(NASTY,),
            acts=(an_act(command=NASTY, by=NASTY, verified=NASTY, target=NASTY),),
        ),
        end=fixed_end(fixed=False, left=(NASTY,)),
    )
    return run.model_copy(update={"case": NASTY, "family": NASTY})


def test_text_from_outside_is_shown_and_never_believed() -> None:
    report = a_report([nasty(), not_made("y", error=NASTY)], versions={NASTY: NASTY}, machine=NASTY)
    text = html(report, figures(report), against(report, report, "x"))
    assert "<img" not in text
    assert "</script" not in text
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e\u200b]", text)
    page = Page(text)
    assert page.open == []
    shown = "</script></pre><img src=x onerror=alert(1)> <U+202E>evil<U+200B> <U+001B>[31m \"'&amp;"
    assert page.text.count(shown) > 15


def test_what_is_cited_is_marked_exactly_where_it_stands() -> None:
    page = page_of(a_report([a_result()]))
    assert page.marks == [LINE]


def test_a_quote_of_something_read_but_not_told_is_shown_from_there() -> None:
    hidden = Look(
        call="t-1.2",
        tool="health",
        text="3 pods",
        sources=(Quote(locator="x", text=f"no {LINE}"), Quote(locator=LOCATOR, text=f"before {LINE} after")),
    )
    page = page_of(a_report([a_result(transcript=a_transcript(looks=(hidden,)))]))
    assert page.marks == [LINE]
    assert f"cited from {LOCATOR}" in page.text
    assert "before " in page.text


def test_all_quotes_of_one_source_are_marked_in_one_excerpt() -> None:
    source = Quote(locator=LOCATOR, text=f"first {'x' * 500} second")
    evidence = [
        Evidence(id=f"e{n}", call="t-1.2", locator=LOCATOR, text=t) for n, t in enumerate(("second", "first"))
    ]
    finding = Finding(claim="both", confidence="confirmed", evidence=tuple(evidence))
    cause = a_conclusion().causes[0].model_copy(update={"findings": (finding,)})
    conclusion = a_conclusion().model_copy(update={"causes": (cause,)})
    look = Look(call="t-1.2", tool="health", text="3 pods", sources=(source,))
    page = page_of(a_report([a_result(transcript=a_transcript(conclusion=conclusion, looks=(look,)))]))
    assert page.marks == ["first", "second"]
    assert page.text.count(f"cited from {LOCATOR}") == 1


def test_a_quote_that_stands_nowhere_is_said_to() -> None:
    invented = a_transcript(conclusion=a_conclusion(line="never logged"))
    astray = a_transcript(conclusion=a_conclusion(call="t-9.9"))
    page = page_of(a_report([a_result("a", transcript=invented), a_result("b", transcript=astray)]))
    assert page.marks == []
    assert "does not stand in what was read" in page.text
    assert f"cited from a call that is not on record: {LOCATOR}: {LINE}" in page.text


def test_harm_stands_before_everything_else() -> None:
    text = html(EVERYTHING, figures(EVERYTHING))
    assert text.index("Harm in 1 run<") < text.index('class="models')
    clean = a_report(few(2, 3))
    assert "Harm in" not in html(clean, figures(clean))


def test_what_is_in_no_figure_is_said() -> None:
    text = " ".join(page_of(EVERYTHING).text.split())
    assert "1 not run and 1 broken are in no figure" in text
    assert "stopped before the end, 11 planned and not begun" in text


def test_a_models_opinion_is_told_as_one() -> None:
    text = " ".join(page_of(EVERYTHING).text.split())
    assert "in a model's opinion, part of no score" in text
    assert "large-70b: 1 of 2 root causes are the truth's" in text
    assert "k8s:b: another: the cause is the database" in text


def test_truth_and_answer_baselines_and_verdict_are_on_the_page() -> None:
    report = a_report(few(4, 9))
    page = page_of(report, against(report, report, "old.json"))
    text = " ".join(page.text.split())
    assert "No more than noise" in text
    assert "roll back the newest Deployment: 30 % joint, 30 % action" in text
    assert f"rollback {AUTH}; patch {AUTH}" in text
    assert "4 of 9 right in everything" in text


def test_a_suite_of_eighty_cases_by_four_manners_is_under_five_megabytes() -> None:
    report = large(80, 4)
    text = html(report, figures(report))
    assert len(text.encode()) < 5_000_000
    page = Page(text)
    assert len([d for d in page.named("details") if str(d.get("id", "")).startswith("run-")]) == 320
    cut = [int(n.replace(",", "")) for n in re.findall(r"\[([\d,]+) characters left out\]", page.text)]
    assert sum(cut) > 1_000_000
    ran = sum(result.state == "run" for result in report.results)
    assert len(page.marks) == ran, "a cited line was cut"


def test_much_that_is_cited_from_long_sources_stays_within_five_megabytes_and_is_kept() -> None:
    lines = [f'{{"name":"DB_{n:04}","value":"{n}"}}' for n in range(1000)]
    source = Quote(locator=str(AUTH), text=",".join(lines))
    quotes = lines[::40]
    evidence = tuple(Evidence(id=f"e{n}", call="t", locator=str(AUTH), text=t) for n, t in enumerate(quotes))
    finding = Finding(claim="all", confidence="likely", evidence=evidence)
    cause = a_conclusion().causes[0].model_copy(update={"findings": (finding,)})
    conclusion = a_conclusion().model_copy(update={"causes": (cause,)})
    looks = (Look(call="t", tool="health", text="\n".join(lines), sources=()), Look(call="u", tool="x"))
    hidden = (Look(call="t", tool="health", text="", sources=(source,)),)
    runs = [
        a_result(f"c{n}", transcript=a_transcript(conclusion=conclusion, looks=looks if n % 2 else hidden))
        for n in range(320)
    ]
    report = a_report(runs)
    text = html(report, figures(report))
    assert len(text.encode()) < 5_000_000
    assert Page(text).marks == quotes * 320


def test_the_same_report_gives_the_same_bytes() -> None:
    report = large(4, 4, 2)
    again = Report.model_validate_json(report.model_dump_json())
    assert html(report, figures(report)) == html(again, figures(again))
