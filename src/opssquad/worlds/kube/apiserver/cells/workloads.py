"""Rows of what runs pods, scales them or guards them: Deployments, Jobs, autoscalers, budgets."""

from datetime import datetime
from typing import Any

from opssquad.times import parse_time
from opssquad.types import Json
from opssquad.worlds.kube.apiserver import labels
from opssquad.worlds.kube.apiserver.ages import age, human, since

NONE, UNSET, UNKNOWN = "<none>", "<unset>", "<unknown>"
JOB_STATES = (
    ("Complete", "Complete"),
    ("Failed", "Failed"),
    ("", "Terminating"),
    ("Suspended", "Suspended"),
    ("FailureTarget", "FailureTarget"),
    ("SuccessCriteriaMet", "SuccessCriteriaMet"),
)


def deployment(obj: Json, now: datetime) -> list[Any]:
    """Name, Ready, Up-to-date, Available, Age; wide: Containers, Images, Selector."""
    spec, status = obj["spec"], obj.get("status", {})
    return [
        obj["metadata"]["name"],
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        age(obj, now),
        *_containers(spec["template"]),
        labels.text(spec.get("selector"), NONE),
    ]


def replica_set(obj: Json, now: datetime) -> list[Any]:
    """Name, Desired, Current, Ready, Age; wide: Containers, Images, Selector. Also of
    ReplicationControllers.
    """
    spec, status = obj["spec"], obj.get("status", {})
    selector = spec.get("selector") or {}
    plain = selector and "matchLabels" not in selector and "matchExpressions" not in selector
    return [
        obj["metadata"]["name"],
        spec.get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        age(obj, now),
        *_containers(spec["template"]),
        labels.text({"matchLabels": selector} if plain else selector, NONE),
    ]


def scale(obj: Json, now: datetime) -> list[Any]:
    """Name, Desired, Available, Age. Of the Scale of any of them."""
    desired, actual = obj["spec"].get("replicas", 0), obj["status"].get("replicas", 0)
    return [obj["metadata"]["name"], desired, actual, age(obj, now)]


def stateful_set(obj: Json, now: datetime) -> list[Any]:
    """Name, Ready, Age; wide: Containers, Images."""
    spec, status = obj["spec"], obj.get("status", {})
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}"
    return [obj["metadata"]["name"], ready, age(obj, now), *_containers(spec["template"])]


def daemon_set(obj: Json, now: datetime) -> list[Any]:
    """Name, five counts, Node Selector, Age; wide: Containers, Images, Selector."""
    spec, status = obj["spec"], obj.get("status", {})
    counts = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    return [
        obj["metadata"]["name"],
        *(status.get(count, 0) for count in counts),
        pairs(spec["template"]["spec"].get("nodeSelector")),
        age(obj, now),
        *_containers(spec["template"]),
        labels.text(spec.get("selector"), NONE),
    ]


def controller_revision(obj: Json, now: datetime) -> list[Any]:
    """Name, Controller (`statefulset.apps/db`), Revision, Age."""
    owner = next((o for o in obj["metadata"].get("ownerReferences", []) if o.get("controller")), None)
    who = NONE
    if owner:
        group = owner["apiVersion"].rpartition("/")[0]
        who = f"{owner['kind'].lower()}{'.' if group else ''}{group}/{owner['name']}"
    return [obj["metadata"]["name"], who, obj.get("revision", 0), age(obj, now)]


def pod_template(obj: Json, now: datetime) -> list[Any]:
    """Name, Containers, Images, Pod Labels."""
    template = obj.get("template", {"spec": {}})
    wanted = pairs(template.get("metadata", {}).get("labels"))
    return [obj["metadata"]["name"], *_containers(template), wanted]


def job(obj: Json, now: datetime) -> list[Any]:
    """Name, Status, Completions, Duration, Age; wide: Containers, Images, Selector."""
    spec, status = obj["spec"], obj.get("status", {})
    duration = ""
    if started := status.get("startTime"):
        ended = parse_time(status["completionTime"]) if status.get("completionTime") else now
        duration = human((ended - parse_time(started)).total_seconds())
    return [
        obj["metadata"]["name"],
        _job_state(obj, status),
        _completions(spec, status.get("succeeded", 0)),
        duration,
        age(obj, now),
        *_containers(spec["template"]),
        labels.text(spec.get("selector"), NONE),
    ]


