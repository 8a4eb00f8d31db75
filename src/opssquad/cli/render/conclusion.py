"""A conclusion on screen: causes with findings and evidence marks, what is missing, numbered options."""

from collections.abc import Sequence

from opssquad.cli.render.screen import BAD, GOOD, MARK, MUTED, STRONG, WARN, Screen
from opssquad.cli.text import lines, visible
from opssquad.findings import Cause, Choice, Conclusion, Evidence, Finding, Option
from opssquad.types import Ref, called

_SURE = {"confirmed": GOOD, "likely": WARN, "possible": MUTED}


def show_conclusion(screen: Screen, conclusion: Conclusion) -> None:
    """Draw what the squad holds to be true; the options are numbered from 1."""
    title, style = _title(conclusion)
    screen.line((title, f"{STRONG} {style}"))
    # The offline model sums up in the words of the cause: once is enough.
    if conclusion.summary and conclusion.summary not in {c.root_cause for c in conclusion.causes}:
        screen.flow(conclusion.summary, indent=2)
    for cause in conclusion.causes:
        _show_cause(screen, cause)
    for missing in conclusion.missing:
        screen.flow(missing, indent=4, first="  ? missing: ")


def show_options(
    screen: Screen,
    options: Sequence[Option],
    choices: Sequence[Choice],
    start: int = 1,
    *,
    calls: bool = False,
) -> None:
    """The numbered ways on: options with their risk and time, then choices. `calls`: with the call that each
    makes, where the words are a model's and may say something else."""
    if not options and not choices:
        return
    screen.gap()
    for number, option in enumerate(options, start):
        _numbered(screen, number, option.label + _cost(option), call_of(option) if calls else "")
    for number, choice in enumerate(choices, start + len(options)):
        _numbered(screen, number, choice.label, call_of(choice) if calls else "")


def call_of(choice: Option | Choice) -> str:
    """The call that a choice makes, `rollback(deployment="api")`; empty for one that only says something."""
    return called(choice.tool, choice.args) if choice.tool else ""


def _cost(option: Option) -> str:
    """What a change risks and takes; to tell somebody changes nothing."""
    match option.action:
        case "none":
            return ""
        case "escalate":
            return f" (about {option.minutes} min)"
        case _:
            back = "reversible" if option.reversible else "cannot be taken back"
            return f" ({option.risk} risk, about {option.minutes} min, {back})"


def _numbered(screen: Screen, number: int, text: str, call: str) -> None:
    # One line of ours, whatever the words hold: a line end in them begins no choice of its own.
    screen.flow(" ".join(text.split()), indent=5, first=f"{number:>3}. ")
    if call:
        screen.flow(call, indent=8, first="     → ", style=MUTED)


def _title(conclusion: Conclusion) -> tuple[str, str]:
    if conclusion.status == "inconclusive":
        return "Inconclusive", WARN
    if conclusion.no_fault:
        return "No fault found", GOOD
    count = len(conclusion.causes)
    return ("Conclusion" if count == 1 else f"Conclusion: {count} independent causes, by impact"), BAD


def _show_cause(screen: Screen, cause: Cause) -> None:
    # The fault's id is for scripts (`ask --json`): nobody can look it up at a prompt.
    said = f"{named(cause.component)} ({cause.confidence}): {cause.root_cause}"
    screen.flow(said, indent=2, first="  ")
    for finding in cause.findings:
        _show_finding(screen, finding)
    for each in cause.inadmissible:
        screen.flow(str(each), indent=9, first="    not: ", style=WARN)
    for id in cause.runbooks:
        screen.line((f"    runbook: opssquad runbook show {visible(id)}", MARK))


def _show_finding(screen: Screen, finding: Finding) -> None:
    marks = _marks(finding.evidence)
    against = f"; against: {_marks(finding.against)}" if finding.against else ""
    said = f"{finding.claim} ({finding.confidence}) {marks}{against}"
    screen.flow(said, indent=4, first="  • ", style=_SURE[finding.confidence])


def named(ref: Ref) -> str:
    """`Deployment shop/cart`, as people say it."""
    return f"{ref.kind} {ref.namespace}/{ref.name}" if ref.namespace else f"{ref.kind} {ref.name}"


def _marks(evidence: Sequence[Evidence]) -> str:
    return f"[{' '.join(e.id for e in evidence)}]" if evidence else ""


CONTEXT = 4
"""Lines shown before and after a piece of evidence, where it stands in a longer text."""


def show_evidence(screen: Screen, evidence: Evidence, source: str = "") -> None:
    """One piece of evidence: where it stands, its exact text, and with `source` the lines around it."""
    screen.flow(evidence.locator, indent=6, first=f"  {visible(evidence.id):<3} ", style=MARK)
    screen.line((f"      from call {visible(evidence.call)}", MUTED))
    before, after = _around(evidence.text, source)
    screen.block(before, indent=6, style=MUTED)
    for line in lines(evidence.text):
        screen.flow(line, indent=6, first="    > ")
    screen.block(after, indent=6, style=MUTED)


def _around(text: str, source: str) -> tuple[list[str], list[str]]:
    """The lines before and after a text in its source; none where the source is a single line."""
    start = source.find(text)
    if start < 0 or "\n" not in source.strip():
        return [], []
    before = lines(source[:start])[:-1]
    after = lines(source[start + len(text) :])[1:]
    return before[-CONTEXT:], after[:CONTEXT]
