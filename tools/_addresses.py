"""The addresses that log lines name, and the Services and workloads behind them.

Pure functions over text and objects; which lines tell of a failing address is for `signals.logs`.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from opssquad import Json, Ref

from ._kube import dig, owner, ref, selected

_KEYS = "target|upstream|addr|address|endpoint|url|uri|host|peer"
_PLACES = (
    re.compile(rf'"(?:{_KEYS})"\s*:\s*"([^"]+)"'),
    re.compile(rf'\b(?:{_KEYS})=("[^"]+"|\S+)'),
    re.compile(r'\bupstream: "([^"]+)"'),
    re.compile(
        r"\b(?:dial \w+|ECONNREFUSED|ETIMEDOUT|ECONNRESET|refused:|connect(?:ing|ion)? (?:to|at)) (\S+)"
    ),
    re.compile(r"\b(\w+://[^\s\"'<>]+)"),
    re.compile(r"\b([\w.-]+/\d{1,3}(?:\.\d{1,3}){3}:\d+)\b"),
    re.compile(r"\b(\d{1,3}(?:\.\d{1,3}){3}:\d+)\b"),
)
_FORM = re.compile(
    r"(?:\w+://)?(?:[^@/\s]*@)?(?:[\w.-]+/(?=\d+\.))?(?P<host>[A-Za-z0-9][\w.-]*)(?::(?P<port>\d{1,5}))?(?=[/\s?\\]|$)"
)
_ENDPOINT = re.compile(r"\b(?P<host>[A-Za-z][\w-]*(?:\.[\w-]+)*):(?P<port>\d{2,5})\b(?!:)")
LONGEST = 2000
"""Characters of a message that are looked through for `host:port`."""
_LABEL = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?")
_IP = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")


@dataclass(frozen=True)
class Address:
    """A host, by name or IP, and a port; port 0 where none is named."""

    host: str
    port: int = 0

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host


def is_address(host: str) -> bool:
    """Whether a host is an IP address, in brackets or without."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def service_addresses(service: Json) -> set[str]:
    """Where a Service is reached: its own addresses, its load balancer's, and external ones."""
    own = dig(service, "spec", "clusterIPs", default=None) or [dig(service, "spec", "clusterIP")]
    balanced = [each.get("ip") for each in dig(service, "status", "loadBalancer", "ingress", default=())]
    found = {*own, *balanced, *dig(service, "spec", "externalIPs", default=())}
    return found - {None, "", "None"}


def addresses(text: str) -> list[Address]:
    """The addresses in a line, those first that stand where a client says whom it called."""
    return list(dict.fromkeys(_addresses(text)))


def _addresses(text: str) -> Iterator[Address]:
    text = text[:LONGEST]
    for place in _PLACES:
        for found in place.finditer(text):
            named = found[1].strip("\"',;:()[]")
            if (form := _FORM.match(named)) and not form["host"].isdigit():
                yield Address(form["host"].rstrip("."), int(form["port"] or 0))


def endpoints(text: str) -> list[Address]:
    """Every `host:port` in a message, scheme or not: for text that holds no times or code lines."""
    text = text[:LONGEST]
    spoken = (Address(found["host"], int(found["port"])) for found in _ENDPOINT.finditer(text))
    return list(dict.fromkeys((*(each for each in addresses(text) if each.port), *spoken)))


def service_named(host: str, namespace: str) -> Ref | None:
    """The Service that a host name means to a pod in that namespace, whether it exists or not: `db`,
    `db.shop`, `db.shop.svc`, `pod-0.db.shop.svc.cluster.local`. None for IPs and names of another form."""
    parts = host.rstrip(".").lower().split(".")
    if not all(map(_LABEL.fullmatch, parts)):
        return None
    if "svc" in parts[2:]:
        *_, name, space = parts[: parts.index("svc", 2)]
        return Ref(kind="Service", namespace=space, name=name)
    if len(parts) > 2:
        return None
    return Ref(kind="Service", namespace=parts[1] if parts[1:] else namespace, name=parts[0])


def is_ip(host: str) -> bool:
    """Whether a host is an IPv4 address."""
    return bool(_IP.fullmatch(host))


def is_outside(host: str) -> bool:
    """Whether a name can only be meant for a host outside of the cluster: `api.example.com`."""
    parts = host.rstrip(".").lower().split(".")
    inside = "svc" in parts or parts[-1] in {"local", "internal", "localdomain"}
    return len(parts) > 2 and not inside and not is_ip(host) and parts[-1].isalpha()


@dataclass
class Directory:
    """The Services of a cluster, and as far as they were read the pods and workloads behind them."""

    services: Iterable[Json]
    pods: Iterable[Json] = ()
    workloads: Iterable[Json] = ()
    _ips: dict[str, Json] = field(init=False, default_factory=dict)
    _pods: dict[str, Json] = field(init=False, default_factory=dict)
    _names: dict[tuple[str, str], Json] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for each in self.services:
            meta = each["metadata"]
            self._names[meta.get("namespace", ""), meta["name"]] = each
            for ip in dig(each, "spec", "clusterIPs", default=[dig(each, "spec", "clusterIP", default="")]):
                self._ips.setdefault(ip, each)
        for pod in self.pods:
            if not dig(pod, "spec", "hostNetwork") and (ip := dig(pod, "status", "podIP")):
                self._pods.setdefault(ip, pod)

    def service(self, address: Address, namespace: str) -> Json | None:
        """The Service that a client in that namespace reaches by the address, or None. The address of a pod,
        as proxies call it, stands for a Service that selects the pod."""
        if is_ip(address.host):
            return self._ips.get(address.host) or self._before(self._pods.get(address.host))
        name, *rest = address.host.split(".")
        if rest[1:] and rest[1] != "svc":
            return None
        return self._names.get((rest[0] if rest else namespace, name))

    def _before(self, pod: Json | None) -> Json | None:
        if pod is None:
            return None
        labels, space = dig(pod, "metadata", "labels", default={}), pod["metadata"].get("namespace", "")
        return next(
            (
                each
                for (where, _), each in self._names.items()
                if where == space
                and (selector := dig(each, "spec", "selector", default={}))
                and selected(labels, selector)
            ),
            None,
        )

    def workload(self, service: Json) -> Ref | None:
        """The workload whose pods the Service's selector picks, or would pick if it had any."""
        selector = dig(service, "spec", "selector", default={})
        space = service["metadata"].get("namespace", "")
        for pod in self.pods:
            if _in(pod, space) and selected(dig(pod, "metadata", "labels", default={}), selector):
                return owner(pod)
        for each in self.workloads:
            labels = dig(each, "spec", "template", "metadata", "labels", default={})
            if _in(each, space) and selected(labels, selector):
                return ref(each)
        return None

    def reached(self, found: Iterable[Address], namespace: str) -> tuple[Address | None, Json | None]:
        """Of these addresses the first that is a Service's, else the first with a port or outside of the
        cluster, else none."""
        candidates = list(found)
        for each in candidates:
            if service := self.service(each, namespace):
                return each, service
        return next((each for each in candidates if each.port or is_outside(each.host)), None), None


def _in(obj: Json, namespace: str) -> bool:
    return bool(obj["metadata"].get("namespace", "") == namespace)
