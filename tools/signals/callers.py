"""Who calls a workload or a Service, by the references in the templates of those that call."""

from collections.abc import Iterator

from opssquad import Json, Ref

from .._depends import dependencies
from .._kube import dig, ref, selected
from .._pods import started
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
    """The workloads that want pods and whose environment names one of these Services; the one whose pods
    started last comes first: it had to connect anew."""
    if not services:
        return []
    found = dict.fromkeys(_callers(services, scene))
    return sorted(found, key=lambda each: _started(each, scene), reverse=True)


def _started(workload: Ref, scene: Scene) -> float:
    return max((started(each).timestamp() for each in scene.pods_of(workload)), default=0.0)


def _callers(services: list[Ref], scene: Scene) -> Iterator[Ref]:
    for each in scene.of(*KINDS):
        template = dig(each, "spec", "template", default={})
        named = dependencies(template, each["metadata"].get("namespace", ""), scene)
        if desired(each) and any(dependency.service in services for dependency in named):
            yield ref(each)


def as_data(found: list[Ref]) -> Json:
    """Callers as data of a signal: all of them, and the one whose logs are asked for first."""
    if not found:
        return {}
    lead = {"caller": found[0].name, "caller_namespace": found[0].namespace}
    return {**lead, "callers": [str(each) for each in found]}
