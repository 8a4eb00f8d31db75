"""Which policy files are in force: the bundled one, the organisation's, the squad's."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from opssquad.errors import UsageError
from opssquad.gate.policy import Policy
from opssquad.gate.rules.reading import Origin


def load_policy(
    bundled: Path,
    organisation: Path | None,
    squad: Path | None,
    squad_name: str,
    *others: Path,
    below: Mapping[str, Sequence[str]] | None = None,
) -> Policy:
    """The policy of a squad; `others` are those of squads that it stands on and that may take over from it,
    `below` the names of squads that one stands on. A file that is given and cannot be read refuses
    everything: see `problem`."""
    files = files_in_force(bundled, organisation, squad)
    return Policy.read([*files, *(("squad", path) for path in others)], squad_name, below)


def readable(policy: Policy) -> Policy:
    """The policy, for whoever does not go on by one that refuses everything. Raises UsageError for a file
    that cannot be read."""
    if policy.problem:
        raise UsageError(policy.problem)
    return policy


def files_in_force(bundled: Path, organisation: Path | None, squad: Path | None) -> list[tuple[Origin, Path]]:
    """The files of the layers that there are, in their order."""
    files: list[tuple[Origin, Path]] = [("bundled", bundled)]
    files += [("organisation", organisation)] if organisation else []
    files += [("squad", squad)] if squad else []
    return files
