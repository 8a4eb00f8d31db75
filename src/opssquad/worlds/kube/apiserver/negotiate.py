"""What form the client wants: plain JSON, YAML, a Table, only metadata, or the aggregated discovery document.

Protobuf is never sent: where a client prefers it, it also takes JSON.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from opssquad.worlds.kube.apiserver.status import not_acceptable

OFFERED = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
ANY = ("*/*", "application/*", "application/json")
META = ("v1", "v1beta1")


@dataclass(frozen=True)
class Form:
    """A form of an answer. `shape` is what objects are turned into; `version` that of meta.k8s.io."""

    encoding: Literal["json", "yaml"] = "json"
    shape: Literal["object", "Table", "PartialObjectMetadata", "APIGroupDiscoveryList"] = "object"
    version: str = "v1"


def objects(accept: str) -> Form:
    """The form for an object or a list. Raises 406."""
    for media, options in _clauses(accept):
        shape = options.get("as", "")
        if shape and media == "application/json":
            if options.get("g") != "meta.k8s.io" or options.get("v") not in META:
                continue
            if shape == "Table":
                return Form(shape="Table", version=options["v"])
            if shape.removesuffix("List") == "PartialObjectMetadata":
                return Form(shape="PartialObjectMetadata", version=options["v"])
            continue
        if media in ANY:
            return Form()
        if media == "application/yaml":
            return Form("yaml")
    raise not_acceptable(f"406: Not Acceptable\n\nAvailable representations: {OFFERED}", {})


def discovery(accept: str, aggregated: bool) -> Form:
    """The form for a discovery document; `aggregated` says whether it is offered at this path. Raises 406."""
    for media, options in _clauses(accept):
        if options.get("as"):
            wanted = (options["as"], options.get("g"), options.get("v"))
            if aggregated and wanted == ("APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2"):
                return Form(shape="APIGroupDiscoveryList", version="v2")
            continue
        if media in ANY:
            return Form()
        if media == "application/yaml":
            return Form("yaml")
    raise not_acceptable(f"only the following media types are accepted: {OFFERED}")


def _clauses(accept: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    for clause in (accept or "*/*").split(","):
        media, *options = (part.strip() for part in clause.split(";"))
        pairs = (option.partition("=") for option in options)
        yield media, {key: value for key, _, value in pairs}
