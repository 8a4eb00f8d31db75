"""The roles that policy gives a person, for decisions made outside a run."""

from opssquad.settings import Settings
from opssquad.squad.ruled import policy_of_squad


def roles_of(settings: Settings, squad: str) -> tuple[str, ...]:
    """The roles of whoever acts, for the cards of a squad. Raises UsageError for an unreadable policy."""
    return policy_of_squad(squad, settings.policy).roles(settings.by)
