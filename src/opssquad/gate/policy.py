"""What a squad may do: layers of rules, and the verdict on a call. Pure once loaded.

Closed by default: what cannot be read, is not known or is not matched is never allowed. A layer can only
tighten what the others say; only the organisation's own file may say that its word stands instead.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Self, get_args

from opssquad.documents import BadFile
from opssquad.gate import reaching
from opssquad.gate.rules.facts import Facts
from opssquad.gate.rules.fits import Fit
from opssquad.gate.rules.reading import Layer, Origin, Said
from opssquad.types import Effect, Needs, Outcome, ToolCall, Verdict, person

STRICTNESS: dict[Outcome, int] = {"allow": 0, "ask": 1, "refuse": 2}
SILENT = Verdict(outcome="ask", rule="no rule matches", reason="what no rule names is asked about")


class Policy:
    """The layers in force for one squad. `problem` says why nothing is allowed; empty when all is well.

    `fingerprint` is a sha256 over everything that was read, whichever folder it lay in; empty for a policy
    that cannot be read.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        squad: str = "",
        problem: str = "",
        below: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.layers = tuple(layers)
        self.squad = squad
        self._below = dict(below or {})
        self.problem = problem
        self.fingerprint = "" if problem else _fingerprint(self.layers)

    @classmethod
    def load(cls, *paths: Path, squad: str = "") -> Self:
        """The policy of these files, a layer each, none of which may loosen. If one of them cannot be read,
        everything is refused and says why."""
        return cls.read([("bundled", path) for path in paths], squad)

    @classmethod
    def read(
        cls,
        files: Iterable[tuple[Origin, Path]],
        squad: str = "",
        below: Mapping[str, Sequence[str]] | None = None,
    ) -> Self:
        """The same for files of the bundled layer, the organisation's and the squad's. `below` are the squads
        that one stands on, by its name."""
        try:
            return cls([Layer.read(path, origin) for origin, path in files], squad, below=below)
        except BadFile as error:
            return cls([], squad, problem=f"policy {error}")

    def roles(self, someone: str) -> tuple[str, ...]:
        """The roles that policy gives a person, in the order of the alphabet."""
        name = person(someone)
        held = {role for each in self.layers for role, people in each.roles.items() if name in people}
        return tuple(sorted(held))

    def names(self, squad: str = "") -> tuple[str, ...]:
        """The names under which rules are about a squad's calls: its own, and of those that it stands on."""
        name = squad or self.squad
        return (name, *self._below.get(name, ()))

    def judge(self, call: ToolCall, effect: Effect | None, at: datetime, squad: str = "") -> Verdict:
        """The verdict on a call at that time; `effect` is None for a tool that is not known. `squad` is whose
        call it is, where that is another than the policy's; what those may not that it stands on, it may not.

        A mutation is never allowed without being asked about, whatever any layer says.
        """
        if self.problem:
            return Verdict(outcome="refuse", rule="unreadable policy", reason=self.problem)
        if effect is None:
            return Verdict(outcome="refuse", rule="unknown tool", reason=f"no tool {call.tool!r} is known")
        if effect not in get_args(Effect):
            said = f"{call.tool!r} says of itself that it would {effect!r}; a tool reads or mutates"
            return Verdict(outcome="refuse", rule="unknown effect", reason=said)
        each = [self._of_layers(self.weigh(call, effect, at, name)) for name in self.names(squad)]
        verdict = together(each)
        if effect != "read" and verdict.outcome == "allow":
            return Verdict(outcome="ask", rule=verdict.rule, reason="a mutation is always asked about")
        return verdict

    def weigh(
        self, call: ToolCall, effect: Effect, at: datetime, squad: str = ""
    ) -> list[tuple[Layer, tuple[Said, ...]]]:
        """What each layer says of a call, the rules that count in their order."""
        facts = Facts.of(call, effect, squad or self.squad, at)
        return [(layer, layer.weigh(facts)) for layer in self.layers]

    def reach(self, host: str, address: str, port: int) -> Verdict:
        """Whether a destination may be probed; port 0 is none, an empty address is not known yet."""
        if self.problem:
            return Verdict(outcome="refuse", rule="unreadable policy", reason=self.problem)
        return reaching.judge(self.layers, host, address, port)

    def refuses(self, host: str, address: str, port: int) -> str:
        """Why a destination may not be probed; empty where it may."""
        verdict = self.reach(host, address, port)
        return "" if verdict.outcome == "allow" else f"policy: {verdict.reason}"

    def _of_layers(self, weighed: Sequence[tuple[Layer, tuple[Said, ...]]]) -> Verdict:
        for layer, said in weighed:
            if stands_alone(layer, said):
                return together([each.verdict for each in said])
        spoken = [each.verdict for _, said in weighed for each in said]
        # The first layer's silence counts as asking: no later layer may make less of it.
        silent = not weighed or not weighed[0][1]
        return together([SILENT, *spoken] if silent else spoken)


def stands_alone(layer: Layer, said: Sequence[Said]) -> bool:
    """Whether a layer's word stands in place of the others': one of its own rules surely fits."""
    return layer.loosens and bool(said) and said[-1].fit is Fit.YES and said[-1].placed.own


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """The strictest of them, of equal ones the last. Of several that ask, all that they need is needed: the
    most approvers, a role that all of them name (without one nobody can approve, so that it is refused), and
    not the requester if one says so."""
    strictest = max(verdicts, key=lambda each: STRICTNESS[each.outcome]).outcome
    alike = [each for each in verdicts if each.outcome == strictest]
    if strictest != "ask":
        return alike[-1]
    demands = [each for each in alike if each.needs.roles]
    roles = [role for role in demands[0].needs.roles if _in_all(role, demands)] if demands else []
    if demands and not roles:
        said = " and ".join(f"{each.rule} wants {' or '.join(each.needs.roles)}" for each in demands)
        return Verdict(
            outcome="refuse",
            rule=" + ".join(dict.fromkeys(each.rule for each in demands)),
            reason=f"nobody's yes would do: {said}, and no role is in all of them",
        )
    needs = Needs(
        approvers=max(each.needs.approvers for each in alike),
        roles=tuple(roles),
        requester_may_approve=all(each.needs.requester_may_approve for each in alike),
    )
    if whole := [each for each in alike if each.needs == needs]:
        return whole[-1]
    parts = [each for each in alike if each.needs != Needs()]
    return Verdict(
        outcome="ask",
        rule=" + ".join(dict.fromkeys(each.rule for each in parts)),
        reason="; ".join(dict.fromkeys(each.reason for each in parts if each.reason)),
        needs=needs,
    )


def _in_all(role: str, demands: Sequence[Verdict]) -> bool:
    return all(role in each.needs.roles for each in demands)


def _fingerprint(layers: Sequence[Layer]) -> str:
    read = [f"{layer.origin} {digest}" for layer in layers for _, digest in layer.files]
    return hashlib.sha256("\n".join(read).encode()).hexdigest()
