"""Pods that are never created: what the API server answered, and which object stands behind it."""

import re
from collections.abc import Iterator

from opssquad import Json, Quote, Ref, Signal, ago

from .._headroom import surge, wants
from .._kube import condition, dig, event_count, event_source, event_text, last_seen, quote, ref, times
from .._quantity import exact, parse
from ._scene import Scene, make
from .replicas import KINDS, desired, made, ready
from .webhooks import configuration_of, service_of

# What the API server says, why it refuses, and the kind of the object that the group `name` names.
WHY = (
    ("quota", re.compile(r"exceeded quota: (?P<name>[^,\s]+)"), "ResourceQuota"),
    ("quota", re.compile(r"failed quota: (?P<name>[^:\s]+): must specify"), "ResourceQuota"),
    ("webhook", re.compile(r'failed calling webhook "(?P<name>[^"]+)"'), ""),
    ("webhook_denied", re.compile(r'admission webhook "(?P<name>[^"]+)" denied'), ""),
    ("service_account", re.compile(r"service account [^/\s]+/(?P<name>[^:\s]+)"), "ServiceAccount"),
    ("service_account", re.compile(r'serviceaccount "(?P<name>[^"]+)" not found'), "ServiceAccount"),
    (
        "limit_range",
        re.compile(r"(?:maximum|minimum) \w+ usage per (?:Container|Pod)|limit to request ratio"),
        "",
    ),
    ("pod_security", re.compile(r'violates PodSecurity "(?P<name>[^"]+)"'), ""),
)
WORDS = {
    "quota": "a quota refuses its pods",
    "webhook": "an admission webhook does not answer",
    "webhook_denied": "an admission webhook refuses its pods",
    "service_account": "its service account is missing",
    "limit_range": "a limit range refuses its pods",
    "pod_security": "pod security refuses its pods",
    "other": "the API server refuses its pods",
}
# How a call to a webhook fails; the first that fits.
FAILS = (
    ("service_missing", re.compile(r'service "?[^"\s]+"? not found')),
    ("no_endpoints", re.compile(r"no endpoints available")),
    ("certificate", re.compile(r"x509:|tls:|certificate")),
    ("refused", re.compile(r"connection refused")),
    ("timeout", re.compile(r"deadline exceeded|i/o timeout|timed out|Client\.Timeout")),
)
BOUND = re.compile(
    r"(?P<side>maximum|minimum) (?P<resource>\S+) usage per (?P<type>Container|Pod) is (?P<bound>[^,\s]+)"
)
COUNTED = ("pods", "count/pods")
ASKED = re.compile(
    r"requested: (?P<asked>[^,]+(?:,[^,=]+=[^,]+)*?), used: (?P<used>.+?), limited: (?P<limited>.+)$"
)


def creation_signals(workload: Json, scene: Scene) -> Iterator[Signal]:
    """`replicaset.create_failed` where a workload lacks pods because their creation is refused."""
    failure = condition(workload, "ReplicaFailure")
    short = ready(workload) < desired(workload) or failure.get("status") == "True"
    events = _events(workload, scene)
    if not short or not (events or failure.get("status") == "True"):
        return
    message = event_text(events[0]) if events else failure.get("message", "")
    why, behind = reason(message, workload["metadata"].get("namespace", ""))
    refuser = _refuser(why, behind, message, workload, scene)
    entity = next((e for e in _makers(workload, scene) if scene.about(ref(e), "FailedCreate")), workload)
    yield make(
        "replicaset.create_failed",
        entity,
        ref(workload),
        f"{workload['kind']} {workload['metadata']['name']}: no pod can be created: {WORDS[why]}"
        + (f" ({behind})" if behind else "")
        + _counted(events, scene)
        + f": {_short(message)}",
        _quotes(workload, failure, events),
        severity="critical" if ready(workload) == 0 else "warning",
        at=min((last_seen(each) for each in events), default=None),
        data={
            "why": why,
            "object": str(refuser or ""),
            "name": "" if isinstance(behind, Ref) else behind,
            **(_webhook(refuser, str(behind), message, scene) if why == "webhook" else {}),
            **(_enough(workload, message, scene) if why == "quota" else {}),
            "message": message[:500],
        },
    )


def _makers(workload: Json, scene: Scene) -> list[Json]:
    """Who creates its pods: the ReplicaSets of a Deployment, newest first, else the workload itself."""
    sets = [each for each in scene.of("ReplicaSet") if scene.owner(each) == ref(workload)]
    sets.sort(key=lambda each: str(each["metadata"].get("creationTimestamp")), reverse=True)
    return [*sets, workload]


