"""Lists: which objects at which revision, in chunks. Parameters are checked as the server does.

Old revisions are rebuilt from the store's change log as far back as it reaches; before that the answer is
410.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.request import Request
from opssquad.worlds.kube.apiserver.route import flag
from opssquad.worlds.kube.apiserver.selectors import selector
from opssquad.worlds.kube.apiserver.status import ApiStatus, Cause, bad_request, gone, invalid
from opssquad.worlds.kube.apiserver.store import Store

MATCH = "resourceVersionMatch"
TOO_OLD = "The resourceVersion for the provided list is too old."
CONTINUE_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new "
    "list without the continue parameter, or use the continue token in this response to retrieve the "
    "remainder of the results. Continuing with the provided token results in an inconsistent list - objects "
    "that were created, modified, or deleted between the time the first chunk was returned and now may show "
    "up in the list."
)


@dataclass(frozen=True)
class Page:
    """A chunk of a list: stored objects and the metadata of the list."""

    objects: list[Json]
    metadata: Json = field(default_factory=dict)


def page(store: Store, request: Request) -> Page:
    """The objects that a list request means. Raises 400, 410, 422, 504."""
    query = request.query
    limit = max(number(query, "limit"), 0)
    _check_options(query)
    matches = selector(request.resource, query)
    version = _version(store, query, limit)
    start = ""
    if token := query.get("continue"):
        version, start = _resume(store, token, request.namespace)
    found = [obj for obj in at(store, request, version) if matches is None or matches(obj)]
    rest = [obj for obj in found if _key(obj, request.namespace) > start] if start else found
    metadata: Json = {"resourceVersion": str(version)}
    whole = query.get("resourceVersion") == "0" or not limit or len(rest) <= limit
    if whole:
        return Page(rest, metadata)
    last = _key(rest[limit - 1], request.namespace)
    metadata["continue"] = _token(version, last, request.namespace)
    if matches is None:
        metadata["remainingItemCount"] = len(rest) - limit
    return Page(rest[:limit], metadata)


def at(store: Store, request: Request, version: int) -> list[Json]:
    """The objects in scope as they were at a revision that the change log still reaches."""
    key, namespace = request.resource.key, request.namespace if request.resource.namespaced else ""
    if version >= store.revision:
        return store.list(key, namespace)
    past = store.copy()
    for change in reversed(store.since(version)):
        if change.previous is None:
            past.remove(change.resource, change.object["metadata"].get("namespace", ""), _name(change.object))
        else:
            past.load(change.resource, change.previous)
    return past.list(key, namespace)


def number(query: Mapping[str, str], name: str) -> int:
    """An integer parameter, 0 if it is not given. Raises 400 in the server's words."""
    text = query.get(name, "")
    try:
        return int(text) if text else 0
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def bad_version(text: str) -> str:
    """What the server says of a resourceVersion that is no number."""
    return f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'


def check_watch_options(query: Mapping[str, str]) -> None:
    """422 for a watch whose parameters contradict each other."""
    if flag(query, "sendInitialEvents") and query.get(MATCH) != "NotOlderThan":
        why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        raise _invalid_options([Cause("FieldValueForbidden", f"Forbidden: {why}", MATCH)])
    if query.get(MATCH) and not flag(query, "sendInitialEvents"):
        why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        raise _invalid_options([Cause("FieldValueForbidden", f"Forbidden: {why}", MATCH)])


def _check_options(query: Mapping[str, str]) -> None:
    causes = []
    match = query.get(MATCH, "")
    if match and not query.get("resourceVersion"):
        why = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        causes.append(Cause("FieldValueForbidden", f"Forbidden: {why}", MATCH))
    if match and query.get("continue"):
        why = "resourceVersionMatch is forbidden when continue is provided"
        causes.append(Cause("FieldValueForbidden", f"Forbidden: {why}", MATCH))
    if match not in ("", "Exact", "NotOlderThan"):
        said = f'Unsupported value: "{match}": supported values: "Exact", "NotOlderThan", ""'
        causes.append(Cause("FieldValueNotSupported", said, MATCH))
    if match == "Exact" and query.get("resourceVersion") == "0":
        why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        causes.append(Cause("FieldValueForbidden", f"Forbidden: {why}", MATCH))
    if "sendInitialEvents" in query:
        why = "sendInitialEvents is forbidden for list"
        causes.append(Cause("FieldValueForbidden", f"Forbidden: {why}", "sendInitialEvents"))
    if causes:
        raise _invalid_options(causes)


def _invalid_options(causes: list[Cause]) -> ApiStatus:
    return invalid("ListOptions", "meta.k8s.io", "", causes)


def _version(store: Store, query: Mapping[str, str], limit: int) -> int:
    """The revision to list at: now, unless exactly an older one is asked for."""
    text = query.get("resourceVersion", "")
    if not text or query.get("continue"):
        return store.revision
    if not text.isdigit():
        raise bad_request(f"invalid resource version: {bad_version(text)}")
    wanted = int(text)
    if wanted > store.revision:
        causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
        message = f"Timeout: Too large resource version: {wanted}, current: {store.revision}"
        details = {"causes": causes, "retryAfterSeconds": 1}
        raise ApiStatus(504, "Timeout", message, details, headers={"Retry-After": "1"})
    exact = query.get(MATCH) == "Exact" or (limit and wanted and not query.get(MATCH))
    if not exact:
        return store.revision
    if wanted < store.oldest:
        raise gone(TOO_OLD)
    return wanted


def _resume(store: Store, token: str, namespace: str) -> tuple[int, str]:
    version, start = _read_token(token)
    if version < 0:
        return store.revision, start
    if version < store.oldest:
        raise gone(CONTINUE_TOO_OLD, {"continue": _token(-1, start, namespace)})
    return version, start


def _token(version: int, last: str, namespace: str) -> str:
    start = last if namespace and version < 0 else f"/{last}"
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": f"{start}\0"}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, str]:
    lead = "invalid continue token: continue key is not valid"
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except binascii.Error as error:
        raise bad_request(f"{lead}: {error}") from None
    try:
        read = json.loads(raw)
    except ValueError:
        first = raw[:1].decode("latin-1")
        raise bad_request(f"{lead}: invalid character '{first}' looking for beginning of value") from None
    if not isinstance(read, dict) or not read.get("start"):
        raise bad_request(f"{lead}: encoded start key empty (version meta.k8s.io/v1)")
    return int(read.get("rv", -1)), str(read["start"]).lstrip("/").rstrip("\0")


def _key(obj: Json, namespace: str) -> str:
    scope = obj["metadata"].get("namespace", "")
    return _name(obj) if namespace or not scope else f"{scope}/{_name(obj)}"


def _name(obj: Json) -> str:
    return str(obj["metadata"]["name"])
