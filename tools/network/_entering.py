"""The way in from outside: Ingresses and routes of the Gateway API, matched to a host and a path as servers
match them.

The longest path wins and an exact one before a prefix of its length; a host that is written out goes before
one with a wildcard, and that before a rule for all hosts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from opssquad import Json, Ref, Signal

from .._kube import dig, ref
from ..signals._scene import Scene
from ..signals.certificates import covers
from ..signals.gateways import gateway_signals, route_signals
from ..signals.ingresses import ingress_signals
from ._hops import Goal, Hop, first_of, named
from ._reaching import SCHEMES
from ._showing import certificate_hop

KINDS = {"Exact": "Exact", "RegularExpression": "regular expression"}
ROUTES = ("HTTPRoute", "GRPCRoute")


@dataclass(frozen=True)
class Rule:
    """One rule for a host and a path, the object it stands in, and the Service and port it leads to."""

    holder: Json
    host: str
    path: str
    kind: str
    service: str
    namespace: str
    port: int | str | None

    def rank(self) -> tuple[int, int, bool]:
        """How well it matches, of two that do."""
        exact = 0 if not self.host else 1 if self.host.startswith("*.") else 2
        return exact, len(self.path.rstrip("/")), self.kind == "Exact"

    @property
    def target(self) -> Ref:
        """The Service that it leads to."""
        return Ref(kind="Service", namespace=self.namespace, name=self.service or "-")

    def goal(self) -> Goal:
        """A request that goes by it; below a wildcard for some name. By TLS where a certificate is named for
        the host, or for whatever is asked for."""
        host, listed = self.host.replace("*", "any", 1), dig(self.holder, "spec", "tls", default=())
        safe = any(covers(name, host) for each in listed for name in each.get("hosts") or [host])
        scheme = "https" if safe else "http"
        return Goal(f"{scheme}://{host}{self.path}", host, scheme=scheme, path=self.path)

    def words(self) -> str:
        """`shop.example/api (Prefix)`."""
        return f"{self.host or '*'}{self.path} ({self.kind})"


def rules(scene: Scene) -> list[Rule]:
    """Every rule of every Ingress and route that was read."""
    of_routes = [each for kind in ROUTES for one in scene.of(kind) for each in _of_route(one)]
    return [*(each for one in scene.of("Ingress") for each in _of_ingress(one)), *of_routes]


def ways_in(scene: Scene, spaces: frozenset[str]) -> list[Json]:
    """The hosts by which something in these namespaces is reached from outside, as they can be probed: host,
    port, URL, and `tls`, the port where TLS is spoken."""
    found: dict[str, Json] = {}
    for rule in rules(scene):
        if rule.host and "*" not in rule.host and rule.namespace in spaces:
            goal = rule.goal()
            port = SCHEMES[goal.scheme]
            known = {"host": rule.host, "port": port, "url": goal.words}
            found.setdefault(rule.host, known | ({"tls": port} if goal.scheme == "https" else {}))
    return list(found.values())


def _of_ingress(ingress: Json) -> Iterator[Rule]:
    space = ingress["metadata"].get("namespace", "")
    for rule in dig(ingress, "spec", "rules", default=()):
        for path in dig(rule, "http", "paths", default=()):
            service, port = _service(path.get("backend"))
            kind = path.get("pathType") or "ImplementationSpecific"
            yield Rule(
                ingress, (rule.get("host") or "").lower(), path.get("path") or "/", kind, service, space, port
            )
    service, port = _service(dig(ingress, "spec", "defaultBackend"))
    if service:
        yield Rule(ingress, "", "/", "default backend", service, space, port)


def _service(backend: Json | None) -> tuple[str, int | str | None]:
    port = dig(backend, "service", "port", default={})
    return dig(backend, "service", "name", default=""), port.get("number") or port.get("name")


def _of_route(route: Json) -> Iterator[Rule]:
    space = route["metadata"].get("namespace", "")
    for host in dig(route, "spec", "hostnames", default=()) or ("",):
        for rule in dig(route, "spec", "rules", default=()):
            backend: Json = next(iter(rule.get("backendRefs") or ()), {})
            for match in rule.get("matches") or [{}]:
                path: Json = match.get("path") or {}
                kind = KINDS.get(str(path.get("type")), "Prefix")
                where = backend.get("namespace") or space
                value = path.get("value") or "/"
                yield Rule(
                    route, host.lower(), value, kind, backend.get("name") or "", where, backend.get("port")
                )


def of_host(found: Sequence[Rule], host: str) -> list[Rule]:
    """The rules that are about a host."""
    return [each for each in found if not each.host or covers(each.host, host)]


def best(found: Sequence[Rule], host: str, path: str) -> Rule | None:
    """The rule that a request goes by; None where no rule is for it."""
    hits = [each for each in of_host(found, host) if fits(each, path)]
    return max(hits, key=Rule.rank, default=None)


def fits(rule: Rule, path: str) -> bool:
    """Whether a path is the rule's: the same, or below it element by element."""
    if rule.kind == "Exact":
        return path == rule.path
    prefix = rule.path.rstrip("/")
    return path == prefix or path.startswith(f"{prefix}/") or not prefix


