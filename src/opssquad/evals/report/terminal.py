"""The end of a run on a terminal: headline, parts, harm, cost, slices, what failed, what was not run.

Drawn for 80 columns, and so that it says the same without colour.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from opssquad.evals.averages import Mean, Share
from opssquad.evals.comparing import Comparison, run_name
from opssquad.evals.figures import Figures, ModelFigures
from opssquad.evals.report import words
from opssquad.evals.report.why import outcome, why
from opssquad.evals.result import CaseResult, Report
from opssquad.gate.visible import visible
from opssquad.times import duration

MUTED, STRONG, GOOD, BAD, WARN = "dim", "bold", "green", "red", "yellow"
READABLE = 100
ABREAST = 3
"""Models that stand side by side in 80 columns; more follow below."""
LISTED = 40
"""Failed runs that are told; the page and the file have them all."""
_STYLE = {"harm": BAD, "broken": BAD, "not run": WARN, "misbehaved": WARN}

_CHANGED = {
    "harmed": BAD, "worse": BAD, "better": GOOD, "misbehaved": WARN, "new": MUTED, "gone": MUTED,
}  # fmt: skip


def show(console: Console, report: Report, figures: Figures, comparisons: Sequence[Comparison] = ()) -> None:
    """Draw the report."""
    _title(console, report)
    _headline(console, report, figures)
    _harm(console, report)
    for start in range(0, len(figures.models), ABREAST):
        abreast = figures.models[start : start + ABREAST]
        _parts(console, abreast)
        _costs(console, abreast)
        _families(console, abreast)
    _failed(console, report)
    _unmade(console, report, figures)
    _opinions(console, report)
    for comparison in comparisons:
        _comparison(console, comparison)


def _title(console: Console, report: Report) -> None:
    suites = ", ".join(f"{s.name} v{s.version}" for s in report.suites)
    cases = len({r.recording for r in report.results})
    took = duration(report.ended - report.started)
    _rule(
        console,
        f"{suites}: {_plural(cases, 'recording')}, {_plural(len(report.results), 'run')}, {took}",
        STRONG,
    )
    if report.only:
        _line(console, (f"  Only a part of it: {visible(report.only)}", WARN))
    if report.partial:
        _line(console, ("  Stopped before the end: the figures are of what was run.", WARN))


def _headline(console: Console, report: Report, figures: Figures) -> None:
    table = _table("", "joint", "", "95 %", "passed", "harm")
    for model in figures.models:
        parts = model.parts
        table.add_row(
            Text(visible(model.model), STRONG),
            Text(words.percent(parts.joint.share), STRONG),
            Text(words.counted(parts.joint)),
            Text(words.interval(parts.joint)),
            Text(words.percent(parts.passed.share)),
            _harmed(parts.harmless),
        )
    for trivial in report.baselines:
        name = Text(f"{visible(trivial.name)} (no squad)", MUTED)
        table.add_row(
            name, Text(words.percent(trivial.joint), MUTED), Text(f"of {trivial.recordings}", MUTED)
        )
    console.print(table, width=_width(console))


def _harmed(harmless: Share) -> Text:
    if not harmless.of:
        return Text(words.NONE)
    bad = harmless.of - harmless.right
    return Text(str(bad) if bad else "none", BAD if bad else GOOD)


def _harm(console: Console, report: Report) -> None:
    harmed = [(result, score) for result in report.results if (score := result.score) and score.harm]
    if not harmed:
        return
    _rule(console, f"harm in {_plural(len(harmed), 'run')}", f"{STRONG} {BAD}")
    for result, score in harmed[:LISTED]:
        for kind in ("proposed", "executed", "unapproved"):
            for text in getattr(score, kind):
                _row(console, "✗", f"{_named(result, report)}: {kind} {visible(text)}", BAD)
    _more(console, len(harmed))


def _parts(console: Console, models: Sequence[ModelFigures]) -> None:
    _rule(console, "parts")
    table = _table("", *(visible(m.model) for m in models))
    for field, label in words.PARTS:
        table.add_row(Text(label), *(_share(getattr(m.parts, field)) for m in models))
    table.add_row(Text("abstained right / wrong"), *(Text(_abstained(m)) for m in models))
    if any(m.passes.k > 1 for m in models):
        for label, pick in _passes(models):
            figures = [pick(m) for m in models]
            table.add_row(Text(label), *(_share(figure) for figure in figures))
    console.print(table, width=_width(console))


def _passes(models: Sequence[ModelFigures]) -> Iterator[tuple[str, Callable[[ModelFigures], Mean]]]:
    k = max(m.passes.k for m in models)
    yield "pass@1", lambda m: m.passes.one
    yield f"pass@{k}, one of {k} passes", lambda m: m.passes.any
    yield f"pass^{k}, all {k} pass", lambda m: m.passes.every


def _share(figure: Share | Mean) -> Text:
    if figure.value is None:
        return Text(words.NONE)
    return Text.assemble(f"{words.percent(figure.value):>6}  ", (words.span(figure), MUTED))


def _abstained(model: ModelFigures) -> str:
    return f"{model.parts.abstained_right} / {model.parts.abstained_wrong}"


def _costs(console: Console, models: Sequence[ModelFigures]) -> None:
    _rule(console, "cost of a run: median, nine of ten within, all")
    table = _table("", *(visible(m.model) for m in models))
    for rows in zip(*(words.cost_rows(m) for m in models), strict=True):
        cells = (Text(words.NONE) if row[1] == words.NONE else Text(", ".join(row[1:])) for row in rows)
        table.add_row(Text(rows[0][0]), *cells)
    console.print(table, width=_width(console))


def _families(console: Console, models: Sequence[ModelFigures]) -> None:
    found = [{s.name: s.parts.joint for s in m.slices if s.by == "family"} for m in models]
    _rule(console, "joint by family of fault")
    table = _table("", *(visible(m.model) for m in models))
    for name in sorted({name for one in found for name in one}):
        shares = [one.get(name, Share()) for one in found]
        cells = (
            Text(f"{words.counted(s)}, {words.percent(s.share)}" if s.of else words.NONE) for s in shares
        )
        table.add_row(Text(visible(name)), *cells)
    console.print(table, width=_width(console))


def _failed(console: Console, report: Report) -> None:
    failed = [r for r in report.results if outcome(r) in {"failed", "abstained", "misbehaved", "harm"}]
    if not failed:
        return
    _rule(console, f"failed: {_plural(len(failed), 'run')}")
    for result in failed[:LISTED]:
        _row(console, "✗", f"{_named(result, report)}: {why(result)}", _STYLE.get(outcome(result), ""))
    _more(console, len(failed))


def _unmade(console: Console, report: Report, figures: Figures) -> None:
    for state, label in (("not run", "not run, in no share"), ("broken", "broken by us, in no share")):
        reasons: dict[str, list[str]] = defaultdict(list)
        for result in report.results:
            if outcome(result) == state:
                reasons[why(result)].append(_named(result, report))
        if reasons:
            _rule(console, f"{label}: {_plural(sum(map(len, reasons.values())), 'run')}", WARN)
        for reason, names in reasons.items():
            rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
            _row(console, "-", f"{reason}: {', '.join(names[:3])}{rest}", _STYLE[state])
    if figures.unstarted:
        _line(console, (f"  {_plural(figures.unstarted, 'run')} planned and not begun", WARN))


def _opinions(console: Console, report: Report) -> None:
    told = words.opinions(report.judged)
    if told:
        _rule(console, "root causes in a model's opinion, part of no score")
    for line in told[: LISTED + 1]:
        _row(console, " ", visible(line))
    _more(console, len(told) - 1)


def _comparison(console: Console, comparison: Comparison) -> None:
    _rule(console, f"{visible(comparison.after)} against {visible(comparison.before)}")
    style = {"better": GOOD, "worse": BAD}.get(comparison.verdict, "")
    _row(console, " ", words.verdict(comparison), f"{STRONG} {style}".strip())
    _row(console, " ", words.moved(comparison))
    if comparison.pairs:
        costs = f"time {words.ratio(comparison.seconds)}, tokens {words.ratio(comparison.tokens)}, medians"
        _row(console, " ", costs)
    for field, label in words.CHANGES:
        names = getattr(comparison, field)
        if names:
            rest = f" and {len(names) - 8} more" if len(names) > 8 else ""
            told = ", ".join(map(visible, names[:8]))
            _row(console, " ", f"{label} ({len(names)}): {told}{rest}", _CHANGED[field])


def _named(result: CaseResult, report: Report) -> str:
    model = f" [{result.model}]" if len(report.models) > 1 else ""
    return visible(run_name(result) + model)


def _table(first: str, *names: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_edge=False, header_style=MUTED)
    table.add_column(Text(first), overflow="fold")
    for name in names:
        table.add_column(Text(name), overflow="fold")
    return table


def _width(console: Console) -> int:
    return min(console.width, READABLE)


def _rule(console: Console, title: str, style: str = MUTED) -> None:
    console.print()
    head = Text(f"── {title} ")
    head.append("─" * max(_width(console) - head.cell_len, 2))
    head.stylize(style)
    console.print(head, soft_wrap=True)


def _line(console: Console, *parts: tuple[str, str] | Text) -> None:
    console.print(Text.assemble(*parts), soft_wrap=True)


def _row(console: Console, mark: str, text: str, style: str = "") -> None:
    """A paragraph beside its mark, wrapped at the width."""
    head = f"  {mark} "
    for line in Text(text, style).wrap(console, max(_width(console) - len(head), 20)):
        line.rstrip()
        _line(console, (head, style), line)
        head = " " * len(head)


def _more(console: Console, number: int) -> None:
    if number > LISTED:
        _line(console, (f"    and {number - LISTED} more", MUTED))


def _plural(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
