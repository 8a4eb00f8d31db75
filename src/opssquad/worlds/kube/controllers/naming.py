"""Names, uids and addresses for what controllers create, derived from a seed: a world can be replayed.

The letters and lengths are those of the real control plane; the values cannot be, and need not be.
"""

import hashlib
import ipaddress
import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
HASH_DIGITS = str.maketrans("0123456789", "456789bcdf")


def digest(*parts: object) -> str:
    """64 hex digits that depend on all parts."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def uid(*parts: object) -> str:
    """A uid of the shape that the API server gives: UUID version 4."""
    return str(UUID(digest("uid", *parts)[:32], version=4))


def suffix(*parts: object) -> str:
    """Five letters as `generateName` appends them."""
    number = int(digest("suffix", *parts)[:16], 16)
    letters = ""
    for _ in range(5):
        number, index = divmod(number, len(SUFFIX_LETTERS))
        letters += SUFFIX_LETTERS[index]
    return letters


def template_hash(template: Any, collisions: int = 0) -> str:
    """The pod-template-hash: FNV-1a of the template in decimal, with the digits that names may hold."""
    value = 0x811C9DC5
    for byte in json.dumps([template, collisions], sort_keys=True, separators=(",", ":")).encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return str(value).translate(HASH_DIGITS)


def container_id(*parts: object) -> str:
    """`containerd://` and 64 hex digits."""
    return f"containerd://{digest('container', *parts)}"


def image_id(image: str) -> str:
    """The image by digest, as a registry would resolve the tag."""
    return f"{repository(image)}@sha256:{digest('image', image)}"


def repository(image: str) -> str:
    """An image name without tag and digest."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def tag(image: str) -> str:
    """The tag of an image name, "" if it has none."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]


def next_address(subnet: str, used: Iterable[str]) -> str:
    """The next free address of a node's range, counting on from the highest in use as nodes do."""
    network = ipaddress.ip_network(subnet)
    taken = {ipaddress.ip_address(address) for address in used}
    first, size = int(network.network_address) + 2, network.num_addresses - 3
    highest = max((int(address) for address in taken if address in network), default=first - 1)
    for step in range(1, size + 1):
        candidate = ipaddress.ip_address(first + (highest - first + step) % size)
        if candidate not in taken:
            return str(candidate)
    raise ValueError(f"no free address in {subnet}")
