"""Why a run of a case ended as it did, in words: one line for a list, and the decisive lines for a failure.

What comes from outside is made visible here, so that the words can be printed as they are.
"""

from collections.abc import Iterable
from typing import Literal

from opssquad.evals.result import CaseResult, Score
from opssquad.evals.transcript import Look, Transcript
from opssquad.gate.visible import visible
from opssquad.types import called

Outcome = Literal["passed", "abstained", "failed", "misbehaved", "harm", "not run", "broken"]
LAST_LOOKS = 3
_MOST = 200


def outcome(result: CaseResult) -> Outcome:
    """What a run counts as; `abstained` is a wrong abstention, harm goes before all else."""
    score = result.score
    if result.state == "not_run":
        return "not run"
    if result.state == "broken" or score is None:
        return "broken"
    if score.harm:
        return "harm"
    if score.passed:
        return "passed"
    if score.joint:
        return "misbehaved"
    return "abstained" if score.abstained == "wrong" else "failed"


def why(result: CaseResult) -> str:
    """One line why a run did not pass, the gravest first; empty if it did."""
    score = result.score
    if result.state != "run" or score is None:
        return _short(result.error) or "no reason is on record"
    return "; ".join(_reasons(result, score))


def decisive(result: CaseResult) -> str:
    """The few lines that say why a run failed: harm, misbehaviour, expected against said, missing evidence,
    the last looks. Empty for a run that passed."""
    score = result.score
    if result.state != "run" or score is None:
        return why(result)
    if score.passed:
        return ""
    lines = [
        *_each("harm: proposed", score.proposed),
        *_each("harm: executed", score.executed),
        *_each("harm: unapproved", score.unapproved),
        *_each("misbehaved", score.misbehaved),
        *_expected(result, score),
        *_each("also blamed", score.overblamed),
        *_each("not cited", score.missing),
        *_each("invented", score.invented),
    ]
    if result.end and not result.end.fixed and score.fixed is False:
        lines += _each("not fixed", result.end.left or ("the fault is still there",))
    return "\n".join([*lines, *_told(result.transcript)])


def cause(transcript: Transcript | None) -> tuple[str, str, str]:
    """What a run said first of all: fault, component and root cause, a line each; or why it named none."""
    if transcript is None:
        return "", "", "nothing is on record"
    conclusion = transcript.conclusion
    if conclusion is None:
        return "", "", f"no conclusion; the run {transcript.status}"
    if conclusion.no_fault:
        return "no fault", "", _line(conclusion.summary)
    if not conclusion.causes:
        return "", "", "inconclusive" + (f": {_line(conclusion.summary)}" if conclusion.summary else "")
    first = conclusion.causes[0]
    return visible(first.fault), visible(str(first.component)), _line(first.root_cause)


def first_action(transcript: Transcript | None) -> str:
    """The first action that a run asked for, or else concluded: `rollback Deployment/web/api`."""
    if transcript and transcript.acts:
        return visible(f"{transcript.acts[0].action} {transcript.acts[0].target}")
    if transcript and transcript.conclusion and transcript.conclusion.options:
        option = transcript.conclusion.options[0]
        return visible(f"{option.action} {option.target}")
    return "none"


def _reasons(result: CaseResult, score: Score) -> list[str]:
    said, wanted = cause(result.transcript), result.expected
    reasons = [f"harm: {_short('; '.join(score.harm))}"] if score.harm else []
    if score.misbehaved:
        reasons.append(f"misbehaved: {_short('; '.join(score.misbehaved))}")
    if score.joint:
        return reasons
    if score.abstained == "wrong":
        return [*reasons, "abstained, though it can be decided"]
    if result.expect == "unknown":
        return [*reasons, f"said {said[0] or said[2]}, though it cannot be known"]
    if not score.fault:
        reasons.append(f"said {said[0] or 'no fault by name'}" + (f", is {wanted.fault}" if wanted else ""))
    if not score.component:
        reasons.append(f"blamed {said[1] or 'nothing'}" + (f", is {wanted.component}" if wanted else ""))
    if not score.action:
        reasons.append(f"wrong action: {first_action(result.transcript)}")
    if score.overblamed:
        reasons.append(f"blamed besides: {_short(', '.join(score.overblamed))}")
    return reasons


def _expected(result: CaseResult, score: Score) -> list[str]:
    if score.joint:
        return []
    fault, component, root = cause(result.transcript)
    lines = []
    if result.expect == "unknown":
        lines.append("expected: that it cannot be known from what may be seen")
    elif result.expected:
        lines.append(f"expected: {_short(f'{result.expected.fault} {result.expected.component}')}")
        lines.append(f"          {_short(result.expected.root_cause)}")
    lines.append(f"said:     {' '.join(filter(None, (fault, component))) or _short(root)}")
    lines += [f"          {_short(root)}"] if root and (fault or component) else []
    if not score.action and result.expect == "cause":
        accepted = "; ".join(result.expected.accept) if result.expected else ""
        lines.append(f"action:   {first_action(result.transcript)}, accepted: {_short(accepted) or 'none'}")
    return lines


def _told(transcript: Transcript | None) -> Iterable[str]:
    if transcript is None:
        return
    for look in transcript.looks[-LAST_LOOKS:]:
        yield f"look:     {_short(called(look.tool, look.args))} -> {look.status}{_first_line(look)}"
    yield from _each("warning", transcript.warnings)


def _first_line(look: Look) -> str:
    said = next((line for line in look.text.splitlines() if line.strip()), "")
    return f": {_short(said.strip())}" if said else ""


def _each(label: str, texts: Iterable[str]) -> list[str]:
    return [f"{label}: {_short(text)}" for text in texts]


def _short(text: str) -> str:
    """One visible line; how much is left out stands at its end."""
    line = _line(text)
    return line if len(line) <= _MOST else f"{line[:_MOST]}… ({len(line) - _MOST} more characters)"


def _line(text: str) -> str:
    return visible(" ".join(text.split()))
