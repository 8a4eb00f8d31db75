"""Which policy files hold for a run: the bundled one, the organisation's, those of its squads."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from opssquad import content, settings
from opssquad.gate.in_force import InForce
from opssquad.gate.layers import load_policy, readable
from opssquad.gate.policy import Policy
from opssquad.investigation.options import Options
from opssquad.squad.crew import others_of
from opssquad.squad.known import squad
from opssquad.squad.ruled import below
from opssquad.worlds.net.here import Reach


def policy_of(options: Options, others: Iterable[str] = ()) -> InForce:
    """The policy in force; `others` are squads that may take over. Raises UsageError for one that cannot be
    read."""
    policy = held(options, others)
    readable(policy.now())
    return policy


def reach(options: Options) -> Reach:
    """The policy about destinations, read when first something is asked: that of every squad that could take
    over, as it is not known yet which do."""
    policy = cache(lambda: held(options, others_of(options.squad, lambda _: True)))

    def refuses(host: str, address: str, port: int) -> str:
        return policy().now().refuses(host, address, port)

    return refuses


def held(options: Options, others: Iterable[str] = (), before: Iterable[Path] = ()) -> InForce:
    """The same; one that cannot be read refuses everything. `before` are files that counted until now."""
    organisation = options.policy or options.policy_place
    standing = [squad(name) for name in (options.squad, *others)]
    theirs = list(dict.fromkeys(path for each in standing for path in each.policies))
    places = [path for path in (organisation, *theirs) if path]
    # Once a file was there it counts: one that is gone amid a run is missing, and refuses everything.
    seen = {path for path in (options.policy, *before) if path}

    def read() -> Policy:
        seen.update(path for path in places if settings.found(path))
        own = organisation if organisation in seen else None
        of_squads = (path for path in theirs if path in seen)
        return load_policy(content.policy(), own, None, options.squad, *of_squads, below=below(standing))

    return InForce(read, places)
