"""Reading as far as the login's rights go: one kind that they do not show must not hide the others."""

from collections.abc import Callable

from opssquad import Cluster, Json, ToolError


async def visible(
    cluster: Cluster,
    kind: str,
    namespace: str = "",
    *,
    fields: str = "",
    keep: Callable[[Json], Json | None] | None = None,
) -> list[Json] | None:
    """The objects of a kind as `cluster.list` gives them; None where they cannot be listed."""
    try:
        return await cluster.list(kind, namespace, fields=fields, keep=keep)
    except ToolError:
        return None
