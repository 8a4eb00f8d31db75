"""Edits of configuration, Services, quotas, nodes and the like as entries of the timeline; pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from opssquad import Json, Quote, Ref, clock_time, rfc3339

from ._edits import APPLIED, Edit, drift, edits
from ._entry import Entry, signal
from ._fields import veiled
from ._former import of_object
from ._kube import created, dig, moment, quote_at, ref, source
from ._needs import references

SIGNALS = {
    "ConfigMap": "config.changed",
    "Secret": "config.changed",
    "Service": "service.changed",
    "ResourceQuota": "quota.changed",
    "LimitRange": "quota.changed",
    "Node": "node.changed",
}
# What the fields of a kind mean to people stands below these paths; the rest is the system's own.
TOPS = {
    "ConfigMap": ("data", "binaryData"),
    "Secret": ("data", "stringData", "type"),
    "Node": ("spec.unschedulable", "spec.taints", "metadata.labels"),
    "Service": ("spec.selector", "spec.ports", "spec.type", "spec.externalName", "spec.clusterIP"),
    "ResourceQuota": ("spec",),
    "LimitRange": ("spec",),
}
# Written by the cluster for every namespace or by a controller for itself.
LATENT = timedelta(days=7)
OWN_NAMES = {"ConfigMap": {"kube-root-ca.crt", "openshift-service-ca.crt"}}


def object_entries(obj: Json, users: Mapping[Ref, tuple[str, ...]]) -> Iterator[Entry]:
    """The edits of one object by people and pipelines, and its making."""
    if obj["metadata"]["name"] in OWN_NAMES.get(obj["kind"], ()):
        return
    for edit in edits(obj):
        fields = _telling(obj, edit)
        if not edit.system and fields:
            yield _entry(obj, edit, fields, users.get(ref(obj), ()))
    if obj["kind"] == "Node":
        yield from _node_entries(obj)


def _telling(obj: Json, edit: Edit) -> tuple[str, ...]:
    tops = TOPS.get(obj["kind"])
    # What people mean by an edit comes first, as the paths are ordered: of many fields only some are shown.
    found = [f for top in tops for f in edit.below(top)] if tops else edit.fields
    return tuple(each for each in found if APPLIED not in each)


def _entry(obj: Json, edit: Edit, fields: tuple[str, ...], users: tuple[str, ...]) -> Entry:
    address = ref(obj)
    moved = [] if edit.created else _moved(obj, fields)
    verb = "created" if edit.created else "edited"
    told = "; ".join(f"{m['field']} {m['from']} -> {m['to']}" for m in moved) or _listed(obj, fields)
    used = f"; used by {', '.join(each.rpartition('/')[2] for each in users)}" if users else ""
    what = f"{address.kind} {address.name} {verb}" + ("" if edit.created else f": {told}") + used
    whole = source(obj, managed=True)
    return Entry(
        at=edit.at,
        what=what,
        who=edit.manager,
        about=address,
        signal=signal(
            SIGNALS.get(obj["kind"], "object.changed"),
            address,
            f"{what} at {clock_time(edit.at)} by {edit.manager}",
            edit.at,
            [Quote(locator=whole.locator, text=edit.entry), *_values(obj, fields)],
            {
                "at": rfc3339(edit.at),
                "manager": edit.manager,
                "created": edit.created,
                "keys": [_leaf(each) for each in fields],
                "field": ", ".join(fields[:6]),
                "diff": moved or [{"field": each, "now": _live(obj, each)} for each in fields[:8]],
                "object": str(address),
                "used_by": list(users),
                **_first(users),
                "former": {} if edit.created or not moved else of_object(obj),
            },
        ),
        read=(obj,),
        users=users,
    )


def _first(users: tuple[str, ...]) -> Json:
    """Whose logs to read first, as arguments of a call."""
    if not users:
        return {}
    _, space, name = users[0].split("/", 2)
    return {"user": name, "user_namespace": space}


def _listed(obj: Json, fields: tuple[str, ...]) -> str:
    """The edited fields with what stands there now; of several it is not known which of them changed."""
    more = f" and {len(fields) - 4} more" if len(fields) > 4 else ""
    one = "" if len(fields) == 1 else "one or more of "
    now = [(each, _live(obj, each)) for each in fields[:4]]
    return one + ", ".join(f"{_leaf(e)} (now {v})" if v is not None else _leaf(e) for e, v in now) + more


def _leaf(path: str) -> str:
    head, bracket, last = path.removesuffix("]").rpartition("[")
    return last if bracket and path.endswith("]") else path.rpartition(".")[2] or head


def _moved(obj: Json, fields: tuple[str, ...]) -> list[Json]:
    """Fields of the edit that differ from what `kubectl apply` wrote: only there is the old value known."""
    return [
        {"field": each.path, "from": before, "to": after}
        for each in drift(obj)
        if each.path in fields or any(field.startswith(each.path) for field in fields)
        for before, after in [veiled(each.before, each.after, _leaf(each.path))]
    ]


def _steps(path: str) -> list[str]:
    """The keys of a path: `spec.hard[limits.memory]` is spec, hard, limits.memory."""
    return [inner or plain for inner, plain in re.findall(r"\[([^\]]*)\]|([^.\[\]]+)", path)]


def _live(obj: Json, path: str) -> str | None:
    value = dig(obj, *_steps(path))
    return None if value is None else veiled(None, value, _leaf(path))[1]


def _values(obj: Json, fields: tuple[str, ...]) -> Iterator[Quote]:
    """The present values of the edited fields in the object's own words, a few of them."""
    for path in fields[:4]:
        steps = _steps(path)
        value = dig(obj, *steps)
        plain = isinstance(value, str | int) and obj["kind"] != "Secret"
        if plain and veiled(None, value, _leaf(path))[1] == str(value):
            yield quote_at(obj, *steps)


