"""Where probes of the network may go, by the layers of policy. Pure.

Closed by default, as for calls: what no rule of the bundled layer matches is refused, the strictest layer has
its way, and only the organisation's own file may say that its word stands instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from opssquad.gate.rules.fits import Fit
from opssquad.gate.rules.reading import Layer, PlacedDestination
from opssquad.types import Verdict

SILENT = Verdict(outcome="refuse", rule="no rule matches", reason="no rule lets it be probed")


@dataclass(frozen=True)
class Ruled:
    """A rule that counts for a destination; `fit` is MAYBE or YES."""

    placed: PlacedDestination
    fit: Fit

    @property
    def verdict(self) -> Verdict:
        """What it says."""
        rule = self.placed.rule
        reason = rule.says() if rule.verdict == "refuse" else rule.reason
        return Verdict(outcome=rule.verdict, rule=rule.name, reason=reason)


def weigh(
    layers: Sequence[Layer], host: str, address: str, port: int
) -> list[tuple[Layer, tuple[Ruled, ...]]]:
    """What each layer says of a destination; an empty address is not known yet, port 0 is none."""
    return [(layer, _of_layer(layer, host, address, port)) for layer in layers]


def _of_layer(layer: Layer, host: str, address: str, port: int) -> tuple[Ruled, ...]:
    """The first rule that surely fits, and before it those that may and refuse."""
    said: list[Ruled] = []
    for placed in layer.destinations:
        fit = placed.rule.fit(host, address, port)
        if fit is Fit.YES:
            return (*said, Ruled(placed, fit))
        if fit is Fit.MAYBE and placed.rule.verdict == "refuse":
            said.append(Ruled(placed, fit))
    return tuple(said)


def judge(layers: Sequence[Layer], host: str, address: str, port: int) -> Verdict:
    """The verdict on a destination. Where its address is not known, a rule that may be meant does not count:
    every address is judged again."""
    weighed = [
        (layer, [each for each in said if each.fit is Fit.YES])
        for layer, said in weigh(layers, host, address, port)
    ]
    for layer, said in weighed:
        if layer.loosens and said and said[-1].placed.own:
            return said[-1].verdict
    spoken = [each.verdict for _, said in weighed for each in said]
    refusals = [each for each in spoken if each.outcome == "refuse"]
    if refusals:
        return refusals[-1]
    return spoken[-1] if weighed and weighed[0][1] else SILENT
