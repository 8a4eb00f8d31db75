"""What goes wrong between us and an API server, each said in one clear line; pure."""

import json
import math
import re
import ssl
from collections.abc import Mapping
from typing import Any

from opssquad.errors import ToolError
from opssquad.types import Json
from opssquad.worlds.kube.access import Access

HALVES = re.compile(rb"\\u[dD][89a-fA-F]")
MOST = 256 * 2**20
"""Bytes of one answer: five hundred of the largest objects there are, by far."""


class ApiError(ToolError):
    """The server answered with an error: `status` of HTTP, `reason` and `details` of its Status object."""

    def __init__(self, message: str, status: int, reason: str = "", details: Json | None = None) -> None:
        super().__init__(message, blind=status in {401, 403, 408, 429} or status >= 500)
        self.status = status
        self.reason = reason
        self.details = details or {}
        self.retry_after: float | None = None
        self.continues = ""


class Unreachable(ToolError):
    """No answer. `sent`: the request may have reached the server; `passing`: trying again may help."""

    def __init__(self, message: str, *, sent: bool, passing: bool = True) -> None:
        super().__init__(message, blind=True)
        self.sent = sent
        self.passing = passing


def from_answer(status: int, headers: Mapping[str, str], body: bytes, access: Access) -> ApiError:
    """The error of an answer of 400 or above, in the server's own words where it spoke Kubernetes."""
    said = _status_object(body)
    if status == 401:
        error = ApiError(
            f"cluster {access.name!r} refuses the credentials of {access.origin} (401): expired or revoked? "
            f"Log in again, then try: kubectl --context {access.name} auth whoami",
            401,
            "Unauthorized",
        )
    elif said:
        message = str(said.get("message") or f"HTTP {status}")
        error = ApiError(
            f"the server says: {message}",
            status,
            str(said.get("reason") or ""),
            _mapping(said.get("details")),
        )
        error.continues = str(_mapping(said.get("metadata")).get("continue") or "")
    else:
        kind = headers.get("Content-Type", "no content type").split(";")[0]
        text = " ".join(body[:120].decode(errors="replace").split()) if kind == "text/plain" else kind
        error = ApiError(
            f"{access.server} answered HTTP {status} ({text}), not as a Kubernetes API does", status
        )
    error.retry_after = retry_after(headers)
    return error


def from_exception(error: Exception, access: Access, deadline: float) -> Unreachable:
    """The error of a request that got no whole answer: refused, cut off, name unknown, TLS, time out."""
    import aiohttp

    where = f"cluster {access.name!r} at {access.server}"
    match error:
        case aiohttp.ClientConnectorCertificateError() | ssl.SSLCertVerificationError():
            why = getattr(getattr(error, "certificate_error", error), "verify_message", "") or str(error)
            text = f"the certificate of {where} is not trusted ({why}); check its certificate-authority"
            return Unreachable(text, sent=False, passing=False)
        case aiohttp.ClientSSLError() | ssl.SSLError():
            why = getattr(getattr(error, "os_error", error), "reason", None) or "no TLS there?"
            return Unreachable(
                f"TLS with {where} failed ({why}); check its port and scheme", sent=False, passing=False
            )
        case aiohttp.ClientConnectorDNSError():
            text = f"the name of {where} cannot be resolved; check DNS or VPN"
            return Unreachable(text, sent=False, passing=False)
        case aiohttp.ClientConnectorError():
            text = f"{where} cannot be reached ({_system(error)}); is it up, is the VPN on?"
            return Unreachable(text, sent=False)
        case TimeoutError():
            return Unreachable(silent(access, deadline), sent=True, passing=False)
        case aiohttp.InvalidURL():
            return Unreachable(f"{where}: that server address is not a URL", sent=False, passing=False)
        case aiohttp.ClientPayloadError():
            return Unreachable(f"the connection to {where} broke off in the middle of an answer", sent=True)
    why = " ".join(str(error).split()) or type(error).__name__
    return Unreachable(f"the connection to {where} broke off ({why[:200]})", sent=True)


def silent(access: Access, deadline: float) -> str:
    """The line for a server that accepts and never answers."""
    return (
        f"cluster {access.name!r} at {access.server} did not answer within {deadline:g} s; "
        f"check the network or VPN, or try: kubectl --context {access.name} get --raw /readyz"
    )


def too_long(access: Access) -> ToolError:
    """The error for an answer that does not end."""
    return ToolError(
        f"{access.server} sent more than {MOST // 2**20} MB for one answer; is it an API server?", blind=True
    )


def document(body: bytes, access: Access) -> Json:
    """A JSON object, or a ToolError that says what came instead."""
    try:
        value: Any = json.loads(body)
        if HALVES.search(body):
            # Half a character, which JSON can spell: nothing can write it down again.
            value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        head = " ".join(body[:60].decode(errors="replace").split())
        raise ToolError(
            f"{access.server} did not answer in JSON (it begins {head!r}); is it an API server?", blind=True
        ) from error
    if not isinstance(value, dict):
        raise ToolError(
            f"{access.server} answered with JSON that is no object; is it an API server?", blind=True
        )
    return value


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks us to wait, if it does in seconds; API servers write nothing else."""
    try:
        wait = float(headers.get("Retry-After", ""))
    except ValueError:
        return None
    return max(0.0, wait) if math.isfinite(wait) else None


def _status_object(body: bytes) -> Json:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) and value.get("kind") == "Status" else {}


def _mapping(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _system(error: Any) -> str:
    inner = getattr(error, "os_error", error)
    return getattr(inner, "strerror", None) or str(inner)
