"""Watches: what is there, then every change that matters to the watcher, in the form it asked for.

An object that leaves the selection is DELETED for the watcher, one that enters it is ADDED.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from importlib.resources import files
from time import monotonic

from opssquad.types import Json
from opssquad.worlds.kube.apiserver import forms, negotiate, tables
from opssquad.worlds.kube.apiserver.lists import bad_version, check_watch_options, number
from opssquad.worlds.kube.apiserver.request import Request, Stream
from opssquad.worlds.kube.apiserver.resources import Resource
from opssquad.worlds.kube.apiserver.route import flag
from opssquad.worlds.kube.apiserver.selectors import Matches, selector
from opssquad.worlds.kube.apiserver.status import gone, internal
from opssquad.worlds.kube.apiserver.store import Change, Store

Event = tuple[str, Json]  # type, and the object as it is stored
JSON = {"Content-Type": "application/json"}
LONGEST = 1800.0  # seconds that a watch lasts when the client does not say
BOOKMARK_EVERY = 60.0
INITIAL_END = {"k8s.io/initial-events-end": "true"}


def start(store: Store, request: Request) -> Stream:
    """The stream of a watch. Raises 400, 422 or 500 before it begins; what goes wrong later is an ERROR
    event.
    """
    form = negotiate.objects(request.headers.get("accept", ""))
    check_watch_options(request.query)
    matches = selector(request.resource, request.query) or (lambda _: True)
    version = request.query.get("resourceVersion", "")
    if version and not version.isdigit():
        raise internal(bad_version(version))
    seconds = float(number(request.query, "timeoutSeconds") or LONGEST)
    return Stream(_lines(store, request, matches, _painter(store, request, form), seconds), JSON)


async def _lines(
    store: Store, request: Request, matches: Matches, paint: Callable[[Json], Json], seconds: float
) -> AsyncIterator[bytes]:
    end = monotonic() + seconds
    version = int(request.query.get("resourceVersion") or 0)
    initial = flag(request.query, "sendInitialEvents")
    seen = version
    if initial or not version:
        seen = store.revision
        for obj in _scope(store, request):
            if matches(obj):
                yield _line("ADDED", paint(obj))
        if initial and flag(request.query, "allowWatchBookmarks"):
            yield _line("BOOKMARK", paint(_bookmark(request, seen, INITIAL_END)))
    elif version < store.oldest:
        yield _line("ERROR", gone(f"too old resource version: {version} ({store.oldest})").body())
        return
    async for kind, obj in _changes(store, request, matches, seen, end):
        yield _line(kind, paint(obj))


async def _changes(
    store: Store, request: Request, matches: Matches, seen: int, end: float
) -> AsyncIterator[Event]:
    """Changes after a revision until the end; BOOKMARK events in between, if they are wanted."""
    marks = flag(request.query, "allowWatchBookmarks")
    mark_at = monotonic() + BOOKMARK_EVERY
    while True:
        for change in store.since(seen):
            seen = change.revision
            if event := _relevant(change, request, matches):
                yield event
        now = monotonic()
        if now >= end:
            return
        if marks and now >= mark_at:
            mark_at = now + BOOKMARK_EVERY
            yield "BOOKMARK", _bookmark(request, seen, {})
        await store.changed(max(min(end, mark_at) - now, 0))


def _relevant(change: Change, request: Request, matches: Matches) -> Event | None:
    resource, namespace = request.resource, request.namespace
    if change.resource != resource.key:
        return None
    if resource.namespaced and namespace and change.object["metadata"].get("namespace") != namespace:
        return None
    before = change.previous is not None and matches(change.previous)
    after = change.type != "DELETED" and matches(change.object)
    if after:
        return ("MODIFIED" if before else "ADDED"), change.object
    if not before or change.previous is None:
        return None
    return "DELETED", _at_revision(change.previous, change.revision)


def _at_revision(obj: Json, revision: int) -> Json:
    return {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(revision)}}


def _scope(store: Store, request: Request) -> Iterator[Json]:
    yield from store.list(request.resource.key, request.namespace if request.resource.namespaced else "")


def _painter(store: Store, request: Request, form: negotiate.Form) -> Callable[[Json], Json]:
    """How objects become the bodies of events. Only the first Table carries the column definitions."""
    resource, include = request.resource, request.query.get("includeObject", "Metadata")
    told = False

    def paint(obj: Json) -> Json:
        nonlocal told
        match form.shape:
            case "Table":
                metadata = {"resourceVersion": obj["metadata"]["resourceVersion"]}
                body = tables.table(resource, [obj], metadata, store.now(), include, form.version)
                body = {**body, "columnDefinitions": None} if told else body
                told = True
                return body
            case "PartialObjectMetadata":
                return tables.partial(resource, obj, form.version)
        return forms.shown(obj, resource)

    return paint


def _bookmark(request: Request, revision: int, annotations: Json) -> Json:
    """A bookmark's object: empty but for the resourceVersion. In a Table watch it is a row like any other."""
    metadata: Json = {"resourceVersion": str(revision)}
    if annotations:
        metadata["annotations"] = annotations
    return {**_empty(request.resource), "metadata": metadata}


def _empty(resource: Resource) -> Json:
    found: Json = _empties().get(resource.kind, {})
    return found


@cache
def _empties() -> Json:
    """What the server's own types look like when nothing is in them; bookmarks are sent so."""
    loaded: Json = json.loads((files(__package__) / "data" / "empty.json").read_text(encoding="utf-8"))
    return loaded


def _line(kind: str, body: Json) -> bytes:
    return (
        json.dumps({"type": kind, "object": body}, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    )
