"""`--fail-under NAME=SHARE`: read, and checked against the figures of a report. Pure."""

import difflib
from collections.abc import Callable, Iterable

from opssquad.errors import UsageError
from opssquad.evals.averages import Mean, Share
from opssquad.evals.figures import Figures, ModelFigures
from opssquad.types import Value

NAMES: dict[str, Callable[[ModelFigures], Share | Mean]] = {
    "passed": lambda f: f.parts.passed,
    "joint": lambda f: f.parts.joint,
    "component": lambda f: f.parts.component,
    "fault": lambda f: f.parts.fault,
    "action": lambda f: f.parts.action,
    "unblamed": lambda f: f.parts.unblamed,
    "evidence": lambda f: f.parts.evidence,
    "closure": lambda f: f.parts.closure,
    "cited": lambda f: f.parts.cited,
    "harmless": lambda f: f.parts.harmless,
    "behaved": lambda f: f.parts.behaved,
    "fixed": lambda f: f.parts.fixed,
    "pass@1": lambda f: f.passes.one,
    "pass@k": lambda f: f.passes.any,
    "pass^k": lambda f: f.passes.every,
}


class Threshold(Value):
    """The least share, 0 to 1, that a figure may have."""

    name: str
    least: float


def thresholds(texts: Iterable[str]) -> tuple[Threshold, ...]:
    """Read `joint=0.9`. Raises UsageError for an unknown name, and for what is no share."""
    return tuple(_read(text) for text in texts)


def failing_under(figures: Figures, texts: Iterable[str]) -> tuple[str, ...]:
    """What is under its threshold, a line each; every model is held to every threshold. A figure that nothing
    was run for is under any. Raises UsageError as `thresholds` does."""
    found = []
    for threshold in thresholds(texts):
        for model in figures.models:
            figure = NAMES[threshold.name](model)
            # A third of three tenths is not under 0.1 because a float says so.
            if figure.value is None or figure.value < threshold.least - 1e-9:
                found.append(_said(model.model, threshold, figure))
    return tuple(found)


def _said(model: str, threshold: Threshold, figure: Share | Mean) -> str:
    wanted = f"{model}: {threshold.name} must be at least {threshold.least:g}"
    if figure.value is None:
        return f"{wanted}, and no run tells it"
    return f"{wanted} and is {figure.value:.3f} ({figure.counted})"


def _read(text: str) -> Threshold:
    name, equals, said = text.partition("=")
    name = name.strip()
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(NAMES)}"
        raise UsageError(f"--fail-under {text!r}: no figure {name!r}; {hint}")
    try:
        least = float(said)
    except ValueError:
        least = -1.0
    if not equals or not 0 <= least <= 1:
        raise UsageError(f"--fail-under {text!r}: write a share from 0 to 1, as {name}=0.9 for 90 %")
    return Threshold(name=name, least=least)