def _events(workload: Json, scene: Scene) -> list[Json]:
    events = [e for maker in _makers(workload, scene) for e in scene.about(ref(maker), "FailedCreate")]
    return sorted(events, key=last_seen, reverse=True)


def reason(message: str, namespace: str) -> tuple[str, Ref | str]:
    """Why creation is refused, and what stands behind it: an object's address, a webhook's name, or ""."""
    for why, pattern, kind in WHY:
        if match := pattern.search(message):
            name = match.groupdict().get("name") or ""
            return why, Ref(kind=kind, namespace=namespace, name=name) if kind and name else name
    return "other", ""


def _refuser(why: str, behind: Ref | str, message: str, workload: Json, scene: Scene) -> Ref | None:
    """The object that refuses, also where the message does not say its name: the configuration of a webhook,
    the LimitRange that has such a bound."""
    if isinstance(behind, Ref):
        return behind
    if why.startswith("webhook"):
        config = configuration_of(behind, scene)
        return ref(config) if config else None
    space = workload["metadata"].get("namespace")
    ranges = [each for each in scene.of("LimitRange") if each["metadata"].get("namespace") == space]
    if why == "limit_range" and len(ranges) > 1:
        ranges = [each for each in ranges if _bounds(each, message)]
    return ref(ranges[0]) if why == "limit_range" and len(ranges) == 1 else None


def _bounds(limit_range: Json, message: str) -> bool:
    """Whether a LimitRange has a bound as the message tells it: `maximum memory usage per Pod is 2Gi`."""
    said = BOUND.search(message)
    return said is not None and any(
        each.get("type") == said["type"]
        and parse(str(dig(each, said["side"][:3], said["resource"], default="0"))) == parse(said["bound"])
        for each in dig(limit_range, "spec", "limits", default=())
    )


def _webhook(config: Ref | None, name: str, message: str, scene: Scene) -> Json:
    """How the call to a webhook failed (`no_endpoints`, `certificate` ..., or "other"), and its Service."""
    fails = next((key for key, pattern in FAILS if pattern.search(message)), "other")
    hooks = dig(scene.get(config), "webhooks", default=()) if config else ()
    service = next(
        (found for each in hooks if each.get("name") == name and (found := service_of(each))), None
    )
    return {
        "fails": fails,
        "service": str(service or ""),
        "service_namespace": service.namespace if service else "",
    }


def _enough(workload: Json, message: str, scene: Scene) -> Json:
    """What the quota has to allow for what is used, for all pods that are lacking in the namespace and for
    the extra ones of its rollouts: `limits.memory=14Gi`; nothing where the message does not say it."""
    said = ASKED.search(message)
    if said is None:
        return {}
    try:
        asked, used = _listed(said["asked"]), _listed(said["used"])
    except ValueError:
        return {}
    sums = {name: used.get(name, 0.0) for name in asked}
    space = workload["metadata"].get("namespace")
    for each in (other for other in scene.of(*KINDS) if other["metadata"].get("namespace") == space):
        one = asked if ref(each) == ref(workload) else wants(dig(each, "spec", "template", default={}))
        more = max(desired(each) - made(each), 0) + surge(each)[0]
        for name in sums:
            sums[name] += more * one.get(name, 1.0 if name in COUNTED else 0.0)
    return {"enough": ",".join(f"{name}={exact(value, name)}" for name, value in sums.items())}


def _listed(text: str) -> dict[str, float]:
    """`cpu=1,memory=2Gi` in base units. Raises ValueError."""
    pairs = (each.partition("=") for each in text.split(","))
    return {name.strip(): parse(amount) for name, _, amount in pairs}


def _counted(events: list[Json], scene: Scene) -> str:
    if not events:
        return ""
    count = sum(event_count(each) for each in events)
    return f", refused {times(count)}, the last {ago(last_seen(events[0]), scene.now)}"


def _short(message: str) -> str:
    if match := ASKED.search(message):
        return f"asks {match['asked']}, used {match['used']}, limit {match['limited']}"
    return message.removeprefix("FailedCreate: ")[:240]


def _quotes(workload: Json, failure: Json, events: list[Json]) -> list[Quote]:
    found = [event_source(each) for each in events[:1]]
    if failure.get("status") == "True":
        found.append(quote(workload, '"type":"ReplicaFailure"'))
    return found
