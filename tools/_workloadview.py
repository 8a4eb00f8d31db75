"""One workload as text: pods, conditions, containers, configuration, Services, dependencies, HPA, PDB."""

import textwrap
from collections.abc import Iterator

from opssquad import Json, Ref, Signal, ago, clock_time

from ._depends import Dependency
from ._edits import last_edit
from ._kube import age, dig, moment, selected
from ._needs import references
from ._pods import is_terminating, lived, ready_count, restarts, started, state
from ._text import bullet, many, some, table
from .signals._scene import Scene
from .signals.probes import FIELDS, where
from .signals.replicas import desired, ready, updated
from .signals.services import ready_addresses
from .signals.workloads import targets

MOST_PODS = 12
REVISION = "deployment.kubernetes.io/revision"
CAUSE = "kubernetes.io/change-cause"


def template_of(workload: Json) -> Json:
    """The pod template of any kind of workload."""
    spec = workload["spec"]
    spec = dig(spec, "jobTemplate", "spec", default=spec)
    return dict(spec.get("template") or {})


def lines_of(
    workload: Json, pods: list[Json], signals: list[Signal], needs: list[Dependency], scene: Scene
) -> list[str]:
    """The whole view, most telling first."""
    problems = [each for each in signals if each.severity != "info"]
    told: dict[str, Signal] = {}
    for each in problems:
        told.setdefault(each.id, each)
    lines = [
        *textwrap.wrap(_head(workload, scene), 80, subsequent_indent="  "),
        *_conditions(workload, scene),
    ]
    lines += ["PROBLEMS", *(line for each in told.values() for line in bullet(each.text))] if told else []
    parts = {
        "PODS": _pods(pods, scene),
        "CONTAINERS": list(_containers(template_of(workload))),
        "CONFIGURATION": list(_configuration(workload, pods, scene)),
        "SERVICES": list(_services(workload, scene)),
        "DEPENDS ON": list(_needs(needs, scene)),
        "AROUND IT": list(_around(workload, scene)),
    }
    for heading, part in parts.items():
        lines += [heading, *part] if part else []
    return lines


def _head(workload: Json, scene: Scene) -> str:
    notes = dig(workload, "metadata", "annotations", default={})
    words = [f"{workload['kind']} {workload['metadata']['name']}"]
    if workload["kind"] in {"Deployment", "StatefulSet", "DaemonSet"}:
        words.append(f"{ready(workload)} of {desired(workload)} pods ready, {updated(workload)} updated")
    words += [f"revision {notes[REVISION]}"] if REVISION in notes else []
    words += [f'"{notes[CAUSE]}"'] if CAUSE in notes else []
    words.append(f"created {age(workload, scene.now)} ago")
    return ", ".join(words)


def _conditions(workload: Json, scene: Scene) -> Iterator[str]:
    for each in dig(workload, "status", "conditions", default=()):
        at = moment(each.get("lastTransitionTime"))
        since = f" since {clock_time(at)} ({ago(at, scene.now)})" if at else ""
        yield f"  {each['type']}={each['status']}{since} {each.get('reason', '')}".rstrip()


def _pods(pods: list[Json], scene: Scene) -> list[str]:
    rows = [
        (
            each["metadata"]["name"],
            ready_count(each),
            state(each) if not is_terminating(each) else "Terminating",
            f"{restarts(each)} in {lived(each, scene.now)}",
        )
        for each in pods[:MOST_PODS]
    ]
    more = [f"  and {len(pods) - MOST_PODS} more"] if len(pods) > MOST_PODS else []
    return [*table(("POD", "READY", "STATE", "RESTARTS"), rows), *more] if rows else []


def _containers(template: Json) -> Iterator[str]:
    for field, word in (("initContainers", " (init)"), ("containers", "")):
        for each in dig(template, "spec", field, default=()):
            words = [f"{each['name']}{word}: {each.get('image', '')}"]
            for kind in ("requests", "limits"):
                given = dig(each, "resources", kind, default={})
                words += [f"{kind} " + " ".join(f"{k}={v}" for k, v in given.items())] if given else []
            words += [
                f"{name.removesuffix('Probe')} {where(each[name])}"
                for name in FIELDS.values()
                if name in each
            ]
            command = [*(each.get("command") or ()), *(each.get("args") or ())]
            words += ["command " + " ".join(command)[:100]] if command else []
            yield from bullet("; ".join(words))


