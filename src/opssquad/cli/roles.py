"""The roles that policy gives a person, for decisions made outside a run."""

from opssquad import content
from opssquad.errors import UsageError
from opssquad.gate.layers import load_policy
from opssquad.settings import Settings


def roles_of(settings: Settings, squad: str) -> tuple[str, ...]:
    """The roles of whoever acts, for the cards of a squad. Raises UsageError for an unreadable policy."""
    policy = load_policy(content.policy(), settings.policy, content.squad_policy(squad), squad)
    if policy.problem:
        raise UsageError(policy.problem)
    return policy.roles(settings.by)
