"""Reading as far as the login's rights go: one kind that they do not show must not hide the others."""

from collections.abc import Callable, Mapping

from opssquad import Cluster, Json, ToolError


async def visible(
    cluster: Cluster,
    kind: str,
    namespace: str = "",
    *,
    fields: str = "",
    group: str = "",
    keep: Callable[[Json], Json | None] | None = None,
) -> list[Json] | None:
    """The objects of a kind as `cluster.list` gives them; None where they cannot be listed."""
    found = await tried(cluster, kind, namespace, fields=fields, group=group, keep=keep)
    return None if isinstance(found, ToolError) else found


async def tried(
    cluster: Cluster,
    kind: str,
    namespace: str = "",
    *,
    fields: str = "",
    group: str = "",
    keep: Callable[[Json], Json | None] | None = None,
) -> list[Json] | ToolError:
    """The same, with the error in place of objects that cannot be listed."""
    try:
        return await cluster.list(kind, namespace, fields=fields, group=group, keep=keep)
    except ToolError as error:
        return error


def untimed(cluster: Cluster) -> dict[str, str]:
    """That the server tells no time, where it does not: then no age is to be relied upon."""
    said = "the server tells no time, so ages and what is recent go by this machine's"
    return {} if cluster.timed else {"the clock": said}


def as_data(unread: Mapping[str, str]) -> list[Json]:
    """What could not be read and why, for whoever concludes from the call. No name is a key here: one such as
    `Secret` would hide what stands under it."""
    return [{"what": what, "why": why} for what, why in sorted(unread.items())]


def not_read(unread: Mapping[str, str]) -> str:
    """A line about the kinds that could not be read, by reason."""
    kinds: dict[str, list[str]] = {}
    for kind, why in sorted(unread.items()):
        kinds.setdefault(why, []).append(kind)
    told = "; ".join(f"{', '.join(each)} ({why})" for why, each in kinds.items())
    return f"Not read, so unknown: {told}."
