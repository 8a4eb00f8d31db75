"""The roles that policy gives a person, for decisions made outside a run."""

from opssquad.settings import Settings


def roles_of(settings: Settings, squad: str) -> tuple[str, ...]:
    """The roles of whoever acts, for the cards of a squad; a policy that knows no roles gives nobody one."""
    return ()
