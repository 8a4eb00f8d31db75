"""Names, uids and addresses that the server gives out, drawn from what the store has seen so far: the same
requests in the same order get the same names.
"""

import hashlib
from collections.abc import Collection
from typing import Any

from opssquad.worlds.kube.apiserver.resources import ResourceKey
from opssquad.worlds.kube.apiserver.store import Store

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
SUFFIX = 5
SERVICES = ResourceKey("", "services")


def _digest(store: Store, *parts: str) -> bytes:
    return hashlib.sha256("/".join((str(store.revision), *parts)).encode()).digest()


def suffix(store: Store, *parts: str) -> str:
    """Five letters, as after `generateName`."""
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in _digest(store, "suffix", *parts)[:SUFFIX])


def uid(store: Store, *parts: str) -> str:
    """A version 4 UUID."""
    raw = bytearray(_digest(store, "uid", *parts)[:16])
    raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def cluster_ip(store: Store, namespace: str, name: str) -> str:
    """A free address beside those of the services there are."""
    taken = {service.get("spec", {}).get("clusterIP") for service in store.list(SERVICES)}
    prefix = _prefix(taken)
    for attempt in range(1000):
        byte = _digest(store, "ip", namespace, name, str(attempt))
        found = f"{prefix}.{byte[0]}.{byte[1] % 254 + 1}"
        if found not in taken:
            return found
    raise AssertionError("unreachable: a /16 of addresses is larger than any recording")


def _prefix(taken: Collection[Any]) -> str:
    known = sorted(ip for ip in taken if ip and ip.count(".") == 3)
    return ".".join(known[0].split(".")[:2]) if known else "10.96"


def free_port(store: Store, namespace: str, name: str, index: int) -> int:
    """A node port that no service has."""
    ports = (port for service in store.list(SERVICES) for port in service.get("spec", {}).get("ports") or [])
    taken = {port.get("nodePort") for port in ports}
    first = int.from_bytes(_digest(store, "port", namespace, name, str(index))[:2], "big")
    return next(p for p in (30000 + (first + step) % 2768 for step in range(2768)) if p not in taken)
