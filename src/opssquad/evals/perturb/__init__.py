"""Recordings perturbed: the same incident under other names at another time, or among unrelated material.

An answer that depends on a name is no diagnosis. `shift` renames what an organisation names and moves the
clock; `noise` adds healthy workloads, events and log lines. What is wrong stays wrong, and `truth.yaml` is
kept true. Nothing here judges an answer.
"""

import random
from pathlib import Path

from opssquad.evals.perturb.material import read, write
from opssquad.evals.perturb.noise import noised
from opssquad.evals.perturb.shift import shifted

__all__ = ["perturbed"]


def perturbed(folder: Path, out: Path, *, shift: int | None, noise: int | None) -> Path:
    """A recording written anew below `out`, perturbed by these seeds; None leaves that part as it is.

    Returns the new recording's folder, named by its new id; what stands there already is overwritten. The
    same recording and seeds give the same bytes. Raises BadFile when `folder` holds no sound recording.
    """
    material = read(folder)
    name = str(material.incident["id"])
    if shift is not None:
        material = shifted(material, random.Random(f"{name} shift {shift}"))
    if noise is not None:
        material = noised(material, random.Random(f"{name} noise {noise}"))
    seeds = [f"{kind}{seed}" for kind, seed in (("s", shift), ("n", noise)) if seed is not None]
    material.incident["id"] = "-".join([str(material.incident["id"]), *seeds])
    return write(material, out)
