"""What is said when an object is not there: the nearest names, or that its namespace is not there either."""

import difflib

from opssquad.errors import ToolError
from opssquad.worlds.kube.http import KubeHTTP
from opssquad.worlds.kube.kinds import KNOWN, Resource, match
from opssquad.worlds.kube.reading import names

NAMESPACE = match("Namespace", "", KNOWN)


async def not_there(http: KubeHTTP, resource: Resource, name: str, namespace: str) -> ToolError:
    """The error for an object that is not there."""
    known = await names(http, resource, namespace)
    if not known and namespace and NAMESPACE:
        spaces = await names(http, NAMESPACE, "")
        if spaces and namespace not in spaces:
            near = difflib.get_close_matches(namespace, spaces, n=3) or sorted(spaces)[:8]
            return ToolError(f"no namespace {namespace!r}; nearest: {', '.join(near)}")
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or sorted(known)[:5]
    where = f" in {namespace!r}" if namespace else ""
    return ToolError(
        f"no {resource.kind.lower()} {name!r}{where}; nearest: {', '.join(near) or 'there are none'}"
    )
