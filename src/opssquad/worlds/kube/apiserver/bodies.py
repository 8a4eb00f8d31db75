"""Request bodies read into objects: media types, versions, and how strictly unknown fields are taken."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.options import Validation
from opssquad.worlds.kube.apiserver.request import Request
from opssquad.worlds.kube.apiserver.status import ApiStatus, bad_request, unsupported_media_type
from opssquad.worlds.kube.apiserver.typed import wire
from opssquad.worlds.kube.apiserver.typed.read import Mismatch, doubled, duplicates, read
from opssquad.worlds.kube.apiserver.typed.schema import Type, schema

PROTOBUF = "application/vnd.kubernetes.protobuf"
SUMMARY = 30
UNREADABLE = (
    "the body of the request was in an unknown format - accepted media types include: "
    "application/json, application/yaml, application/vnd.kubernetes.protobuf"
)


@dataclass(frozen=True)
class Expected:
    """What a body should be; `kind` None for a custom resource, which is taken as it is."""

    api_version: str
    name: str
    kind: Type | None

    @property
    def version(self) -> str:
        """`v1` of `apps/v1`."""
        return self.api_version.rpartition("/")[2]


@dataclass
class Body:
    """An object in canonical form, and the warnings to send along."""

    obj: Json
    warnings: list[str] = field(default_factory=list)


def media_type(request: Request) -> str:
    """The body's type without parameters; '' when none is named."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def read_body(request: Request, expected: Expected, validation: Validation = "Warn") -> Body:
    """The object of a create or update. Raises ApiStatus 400 and 415 in the server's words."""
    tree = typed(_tree(request, expected), expected)
    return strict(tree, expected, validation, _cannot(tree["kind"], expected, "strict decoding error: "))


def typed(tree: Json, expected: Expected) -> Json:
    """The tree with the kind that it should have. Raises ApiStatus 400 if it says another."""
    version, kind = tree.get("apiVersion") or expected.api_version, tree.get("kind") or expected.name
    tree["apiVersion"], tree["kind"] = version, kind  # in place: the tree may remember double fields
    _check_kind(tree, expected)
    return tree


def strict(tree: Json, expected: Expected, validation: Validation, prefix: str) -> Body:
    """A tree in canonical form; unknown and double fields are refused or warned of as asked."""
    double = list(doubled(tree))
    if expected.kind is None:
        return Body(custom(tree, expected))
    try:
        obj, unknown = read(expected.kind, tree)
    except Mismatch as error:
        raise bad_request(_cannot(expected.name, expected, str(error))) from error
    faults = [f'duplicate field "{path}"' for path in double] + [
        f'unknown field "{path}"' for path in unknown
    ]
    if faults and validation == "Strict":
        raise bad_request(prefix + ", ".join(faults))
    return Body(obj, faults if validation == "Warn" else [])


def custom(tree: Json, expected: Expected) -> Json:
    """A custom resource: its metadata in canonical form, the rest as it is."""
    try:
        metadata = read(schema().type("meta.v1.ObjectMeta"), tree.get("metadata") or {})[0]
    except Mismatch as error:
        raise bad_request(_cannot(expected.name, expected, str(error))) from error
    return {**tree, "metadata": metadata}


def warning_header(warnings: Iterable[str]) -> dict[str, str]:
    """The header that says them, nothing if there are none."""
    texts = [f"299 - {json.dumps(text, ensure_ascii=False)}" for text in warnings]
    return {"Warning": ", ".join(texts)} if texts else {}


def _tree(request: Request, expected: Expected) -> Json:
    kind = media_type(request)
    if kind == PROTOBUF:
        try:
            return wire.decode(request.body)
        except (ValueError, KeyError) as error:
            raise _unrecognized(expected, str(error), request.body) from error
    if kind in ("application/yaml", "application/x-yaml"):
        return load_yaml(request.body)
    if kind not in ("", "application/json", "*/*"):
        raise unsupported_media_type(UNREADABLE)
    try:
        loaded = json.loads(request.body, object_pairs_hook=duplicates)
    except ValueError as error:
        said = f"couldn't get version/kind; json parse error: {json_fault(error, request.body)}"
        raise _unrecognized(expected, said, request.body) from error
    if not isinstance(loaded, dict):
        said = (
            "couldn't get version/kind; json parse error: json: cannot unmarshal "
            f"{'array' if isinstance(loaded, list) else 'value'} into Go value of type struct "
            '{ APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
        )
        raise _unrecognized(expected, said, request.body)
    return loaded


def load_yaml(body: bytes) -> Json:
    """A YAML body as a tree. Raises ApiStatus 400."""
    import yaml

    try:
        loaded = yaml.load(body, Loader=_plain_loader())
    except yaml.YAMLError as error:
        raise bad_request(f"error decoding YAML: {' '.join(str(error).split())}") from error
    return loaded if isinstance(loaded, dict) else {}


def _plain_loader() -> Any:
    """YAML without time stamps: the API knows strings only."""
    import yaml

    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers = {
            first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
            for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    return Loader


def json_fault(error: ValueError, body: bytes) -> str:
    """What Go says of broken JSON."""
    at = getattr(error, "pos", len(body))
    rest = body.decode("utf-8", "replace")[at:]
    if not rest.strip():
        return "unexpected end of JSON input"
    return f"invalid character {rest[0]!r} looking for beginning of value"


def _unrecognized(expected: Expected, why: str, body: bytes) -> ApiStatus:
    summary = _summary(body)
    return bad_request(
        f"the object provided is unrecognized (must be of type {expected.name}): {why} ({summary})"
    )


def _summary(body: bytes) -> str:
    if not body:
        return "<empty>"
    head = body[:SUMMARY]
    text = head.decode("utf-8", "replace") if body.startswith(b"{") else head.hex()
    return text + (" ..." if len(body) > SUMMARY else "")


def _cannot(kind: str, expected: Expected, why: str, version: str = "") -> str:
    return f'{kind} in version "{version or expected.version}" cannot be handled as a {expected.name}: {why}'


def _check_kind(tree: Json, expected: Expected) -> None:
    api_version, kind = str(tree["apiVersion"]), str(tree["kind"])
    if (api_version, kind) == (expected.api_version, expected.name):
        return
    version = api_version.rpartition("/")[2]
    if schema().kind(api_version, kind) is None:
        scheme = 'in scheme "pkg/api/legacyscheme/scheme.go:30"'
        why = f'no kind "{kind}" is registered for version "{api_version}" {scheme}'
    elif kind == expected.name:
        raise bad_request(
            f"the API version in the data ({api_version}) does not match "
            f"the expected API version ({expected.api_version})"
        )
    else:
        package = expected.api_version.partition("/")[0] if "/" in expected.api_version else "core"
        into = f"{package.partition('.')[0]}.{expected.name}"
        why = f"converting ({version}.{kind}) to ({into}): unknown conversion"
    raise bad_request(_cannot(kind, expected, why, version))