def _node_entries(node: Json) -> Iterator[Entry]:
    """A node that joined, and the last turn of its Ready condition."""
    address, born = ref(node), created(node)
    for index, each in enumerate(dig(node, "status", "conditions", default=())):
        at = moment(each.get("lastTransitionTime"))
        if each.get("type") == "Ready" and at and at != born:
            state = {"True": "ready", "False": "not ready"}.get(each.get("status"), "not answering")
            reason = each.get("message") or each.get("reason") or ""
            what = f"Node {address.name} became {state}: {reason}"
            quotes = [
                quote_at(node, "status", "conditions", index, key)
                for key in ("lastTransitionTime", "message")
                if each.get(key)
            ]
            data = {"at": rfc3339(at), "field": "Ready", "to": each.get("status"), "manager": ""}
            told = signal("node.changed", address, f"{what} at {clock_time(at)}", at, quotes, data)
            yield Entry(at, what, "", address, told, (node,))


def users_of(workloads: Iterable[Json]) -> dict[Ref, tuple[str, ...]]:
    """For each ConfigMap and Secret the workloads whose templates name it, as `Kind/namespace/name`."""
    found: dict[Ref, list[str]] = {}
    for each in workloads:
        space = dig(each, "metadata", "namespace", default="")
        for need in references(dig(each, "spec", "template", default={})):
            users = found.setdefault(Ref(kind=need.kind, namespace=space, name=need.name), [])
            users += [str(ref(each))] if str(ref(each)) not in users else []
    return {key: tuple(value) for key, value in found.items()}


def in_window(entries: Iterable[Entry], since: datetime, now: datetime) -> list[Entry]:
    """Those at or after a moment, newest first; and edits of configuration that no rollout has followed.

    Such an edit takes effect whenever a pod happens to start, so it is news for days.
    """
    found = list(entries)
    rolled: dict[str, datetime] = {}
    for each in found:
        if each.signal.id == "rollout.recent":
            rolled[str(each.about)] = max(each.at, rolled.get(str(each.about), each.at))
    kept = [each for each in found if each.at >= since or (now - each.at <= LATENT and _waits(each, rolled))]
    return sorted(kept, key=lambda each: each.at, reverse=True)


def _waits(entry: Entry, rolled: Mapping[str, datetime]) -> bool:
    """Whether it edits configuration that some workload has not been rolled out with."""
    edited = entry.signal.id == "config.changed" and not entry.signal.data["created"]
    return edited and any(user in rolled and rolled[user] < entry.at for user in entry.users)
