"""What a method and a path mean: a resource with a verb, or a path that is no resource.

Follows the server: `/api/v1/...` and `/apis/<group>/<version>/...`, namespaces as scope and as a resource,
the old `/watch/` prefix. Whether the resource exists is not asked here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from opssquad.worlds.kube.apiserver.request import Verb

READS: dict[bool, Verb] = {True: "get", False: "list"}
WRITES: dict[str, Verb] = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
TRUE = ("1", "true", "True", "TRUE", "t", "T")
OF_NAMESPACES = ("status", "finalize")


@dataclass(frozen=True)
class Route:
    """A path below a group version. `plural` is '' where the path names the group version itself."""

    verb: Verb
    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def split(target: str) -> tuple[str, dict[str, str]]:
    """A request target as path and query; of a parameter given twice the first value counts."""
    path, _, query = target.partition("?")
    found: dict[str, str] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        found.setdefault(key, value)
    return path, found


def flag(query: Mapping[str, str], name: str) -> bool:
    """Whether a boolean parameter is given and true."""
    return query.get(name, "") in TRUE


def route(method: str, path: str, query: Mapping[str, str]) -> Route | None:
    """The route of a path to a resource; None for every other path."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[0] == "api" and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    watched = rest[0] == "watch" and len(rest) > 1
    rest = rest[1:] if watched else rest
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and not (len(rest) == 3 and rest[2] in OF_NAMESPACES):
        namespace, rest = rest[1], rest[2:]
    plural, name, *sub = [*rest, ""] if len(rest) == 1 else rest
    verb = _verb(method, name, watched or flag(query, "watch"))
    scope = name if not group and plural == "namespaces" else namespace
    return Route(verb, group, version, plural, scope, name, sub[0] if sub else "")


def _verb(method: str, name: str, watch: bool) -> Verb:
    if method in ("GET", "HEAD"):
        return "watch" if watch and not name else READS[bool(name)]
    verb = WRITES.get(method, "get")
    return "deletecollection" if verb == "delete" and not name else verb
