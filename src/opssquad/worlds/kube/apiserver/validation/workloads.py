"""Pods and what makes them: Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, CronJob."""

from collections.abc import Iterable, Iterator

from opssquad.types import Json
from opssquad.worlds.kube.apiserver import labels
from opssquad.worlds.kube.apiserver.status import Cause
from opssquad.worlds.kube.apiserver.validation.pods import pod_spec_causes, template_causes
from opssquad.worlds.kube.apiserver.validation.words import (
    forbidden,
    invalid,
    not_negative,
    required,
    unsupported,
)

MISMATCH = "`selector` does not match template `labels`"
PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex "
    "used for validation is '[0-9]+%')"
)
JOB_RESTART = ("OnFailure", "Never")


def pod(obj: Json) -> Iterator[Cause]:
    """A Pod."""
    yield from pod_spec_causes("spec", obj.get("spec") or {})


def deployment(obj: Json) -> Iterator[Cause]:
    """A Deployment."""
    spec = obj.get("spec") or {}
    yield from not_negative("spec.replicas", spec.get("replicas"))
    yield from _selected(spec)
    yield from _strategy(spec.get("strategy") or {})
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
    deadline = spec.get("progressDeadlineSeconds")
    yield from not_negative("spec.progressDeadlineSeconds", deadline)
    if deadline is not None and deadline <= spec.get("minReadySeconds", 0):
        yield invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def replica_set(obj: Json) -> Iterator[Cause]:
    """A ReplicaSet."""
    spec = obj.get("spec") or {}
    yield from not_negative("spec.replicas", spec.get("replicas"))
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from _selected(spec)


def stateful_set(obj: Json) -> Iterator[Cause]:
    """A StatefulSet."""
    spec = obj.get("spec") or {}
    yield from not_negative("spec.replicas", spec.get("replicas"))
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    claims = [claim.get("metadata", {}).get("name", "") for claim in spec.get("volumeClaimTemplates") or []]
    yield from _selected(spec, claims)


def daemon_set(obj: Json) -> Iterator[Cause]:
    """A DaemonSet."""
    spec = obj.get("spec") or {}
    yield from _selected(spec)
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))


def job(obj: Json) -> Iterator[Cause]:
    """A Job."""
    yield from _job_spec("spec", obj.get("spec") or {})


def cron_job(obj: Json) -> Iterator[Cause]:
    """A CronJob."""
    spec = obj.get("spec") or {}
    if not spec.get("schedule"):
        yield required("spec.schedule")
    elif not str(spec["schedule"]).startswith("@") and len(str(spec["schedule"]).split()) != 5:
        found = len(str(spec["schedule"]).split())
        said = f"expected exactly 5 fields, found {found}: [{spec['schedule']}]"
        yield invalid("spec.schedule", spec["schedule"], said)
    if spec.get("concurrencyPolicy") not in ("Allow", "Forbid", "Replace"):
        yield unsupported(
            "spec.concurrencyPolicy", spec.get("concurrencyPolicy", ""), ("Allow", "Forbid", "Replace")
        )
    template = spec.get("jobTemplate") or {}
    yield from _job_spec("spec.jobTemplate.spec", template.get("spec") or {})


def _job_spec(field: str, spec: Json) -> Iterator[Cause]:
    for name in ("parallelism", "completions", "backoffLimit", "ttlSecondsAfterFinished"):
        yield from not_negative(f"{field}.{name}", spec.get(name))
    template = spec.get("template") or {}
    yield from template_causes(f"{field}.template", template)
    policy = (template.get("spec") or {}).get("restartPolicy", "")
    if policy == "Always":
        yield unsupported(f"{field}.template.spec.restartPolicy", policy, JOB_RESTART)


def _selected(spec: Json, claims: Iterable[str] = ()) -> Iterator[Cause]:
    """Selector and template of a workload whose pods always restart."""
    selector, template = spec.get("selector"), spec.get("template") or {}
    if selector is None:
        yield required("spec.selector")
    elif not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield invalid("spec.selector", selector, "empty selector is invalid for deployment")
    own = template.get("metadata", {}).get("labels") or {}
    wanted = labels.of_selector(selector)
    if wanted is None or not labels.matches(wanted, own):
        yield invalid("spec.template.metadata.labels", own, MISMATCH)
    yield from template_causes("spec.template", template, claims)
    policy = (template.get("spec") or {}).get("restartPolicy", "Always")
    if policy != "Always":
        yield unsupported("spec.template.spec.restartPolicy", policy, ("Always",))


def _strategy(strategy: Json) -> Iterator[Cause]:
    rolling = strategy.get("rollingUpdate")
    match strategy.get("type"):
        case "Recreate":
            if rolling is not None:
                said = "may not be specified when strategy `type` is 'Recreate'"
                yield forbidden("spec.strategy.rollingUpdate", said)
        case "RollingUpdate":
            yield from _rolling(rolling or {})
        case other:
            yield unsupported("spec.strategy.type", other or "", ("Recreate", "RollingUpdate"))


def _rolling(rolling: Json) -> Iterator[Cause]:
    surge, unavailable = rolling.get("maxSurge"), rolling.get("maxUnavailable")
    for name, value in (("maxUnavailable", unavailable), ("maxSurge", surge)):
        if isinstance(value, int):
            yield from not_negative(f"spec.strategy.rollingUpdate.{name}", value)
        elif isinstance(value, str) and not (value.endswith("%") and value[:-1].isdigit()):
            yield invalid(f"spec.strategy.rollingUpdate.{name}", value, PERCENT)
    if surge in (0, "0%") and unavailable in (0, "0%"):
        said = "may not be 0 when `maxSurge` is 0"
        yield invalid("spec.strategy.rollingUpdate.maxUnavailable", unavailable, said)
