"""Services without a ready endpoint, with ports nobody declares, of several workloads, with warnings."""

from collections.abc import Iterator, Mapping

from opssquad import Json, Quote, Ref, Signal, ago

from .._edits import last_edit
from .._kube import dig, event_text, last_seen, quote, quote_at, ref, selected
from .._needs import split_image
from .._pods import is_finished, is_ready, is_terminating
from ._scene import Scene, event_quotes, make
from .callers import as_data, callers
from .replicas import KINDS, desired

SERVICE_LABEL = "kubernetes.io/service-name"
WHY_WORDS = {
    "selector_matches_nothing": "its selector matches no pod and no workload",
    "none_ready": "none of its pods is ready",
    "no_pods": "the workload behind it has no pods",
    "no_replicas": "the workload behind it has no replicas",
}


def service_signals(service: Json, scene: Scene) -> Iterator[Signal]:
    """What is wrong with a Service, by its selector, endpoints and the pods it selects."""
    yield from _warned(service, scene)
    selector = dig(service, "spec", "selector", default={})
    if not selector or dig(service, "spec", "type") == "ExternalName":
        return
    if "EndpointSlice" in scene.complete and not ready_addresses(service, scene):
        if signal := _no_endpoints(service, selector, scene):
            yield signal
    else:
        yield from _mixed(service, selector, scene)
        yield from _ports(service, selector, scene)


def _warned(service: Json, scene: Scene) -> Iterator[Signal]:
    """`service.warned`: what a controller could not do for the Service lately, such as a load balancer."""
    said = [
        e for e in scene.about(ref(service)) if e.get("type") == "Warning" and scene.is_recent(last_seen(e))
    ]
    for event in said[:1]:
        # Of endpoints that could not be written this time nothing is left when they are the next.
        passing = str(event.get("reason") or "").startswith("FailedToUpdateEndpoint")
        yield make(
            "service.warned",
            service,
            ref(service),
            f"Service {service['metadata']['name']}: {event_text(event)[:240]}",
            event_quotes([event]),
            severity="info" if passing else "warning",
            at=last_seen(event),
            data={"reason": event.get("reason") or "", "message": event.get("message") or ""},
        )


def ready_addresses(service: Json, scene: Scene) -> int:
    """Ready addresses behind the Service, by its EndpointSlices."""
    name, space = service["metadata"]["name"], service["metadata"].get("namespace", "")
    slices = (
        each
        for each in scene.within("EndpointSlice", space)
        if dig(each, "metadata", "labels", SERVICE_LABEL) == name
    )
    ends = (end for each in slices for end in each.get("endpoints") or ())
    return sum(
        len(end.get("addresses") or ()) for end in ends if dig(end, "conditions", "ready", default=True)
    )


def behind(selector: Mapping[str, str], namespace: str, scene: Scene) -> list[Json]:
    """The live pods a selector picks."""
    return [
        pod
        for pod in scene.within("Pod", namespace)
        if selected(dig(pod, "metadata", "labels", default={}), selector) and not is_finished(pod)
    ]


def workloads_behind(selector: Mapping[str, str], namespace: str, scene: Scene) -> list[Json]:
    """The workloads whose pod template a selector picks."""
    return [
        each
        for kind in KINDS
        for each in scene.within(kind, namespace)
        if selected(dig(each, "spec", "template", "metadata", "labels", default={}), selector)
    ]


def _no_endpoints(service: Json, selector: Json, scene: Scene) -> Signal | None:
    space = service["metadata"].get("namespace", "")
    pods, workloads = behind(selector, space, scene), workloads_behind(selector, space, scene)
    if workloads and not any(desired(each) for each in workloads):
        why = "no_replicas"
    elif pods or workloads:
        why = "none_ready"
    else:
        why = "selector_matches_nothing"
    answers = scene.owner(pods[0]) if pods else ref(workloads[0]) if workloads else ref(service)
    near = _nearest(selector, space, scene) if why == "selector_matches_nothing" else {}
    fits = {"fits": text} if near and (text := _fitting(near, space, scene)) else {}
    change = last_edit(service, "spec.selector") if near else None
    words = ",".join(f"{key}={value}" for key, value in selector.items())
    quotes: list[Quote] = [
        quote_at(service, "spec", "selector"),
        *([quote(service, change.entry, managed=True)] if change else []),
    ]
    return make(
        "service.no_endpoints",
        service,
        answers,
        f"Service {service['metadata']['name']} (selector {words}) has no ready endpoint: "
        f"{WHY_WORDS[why if pods or why != 'none_ready' else 'no_pods']}"
        + _near_words(near)
        + (
            f"; the selector's manager {change.manager} wrote last {ago(change.at, scene.now)}"
            if change
            else ""
        ),
        quotes,
        severity="critical",
        at=change.at if change else None,
        data={
            "service": str(ref(service)),
            "selector": words,
            "why": why,
            "pods": len(pods),
            "changed_by": change.manager if change else "",
            **near,
            **fits,
            **as_data(callers([ref(service)], scene)),
        },
    )


def _nearest(selector: Json, namespace: str, scene: Scene) -> Json:
    """The workloads that would match without the labels that no pod carries, and those labels."""
    best: Json = {}
    for workload in scene.of(*KINDS):
        labels = dig(workload, "spec", "template", "metadata", "labels", default={})
        shared = {key: value for key, value in selector.items() if labels.get(key) == value}
        if workload["metadata"].get("namespace") == namespace and len(shared) > len(best.get("matched", ())):
            rest = {key: value for key, value in selector.items() if key not in shared}
            best = {"matched": shared, "unmatched": rest, "would_match": [str(ref(workload))]}
        elif shared and shared == best.get("matched") and workload["metadata"].get("namespace") == namespace:
            best["would_match"].append(str(ref(workload)))
    return best


