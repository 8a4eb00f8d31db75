"""The options of a write: dry run, field manager and validation, and what a deletion may ask for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.request import Request
from opssquad.worlds.kube.apiserver.status import Cause, bad_request, invalid
from opssquad.worlds.kube.apiserver.typed.words import go_json

Validation = Literal["Strict", "Warn", "Ignore"]
KINDS = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions"}
META = "meta.k8s.io"
POLICIES = ("Foreground", "Background", "Orphan")


@dataclass(frozen=True)
class WriteOptions:
    """Of create, update and patch."""

    dry_run: bool
    manager: str
    validation: Validation
    force: bool


@dataclass(frozen=True)
class DeleteOptions:
    """Of delete: `grace` in seconds and `policy` are None when not given; `uid` and `version` are
    preconditions.
    """

    dry_run: bool = False
    grace: int | None = None
    policy: str | None = None
    uid: str = ""
    version: str = ""


def write_options(request: Request, apply: bool = False) -> WriteOptions:
    """Read from the query. Raises ApiStatus 422 for values that are none."""
    query, kind = request.query, KINDS.get(request.verb, "CreateOptions")
    causes = _dry_run_causes(_dry_run(query.get("dryRun")))
    validation = query.get("fieldValidation", "")
    if validation not in ("", "Ignore", "Strict", "Warn"):
        causes.append(_unsupported(f'"{validation}"', ("", "Ignore", "Strict", "Warn"), "fieldValidation"))
    if apply and not query.get("fieldManager"):
        causes.append(
            Cause("FieldValueRequired", "Required value: is required for apply patch", "fieldManager")
        )
    if causes:
        raise invalid(kind, META, "", causes)
    chosen: Validation = (
        "Strict" if validation == "Strict" else "Ignore" if validation == "Ignore" else "Warn"
    )
    return WriteOptions(
        dry_run=bool(query.get("dryRun")),
        manager=query.get("fieldManager") or _agent(request.headers),
        validation=chosen,
        force=query.get("force") == "true",
    )


def _agent(headers: Mapping[str, str]) -> str:
    """The manager of whoever names none: the user agent up to the first slash."""
    return headers.get("user-agent", "").partition("/")[0] or "unknown"


def delete_options(request: Request) -> DeleteOptions:
    """From the body, or from the query when there is none. Raises ApiStatus."""
    if request.body.strip():
        return delete_options_of(_json(request.body))
    query = request.query
    given: Json = {}
    if "dryRun" in query:
        given["dryRun"] = _dry_run(query["dryRun"])
    if "propagationPolicy" in query:
        given["propagationPolicy"] = query["propagationPolicy"]
    if query.get("gracePeriodSeconds", "").lstrip("-").isdigit():
        given["gracePeriodSeconds"] = int(query["gracePeriodSeconds"])
    return delete_options_of(given)


def delete_options_of(body: Json) -> DeleteOptions:
    """From a DeleteOptions object, as an Eviction carries one too. Raises ApiStatus 422."""
    causes = _dry_run_causes(body.get("dryRun") or [])
    policy = body.get("propagationPolicy")
    if policy is not None and policy not in POLICIES:
        causes.append(_unsupported(f'"{policy}"', (*POLICIES, "nil"), "propagationPolicy"))
    if causes:
        raise invalid("DeleteOptions", META, "", causes)
    wanted = body.get("preconditions") or {}
    return DeleteOptions(
        dry_run=bool(body.get("dryRun")),
        grace=body.get("gracePeriodSeconds"),
        policy=policy,
        uid=wanted.get("uid") or "",
        version=wanted.get("resourceVersion") or "",
    )


def _json(body: bytes) -> Json:
    try:
        loaded = json.loads(body)
    except ValueError as error:
        raise bad_request(f"couldn't get version/kind; json parse error: {error}") from error
    return loaded if isinstance(loaded, dict) else {}


def _dry_run(value: str | None) -> list[str]:
    return [value] if value else []


def _dry_run_causes(given: list[str]) -> list[Cause]:
    if all(value == "All" for value in given):
        return []
    return [_unsupported(go_json(given), ("All",), "dryRun")]


def _unsupported(value: str, supported: tuple[str, ...], field: str) -> Cause:
    listed = ", ".join(f'"{name}"' for name in supported)
    return Cause("FieldValueNotSupported", f"Unsupported value: {value}: supported values: {listed}", field)
