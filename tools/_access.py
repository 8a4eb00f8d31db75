"""Requests that a log says were answered, in the forms of servers, frameworks and proxies; of a proxy with
whom it asked in turn.

Forms: common and combined log format with what nginx, ingress-nginx, Traefik and Envoy add to it; HAProxy;
logfmt; and JSON with the keys of Traefik, Envoy, Caddy, nginx, pino and others. Pure.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opssquad import Json

_METHOD = "GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS"
_PLAIN = re.compile(rf"\b({_METHOD}) (/[^\s\"]*)(?: HTTP/[\d.]+)?\"? ([1-5]\d\d)\b(?P<more>.*)")
_HAPROXY = re.compile(
    r" (?P<backend>[^\s/]+)/(?P<server>[^\s/]+) [-\d]+(?:/[-+\d]+){4} (?P<status>[1-5]\d\d) .* "
    rf"\"(?P<method>{_METHOD}) (?P<path>/[^\s\"]*)"
)
_PEER = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}:(?P<port>\d{1,5})\b")
_QUOTED = re.compile(r'"[^"]*"')
_EPHEMERAL = 32768
"""From here on a port is a client's."""
_STATUS = re.compile(r"[1-9][0-9]{2}")
_LOGFMT = re.compile(r"(?<![\w.])\.*+(\w[\w.]*+)=(\"(?:[^\"\\]|\\.)*\"|\S+)")
_PATHS = ("path", "url", "uri", "RequestPath", "request_uri", "request_path", "http_path", "original_path")
_METHODS = ("method", "RequestMethod", "request_method", "http_method", "verb")
_STATUSES = (
    *("status", "statusCode", "status_code", "code", "DownstreamStatus", "response_code", "responseStatus"),
    *("http_status", "response_status"),
)
_UPSTREAMS = (
    *("upstream_host", "ServiceAddr", "ServiceURL", "upstream_addr", "upstream_address", "upstream_cluster"),
    *("upstream", "upstreamAddr", "proxy_host"),
)
_WITHIN = ("request", "req", "response", "res", "resp", "http")
"""Objects in which frameworks keep what they say of a request and its answer."""


@dataclass(frozen=True)
class Access:
    """A request that the process answered; `upstream` is the address that it passed the request to, if it is
    a proxy that says so."""

    method: str
    path: str
    status: int
    upstream: str = ""


def in_text(body: str) -> Access | None:
    """The request of a plain line."""
    if found := _PLAIN.search(body):
        # Referrer and user agent are what the client wrote.
        more = _QUOTED.sub("", found["more"], count=2)
        peers = (each[0] for each in _PEER.finditer(more) if int(each["port"]) < _EPHEMERAL)
        return Access(found[1], found[2], int(found[3]), next(peers, ""))
    if found := _HAPROXY.search(body):
        upstream = "" if found["server"] == "<NOSRV>" else found["backend"]
        return Access(found["method"], found["path"], int(found["status"]), upstream)
    if "status=" in body and "method=" in body:
        return in_fields({key: value.strip('"') for key, value in _LOGFMT.findall(body)})
    return None


def in_fields(said: Json) -> Access | None:
    """The request of a structured line."""
    parts = list(_parts(said))
    path = next((str(found) for found in _values(parts, _PATHS) if str(found).startswith("/")), "")
    status = next((str(found) for found in _values(parts, _STATUSES) if _STATUS.fullmatch(str(found))), "")
    if not path or not status:
        return None
    method = next((str(found) for found in _values(parts, _METHODS) if isinstance(found, str)), "")
    upstream = next((str(found) for found in _values(parts[:1], _UPSTREAMS) if found not in ("", "-")), "")
    return Access(method, path, int(status), upstream)


def _parts(said: Json) -> Iterator[Mapping[str, Any]]:
    yield said
    yield from (part for key in _WITHIN if isinstance(part := said.get(key), dict))


def _values(parts: list[Mapping[str, Any]], keys: tuple[str, ...]) -> Iterator[Any]:
    return (part[key] for key in keys for part in parts if part.get(key) is not None)