def _fitting(near: Json, namespace: str, scene: Scene) -> str:
    """The selector without, or with the pods' own values of, the labels that no pod carries; empty unless it
    picks the pods of one workload alone."""
    if len(near["would_match"]) != 1 or not near["matched"]:
        return ""
    workload = scene.known[Ref.parse(near["would_match"][0])]
    labels = dig(workload, "spec", "template", "metadata", "labels", default={})
    selector = {**near["matched"], **{key: labels[key] for key in near["unmatched"] if key in labels}}
    picked = workloads_behind(selector, namespace, scene)
    return text_of(selector) if [ref(each) for each in picked] == [ref(workload)] else ""


def text_of(selector: Mapping[str, str]) -> str:
    """`app=web,tier=front`."""
    return ",".join(f"{key}={value}" for key, value in selector.items())


def _near_words(near: Json) -> str:
    if not near:
        return ""
    labels = ",".join(f"{key}={value}" for key, value in near["unmatched"].items())
    return f"; without {labels} it would match {', '.join(near['would_match'])}"


def _mixed(service: Json, selector: Json, scene: Scene) -> Iterator[Signal]:
    pods = [p for p in behind(selector, service["metadata"].get("namespace", ""), scene) if is_ready(p)]
    owners = {str(scene.owner(pod)): pod for pod in reversed(pods) if not is_terminating(pod)}
    if len(owners) > 1:
        names, targets = sorted(owners), _targets(service)
        lacking = [name for name in names if (known := _declared(owners[name])) and not targets & known]
        # Two releases of one program side by side, as a canary, have one image; several are several programs.
        alike = len({_serving(pod, targets) for pod in owners.values()}) == 1
        yield make(
            "service.mixed_backends",
            service,
            ref(service),
            f"Service {service['metadata']['name']} sends to the pods of {len(owners)} workloads: "
            f"{', '.join(names)}"
            + (f"; no container of {', '.join(lacking)} declares its target port" if lacking else ""),
            [quote_at(service, "spec", "selector")],
            severity="info",
            data={
                "workloads": names,
                "selector": selector,
                "alike": alike,
                "lacking_port": lacking,
                **_narrowed(service, selector, names, lacking, scene),
                **as_data(callers([ref(service)], scene)),
            },
        )


def _narrowed(service: Json, selector: Json, names: list[str], lacking: list[str], scene: Scene) -> Json:
    """The selector with the labels of the one workload that declares the target port, where it picks that one
    alone."""
    meant = [Ref.parse(name) for name in names if name not in lacking]
    workload = scene.get(meant[0]) if lacking and len(meant) == 1 else None
    if workload is None:
        return {}
    narrow = {**selector, **dig(workload, "spec", "selector", "matchLabels", default={})}
    picked = workloads_behind(narrow, service["metadata"].get("namespace", ""), scene)
    return {"fits": text_of(narrow)} if [ref(each) for each in picked] == meant else {}


def _targets(service: Json) -> set[int | str]:
    """The ports of pods that a Service sends to."""
    return {each.get("targetPort", each.get("port")) for each in dig(service, "spec", "ports", default=())}


def _declared(pod: Json) -> set[int | str]:
    """The ports that containers of the pod declare, by number and by name."""
    ports = [port for each in dig(pod, "spec", "containers", default=()) for port in each.get("ports") or ()]
    return {each.get("containerPort") for each in ports} | {each["name"] for each in ports if "name" in each}


def _serving(pod: Json, targets: set[int | str]) -> str:
    """The repository of the image that serves: of the container with a target port, else of the first."""
    containers = dig(pod, "spec", "containers", default=())
    for each in containers:
        ports = each.get("ports") or ()
        if any(port.get("containerPort") in targets or port.get("name") in targets for port in ports):
            return split_image(each.get("image") or "")[0]
    return split_image(containers[0].get("image") or "")[0] if containers else ""


def _ports(service: Json, selector: Json, scene: Scene) -> Iterator[Signal]:
    pods = behind(selector, service["metadata"].get("namespace", ""), scene)
    if not pods:
        return
    declared = [
        port for each in dig(pods[0], "spec", "containers", default=()) for port in each.get("ports") or ()
    ]
    known = _declared(pods[0])
    ports = ", ".join(str(each["containerPort"]) for each in declared)
    for index, port in enumerate(dig(service, "spec", "ports", default=())):
        target = port.get("targetPort", port.get("port"))
        if declared and target not in known:
            yield make(
                "service.port_mismatch",
                service,
                ref(service),
                f"Service {service['metadata']['name']}: port {port.get('port')} goes to {target}, which no "
                f"container of its pods declares (declared: {ports})",
                [quote_at(service, "spec", "ports", index)],
                data={
                    "port": port.get("port"),
                    "target_port": target,
                    "workload": str(scene.owner(pods[0])),
                    **_declared_for(port, declared),
                    **as_data(callers([ref(service)], scene)),
                },
            )


def _declared_for(port: Json, declared: list[Json]) -> Json:
    """The port that the pods declare under the name of the Service's port, else the only one that they do."""
    named = [each for each in declared if port.get("name") and each.get("name") == port["name"]]
    known = named or declared
    return {"fits": known[0]["containerPort"]} if len(known) == 1 else {}
