"""Tokens of service accounts (`kubectl create token`). They have the form of real ones and open nothing:
nobody has signed them, and no server takes them.
"""

import base64
import json
from datetime import timedelta

from opssquad.times import rfc3339
from opssquad.types import Json
from opssquad.worlds.kube.apiserver.admit import names
from opssquad.worlds.kube.apiserver.bodies import Expected, read_body
from opssquad.worlds.kube.apiserver.request import Reply, Request
from opssquad.worlds.kube.apiserver.status import Cause, invalid, not_found
from opssquad.worlds.kube.apiserver.store import Store
from opssquad.worlds.kube.apiserver.typed.read import read
from opssquad.worlds.kube.apiserver.typed.schema import schema

GROUP, VERSION, KIND = "authentication.k8s.io", "authentication.k8s.io/v1", "TokenRequest"
ISSUER = "https://kubernetes.default.svc.cluster.local"
LIFETIME, SHORTEST = 3600, 600  # seconds


def create_token(store: Store, request: Request) -> Reply:
    """POST to `serviceaccounts/NAME/token`. Raises ApiStatus 404 and 422."""
    account = store.get(request.resource.key, request.namespace, request.name)
    if account is None:
        raise not_found(request.resource, request.name)
    kind = schema().kind(VERSION, KIND)
    assert kind is not None, "token requests are built in"
    spec = read_body(request, Expected(VERSION, KIND, kind)).obj.get("spec") or {}
    seconds = spec.get("expirationSeconds") or LIFETIME
    if seconds < SHORTEST:
        why = f"Invalid value: {seconds}: may not specify a duration less than 10 minutes"
        raise invalid(KIND, GROUP, "", [Cause("FieldValueInvalid", why, "spec.expirationSeconds")])
    now = store.now()
    end = now + timedelta(seconds=seconds)
    audiences = spec.get("audiences") or [ISSUER]
    claims = {
        "aud": audiences,
        "exp": int(end.timestamp()),
        "iat": int(now.timestamp()),
        "iss": ISSUER,
        "jti": names.uid(store, "token", request.namespace, request.name),
        "kubernetes.io": {
            "namespace": request.namespace,
            "serviceaccount": {"name": request.name, "uid": account["metadata"].get("uid", "")},
        },
        "nbf": int(now.timestamp()),
        "sub": f"system:serviceaccount:{request.namespace}:{request.name}",
    }
    answer = {
        "kind": KIND,
        "apiVersion": VERSION,
        "metadata": {
            "name": request.name,
            "namespace": request.namespace,
            "creationTimestamp": rfc3339(now),
        },
        "spec": {**spec, "audiences": audiences, "expirationSeconds": seconds},
        "status": {"token": _unsigned(claims), "expirationTimestamp": rfc3339(end)},
    }
    return Reply(201, read(kind, answer)[0])


def _unsigned(claims: Json) -> str:
    """A token of three parts, of which the third says that it is none."""
    parts = (
        json.dumps({"alg": "RS256", "kid": "recorded"}),
        json.dumps(claims),
        "of a recorded cluster: not signed",
    )
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)
