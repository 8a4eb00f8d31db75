"""A small cluster in which `web` calls `db`, whole and well: each test of paths breaks a part of it."""

from collections.abc import Callable

from tools.network._aims import client_of, goal_of, words
from tools.network._hops import Hop, Path
from tools.network._walk import walk, way_in
from tools.signals._scene import Scene

from opssquad import Json
from tests.tools.signals.network import namespace, running, service, workload
from tests.tools.signals.objects import NOW, ago, obj

READ = frozenset(
    {
        *("Pod", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Service", "EndpointSlice"),
        *("ConfigMap", "Secret", "Ingress", "NetworkPolicy", "Node", "Namespace", "IngressClass"),
    }
)
SYSTEM = {"namespace": "kube-system"}
COREFILE = ".:53 {\n    kubernetes cluster.local in-addr.arpa ip6.arpa\n    forward . /etc/resolv.conf\n}\n"


def node(name: str) -> Json:
    made = obj("Node", name, {}, {"conditions": [{"type": "Ready", "status": "True"}]})
    made["metadata"].pop("namespace")
    return made


def pod(of: Json, ip: str, on: str) -> Json:
    """The ready pod of a Deployment, at an address on a node."""
    made = running(of)
    made["metadata"] |= {key: of["metadata"][key] for key in ("namespace",)}
    made["spec"] = {**made["spec"], "nodeName": on}
    made["status"] |= {"podIP": ip, "podIPs": [{"ip": ip}]}
    return made


def slice_of(name: str, of: Json, port: int) -> Json:
    """The slice of a Service with the one pod behind it."""
    meta, labels = of["metadata"], {"kubernetes.io/service-name": name}
    target = {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"]}
    end = {
        "addresses": [of["status"]["podIP"]],
        "conditions": {"ready": True},
        "nodeName": of["spec"]["nodeName"],
        "targetRef": target,
    }
    made = obj("EndpointSlice", f"{name}-x", labels=labels, namespace=meta["namespace"])
    return {**made, "addressType": "IPv4", "endpoints": [end], "ports": [{"port": port, "protocol": "TCP"}]}


def town() -> dict[str, Json]:
    """The objects by name: `web` and `db` of the namespace `n`, the system's DNS and agents, an Ingress."""
    web, db = workload("web", 8080, DB_URL="postgres://db:5432/shop"), workload("db", 5432)
    names = workload("names", 53)
    names["metadata"] |= SYSTEM
    names["spec"]["template"]["spec"]["volumes"] = [{"name": "c", "configMap": {"name": "names"}}]
    web_pod, db_pod, dns_pod = (
        pod(web, "10.0.1.1", "w1"),
        pod(db, "10.0.2.1", "w2"),
        pod(names, "10.0.2.9", "w2"),
    )
    dns = obj("Service", "dns", {"selector": {"app": "names"}, "clusterIP": "10.96.0.10"}, **SYSTEM)
    dns["spec"]["ports"] = [{"name": "dns", "port": 53, "protocol": "UDP"}]
    made = {
        "web": web,
        "db": db,
        "web pod": web_pod,
        "db pod": db_pod,
        "service": service("db", 5432, 5432, clusterIP="10.96.1.1"),
        "slice": slice_of("db", db_pod, 5432),
        "front": service("web", 80, 8080, clusterIP="10.96.1.2"),
        "front slice": slice_of("web", web_pod, 8080),
        "names": names,
        "names pod": dns_pod,
        "dns": dns,
        "dns slice": slice_of("dns", dns_pod, 53),
        "corefile": {**obj("ConfigMap", "names", **SYSTEM), "data": {"Corefile": COREFILE}},
        "w1": node("w1"),
        "w2": node("w2"),
        "n": namespace("n"),
        "m": namespace("m"),
        "system": namespace("kube-system"),
        **_edge(),
    }
    return made | {f"proxy {on}": agent("kube-proxy", on) for on in ("w1", "w2")}


def _edge() -> dict[str, Json]:
    port = {"service": {"name": "web", "port": {"number": 80}}}
    paths = [{"path": "/api", "pathType": "Prefix", "backend": port}]
    spec = {
        "ingressClassName": "edge",
        "tls": [{"hosts": ["shop.example"], "secretName": "shop-tls"}],
        "rules": [{"host": "shop.example", "http": {"paths": paths}}],
    }
    cls = obj("IngressClass", "edge")
    cls["metadata"].pop("namespace")
    secret = {**obj("Secret", "shop-tls"), "type": "kubernetes.io/tls"}
    secret["metadata"]["annotations"] = {
        "example.com/not-after": "2026-03-01T00:00:00Z",
        "cert-manager.io/alt-names": "shop.example,*.shop.example",
    }
    return {"ingress": obj("Ingress", "edge", spec), "class": cls, "secret": secret}


def agent(name: str, on: str, ready: bool = True) -> Json:
    """kube-proxy or a plug-in's agent on a node."""
    at = {"type": "Ready", "status": str(ready), "lastTransitionTime": ago(20)}
    up = [{"kind": "DaemonSet", "name": name, "controller": True}]
    labels = {"k8s-app": name}
    status = {"phase": "Running", "startTime": ago(50), "conditions": [at]}
    spec = {"nodeName": on, "hostNetwork": True, "containers": [{"name": "c"}]}
    return obj("Pod", f"{name}-{on}", spec, status, labels=labels, ownerReferences=up, **SYSTEM)


Break = Callable[[dict[str, Json]], object]


def scene_of(objects: dict[str, Json], complete: frozenset[str] = READ) -> Scene:
    return Scene(NOW, objects.values(), complete, frozenset({"n", "m", "kube-system"}))


def path_of(
    objects: dict[str, Json], client: str, to: str, port: int = 0, complete: frozenset[str] = READ
) -> Path:
    """The path as the tool walks it, over these objects; every quote stands in the sources."""
    scene = scene_of(objects, complete)
    caller = client_of(words(client), "n", scene)
    goal = goal_of(words(to), port, "n", caller, scene)
    walked = walk(caller, way_in(caller, goal, scene), scene)
    sources = {each.locator: each.text for each in scene.sources(walked.signals)}
    assert all(quote.text in sources[quote.locator] for each in walked.signals for quote in each.quotes)
    return walked


def broken(walked: Path) -> Hop:
    """The first broken hop."""
    assert walked.first is not None, [(each.what, each.verdict, each.fact) for each in walked.hops]
    return walked.first[1]


def at(walked: Path, what: str) -> Hop:
    """The hop of that name."""
    return next(each for each in walked.hops if each.what == what)
