"""Access reviews: `auth can-i`, `auth can-i --list`, `auth whoami`, and reviews about others."""

from opssquad.times import rfc3339
from opssquad.types import Json
from opssquad.worlds.kube.apiserver.access.rbac import Act, Decision, authorize, rules_for
from opssquad.worlds.kube.apiserver.bodies import Expected, read_body
from opssquad.worlds.kube.apiserver.fields.ownership import Writer, updated
from opssquad.worlds.kube.apiserver.options import write_options
from opssquad.worlds.kube.apiserver.request import Reply, Request, User
from opssquad.worlds.kube.apiserver.status import ApiStatus, Cause, invalid
from opssquad.worlds.kube.apiserver.store import Store
from opssquad.worlds.kube.apiserver.typed.read import empty, read
from opssquad.worlds.kube.apiserver.typed.schema import Type, schema

ONE_OF = "exactly one of nonResourceAttributes or resourceAttributes must be specified"


def review(store: Store, request: Request) -> Reply:
    """POST of a review; the answer is the review with its status. Raises ApiStatus."""
    resource = request.resource
    kind = schema().kind(resource.api_version, resource.kind)
    assert kind is not None, "reviews are built in"
    body = read_body(request, Expected(resource.api_version, resource.kind, kind)).obj
    match resource.kind:
        case "SelfSubjectReview":
            answer = {"metadata": {"creationTimestamp": rfc3339(store.now())}, "status": _who(request.user)}
        case "SelfSubjectRulesReview":
            namespace = (body.get("spec") or {}).get("namespace", "")
            answer = {"metadata": {}, "spec": {}, "status": _rules(store, request.user, namespace)}
        case _:
            answer = _access(store, request, body, kind)
    head = {"kind": resource.kind, "apiVersion": resource.api_version}
    return Reply(201, read(kind, {**head, **answer})[0])


def _who(user: User) -> Json:
    info: Json = {"username": user.name}
    if user.uid:
        info["uid"] = user.uid
    info["groups"] = list(user.groups)
    info["extra"] = {key: list(values) for key, values in user.extra.items()}
    return {"userInfo": info}


def _rules(store: Store, user: User, namespace: str) -> Json:
    rules = rules_for(store, user, namespace)
    listed = ("verbs", "apiGroups", "resources", "resourceNames")
    return {
        "resourceRules": [{k: r[k] for k in listed if k in r} for r in rules if r.get("resources")],
        "nonResourceRules": [
            {"verbs": r["verbs"], "nonResourceURLs": r["nonResourceURLs"]}
            for r in rules
            if r.get("nonResourceURLs")
        ],
        "incomplete": False,
    }


def _access(store: Store, request: Request, body: Json, kind: Type) -> Json:
    spec = body.get("spec") or {}
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if (resource is None) == (path is None):
        raise _one_of(request)
    decision = authorize(store, _subject(request, spec), _act(request, resource, path))
    options = write_options(request)
    writer = Writer(options.manager, request.resource.api_version, "", rfc3339(store.now()))
    own = updated(empty(kind), body, kind, writer)
    metadata = {**body.get("metadata", {}), **({"managedFields": own} if own else {})}
    return {"metadata": metadata, "spec": spec, "status": _status(decision)}


def _status(decision: Decision) -> Json:
    return {"allowed": decision.allowed, "reason": decision.reason}


def _one_of(request: Request) -> ApiStatus:
    cause = Cause("FieldValueInvalid", f"Invalid value: null: {ONE_OF}", "spec.resourceAttributes")
    return invalid("", request.resource.group, "", [cause])


def _subject(request: Request, spec: Json) -> User:
    """Whom the review is about: the asker, unless it names somebody."""
    if request.resource.kind.startswith("Self"):
        return request.user
    return User(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""))


def _act(request: Request, resource: Json | None, path: Json | None) -> Act:
    if resource is None:
        return Act((path or {}).get("verb", ""), path=(path or {}).get("path", ""))
    return Act(
        verb=resource.get("verb", ""),
        group=resource.get("group", ""),
        resource=resource.get("resource", ""),
        subresource=resource.get("subresource", ""),
        namespace=resource.get("namespace", "") or request.namespace,
        name=resource.get("name", ""),
    )
