"""What `opssquad eval run` is asked for, and what cannot be meant: said before anything is played."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from opssquad.evals.keeping import Plan
    from opssquad.settings import Settings

SCRIPT = "scripted:"
OF_A_RUN: dict[str, tuple[object, ...]] = {
    "suites": ((),),
    "squad": ("",),
    "case": ("",),
    "tag": ("",),
    "models": ((),),
    "repeat": (1,),
    "temperature": (None,),
    "seed": (None,),
    "shift": (None,),
    "noise": (None,),
    "record": (None,),
    "replay": (None,),
}
"""Options that are of the run, not of this process, and what they are where nobody gave them."""


def plan_of(given: dict[str, Any], settings: "Settings") -> "Plan":
    """What is asked for. Raises UsageError for what cannot be meant."""
    from opssquad.evals.keeping import Plan
    from opssquad.settings import OFFLINE, need_endpoint
    from opssquad.times import wall_clock

    if given["resume"] and (also := [name for name, usual in OF_A_RUN.items() if given[name] not in usual]):
        said = ", ".join("the suites" if name == "suites" else f"--{name.removesuffix('s')}" for name in also)
        raise click.UsageError(f"--resume goes on with that run as it was begun; leave out {said}")
    if not given["resume"] and not given["suites"]:
        raise click.UsageError("which suite? opssquad eval run smoke; `opssquad eval list` shows them")
    tapes = _tapes(given["record"], given["replay"])
    models = tuple(dict.fromkeys(given["models"])) or (settings.model,)
    if not given["replay"] and not given["resume"]:
        for model in models:
            if model != OFFLINE and not model.startswith(SCRIPT):
                need_endpoint(settings)
    sampling = {name: given[name] for name in ("temperature", "seed") if given[name] is not None}
    return Plan(
        started=wall_clock(),
        suites=tuple(given["suites"]),
        squad=given["squad"],
        case=given["case"],
        tag=given["tag"],
        models=models,
        repeats=given["repeat"],
        sampling=sampling,
        shift=given["shift"],
        noise=given["noise"],
        tapes=str(tapes.absolute()) if tapes else "",
        replay=bool(given["replay"]),
    )


def writable(given: dict[str, Any]) -> None:
    """Raises UsageError for a report that could not be written when all is over."""
    import os

    for option in ("json_file", "junit_file", "html_file"):
        file: Path | None = given[option]
        if file and not os.access(file if file.exists() else file.absolute().parent, os.W_OK):
            form = option.removesuffix("_file")
            raise click.UsageError(
                f"--{form} {file}: cannot be written there; make its folder, or name another"
            )


def _tapes(record: Path | None, replay: Path | None) -> Path | None:
    if record and replay:
        raise click.UsageError("--record and --replay exclude each other; give one")
    if record and record.is_dir() and any(record.iterdir()):
        raise click.UsageError(f"{record} holds something already; name a new folder with --record")
    if replay and not replay.is_dir():
        raise click.UsageError(f"no folder {replay}; --replay takes what --record made")
    return record or replay
