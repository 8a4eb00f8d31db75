"""What policy says of a destination of probes that somebody types: nothing is resolved, nothing is probed."""

from pathlib import Path

from opssquad.errors import ToolError, UsageError
from opssquad.gate import reaching
from opssquad.gate.rules.fits import Fit
from opssquad.squad.ruled import policy_of_squad
from opssquad.types import Outcome, Value, Verdict
from opssquad.worlds.net import names


class RuledBy(Value):
    """A rule that counts: its layer, place and verdict. `sure`: it does not hang on the address."""

    layer: str
    rule: str
    place: str
    verdict: Outcome
    sure: bool


class Reached(Value):
    """The verdict on a destination and how it comes about. `address` is empty for a name, port 0 is none;
    `notes` are what else should be known."""

    verdict: Verdict
    squad: str
    host: str
    address: str
    port: int
    rules: tuple[RuledBy, ...] = ()
    notes: tuple[str, ...] = ()


def reached(asked: str, squad: str, organisation: Path | None) -> Reached:
    """What policy says of `HOST:PORT`, or of a host alone. Raises UsageError for what is none, and for a
    policy that cannot be read."""
    policy = policy_of_squad(squad, organisation)
    host, port = _split(asked)
    address = names.address(host)
    rules = tuple(
        RuledBy(
            layer=layer.origin,
            rule=each.verdict.rule,
            place=str(each.placed),
            verdict=each.verdict.outcome,
            sure=each.fit is Fit.YES,
        )
        for layer, said in reaching.weigh(policy.layers, host, address, port)
        for each in said
    )
    notes = () if address else ("each address of the name is judged when it is known",)
    verdict = policy.reach(host, address, port)
    return Reached(
        verdict=verdict, squad=squad, host=host, address=address, port=port, rules=rules, notes=notes
    )


def _split(asked: str) -> tuple[str, int]:
    host, colon, port = asked.rpartition(":")
    try:
        # The colons of an IPv6 address are its own.
        if not colon or asked.endswith("]") or names.address(asked):
            return names.host(asked), 0
        if port.isascii() and port.isdigit():
            return names.host(host), names.port(int(port))
    except ToolError as error:
        raise UsageError(str(error)) from None
    raise UsageError(f"{asked!r} is no destination; give HOST:PORT, such as cart:8080 or [::1]:443")
