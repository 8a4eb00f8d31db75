"""Container logs: which container is meant, which lines are wanted, and what is said when there are none.

The words are those of the API server (wrong options, unknown container) and of the kubelet (nothing to show
yet).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opssquad.times import parse_time
from opssquad.types import Json
from opssquad.worlds.kube.apiserver.lists import number
from opssquad.worlds.kube.apiserver.reads import stored_object
from opssquad.worlds.kube.apiserver.request import Reply, Request, Stream
from opssquad.worlds.kube.apiserver.resources import ResourceKey
from opssquad.worlds.kube.apiserver.route import flag
from opssquad.worlds.kube.apiserver.status import ApiStatus, Cause, bad_request, internal, invalid
from opssquad.worlds.kube.apiserver.store import Store
from opssquad.worlds.kube.apiserver.world import LogLine, Logs

TEXT = {"Content-Type": "text/plain"}
STATUSES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
POLL = 0.25  # seconds between looks for new lines while a log is followed
WAITING = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}
NODES = ResourceKey("", "nodes")


@dataclass(frozen=True)
class Options:
    """What the query asks for. Counts are None when not given; `since` is an instant."""

    container: str
    previous: bool
    follow: bool
    timestamps: bool
    tail: int | None
    limit_bytes: int | None
    since: datetime | None


def read(store: Store, logs: Logs, request: Request) -> Reply | Stream:
    """The answer to GET of a pod's log. Raises 400, 404, 422; 500 when the node does not answer."""
    pod = stored_object(store, request)
    options = _options(request, store.now())
    container = _container(pod, options.container)
    if not pod["spec"].get("nodeName"):
        return Reply(204, b"")
    _check_status(pod, container, options.previous)
    where = (request.namespace, request.name, container, options.previous)
    lines = logs.read(*where)
    if lines is None:
        _check_node(store, pod, container)
    chosen = _chosen(lines or [], options)
    if options.follow:
        return Stream(_follow(store, logs, request, where, options, chosen), TEXT)
    return Reply(200, _cut(_text(chosen, options.timestamps), options.limit_bytes), TEXT)


def _options(request: Request, now: datetime) -> Options:
    query = request.query
    seconds, stamp = _count(query, "sinceSeconds"), query.get("sinceTime", "")
    tail, limit = _count(query, "tailLines"), _count(query, "limitBytes")
    causes = []
    for name, value, least in (
        ("sinceSeconds", seconds, 1),
        ("tailLines", tail, 0),
        ("limitBytes", limit, 1),
    ):
        if value is not None and value < least:
            bound = "greater than 0" if least else "greater than or equal to 0"
            said = f"Invalid value: {value}: must be {bound}"
            causes.append(Cause("FieldValueInvalid", said, name))
    if seconds is not None and stamp:
        said = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
        causes.append(Cause("FieldValueForbidden", said, "[]"))
    if causes:
        raise invalid("PodLogOptions", "", request.name, causes)
    since = now - timedelta(seconds=seconds) if seconds is not None else _instant(stamp)
    return Options(
        container=query.get("container", ""),
        previous=flag(query, "previous"),
        follow=flag(query, "follow"),
        timestamps=flag(query, "timestamps"),
        tail=tail,
        limit_bytes=limit,
        since=since,
    )


def _count(query: Mapping[str, str], name: str) -> int | None:
    return number(query, name) if query.get(name) else None


def _instant(text: str) -> datetime | None:
    try:
        return parse_time(text) if text else None
    except ValueError:
        layout = "2006-01-02T15:04:05Z07:00"
        raise bad_request(f'parsing time "{text}" as "{layout}": cannot parse "{text}" as "2006"') from None


def _container(pod: Json, name: str) -> str:
    spec, who = pod["spec"], pod["metadata"]["name"]
    names = [
        c["name"]
        for kind in ("initContainers", "containers", "ephemeralContainers")
        for c in spec.get(kind) or []
    ]
    if name:
        if name not in names:
            raise bad_request(f"container {name} is not valid for pod {who}")
        return name
    if len(spec["containers"]) > 1:
        said = f"a container name must be specified for pod {who}, choose one of: [{' '.join(names)}]"
        raise bad_request(said)
    return str(spec["containers"][0]["name"])


def _check_status(pod: Json, container: str, previous: bool) -> None:
    who = f'container "{container}" in pod "{pod["metadata"]["name"]}"'
    found = (s for kind in STATUSES for s in pod.get("status", {}).get(kind) or [])
    status = next((s for s in found if s["name"] == container), None)
    if status is None:
        raise bad_request(f"{who} is not available")
    state, last = status.get("state") or {}, status.get("lastState") or {}
    if previous:
        if not (last.get("terminated") or {}).get("containerID"):
            raise bad_request(f"previous terminated {who} not found")
    elif "running" not in state and "terminated" not in state and "terminated" not in last:
        reason = (state.get("waiting") or {}).get("reason", "")
        why = f": {WAITING.get(reason, reason)}" if reason else " - no logs yet"
        raise bad_request(f"{who} is waiting to start{why}")


def _check_node(store: Store, pod: Json, container: str) -> None:
    """A log that should be there and is not: the node cannot be asked for it, or nothing was written."""
    name = pod["spec"]["nodeName"]
    node = store.get(NODES, "", name)
    if node is None or _ready(node):
        return
    addresses = node.get("status", {}).get("addresses") or []
    host = next((a["address"] for a in addresses if a["type"] == "InternalIP"), name)
    where = f"{pod['metadata'].get('namespace', '')}/{pod['metadata']['name']}/{container}"
    said = (
        f'Get "https://{host}:10250/containerLogs/{where}": dial tcp {host}:10250: connect: no route to host'
    )
    raise internal(said)


def _ready(node: Json) -> bool:
    conditions = node.get("status", {}).get("conditions") or []
    return all(c["status"] == "True" for c in conditions if c["type"] == "Ready")


def _chosen(lines: Sequence[LogLine], options: Options) -> list[LogLine]:
    since = options.since
    found = [line for line in lines if since is None or parse_time(line.time) >= since]
    return (
        found
        if options.tail is None
        else found[len(found) - options.tail :]
        if options.tail < len(found)
        else found
    )


def _text(lines: Sequence[LogLine], timestamps: bool) -> str:
    return "".join(f"{line.time} {line.text}\n" if timestamps else f"{line.text}\n" for line in lines)


def _cut(text: str, limit: int | None) -> str:
    return text if limit is None else text.encode()[:limit].decode(errors="ignore")


async def _follow(
    store: Store,
    logs: Logs,
    request: Request,
    where: tuple[str, str, str, bool],
    options: Options,
    first: list[LogLine],
) -> AsyncIterator[bytes]:
    """The chosen lines, then what is written, until the container or its pod is gone."""
    seen = len(logs.read(*where) or [])
    left = options.limit_bytes
    batch = first
    while True:
        text = _cut(_text(batch, options.timestamps), left).encode()
        if text:
            yield text
        left = None if left is None else left - len(text)
        if left == 0 or not _still_running(store, request, where[2]):
            return
        await store.changed(POLL)
        lines = logs.read(*where) or []
        batch, seen = list(lines[seen:]), len(lines)


def _still_running(store: Store, request: Request, container: str) -> bool:
    try:
        pod = stored_object(store, request)
    except ApiStatus:
        return False
    statuses = [s for kind in STATUSES for s in pod.get("status", {}).get(kind) or []]
    return any(s["name"] == container and "running" in (s.get("state") or {}) for s in statuses)