def _job_state(obj: Json, status: Json) -> str:
    holding = {c["type"] for c in status.get("conditions") or [] if c["status"] == "True"}
    if "deletionTimestamp" in obj["metadata"]:
        holding.add("")
    return next((word for condition, word in JOB_STATES if condition in holding), "Running")


def _completions(spec: Json, succeeded: int) -> str:
    if spec.get("completions") is not None:
        return f"{succeeded}/{spec['completions']}"
    parallel = spec.get("parallelism", 0)
    return f"{succeeded}/1 of {parallel}" if parallel > 1 else f"{succeeded}/1"


def cron_job(obj: Json, now: datetime) -> list[Any]:
    """Name, Schedule, Timezone, Suspend, Active, Last Schedule, Age; wide: Containers, Images, Selector."""
    spec, status = obj["spec"], obj.get("status", {})
    inner = spec["jobTemplate"]["spec"]
    last = status.get("lastScheduleTime")
    return [
        obj["metadata"]["name"],
        spec.get("schedule", ""),
        spec.get("timeZone") or NONE,
        UNSET if spec.get("suspend") is None else str(spec["suspend"]),
        len(status.get("active") or []),
        since(last, now) if last else NONE,
        age(obj, now),
        *_containers(inner["template"]),
        labels.text(inner.get("selector"), NONE),
    ]


def autoscaler(obj: Json, now: datetime) -> list[Any]:
    """Name, Reference, Targets, MinPods, MaxPods, Replicas, Age. Of autoscaling/v2, which is what is
    stored.
    """
    spec, status = obj["spec"], obj.get("status", {})
    reference = f"{spec['scaleTargetRef']['kind']}/{spec['scaleTargetRef']['name']}"
    floor = UNSET if spec.get("minReplicas") is None else str(spec["minReplicas"])
    return [
        obj["metadata"]["name"],
        reference,
        _targets(spec.get("metrics") or [], status.get("currentMetrics") or []),
        floor,
        spec.get("maxReplicas", 0),
        status.get("currentReplicas", 0),
        age(obj, now),
    ]


def _targets(metrics: list[Json], current: list[Json]) -> str:
    if not metrics:
        return NONE
    said = [_target(m, current[i] if i < len(current) else {}) for i, m in enumerate(metrics[:2])]
    more = f" + {len(metrics) - 2} more..." if len(metrics) > 2 else ""
    return ", ".join(said) + more


def _target(metric: Json, current: Json) -> str:
    field = metric["type"][0].lower() + metric["type"][1:]
    wanted = metric[field]["target"]
    now = (current.get(field) or {}).get("current") or {}
    if metric["type"] in ("Resource", "ContainerResource"):
        lead = f"{metric[field]['name']}: "
        if "averageValue" in wanted:
            return f"{lead}{now.get('averageValue', UNKNOWN)}/{wanted['averageValue']}"
        used = f"{now['averageUtilization']}%" if "averageUtilization" in now else UNKNOWN
        goal = f"{wanted['averageUtilization']}%" if "averageUtilization" in wanted else "<auto>"
        return f"{lead}{used}/{goal}"
    if "averageValue" in wanted:
        tail = "" if metric["type"] == "Pods" else " (avg)"
        return f"{now.get('averageValue', UNKNOWN)}/{wanted['averageValue']}{tail}"
    return f"{now.get('value', UNKNOWN)}/{wanted.get('value', UNKNOWN)}"


def disruption_budget(obj: Json, now: datetime) -> list[Any]:
    """Name, Min Available, Max Unavailable, Allowed Disruptions, Age."""
    spec = obj["spec"]
    bounds = [str(spec[k]) if k in spec else "N/A" for k in ("minAvailable", "maxUnavailable")]
    allowed = obj.get("status", {}).get("disruptionsAllowed", 0)
    return [obj["metadata"]["name"], *bounds, allowed, age(obj, now)]


def pairs(found: Json | None) -> str:
    """Labels as `a=b,c=d`, sorted; `<none>` without any."""
    return ",".join(f"{k}={v}" for k, v in sorted((found or {}).items())) or NONE


def _containers(template: Json) -> list[str]:
    containers = template.get("spec", {}).get("containers") or []
    return [",".join(c.get(k, "") for c in containers) for k in ("name", "image")]
