"""What people write for a client or for what it calls: names, addresses, URLs, objects; and who that is.

Pure functions; where a name is of several things, ToolError lists them, where of none, the nearest.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from opssquad import Json, Ref, ToolError

from .._addresses import is_address, service_addresses
from .._kinds import kind_of
from .._kube import dig, ref, selected
from .._pods import is_finished, pod_addresses
from ..signals._scene import Scene
from ..signals.replicas import KINDS, desired
from ._hops import Client, Goal
from ._lookups import meant

OUTSIDE = frozenset({"internet", "outside", "external", "world"})
MAKERS = (*KINDS, "CronJob", "Job")
SHORT = {"svc": "Service", "service": "Service", "services": "Service"}
SHORT |= {"po": "Pod", "pod": "Pod", "pods": "Pod", "ing": "Ingress", "ingress": "Ingress"}
SHORT |= {"job": "Job", "cronjob": "CronJob", "cj": "CronJob"}


@dataclass(frozen=True)
class Words:
    """A text taken apart: an object by `kind`, or a `host`; with port, scheme and path where it has them."""

    text: str
    kind: str = ""
    namespace: str = ""
    host: str = ""
    port: int = 0
    scheme: str = ""
    path: str = "/"


def words(text: str) -> Words:
    """Take a text apart. Raises ToolError."""
    bare = text.strip()
    if "://" in bare:
        return _url(bare)
    if "/" in bare:
        kind, *rest = bare.split("/")
        if not kind or len(rest) > 2 or not all(rest):
            raise ToolError(f"{bare!r} is no Kind/namespace/name, and no URL with a scheme")
        space = rest[0] if len(rest) == 2 else ""
        return Words(bare, SHORT.get(kind.lower()) or kind_of(kind), space, rest[-1])
    if is_address(bare):
        return Words(bare, host=bare.strip("[]"))
    host, colon, number = bare.rpartition(":")
    if not colon:
        return Words(bare, host=bare.lower())
    if not (number.isascii() and number.isdigit()) or len(number) > 5:
        raise ToolError(f"{bare!r}: {number!r} is no port")
    return Words(bare, host=host.strip("[]").lower(), port=valid_port(int(number)))


def _url(text: str) -> Words:
    try:
        parts = urlsplit(text)
        port = parts.port or 0
    except ValueError as error:
        raise ToolError(f"this is no URL: {error}") from error
    if parts.username is not None or parts.password is not None:
        raise ToolError("the URL holds a user or a password; give it without")
    if not parts.hostname:
        raise ToolError(f"{text!r} names no host")
    return Words(text, "", "", parts.hostname, valid_port(port), parts.scheme.lower(), parts.path or "/")


def valid_port(port: int) -> int:
    """The port, 0 for none. Raises ToolError for what is none."""
    if not 0 <= port <= 65535:
        raise ToolError(f"{port} is no port; ports go from 1 to 65535")
    return port


def client_of(said: Words, home: str, scene: Scene) -> Client:
    """Who calls. Raises ToolError."""
    if not said.text:
        return Client()
    if said.host in OUTSIDE or said.text in OUTSIDE:
        return Client(Ref(kind="Host", name="internet"), outside=True)
    if is_address(said.host):
        pod = _with_address(said.host, scene)
        if pod is None:
            who = Ref(kind="Host", name=said.host)
            return Client(who, outside=True, addresses=(said.host,), node=_node(said.host, scene))
        return Client(ref(pod), (pod,), pod)
    return workload_client(_workload(said, home, scene), scene)


def workload_client(obj: Json, scene: Scene) -> Client:
    """A workload or a pod as a client."""
    if obj["kind"] == "Pod":
        whose = scene.owner(obj)
        return Client(whose if scene.get(whose) else ref(obj), (obj,), obj)
    path = ("spec", "jobTemplate", "spec", "template") if obj["kind"] == "CronJob" else ("spec", "template")
    pods = tuple(each for each in scene.pods_of(ref(obj)) if not is_finished(each))
    many = desired(obj) if obj["kind"] in KINDS else 1
    return Client(ref(obj), pods, dig(obj, *path, default={}), many)


def _with_address(address: str, scene: Scene) -> Json | None:
    for pod in scene.of("Pod"):
        if address in pod_addresses(pod) and not dig(pod, "spec", "hostNetwork") and not is_finished(pod):
            return pod
    return None


def _workload(said: Words, home: str, scene: Scene) -> Json:
    """The workload or pod of a name. Raises ToolError."""
    kinds = (said.kind,) if said.kind else (*MAKERS, "Pod")
    name, space = _place(said, home, scene)
    found, known = _called(name, kinds, space, scene)
    if found is None:
        raise _none("workload and no pod", name, space, known)
    return found


def _called(name: str, kinds: Iterable[str], space: str, scene: Scene) -> tuple[Json | None, list[Json]]:
    """The object of that name, and all of these kinds there. Raises ToolError for several of the name."""
    known = [each for kind in kinds for each in (scene.within(kind, space) if space else scene.of(kind))]
    hits = [each for each in known if each["metadata"]["name"].lower() == name]
    if len(hits) > 1:
        raise ToolError(f"{len(hits)} are called {name!r}: {_listed(hits)}; say which")
    return (hits[0] if hits else None), known


def _none(what: str, name: str, space: str, known: Iterable[Json]) -> ToolError:
    return ToolError(f"no {what} {name!r}{f' in {space}' if space else ''}; {_near(name, known)}")


def _place(said: Words, home: str, scene: Scene) -> tuple[str, str]:
    """Name and namespace: `web.shop` is `web` of the namespace `shop` where there is one."""
    if said.kind:
        return said.host.lower(), said.namespace or home
    head, dot, rest = said.host.partition(".")
    space = rest.split(".")[0]
    if dot and scene.get(Ref(kind="Namespace", name=space)):
        return head, space
    return said.host, home


def _listed(objects: Iterable[Json]) -> str:
    return ", ".join(str(ref(each)) for each in objects)


def _near(name: str, known: Iterable[Json]) -> str:
    names = list(dict.fromkeys(each["metadata"]["name"] for each in known))
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4) or names[:8]
    return f"nearest: {', '.join(near) or 'there is none'}"


def goal_of(said: Words, port: int, home: str, client: Client, scene: Scene) -> Goal:
    """What is called. Raises ToolError."""
    port, here = port or said.port, home or client.namespace
    base = Goal(said.text, said.host, port=port, scheme=said.scheme, path=said.path)
    if said.kind:
        return _object(said, port, home, client, scene)
    if is_address(said.host):
        return _address(base, scene)
    found = _service(said, here, client, scene)
    if found or said.scheme or client.outside:
        return replace(base, service=found)
    name, space = _place(said, here, scene)
    hit, known = _called(name, (*MAKERS, "Pod", "Service"), space, scene)
    if hit:
        return _pods(said.text, hit, port, scene)
    if "." not in said.host and not client.inside:
        raise _none("Service and no workload", name, space, known)
    return base


def _service(said: Words, home: str, client: Client, scene: Scene) -> Ref | None:
    """The Service that a name is, in the namespace of who asks; without one, in any."""
    space = client.namespace or home
    if space or "." in said.host:
        address = meant(said.host, space, scene)
        told = address and (scene.get(address) or ".svc" in said.host or client.namespace)
        return address if address and told and _is(address, said, scene) else None
    hits = [each for each in scene.of("Service") if each["metadata"]["name"] == said.host]
    if len(hits) > 1:
        raise ToolError(f"{len(hits)} Services are called {said.host!r}: {_listed(hits)}; say which")
    return ref(hits[0]) if hits else None


def _is(address: Ref, said: Words, scene: Scene) -> bool:
    """Whether a Service is meant: a bare word may be a workload where there is no Service of that name."""
    if scene.get(address) or said.port or "." in said.host:
        return True
    others = [each for kind in (*MAKERS, "Pod") for each in scene.within(kind, address.namespace)]
    return not any(each["metadata"]["name"] == address.name for each in others)


def _object(said: Words, port: int, home: str, client: Client, scene: Scene) -> Goal:
    space = said.namespace or home or client.namespace
    address = Ref(kind=said.kind, namespace=space, name=said.host)
    obj = scene.get(address)
    if said.kind == "Service":
        if obj is None:
            known = scene.within("Service", space) if space else scene.of("Service")
            raise _none("Service", said.host, space, known)
        return Goal(said.text, service=address, port=port)
    if said.kind == "Ingress" and obj:
        host = dig(obj, "spec", "rules", 0, "host", default="")
        path = dig(obj, "spec", "rules", 0, "http", "paths", 0, "path", default="/")
        return Goal(
            said.text, host, port=port, scheme="https" if dig(obj, "spec", "tls") else "http", path=path
        )
    return _pods(said.text, _workload(said, space, scene), port, scene)


def _pods(text: str, obj: Json, port: int, scene: Scene) -> Goal:
    """A workload by the Service before it where there is one alone; else its pods."""
    if obj["kind"] == "Service":
        return Goal(text, service=ref(obj), port=port)
    client = workload_client(obj, scene)
    space = obj["metadata"].get("namespace", "")
    if obj["kind"] == "Pod":
        return Goal(text, who=ref(obj), pods=(obj,), port=port)
    labels = dig(client.template, "metadata", "labels", default={})
    services = scene.within("Service", space)
    before = [each for each in services if selected(labels, dig(each, "spec", "selector", default={}))]
    if len(before) > 1:
        raise ToolError(f"{ref(obj)} stands behind {len(before)} Services: {_listed(before)}; say which")
    if before:
        return Goal(text, service=ref(before[0]), port=port)
    return Goal(text, who=ref(obj), pods=client.pods, port=port)


def _address(base: Goal, scene: Scene) -> Goal:
    """A Service's address, a pod's, or one outside of the cluster."""
    for each in scene.of("Service"):
        if base.host in service_addresses(each):
            return Goal(base.words, base.host, ref(each), port=base.port)
    if pod := _with_address(base.host, scene):
        return Goal(base.words, base.host, who=ref(pod), pods=(pod,), port=base.port)
    node = _node(base.host, scene)
    return Goal(base.words, base.host, addresses=(base.host,), node=node, port=base.port)


def _node(address: str, scene: Scene) -> str:
    """The node that has the address; empty where none has."""
    for each in scene.of("Node"):
        if any(one.get("address") == address for one in dig(each, "status", "addresses", default=())):
            return str(each["metadata"]["name"])
    return ""
