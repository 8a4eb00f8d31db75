"""The cluster's own DNS: whether anything answers, and what its Corefile has come to say.

It is known by what it is: a Service for port 53 in a namespace of the system, and the workload behind it.
That names do not resolve is told by the logs of those who ask.
"""

import re
from collections.abc import Iterator
from datetime import timedelta

from opssquad import Json, Quote, Ref, Signal, ago

from .._edits import last_edit
from .._kube import dig, quote, quote_at, ref
from .._needs import references
from .._pods import containers, is_finished, is_ready
from ._scene import STALE, Scene, event_quotes, make
from .replicas import desired, ready
from .services import ready_addresses, workloads_behind

NAMESPACES = ("kube-system", "openshift-dns")
PORT = 53
COREFILE = "Corefile"
DOMAIN = "cluster.local"
"""The domain of a cluster that does not choose another; one that does is told of as if it were wrong."""
LATELY = timedelta(days=1)
_STOCK = """
acl any auto autopath azure bind bufsize cache cancel chaos clouddns debug dns64 dnssec dnstap erratic
errors etcd file forward geoip grpc grpc_server header health hosts https https3 import k8s_external
kubernetes loadbalance local log loop metadata minimal multisocket nomad nsid pprof prometheus proxy
quic ready reload rewrite root route53 secondary sign template timeouts tls trace transfer tsig view whoami
"""
PLUGINS = frozenset(_STOCK.split())
"""What a server block may hold in a stock CoreDNS."""
ANSWERS_NOTHING = re.compile(r"rcode\s+(?:NXDOMAIN|SERVFAIL|REFUSED)", re.IGNORECASE)
INSIDE = re.compile(r"\bcluster\.local\b|\bsvc\b|(?:^|\s)\.(?:\s|$)|\bmatch\s+\.\*")


def dns_signals(scene: Scene) -> Iterator[Signal]:
    """`dns.down`, `dns.degraded`, `dns.corefile_changed`, `dns.corefile_wrong`."""
    seen: set[Ref] = set()
    for service in dns_services(scene):
        workload = behind_dns(service, scene)
        answers = ref(workload) if workload else ref(service)
        if answers in seen:
            continue
        seen.add(answers)
        known = scene.covers("EndpointSlice", answers.namespace)
        if known and not ready_addresses(service, scene):
            yield _down(service, answers, scene)
        elif workload:
            yield from _degraded(workload, scene)
        if workload:
            yield from _corefile(workload, scene)


def dns_services(scene: Scene) -> list[Json]:
    """The Services that the cluster's names are asked of."""
    return [
        each
        for each in scene.of("Service")
        if each["metadata"].get("namespace") in NAMESPACES
        and dig(each, "spec", "selector")
        and any(port.get("port") == PORT for port in dig(each, "spec", "ports", default=()))
    ]


def behind_dns(service: Json, scene: Scene) -> Json | None:
    """The workload that answers for such a Service, as far as it was read."""
    found = workloads_behind(dig(service, "spec", "selector"), service["metadata"]["namespace"], scene)
    return found[0] if found else None


def _down(service: Json, answers: Ref, scene: Scene) -> Signal:
    return make(
        "dns.down",
        service,
        answers,
        f"the cluster's DNS is down: Service {service['metadata']['name']} in {answers.namespace} has no "
        "ready endpoint, so no name of the cluster resolves",
        [quote_at(service, "spec", "selector")],
        severity="critical",
        data={"dns": str(answers), "service": str(ref(service))},
    )


