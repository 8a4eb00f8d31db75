"""Who calls a workload or a Service, by the references in the templates of those that call."""

from collections.abc import Iterator

from opssquad import Json, Ref

from .._depends import dependencies
from .._kube import dig, ref, selected
from ._scene import Scene
from .replicas import KINDS, desired


def services_of(workload: Json, scene: Scene) -> list[Ref]:
    """The Services that select a workload's pods."""
    labels = dig(workload, "spec", "template", "metadata", "labels", default={})
    space = workload["metadata"].get("namespace")
    return [
        ref(each)
        for each in scene.of("Service")
        if each["metadata"].get("namespace") == space
        and (selector := dig(each, "spec", "selector", default={}))
        and selected(labels, selector)
    ]


def callers(services: list[Ref], scene: Scene) -> list[Ref]:
    """The workloads that want pods and whose environment names one of these Services."""
    return list(dict.fromkeys(_callers(services, scene))) if services else []


def _callers(services: list[Ref], scene: Scene) -> Iterator[Ref]:
    for each in scene.of(*KINDS):
        template = dig(each, "spec", "template", default={})
        named = dependencies(template, each["metadata"].get("namespace", ""), scene)
        if desired(each) and any(dependency.service in services for dependency in named):
            yield ref(each)


def first(found: list[Ref]) -> Json:
    """The first caller as data of a signal, by which its logs are asked for; nothing where there is none."""
    return {"caller": found[0].name, "caller_namespace": found[0].namespace} if found else {}
