"""The faults that a squad knows here: its own catalogue, and the organisation's file beside it."""

from pathlib import Path

from opssquad.diagnosis.own import KnownFaults
from opssquad.errors import UsageError
from opssquad.extensions import library
from opssquad.settings import found
from opssquad.squad.known import faults_of, spec_of, squads, tools_of
from opssquad.squad.known import squad as known_squad
from opssquad.toolbox import Toolbox


def own_file(squad: str, folder: Path | None) -> Path | None:
    """The organisation's file for a squad, `<folder>/<squad>.yaml`; None where there is none. Raises
    UsageError for a folder that is none."""
    if folder is None:
        return None
    if not folder.is_dir():
        how = "name a folder that holds <squad>.yaml"
        raise UsageError(f"OPSSQUAD_FAULTS: {folder} is no folder that can be read; {how}")
    return found(folder / f"{squad}.yaml")


def known_faults(squad: str, folder: Path | None) -> KnownFaults:
    """The catalogue in force, sound as far as can be told at once. Raises UsageError with the first flaw, its
    file and line."""
    known = read_known(squad, folder)
    alone = Toolbox(library.tools(spec_of(squad).tools))
    # Tools that only another squad has cost memory: they are loaded for a catalogue that names one of them.
    for flaw in known.flaws(alone) and known.flaws(toolbox_of(squad)):
        raise flaw.error
    return known


def read_known(squad: str, folder: Path | None) -> KnownFaults:
    """The same, sound or not. Raises UsageError for a file that cannot be read."""
    return beside(squad, own_file(squad, folder), folder)


def beside(squad: str, own: Path | None, folder: Path | None = None) -> KnownFaults:
    """A squad's catalogue, those of the squads that it knows and that are here, and a file that adds to
    them; of `folder` are the organisation's files for the squads that it stands on. Raises UsageError."""
    standing = known_squad(squad)
    files = {name: own_file(name, folder) for name in standing.names[1:]} | {squad: own}
    organisation = {name: path for name, path in files.items() if path}
    return faults_of({**squads(), squad: standing}, squad, organisation)


def toolbox_of(squad: str) -> Toolbox:
    """The tools of a squad, of those that it knows and of those that it hands questions to: what its
    catalogue may name. Raises UsageError."""
    return tools_of({**squads(), squad: known_squad(squad)}, squad)
