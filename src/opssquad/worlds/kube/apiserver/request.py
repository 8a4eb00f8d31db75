"""A request as it came, as the server understood it, and a reply: the values that every part of the API
speaks.

Reading a path, negotiating content and sending bytes is the work of `route` and `server`.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.resources import Resource

Verb = Literal["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]


@dataclass(frozen=True)
class User:
    """Who asks, as the authenticator says."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One HTTP request as it came in, before it is understood. `target` is path and query, header names are
    lower case."""

    method: str
    target: str
    user: User
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Request:
    """One request to a resource. `namespace` is '' for cluster scope and all namespaces, `name` '' for
    collections, `subresource` '' for the object itself. `query` holds the first value of each parameter;
    header names are lower case.
    """

    verb: Verb
    resource: Resource
    namespace: str
    name: str
    subresource: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    user: User


@dataclass(frozen=True)
class Reply:
    """An answer: a dict is sent as JSON, a str as text/plain, bytes as they are."""

    status: int
    body: Json | str | bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stream:
    """An answer that goes on: chunks are sent as they come, until they end or the client goes away."""

    chunks: AsyncIterator[bytes]
    headers: Mapping[str, str] = field(default_factory=dict)
