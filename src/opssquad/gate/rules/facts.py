"""What a call is about, as rules see it: who, where, which object, with what, when. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from opssquad.gate.kubectl import TOOL, classify
from opssquad.gate.rules.fits import Fit, every
from opssquad.gate.rules.kinds import Kind, kind_of
from opssquad.gate.rules.kinds import fit as fit_kind
from opssquad.gate.rules.known import known
from opssquad.gate.rules.patterns import anything
from opssquad.gate.rules.patterns import fit as fit_text
from opssquad.types import Effect, Json, KubectlRead, ToolCall


@dataclass(frozen=True)
class Thing:
    """One object that a call is about; None and "" where the call does not say."""

    kind: Kind | None = None
    name: str = ""


UNKNOWN = (Thing(),)
"""Some object, and nothing is known of it."""


@dataclass(frozen=True)
class Facts:
    """What rules are held against. An empty text is not known; without `things` it is about no object."""

    squad: str
    tool: str
    effect: Effect
    cluster: str
    namespace: str
    things: tuple[Thing, ...]
    args: Json
    at: datetime

    @classmethod
    def of(cls, call: ToolCall, effect: Effect, squad: str, at: datetime) -> Self:
        """The facts of a call at that time."""
        return cls(
            squad=squad,
            tool=call.tool,
            effect=effect,
            cluster=call.target.cluster,
            namespace=call.target.namespace,
            things=things_of(call.tool, call.args),
            args=call.args,
            at=at,
        )

    def fit_things(self, kinds: Sequence[str], names: Sequence[str]) -> Fit:
        """How the objects fit patterns of kinds and names: MAYBE where some do and others do not."""
        if anything(kinds) and anything(names):
            return Fit.YES
        fits = [min(fit_kind(kinds, each.kind), fit_text(names, each.name)) for each in self.things]
        if not fits or max(fits) is Fit.NO:
            return Fit.NO
        return Fit.YES if every(fits) is Fit.YES else Fit.MAYBE


def things_of(tool: str, args: Json) -> tuple[Thing, ...]:
    """The objects that a call names, by `objects.yaml`."""
    if tool == TOOL:
        line = classify(str(args.get("line", "")))
        return _of_line(line) if isinstance(line, KubectlRead) else UNKNOWN
    found = tuple(
        Thing(_kind(tool, args, kind), name)
        for argument, kind in known().arguments.items()
        if isinstance(name := args.get(argument), str) and name
    )
    word = args.get(known().kind)
    return found or ((Thing(kind_of(word)),) if isinstance(word, str) else UNKNOWN)


def _kind(tool: str, args: Json, usual: str) -> Kind | None:
    word = args.get(known().kind)
    if word is not None:
        return kind_of(word) if isinstance(word, str) else None
    special = known().tools.get(tool)
    return kind_of(special.kind if special else usual)


def _of_line(line: KubectlRead) -> tuple[Thing, ...]:
    words = [word for word in line.words if not word.startswith("--")]
    verb = next((v for n in (2, 1) if (v := " ".join(words[:n])) in known().lines), "")
    if not verb:
        return UNKNOWN
    form, operands = known().lines[verb], words[len(verb.split()) :]
    if form.form == "none":
        return ()
    if any("/" in word for word in operands):
        return tuple(Thing(kind_of(word.partition("/")[0]), word.partition("/")[2]) for word in operands)
    if form.form == "named":
        return (Thing(kind_of(form.kind), operands[0] if operands else ""),)
    types, names = operands[0].split(",") if operands else [""], operands[1:] or [""]
    return tuple(Thing(kind_of(each), name) for each in types for name in names)