def _configuration(workload: Json, pods: list[Json], scene: Scene) -> Iterator[str]:
    """Each ConfigMap and Secret once, with what of it is missing, and whether it is newer than some pods."""
    space = workload["metadata"].get("namespace", "")
    wanted: dict[Ref, list[str]] = {}
    for use in references(template_of(workload)):
        if use.kind in {"ConfigMap", "Secret"}:
            wanted.setdefault(Ref(kind=use.kind, namespace=space, name=use.name), []).append(use.key)
    for address, keys in wanted.items():
        obj = scene.get(address)
        if obj is None:
            known = address.kind in scene.complete
            yield from bullet(f"{address.kind} {address.name}: {'does not exist' if known else 'not read'}")
            continue
        have = {*dig(obj, "data", default={}), *dig(obj, "binaryData", default={})}
        lacks = [each for each in keys if each and each not in have]
        used = [each for each in keys if each and each in have]
        words = [f"{address.kind} {address.name}: " + _used(used, lacks)]
        words += [f"LACKS {', '.join(lacks)}"] if lacks else []
        yield from bullet("; ".join([*words, *_newer(obj, pods, scene)]))


def _used(used: list[str], lacks: list[str]) -> str:
    if used:
        return f"uses {some(used, 6)}"
    return "no key of it is there" if lacks else "used whole"


def _newer(obj: Json, pods: list[Json], scene: Scene) -> Iterator[str]:
    edit = last_edit(obj, "data")
    if edit is None:
        return
    after = sum(started(each) >= edit.at for each in pods)
    split = (
        f"; {len(pods) - after} of its pods started before, {after} after" if 0 < after < len(pods) else ""
    )
    yield f"last edited {ago(edit.at, scene.now)} by {edit.manager}{split}"


def _services(workload: Json, scene: Scene) -> Iterator[str]:
    labels = dig(template_of(workload), "metadata", "labels", default={})
    for each in scene.of("Service"):
        same = each["metadata"].get("namespace") == workload["metadata"].get("namespace")
        if same and selected(labels, dig(each, "spec", "selector", default={})):
            ports = ", ".join(
                f"{port['port']} -> {port.get('targetPort', port['port'])}"
                for port in dig(each, "spec", "ports", default=())
            )
            count = ready_addresses(each, scene)
            yield from bullet(
                f"Service {each['metadata']['name']} ({ports}): {many(count, 'ready endpoint')}"
            )


def _needs(needs: list[Dependency], scene: Scene) -> Iterator[str]:
    for each in needs:
        target = f"{each.host}:{each.port}" if each.port else each.host
        obj = scene.get(each.service) if each.service else None
        if obj and each.service:
            count = ready_addresses(obj, scene)
            what = f"Service {each.service.name}, {many(count, 'ready endpoint')}"
        else:
            what = "no such Service was read" if each.inside else "outside of the cluster, or an alias"
        yield from bullet(f"{each.variable} = {target}: {what}")


def _around(workload: Json, scene: Scene) -> Iterator[str]:
    for each in scene.of("HorizontalPodAutoscaler"):
        if targets(each, workload):
            spec, status = each["spec"], each.get("status") or {}
            yield from bullet(
                f"HPA {each['metadata']['name']}: {spec.get('minReplicas', 1)} to {spec['maxReplicas']}, "
                f"now {status.get('currentReplicas', 0)}, wants {status.get('desiredReplicas', 0)}"
            )
    labels = dig(template_of(workload), "metadata", "labels", default={})
    for each in scene.of("PodDisruptionBudget"):
        same = each["metadata"].get("namespace") == workload["metadata"].get("namespace")
        if same and selected(labels, dig(each, "spec", "selector", "matchLabels", default={})):
            left = dig(each, "status", "disruptionsAllowed", default=0)
            yield from bullet(f"PDB {each['metadata']['name']}: {left} pods may be evicted now")


def order(pods: list[Json]) -> list[Json]:
    """Pods as they are shown: most restarts first, then by name."""
    return sorted(pods, key=lambda each: (-restarts(each), each["metadata"]["name"]))
