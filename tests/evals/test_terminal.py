"""The end of a run on a terminal of 80 columns, with and without colour; and how a run goes."""

import io
import re
import sys
from collections.abc import Sequence
from datetime import timedelta

import pytest
from rich.cells import cell_len
from rich.console import Console

from opssquad.evals.comparing import Comparison, against, between
from opssquad.evals.figures import figures
from opssquad.evals.report.progress import Progress
from opssquad.evals.report.terminal import show
from opssquad.evals.result import CaseResult, Report
from tests.evals.samples import AUTH, JUDGED, NOW, a_report, a_result, a_score, few, large, not_made


def drawn(report: Report, comparisons: Sequence[Comparison] = (), **console: object) -> str:
    out = io.StringIO()
    values = {"file": out, "width": 80, **console}
    show(Console(**values), report, figures(report), comparisons)  # type: ignore[arg-type]
    return out.getvalue()


def words(text: str) -> str:
    return " ".join(text.split())


BIG = large(12, 4, 3)


def test_no_line_is_wider_than_the_terminal() -> None:
    for line in drawn(BIG, [between(BIG, "offline", "large-70b")]).splitlines():
        assert cell_len(line) <= 80, line


def test_without_colour_it_says_the_same() -> None:
    coloured = drawn(BIG, force_terminal=True, color_system="standard", no_color=False)
    assert "\x1b[33m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == drawn(BIG, no_color=True)


def test_the_headline_stands_beside_what_no_squad_reaches() -> None:
    text = drawn(a_report(few(8, 10)))
    rows = [words(line) for line in text.splitlines()]
    assert "offline 80 % 8 of 10 49 to 94 % 80 % none" in rows
    assert "newest rollout (no squad) 30 % of 80" in rows
    assert any(row.startswith("evidence cited, mean 90 %") for row in rows)


def test_harm_is_told_first_and_by_name() -> None:
    text = drawn(a_report([a_result("a"), a_result("b", score=a_score(False, executed=("delete Pod/x/y",)))]))
    assert "── harm in 1 run ──" in text
    assert "✗ k8s:b: executed delete Pod/x/y" in text
    assert text.index("── harm") < text.index("── parts")


def test_each_failed_run_has_a_line_why() -> None:
    text = drawn(a_report(few(1, 3)))
    assert "── failed: 2 runs ──" in text
    assert f"✗ k8s:case-01: said D03, is K01; wrong action: restart {AUTH}" in words(text)


def test_when_nothing_failed_nothing_is_listed() -> None:
    text = drawn(a_report(few(3, 3)))
    assert "failed" not in text
    assert "not run" not in text
    assert "harm in" not in text


def test_what_was_not_run_is_told_once_a_reason_and_in_no_share() -> None:
    lost = [not_made(f"x{n}") for n in range(5)]
    text = words(
        drawn(a_report([*few(3, 4), *lost, not_made("y", "broken", "KeyError")], planned=12, partial=True))
    )
    assert "── not run, in no share: 5 runs" in text
    assert "endpoint: 503 after 3 tries: k8s:x0, k8s:x1, k8s:x2 and 2 more" in text
    assert "── broken by us, in no share: 1 run " in text
    assert "2 runs planned and not begun" in text
    assert "Stopped before the end" in text
    assert "offline 75 % 3 of 4" in text


def test_a_figure_without_runs_is_a_dash() -> None:
    text = drawn(a_report([not_made("x")]))
    assert "offline - - - - -" in words(text)
    assert "nan" not in text.lower()


def test_repeats_show_how_sure_a_case_passes() -> None:
    text = words(drawn(a_report([a_result("a", n < 2, repeat=n) for n in range(3)])))
    assert "pass@3, one of 3 passes 100 %" in text
    assert "pass^3, all 3 pass 0 %" in text


def test_a_comparison_ends_with_its_verdict_and_lists() -> None:
    old, new = a_report(few(3, 10)), a_report([a_result(f"case-{n:02}", n > 0) for n in range(10)])
    text = words(drawn(new, against(old, new, "old.json")))
    assert "── offline against offline before ──" in text
    assert "better joint 30 % -> 90 %, +60.0 points" not in text
    # Seven better and one worse: p = 2 (1 + 8) / 256 = 0.07, and more cases are needed.
    assert "too few cases to tell; roughly" in text
    assert "7 of 10 recordings better, 1 worse, p = 0.07" in text
    assert "worse (1): k8s:case-00" in text


def test_a_models_opinion_is_told_apart_from_every_score() -> None:
    text = words(drawn(a_report(few(1, 1), judged=JUDGED)))
    assert "── root causes in a model's opinion, part of no score ──" in text
    assert "large-70b: 1 of 2 root causes are the truth's k8s:b: another: the cause is the database" in text
    assert "k8s:c: no verdict: not a verdict: 'perhaps'" in text
    assert "opinion" not in drawn(a_report(few(1, 1)))


def test_names_and_words_from_outside_are_made_visible() -> None:
    text = drawn(a_report([not_made("a\x1b]0;x\x07", error="\x1b[2J[bold]gone")]))
    assert "\x1b" not in text
    assert "<U+001B>[2J[bold]gone" in text


def feed(results: Sequence[CaseResult], planned: int, **console: object) -> list[str]:
    out = io.StringIO()
    moments = iter(NOW + timedelta(seconds=10 * n) for n in range(100))
    values = {"file": out, "width": 80, **console}
    with Progress(Console(**values), planned, clock=lambda: next(moments)) as progress:  # type: ignore[arg-type]
        for result in results:
            progress.add(result)
    return out.getvalue().splitlines()


def test_away_from_a_terminal_progress_is_a_line_a_run() -> None:
    lines = feed([a_result("a"), a_result("b", False), not_made("c")], 6)
    assert lines[0] == "✓ k8s:a [offline]; 1 of 6 done, 1 of 1 passed, about 50 s left"
    assert lines[1].startswith("✗ k8s:b [offline]: said D03, is K01; wrong action")
    assert lines[1].endswith("; 2 of 6 done, 1 of 2 passed, about 40 s left")
    assert (
        lines[2]
        == "- k8s:c [offline]: endpoint: 503 after 3 tries; 3 of 6 done, 1 of 2 passed, about 30 s left"
    )


def test_the_last_run_leaves_no_time() -> None:
    assert feed([a_result("a")], 1) == ["✓ k8s:a [offline]; 1 of 1 done, 1 of 1 passed"]


def test_on_a_terminal_only_what_fails_stays() -> None:
    text = "\n".join(
        feed([a_result("a"), a_result("b", False)], 2, force_terminal=True, legacy_windows=False)
    )
    assert "1 of 2 done, 1 of 1 passed" in text
    assert "✓ k8s:a" not in text
    assert "✗ k8s:b [offline]: said D03" in text


class Now(io.StringIO):
    """A file that writes to standard output as it is at the moment, as the program's own console does."""

    writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        assert self.writes < 100, "it feeds itself"
        return sys.stdout.write(text)


def test_a_console_that_writes_to_standard_output_as_it_is_does_not_feed_itself(
    capsys: pytest.CaptureFixture[str],
) -> None:
    feed([a_result("a"), a_result("b", False)], 2, file=Now(), force_terminal=True)
    assert "✗ k8s:b [offline]: said D03" in capsys.readouterr().out


def test_a_wide_terminal_is_used_up_to_where_lines_get_hard_to_read() -> None:
    assert max(cell_len(line) for line in drawn(BIG, width=200).splitlines()) == 100
