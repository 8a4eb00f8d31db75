"""The runs of a report as the page tells them: their looks with what is cited in them, cut to fit."""

from collections.abc import Iterator, Sequence

from opssquad.evals.comparing import run_name
from opssquad.evals.report.marking import CONTEXT, Piece, pieces
from opssquad.evals.report.why import Outcome, outcome, why
from opssquad.evals.result import CaseResult, Report
from opssquad.evals.transcript import Look, Transcript
from opssquad.findings import Evidence, Quote
from opssquad.types import Value, called

TEXT = 2_400_000
"""Bytes of a page for what looks told, over all runs."""
LEAST, MOST = 300, 20_000
NEAR = 20
"""Characters that a quote keeps around it at least."""


class Excerpt(Value):
    """What is cited of something that was read and is not in the text of the look; no pieces: not found."""

    locator: str
    pieces: tuple[Piece, ...] = ()


class LookTold(Value):
    """A look: its text, with the quotes that stand in it, and excerpts for the others."""

    look: Look
    called: str
    pieces: tuple[Piece, ...]
    cited: int
    excerpts: tuple[Excerpt, ...]


class RunTold(Value):
    """A run: `id` is its place on the page, `model` the place of its model. `astray` is cited from calls that
    are not on record."""

    id: str
    result: CaseResult
    name: str
    outcome: Outcome
    why: str
    model: int
    looks: tuple[LookTold, ...] = ()
    astray: tuple[Evidence, ...] = ()


def told(report: Report) -> list[RunTold]:
    """The runs, in the report's order."""
    models = list(dict.fromkeys([*report.models, *(r.model for r in report.results)]))
    room = TEXT // max(len(report.results), 1)
    return [_run(number, result, models, room) for number, result in enumerate(report.results, 1)]


def cited(transcript: Transcript) -> list[Evidence]:
    """The evidence of a conclusion, for and against, each once."""
    causes = transcript.conclusion.causes if transcript.conclusion else ()
    findings = (finding for cause in causes for finding in cause.findings)
    found = (evidence for f in findings for evidence in (*f.evidence, *f.against))
    return list({(e.call, e.locator, e.text): e for e in found}.values())


def _run(number: int, result: CaseResult, models: Sequence[str], room: int) -> RunTold:
    transcript = result.transcript
    evidence = cited(transcript) if transcript else []
    looks = transcript.looks if transcript else ()
    calls = {look.call for look in looks}
    each = min(max(room // max(len(looks), 1), LEAST), MOST)
    # Half of the room is for what stands around quotes; a character is up to three bytes in most of them.
    context = min(max(room // (12 * max(len(evidence), 1)), NEAR), CONTEXT)
    return RunTold(
        id=f"run-{number}",
        result=result,
        name=run_name(result),
        outcome=outcome(result),
        why=why(result),
        model=models.index(result.model),
        looks=tuple(
            _look(look, [e for e in evidence if e.call == look.call], each, context) for look in looks
        ),
        astray=tuple(e for e in evidence if e.call not in calls),
    )


def _look(look: Look, evidence: Sequence[Evidence], room: int, context: int) -> LookTold:
    return LookTold(
        look=look,
        called=called(look.tool, look.args),
        pieces=tuple(pieces(look.text, [e.text for e in evidence], room, context)),
        cited=len(evidence),
        excerpts=tuple(_excerpts(look, evidence, context)),
    )


def _excerpts(look: Look, evidence: Sequence[Evidence], context: int) -> Iterator[Excerpt]:
    """One for each source that is quoted, with all quotes of it."""
    quoted: dict[Quote, list[str]] = {}
    for each in evidence:
        if each.text in look.text:
            continue
        source = _source(look.sources, each)
        if source is None:
            yield Excerpt(locator=each.locator)
        else:
            quoted.setdefault(source, []).append(each.text)
    for source, quotes in quoted.items():
        yield Excerpt(locator=source.locator, pieces=tuple(pieces(source.text, quotes, 0, context)))


def _source(sources: Sequence[Quote], evidence: Evidence) -> Quote | None:
    """Where a quote stands: the place that it names if it is there, else any that was read."""
    holding = [source for source in sources if evidence.text in source.text]
    return next((s for s in holding if s.locator == evidence.locator), holding[0] if holding else None)
