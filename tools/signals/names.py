"""Services that a workload's configuration names and that do not exist.

By itself that is no fault: a name may never be looked up, or be none. The logs tell whether it is.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from opssquad import Json, Quote, Ref, Signal

from .._addresses import service_named
from .._depends import HOST, environment
from .._kube import dig, quote_at, ref, source
from .._mentions import mentioned, written
from .._needs import references
from ._scene import Scene, make

FOR_A_HOST = re.compile(
    r"(?:HOST(?:NAME)?|ADDR(?:ESS)?|SERVER|UPSTREAM|BROKER|SVC|URL|URI|ENDPOINT|DSN)S?$", re.IGNORECASE
)
LOCAL = frozenset({"localhost", "host", "null", "none", "true", "false"})


class Named(NamedTuple):
    """A host that configuration names, and where: a variable, arguments, or a key of a ConfigMap."""

    host: str
    where: str


def missing_services(workload: Json, scene: Scene) -> Iterator[Signal]:
    """`service.missing` for every Service that the workload's configuration names in vain."""
    space = workload["metadata"].get("namespace", "")
    template = dig(workload, "spec", "template", default={})
    aliases = dig(template, "spec", "hostAliases", default=())
    own = {name for each in aliases for name in each.get("hostnames") or ()}
    told: set[Ref] = set()
    for named in hosts(template, space, scene):
        address = service_named(named.host, space)
        if address is None or named.host in LOCAL | own or address in told:
            continue
        if scene.lacks(address) and _in_cluster(named.host, address, scene):
            told.add(address)
            yield make(
                "service.missing",
                address,
                ref(workload),
                f"{workload['kind']} {workload['metadata']['name']} is told of {named.host} ({named.where}); "
                f"there is no Service {address.name} in {address.namespace}",
                [_quote(named.host, workload, template, scene)],
                severity="info",
                data={
                    "service": str(address),
                    "host": named.host,
                    "where": named.where,
                    "used_by": [str(ref(workload))],
                },
            )


def hosts(template: Json, namespace: str, scene: Scene) -> Iterator[Named]:
    """The hosts that environment, arguments and files of a pod template name."""
    for variable, value in environment(template, namespace, scene):
        match = HOST.match(value.strip())
        if match and (match["port"] or "://" in value or FOR_A_HOST.search(variable)):
            yield Named(match["host"].lower(), variable)
    for place, text in written(template, namespace, scene):
        for address in mentioned(text):
            yield Named(address.host.lower(), place.what)


def _in_cluster(host: str, address: Ref, scene: Scene) -> bool:
    """Whether a name can only be meant for a Service: `a.b` may be any domain unless `b` is a namespace."""
    if "." not in host or ".svc" in host:
        return True
    return scene.get(Ref(kind="Namespace", name=address.namespace)) is not None


def _quote(host: str, workload: Json, template: Json, scene: Scene) -> Quote:
    """The host's name where it stands: in the workload itself or in a ConfigMap that it reads."""
    space = workload["metadata"].get("namespace", "")
    maps = [Ref(kind=use.kind, namespace=space, name=use.name) for use in references(template) if use.name]
    whole_word = re.compile(rf"(?<![\w.-]){re.escape(host)}(?::\d+)?(?![\w-])", re.IGNORECASE)
    for each in (workload, *(scene.get(address) for address in maps if address.kind == "ConfigMap")):
        if each and (found := whole_word.search(source(each).text)):
            return Quote(locator=str(ref(each)), text=found[0])
    return quote_at(workload, "metadata", "name")
