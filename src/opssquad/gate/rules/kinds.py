"""What a kind is called: `deploy`, `deployments.apps` and `Deployment` are one. Pure.

A kind that is not built in keeps its own word: whether another word means it too is not known.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from opssquad.gate.rules.fits import Fit, either
from opssquad.gate.rules.known import known
from opssquad.gate.rules.patterns import anything, matches

VERSION = re.compile(r"v\d+((alpha|beta)\d+)?")


@dataclass(frozen=True)
class Kind:
    """One kind in lower case. `built_in`: one of Kubernetes' own; `sure`: and no other group is named."""

    name: str
    built_in: bool = False
    sure: bool = True


def kind_of(word: str) -> Kind | None:
    """The kind that an engineer or a model calls so; None for a word that means several."""
    text = word.strip().lower()
    group, _, name = text.rpartition("/") if "/" in text else text.partition(".")[::-1]
    if not name or name in known().categories:
        return None
    found = known().called.get(name)
    if found is None:
        return Kind(name)
    return Kind(found.kind.lower(), built_in=True, sure=not group or _bare(group) in found.groups)


def _bare(group: str) -> str:
    """A group without its version: `v1.apps` and `apps/v1` are `apps`."""
    parts = re.split(r"[./]", group)
    return ".".join(part for part in parts if part and not VERSION.fullmatch(part))


def spelled(pattern: str) -> str:
    """A rule's pattern of kinds in the spelling that kinds are compared in."""
    wild = "*" in pattern or "?" in pattern
    kind = None if wild else kind_of(pattern)
    return kind.name if kind else pattern.lower()


def fit(patterns: Sequence[str], kind: Kind | None) -> Fit:
    """How a kind fits any of the patterns; None is one that is not known."""
    if anything(patterns):
        return Fit.YES
    if kind is None:
        return Fit.MAYBE
    return either(_fit(spelled(pattern), kind) for pattern in patterns)


def _fit(pattern: str, kind: Kind) -> Fit:
    if matches(pattern, kind.name):
        return Fit.YES if kind.sure else Fit.MAYBE
    if kind.built_in and kind.sure:
        return Fit.NO
    named = known().called.get(pattern)
    # A kind of its own may be called in many ways, but none of them is the name of a built-in one.
    return Fit.NO if named else Fit.MAYBE
