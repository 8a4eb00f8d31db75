"""The roles that policy gives a person, for decisions made outside a run."""

from opssquad import content
from opssquad.gate.layers import load_policy, readable
from opssquad.settings import Settings


def roles_of(settings: Settings, squad: str) -> tuple[str, ...]:
    """The roles of whoever acts, for the cards of a squad. Raises UsageError for an unreadable policy."""
    own = content.squad_policy(squad)
    return readable(load_policy(content.policy(), settings.policy, own, squad)).roles(settings.by)