def entry_hops(goal: Goal, scene: Scene) -> tuple[list[Hop], Rule | None]:
    """The hops from the edge to a Service, and the rule that leads there; None where the way ends."""
    known = rules(scene)
    mine = of_host(known, goal.host)
    if not mine:
        hosts = sorted({each.host for each in known if each.host})
        said = f"no Ingress and no route is for {goal.host}; there is: {', '.join(hosts[:8]) or 'none'}"
        return [Hop("entry", "broken", said, Ref(kind="Host", name=goal.host))], None
    rule = best(known, goal.host, goal.path)
    if rule is None:
        paths = ", ".join(each.words() for each in mine[:6])
        said = f"no rule of {named(mine[0].holder)} fits {goal.path}; there is: {paths}"
        return [_class(mine[0].holder, scene), Hop("rule", "broken", said, ref(mine[0].holder))], None
    holder = rule.holder
    told = list(
        ingress_signals(holder, scene) if holder["kind"] == "Ingress" else route_signals(holder, scene)
    )
    hops = [_class(holder, scene), *_certificates(goal, holder, told, scene), _rule(rule, told, scene)]
    return hops, rule if scene.get(rule.target) else None


def _class(holder: Json, scene: Scene) -> Hop:
    if holder["kind"] != "Ingress":
        return _gateways(holder, scene)
    if lost := first_of(ingress_signals(holder, scene), "ingress.class_missing"):
        return Hop("class", "broken", lost.text, ref(holder), (lost,))
    if not scene.covers("IngressClass"):
        return Hop("class", "unknown", "the IngressClasses could not be read")
    said = dig(holder, "spec", "ingressClassName", default="") or "the default one, or its controller's"
    return Hop("class", "ok", f"{named(holder)} in {ref(holder).namespace}: class {said}")


def _gateways(route: Json, scene: Scene) -> Hop:
    if lost := first_of(route_signals(route, scene), "route.not_accepted"):
        return Hop("class", "broken", lost.text, ref(route), (lost,))
    space = route["metadata"].get("namespace", "")
    for parent in dig(route, "spec", "parentRefs", default=()):
        where = parent.get("namespace") or space
        gateway = scene.get(Ref(kind="Gateway", namespace=where, name=parent.get("name") or "-"))
        bad = next(iter(gateway_signals(gateway, scene)), None) if gateway else None
        if bad:
            return Hop("class", "broken", bad.text, bad.entity, (bad,))
    return Hop("class", "ok", f"{named(route)} in {space} is accepted, as far as its controller says")


def _rule(rule: Rule, told: Sequence[Signal], scene: Scene) -> Hop:
    holder, target = rule.holder, rule.target
    missing = [
        each for each in told if each.id.endswith(".backend_missing") and each.data["ref"] == str(target)
    ]
    mine = [each for each in missing if each.data["port"] in (None, rule.port)]
    if mine:
        return Hop("rule", "broken", mine[0].text, ref(holder), (mine[0],))
    crossed = first_of(told, "ingress.crossed", path=f"{rule.host or '*'}{rule.path}")
    if crossed and crossed.data["recent"]:
        return Hop("rule", "broken", crossed.text, ref(holder), (crossed,))
    if not scene.get(target):
        known = scene.covers("Service", rule.namespace)
        said = f"{rule.words()} leads to Service {target.name}, which " + (
            "does not exist" if known else "was not read"
        )
        return Hop("rule", "broken" if known else "unknown", said, ref(holder))
    port = f":{rule.port}" if rule.port else ""
    said = f"{rule.words()} leads to Service {rule.service}{port}" + (f"; {crossed.text}" if crossed else "")
    return Hop("rule", "ok", said, None, (crossed,) if crossed else ())


def _certificates(goal: Goal, holder: Json, told: Sequence[Signal], scene: Scene) -> list[Hop]:
    if goal.scheme != "https" or holder["kind"] != "Ingress":
        return []
    space = holder["metadata"].get("namespace", "")
    listed = dig(holder, "spec", "tls", default=())
    mine = [
        each for each in listed if not each.get("hosts") or any(covers(h, goal.host) for h in each["hosts"])
    ]
    if not mine:
        return [Hop("certificate", "not checked", f"{named(holder)} names no certificate for {goal.host}")]
    names = [each["secretName"] for each in mine if each.get("secretName")]
    for name in names:
        address = str(Ref(kind="Secret", namespace=space, name=name))
        if lost := first_of(told, "ingress.backend_missing", ref=address):
            return [Hop("certificate", "broken", lost.text, ref(holder), (lost,))]
    secrets = [s for n in names if (s := scene.get(Ref(kind="Secret", namespace=space, name=n)))]
    hop = certificate_hop(secrets, goal.host, scene)
    return [hop or Hop("certificate", "unknown", f"Secret {', '.join(names) or 'of it'} could not be read")]
