"""The same incident under other names, at another time."""

import random
from functools import cache
from typing import Any

from opssquad.evals.perturb.clock import Moved
from opssquad.evals.perturb.material import Material, mapped, rewritten
from opssquad.evals.perturb.names import Drawn, renamer, words
from opssquad.evals.perturb.network import reissue

WEEKS = (5, 60)
"""A recording moves by so many weeks at least and at most, to either side."""


def shifted(material: Material, rng: random.Random) -> Material:
    """The material under new names and moved by whole weeks; the id says nothing of the old one."""
    moved = Moved(rng.choice((-1, 1)) * rng.randint(*WEEKS), material.clock)
    rename = renamer(material, rng, moved)

    # Labels, names and times come again and again.
    @cache
    def text(old: str) -> str:
        return moved(rename(old))

    def all_of(value: Any) -> Any:
        return rewritten(value, text)

    new = Material(
        all_of(material.incident),
        all_of(material.truth),
        all_of(material.world),
        all_of(material.objects),
        {text(path): text(lines) for path, lines in material.logs.items()},
        {name: all_of(document) for name, document in material.notes.items()},
        # The columns of a look have the same names everywhere.
        mapped(material.rows, text),
        mapped(material.plans, text),
        mapped(material.network, text),
        mapped(material.probes, text),
        {text(path): chain for path, chain in material.chains.items()},
    )
    reissue(new, material, rename, moved.span)
    new.incident["id"] = f"{Drawn(new, words(), rng).word()}-{new.clock:%m%d}"
    return new
