"""Which policy files hold for a run: the bundled one, the organisation's, those of its squads."""

from collections.abc import Iterable
from functools import cache

from opssquad import content, settings
from opssquad.gate.in_force import InForce
from opssquad.gate.layers import load_policy, readable
from opssquad.gate.policy import Policy
from opssquad.investigation.options import Options
from opssquad.squad.crew import others_of
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


def held(options: Options, others: Iterable[str] = ()) -> InForce:
    """The same; one that cannot be read refuses everything."""
    organisation = options.policy or options.policy_place
    squad = content.squad(options.squad) / "policy.yaml"
    theirs = [content.squad(name) / "policy.yaml" for name in others]
    places = [path for path in (organisation, squad, *theirs) if path]
    # Once a file was there it counts: one that is gone amid a run is missing, and refuses everything.
    seen = {path for path in (options.policy,) if path}

    def read() -> Policy:
        seen.update(path for path in places if settings.found(path))
        own, of_squad = (path if path in seen else None for path in (organisation, squad))
        of_others = (path for path in theirs if path in seen)
        return load_policy(content.policy(), own, of_squad, options.squad, *of_others)

    return InForce(read, places)
