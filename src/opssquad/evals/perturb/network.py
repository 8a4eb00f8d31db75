"""What a recorded network names, and its certificates, which are made anew."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from opssquad.evals.perturb.material import Material
from opssquad.types import Json
from opssquad.worlds.net.recorded import ZONES

ORIGIN = re.compile(r"^\$ORIGIN\s+(\S+)\.\s*$", re.MULTILINE)
OWNER = re.compile(r"^([a-z][a-z0-9-]{2,})\s+\d+\s+IN\s", re.MULTILINE)
BY_NAME = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*")
REVERSE = (".arpa", ".local", ".svc")
"""Zones that nobody owns."""


def hosts(material: Material) -> Iterator[str]:
    """The names of zones, and of hosts that something is told of."""
    for path, text in material.logs.items():
        if path.startswith(ZONES):
            yield from (each for each in ORIGIN.findall(text) if not each.endswith(REVERSE))
    for told in _told(material.network):
        for host in told.get("hosts") or ():
            if BY_NAME.fullmatch(bare := host.rstrip(".")) and not bare.endswith(REVERSE):
                yield bare


def named(material: Material) -> Iterator[str]:
    """The names within zones, what the network is called, and its nodes."""
    for path, text in material.logs.items():
        if path.startswith(ZONES):
            yield from OWNER.findall(text)
    if network := material.incident.get("network"):
        yield network["name"]


def _told(network: Json) -> Iterator[Json]:
    for side in (network, *(network.get("heals") or ())):
        for key in ("listeners", "hops"):
            yield from side.get(key) or ()


def reissue(new: Material, old: Material, change: Callable[[str], str], span: timedelta) -> None:
    """Put certificates into a material that was rewritten, which have what the old ones had under the new
    names and at the new dates."""
    recorded = [each["pem"] for line in old.probes for each in _certificates(line) if each.get("pem")]
    if not old.chains and not recorded:
        return
    # Late: certificates take a while to import, and few recordings have any.
    from opssquad.worlds.net.reissue import Reissuer

    made = Reissuer([*old.chains.values(), *recorded], change, span, str(old.incident["id"]))
    new.chains = {path: made.pem(old.chains[was]) for path, was in zip(new.chains, old.chains, strict=True)}
    for line, was in zip(new.probes, old.probes, strict=True):
        for each, before in zip(_certificates(line), _certificates(was), strict=True):
            each |= made.told(before)


def _certificates(line: Json) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = line["answer"].get("chain") or []
    return found
