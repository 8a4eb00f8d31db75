"""The errors of the API, word for word: `ApiStatus` is raised anywhere below the server and sent as a
Status object.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.request import Reply, Request, User
from opssquad.worlds.kube.apiserver.resources import Resource


@dataclass(frozen=True)
class Cause:
    """One thing wrong with a field: `FieldValueInvalid`, its message without the field's name, and the
    path.
    """

    reason: str
    message: str
    field: str = ""

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message

    def json(self) -> Json:
        """As `details.causes` holds it."""
        return {k: v for k, v in vars(self).items() if v}


class ApiStatus(Exception):
    """A failure that is told to the client as a Status. `details` None leaves them out, {} sends them
    empty.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.metadata = metadata
        self.headers = headers or {}

    def body(self) -> Json:
        """The Status object, its fields in the server's order."""
        body: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": dict(self.metadata or {}),
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = dict(self.details)
        return {**body, "code": self.code}

    def reply(self) -> Reply:
        """The answer to send."""
        return Reply(self.code, self.body(), self.headers)


def success(resource: Resource, name: str, uid: str) -> Json:
    """The Status that a finished deletion answers with."""
    details = {**_who(name, resource.group, resource.plural), "uid": uid}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def not_found(resource: Resource, name: str) -> ApiStatus:
    """404 for one object."""
    message = f'{resource.qualified} "{name}" not found'
    return ApiStatus(404, "NotFound", message, _who(name, resource.group, resource.plural))


def no_such_resource() -> ApiStatus:
    """404 for a resource that no group version has."""
    return ApiStatus(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(resource: Resource, name: str) -> ApiStatus:
    """409 on a create."""
    message = f'{resource.qualified} "{name}" already exists'
    return ApiStatus(409, "AlreadyExists", message, _who(name, resource.group, resource.plural))


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(
    resource: Resource,
    name: str,
) -> ApiStatus:
    """409 on a write with an old resourceVersion."""
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {MODIFIED}'
    return ApiStatus(409, "Conflict", message, _who(name, resource.group, resource.plural))


def forbidden(request: Request) -> ApiStatus:
    """403 for what the user may not do with a resource."""
    resource = request.resource
    plural = f"{resource.plural}/{request.subresource}" if request.subresource else resource.plural
    scope = f'in the namespace "{request.namespace}"' if request.namespace else "at the cluster scope"
    why = (
        f'User "{request.user.name}" cannot {request.verb} resource "{plural}" '
        f'in API group "{resource.group}" {scope}'
    )
    return refused(resource, request.name, why)


def refused(resource: Resource, name: str, why: str, causes: Iterable[Cause] = ()) -> ApiStatus:
    """403 with a reason of its own: quota, a namespace that goes away."""
    what = f'{resource.qualified} "{name}"' if name else resource.qualified
    details = {**_who(name, resource.group, resource.plural), **_causes(causes)}
    return ApiStatus(403, "Forbidden", f"{what} is forbidden: {why}", details)


def forbidden_path(user: User, verb: str, path: str) -> ApiStatus:
    """403 for a path that is no resource."""
    return ApiStatus(403, "Forbidden", f'forbidden: User "{user.name}" cannot {verb} path "{path}"', {})


def unauthorized() -> ApiStatus:
    """401: no credentials, or wrong ones."""
    return ApiStatus(401, "Unauthorized", "Unauthorized")


def bad_request(message: str) -> ApiStatus:
    """400 with a message and no details."""
    return ApiStatus(400, "BadRequest", message)


def invalid(kind: str, group: str, name: str, causes: Iterable[Cause]) -> ApiStatus:
    """422: `Deployment.apps "web" is invalid: spec.replicas: Invalid value: ...`, all causes in one
    message.
    """
    listed = list(causes)
    texts = list(dict.fromkeys(str(cause) for cause in listed))
    what = f"{kind}.{group}" if group else kind
    said = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    details = {**_who(name, group, kind), **_causes(listed)}
    return ApiStatus(422, "Invalid", f'{what} "{name}" is invalid: {said}', details)


def unprocessable() -> ApiStatus:
    """422 without a word of why, as for a JSON patch whose test or path fails."""
    return ApiStatus(422, "Invalid", "the server rejected our request due to an error in our request", {})


def method_not_allowed() -> ApiStatus:
    """405."""
    return ApiStatus(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {}
    )


def not_acceptable(message: str, details: Mapping[str, Any] | None = None) -> ApiStatus:
    """406: nothing that the client accepts can be sent."""
    return ApiStatus(406, "NotAcceptable", message, details)


def unsupported_media_type(message: str, details: Mapping[str, Any] | None = None) -> ApiStatus:
    """415: a body of a type that the request does not take."""
    return ApiStatus(415, "UnsupportedMediaType", message, details)


def too_large(limit: int) -> ApiStatus:
    """413: a body of more than so many bytes."""
    message = f"Request entity too large: limit is {limit}"
    return ApiStatus(413, "RequestEntityTooLarge", message)


def gone(message: str, metadata: Mapping[str, Any] | None = None) -> ApiStatus:
    """410: a resourceVersion or continue token that is too old."""
    return ApiStatus(410, "Expired", message, metadata=metadata)


def internal(message: str) -> ApiStatus:
    """500 without a reason, as the server says of some wrong input."""
    return ApiStatus(500, "", message)


def too_many_requests(message: str, causes: Iterable[Cause]) -> ApiStatus:
    """429 of an eviction that a budget forbids."""
    return ApiStatus(429, "TooManyRequests", message, _causes(causes))


def _who(name: str, group: str, kind: str) -> Json:
    return {k: v for k, v in (("name", name), ("group", group), ("kind", kind)) if v}


def _causes(causes: Iterable[Cause]) -> Json:
    listed = [cause.json() for cause in causes]
    return {"causes": listed} if listed else {}
