"""Which policy holds for squads: the bundled one, the organisation's, that of all they stand on."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from opssquad import content
from opssquad.gate.layers import load_policy, readable
from opssquad.gate.policy import Policy
from opssquad.gate.rules.reading import Origin
from opssquad.settings import found
from opssquad.squad.known import squad, squads
from opssquad.squad.standing import Standing


def policy_of_squad(name: str, organisation: Path | None) -> Policy:
    """The policy of a squad as its files are now. Raises UsageError for one that cannot be read."""
    standing = squad(name)
    own = [path for path in standing.policies if found(path)]
    return readable(load_policy(content.policy(), organisation, None, name, *own, below=below([standing])))


def below(standing: Sequence[Standing]) -> Mapping[str, Sequence[str]]:
    """The squads that each stands on, by its name."""
    return {each.name: each.names[1:] for each in standing}


def own_policies() -> list[tuple[Origin, Path]]:
    """Every policy file of a squad, once."""
    paths = dict.fromkeys(path for each in squads().values() for path in each.policies if found(path))
    return [("squad", path) for path in paths]
