"""Pods that are not what their template says, because something rewrote them as they were created.

What Kubernetes itself fills in is not counted: defaults, limits of a LimitRange, an autoscaler's requests, a
resize or edit of the running pod. Containers that were added are none of this either: sidecars are no harm.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from opssquad import Json, Signal

from .._edits import edits
from .._kube import UNDATED, controller, created, dig, quote, quote_at, ref
from .._needs import split_image
from .._pods import Container, containers, is_finished
from .._quantity import parse
from .._template import Field, differs, summary
from ._scene import Scene, make
from .webhooks import MUTATING, sees

LONG = timedelta(days=1)
LIMIT_RANGER = "kubernetes.io/limit-ranger"
AUTOSCALER = "vpaUpdates"
"""The annotations that LimitRanges and the vertical autoscaler leave on a pod that they wrote into."""
REQUEST = re.compile(r"resources\.requests[.\[](?P<resource>[^\]]+)\]?")


def mutation_signals(pod: Json, scene: Scene) -> Iterator[Signal]:
    """`pod.differs_from_template` for a pod whose image, environment, command or resources are not those that
    its controller asked for."""
    configs = [
        c for c in scene.of(MUTATING) if any(sees(h, pod, scene) for h in dig(c, "webhooks", default=()))
    ]
    template = _template(pod, scene) if configs else None
    if template is None or is_finished(pod):
        return
    found = [each for each in differs(template, pod) if _telling(each, template) and not _known(each, pod)]
    if not found:
        return
    owner = scene.owner(pod)
    names, blamed = [str(ref(each)) for each in configs], _suspect(configs)
    harm = next((said for each in containers(pod) if (said := _harm(each, found))), "")
    yield make(
        "pod.differs_from_template",
        pod,
        owner,
        f"{pod['metadata']['name']} is not what its template says: {summary(found)}; it was rewritten at its "
        f"creation, as {', '.join(each['metadata']['name'] for each in configs)} may do",
        [
            *(quote(pod, each.new) for each in found[:4] if each.new),
            quote_at(blamed or configs[0], "metadata", "name"),
        ],
        severity="warning" if harm else "info",
        at=created(pod),
        data={
            "fields": [each.data() for each in found],
            "changes": summary(found),
            "harm": harm,
            "webhooks": names,
            "component": str(ref(blamed)) if blamed else str(owner),
            "used_by": [str(owner)],
        },
    )


def _suspect(configs: list[Json]) -> Json | None:
    """The only webhook that may have done it, or of several the one that was changed last, if the others have
    stood for long by then: what they do, they did to the pods before."""

    def changed(config: Json) -> datetime:
        return max((each.at for each in edits(config) if not each.system), default=created(config) or UNDATED)

    last, *others = sorted(configs, key=changed, reverse=True)
    return last if all(changed(last) - changed(each) >= LONG for each in others) else None


def _sees(config: Json, pod: Json, scene: Scene) -> bool:
    return any(sees(hook, pod, scene) for hook in dig(config, "webhooks", default=()))


def _template(pod: Json, scene: Scene) -> Json | None:
    """The template that the pod was made from; None where that is not known: an adopted pod, or a controller
    that has a newer one."""
    up = controller(pod)
    keeper = scene.get(up) if up else None
    if up is None or keeper is None or dig(pod, "metadata", "generateName") != f"{up.name}-":
        return None
    if up.kind == "StatefulSet":
        revision = dig(pod, "metadata", "labels", "controller-revision-hash")
        if not revision or revision != dig(keeper, "status", "updateRevision"):
            return None
        current = dig(keeper, "status", "observedGeneration") == dig(keeper, "metadata", "generation")
        return dig(keeper, "spec", "template") if current else None
    return dig(keeper, "spec", "template") if up.kind == "ReplicaSet" else None


def _telling(each: Field, template: Json) -> bool:
    """Whether a difference changes how a container of the template runs."""
    listed = [c for key in ("containers", "initContainers") for c in dig(template, "spec", key, default=())]
    mine = {c.get("name") for c in listed}
    head = each.field.split(".")[0]
    return each.container in mine and head in {"image", "env", "command", "args", "resources"}


def _known(each: Field, pod: Json) -> bool:
    """Whether Kubernetes or somebody after the pod's creation explains the difference."""
    notes = dig(pod, "metadata", "annotations", default={})
    if each.field.startswith("resources."):
        resized = any(edit.subresource == "resize" for edit in edits(pod))
        return resized or LIMIT_RANGER in notes or AUTOSCALER in notes or _defaulted(each, pod)
    if each.field == "image":
        # Of a pod's containers only the image can be edited later, and not by its controller.
        return any(
            edit.below("spec.containers", "spec.initContainers") and not edit.system for edit in edits(pod)
        )
    return False


def _defaulted(each: Field, pod: Json) -> bool:
    """A request that the server took over from the limit, since the template has none."""
    found = REQUEST.fullmatch(each.field)
    if not found or each.before is not None:
        return False
    listed = [c for key in ("containers", "initContainers") for c in dig(pod, "spec", key, default=())]
    mine: Json = next((c for c in listed if c.get("name") == each.container), {})
    limit = dig(mine, "resources", "limits", found["resource"])
    return limit is not None and limit == dig(mine, "resources", "requests", found["resource"])


def _harm(status: Container, found: list[Field]) -> str:
    """What became of a container that a change can bring about: `oom_killed`, `exits`, `image_pull`; else "".

    An OOM kill is a change's doing where it lowered the memory limit or set one.
    """
    fields = {each.field: each for each in found if each.container == status.name}
    memory = fields.get("resources.limits.memory")
    if _oom(status):
        return "oom_killed" if memory and _lowered(memory) else ""
    if status.waiting in {"ImagePullBackOff", "ErrImagePull", "InvalidImageName"}:
        return "image_pull" if "image" in fields else ""
    failed = status.final is not None and status.final.exit_code != 0 and not status.ready
    return "exits" if failed and any(_can_break(each) for each in fields.values()) else ""


def _can_break(each: Field) -> bool:
    """Whether a process may fail to start for it: not for one more variable, nor for the same image from
    another registry, as injectors and mirrors do everywhere."""
    if each.field != "image":
        return each.field in {"command", "args"} or (
            each.field.startswith("env.") and each.before is not None
        )
    (was, tag), (becomes, tag_after) = split_image(each.before or ""), split_image(each.after or "")
    return (was.rpartition("/")[2], tag) != (becomes.rpartition("/")[2], tag_after)


def _oom(status: Container) -> bool:
    return any(past.reason == "OOMKilled" for past in (status.ended, status.last) if past)


def _lowered(memory: Field) -> bool:
    if memory.after is None:
        return False
    try:
        return memory.before is None or parse(memory.after) < parse(memory.before)
    except ValueError:
        return False
