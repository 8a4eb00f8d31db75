"""What a pod template names: its containers and images, and the objects it needs to start.

Pure functions over `spec.template`. Whether those objects exist is for those who ask.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opssquad import Json

from ._kube import dig

LISTS = (("containers", "container"), ("initContainers", "init container"))


@dataclass(frozen=True)
class Reference:
    """An object that a template needs. `key` is empty where the whole object is meant."""

    kind: str
    name: str
    key: str = ""
    optional: bool = False


def split_image(image: str) -> tuple[str, str]:
    """Repository, and tag or digest; both empty strings where absent. `host:5000/app` has no tag."""
    if "@" in image:
        repository, _, digest = image.partition("@")
        return repository, digest
    repository, colon, tag = image.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (image, "")


def containers(template: Json) -> Iterator[tuple[str, Json]]:
    """All containers of a template with their list's name: `containers`, `initContainers`."""
    for key, _ in LISTS:
        for each in dig(template, "spec", key, default=()):
            yield key, each


def images(template: Json) -> list[str]:
    """The images of its containers, init containers last, each once."""
    return list(dict.fromkeys(each.get("image", "") for _, each in containers(template)))


def references(template: Json) -> list[Reference]:
    """What of ConfigMaps, Secrets, claims and the service account the template needs to start."""
    spec: Mapping[str, Any] = template.get("spec") or {}
    found = [*_from_containers(template), *_from_volumes(spec)]
    if account := spec.get("serviceAccountName"):
        found.append(Reference("ServiceAccount", account))
    found += [Reference("Secret", each["name"], optional=True) for each in spec.get("imagePullSecrets") or ()]
    return list(dict.fromkeys(found))


def _from_containers(template: Json) -> Iterator[Reference]:
    for _, each in containers(template):
        for source in each.get("envFrom") or ():
            for kind, key in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
                if body := source.get(key):
                    yield Reference(kind, body.get("name", ""), optional=bool(body.get("optional")))
        for variable in each.get("env") or ():
            for kind, key in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
                if body := dig(variable, "valueFrom", key):
                    optional = bool(body.get("optional"))
                    yield Reference(kind, body.get("name", ""), body.get("key", ""), optional)


def _from_volumes(spec: Mapping[str, Any]) -> Iterator[Reference]:
    for each in spec.get("volumes") or ():
        parts = [each, *(dig(each, "projected", "sources", default=()))]
        for part in parts:
            for kind, key, name in (("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName")):
                if body := part.get(key):
                    named_as = body.get(name) or body.get("name", "")
                    optional = bool(body.get("optional"))
                    items = [item.get("key", "") for item in body.get("items") or ()] or [""]
                    yield from (Reference(kind, named_as, item, optional) for item in items)
        if claim := dig(each, "persistentVolumeClaim", "claimName"):
            yield Reference("PersistentVolumeClaim", claim)


def containers_named(template: Json) -> list[str]:
    """Names, images, commands and arguments of all containers: what tells what a pod is for."""
    words: list[str] = []
    for _, each in containers(template):
        words += [each.get("name", ""), each.get("image", "")]
        words += [*(each.get("command") or ()), *(each.get("args") or ())]
    return words