def _degraded(workload: Json, scene: Scene) -> Iterator[Signal]:
    """Some of its pods do not answer, or were started anew within the hour."""
    pods = [each for each in scene.pods_of(ref(workload)) if not is_finished(each)]
    lost = [each for each in pods if not is_ready(each)]
    again = [(pod, each) for pod in pods for each in containers(pod) if _lately_ended(each.last, scene)]
    if not lost and not again and ready(workload) >= desired(workload):
        return
    restarted = len({pod["metadata"]["name"] for pod, _ in again})
    quotes: list[Quote] = [quote_at(pod, "status", "conditions") for pod in lost[:2]]
    quotes += [quote_at(pod, "status", *each.where, "lastState") for pod, each in again[:2]]
    yield make(
        "dns.degraded",
        workload,
        ref(workload),
        f"the cluster's DNS, {workload['kind']} {workload['metadata']['name']}: {ready(workload)} of "
        f"{desired(workload)} pods ready"
        + (f", {restarted} restarted within the last hour" if restarted else ""),
        [*(quotes or [quote_at(workload, "status")]), *event_quotes(scene.about(ref(workload)))],
        severity="warning",
        data={"dns": str(ref(workload)), "ready": ready(workload), "restarted": restarted},
    )


def _lately_ended(past: object, scene: Scene) -> bool:
    return scene.is_recent(getattr(past, "finished", None), STALE)


def _corefile(workload: Json, scene: Scene) -> Iterator[Signal]:
    space, answers = workload["metadata"].get("namespace", ""), ref(workload)
    for use in references(dig(workload, "spec", "template", default={})):
        config = scene.get(Ref(kind="ConfigMap", namespace=space, name=use.name or "-"))
        text = dig(config, "data", COREFILE)
        if use.kind != "ConfigMap" or config is None or text is None:
            continue
        change = last_edit(config, "data")
        if change and not change.created and scene.is_recent(change.at, LATELY):
            yield make(
                "dns.corefile_changed",
                config,
                answers,
                f"the Corefile of the cluster's DNS (ConfigMap {use.name}) was edited "
                f"{ago(change.at, scene.now)} by {change.manager}",
                [quote(config, change.entry, managed=True)],
                at=change.at,
                data={"dns": str(answers), "config": str(ref(config)), "by": change.manager},
            )
        if wrong := flaws(text):
            yield make(
                "dns.corefile_wrong",
                config,
                answers,
                f"the Corefile of the cluster's DNS (ConfigMap {use.name}): {'; '.join(wrong)}",
                [quote_at(config, "data", COREFILE)],
                data={"dns": str(answers), "config": str(ref(config)), "why": wrong},
            )
        return


def flaws(text: str) -> list[str]:
    """What cannot be right in a Corefile, or keeps the names of the cluster from being answered."""
    plain = [line.partition("#")[0].strip() for line in text.splitlines()]
    if sum(line.endswith("{") for line in plain) != sum(line.startswith("}") for line in plain):
        return ["its braces do not match"]
    found: list[str] = []
    directives = list(_directives(plain))
    names = [each[0].split()[0] for each in directives]
    if "kubernetes" not in names and "import" not in names:
        found.append("no `kubernetes` plugin: the names of the cluster are unknown")
    zones = [zone for head, _ in directives for zone in _zones(head)]
    if zones and not any(zone in (".", DOMAIN) for zone in zones):
        found.append(f"its `kubernetes` plugin answers for {zones[0]}, not for {DOMAIN}")
    found += [
        f"`{name}` is no plugin of a stock CoreDNS" for name in dict.fromkeys(names) if name not in PLUGINS
    ]
    found += [
        f"`{head}` answers {answer[0]} for names of the cluster"
        for head, body in directives
        if head.startswith("template")
        and (answer := ANSWERS_NOTHING.search(body))
        and INSIDE.search(f"{head} {body}")
    ]
    return found


def _zones(head: str) -> list[str]:
    """The zones that a `kubernetes` directive names, those of addresses left out."""
    name, *zones = head.split()
    return [zone for zone in zones if name == "kubernetes" and not zone.endswith(".arpa")]


def _directives(lines: list[str]) -> Iterator[tuple[str, str]]:
    """The directives of server blocks, each with what stands in its own braces."""
    depth, head = 0, ""
    body: list[str] = []
    for line in filter(None, lines):
        if depth == 1 and not line.startswith("}"):
            head, body = line.removesuffix("{").strip(), []
            if not line.endswith("{"):
                yield head, ""
        elif depth > 1:
            body.append(line)
        closing = line.startswith("}")
        depth += line.endswith("{") - closing
        if closing and depth == 1:
            yield head, "\n".join(body)
