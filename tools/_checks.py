"""What speaks for and against a rollback, one question a function; pure, over what was read before.

An outcome is `ok`, `risk` (it may do harm or be undone), `blocked` (it cannot be done, or its pods cannot
start) or `unknown` (the cluster does not say). Nothing is called ok for lack of evidence.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from opssquad import Json, Known, Ref, ago, clock_time, duration

from ._edits import edits
from ._kube import created, dig, moment, ref, selected
from ._needs import Reference, containers_named, images, references, split_image
from ._plan import APPLIED, Plan
from ._pods import is_ready, restarts, started
from ._revisions import made_from
from ._template import summary

Outcome = Literal["ok", "risk", "blocked", "unknown"]
Verdict = Literal["safe", "risky", "unknown"]
PROVEN = timedelta(minutes=10)
MIGRATION = re.compile(
    r"migrat|alembic|flyway|liquibase|dbmate|goose|knex|sequelize|prisma|schema", re.IGNORECASE
)
OWNERS = (
    ("Argo CD", ("argocd.argoproj.io/instance", "argocd.argoproj.io/tracking-id")),
    ("Flux", ("kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name")),
    ("Helm", ("meta.helm.sh/release-name",)),
)
MANAGERS = {
    "argocd-controller": "Argo CD",
    "argocd-application-controller": "Argo CD",
    "kustomize-controller": "Flux",
    "helm-controller": "Flux",
    "helm": "Helm",
    "Helm": "Helm",
}


@dataclass(frozen=True)
class Finding:
    """The answer to one question about a rollback, and the objects it was read from; `now` is False where it
    is about earlier days."""

    name: str
    outcome: Outcome
    text: str
    read: tuple[Json, ...] = field(default=(), compare=False)
    now: bool = True


def verdict(found: Iterable[Finding]) -> Verdict:
    """Safe only when every question was answered well; a doubt is `unknown`, anything against it `risky`."""
    outcomes = {each.outcome for each in found}
    if outcomes & {"risk", "blocked"}:
        return "risky"
    return "unknown" if "unknown" in outcomes else "safe"


def revision(plan: Plan, now: datetime) -> Finding:
    """What comes back, and how old it is."""
    at, keeper = plan.target.at, plan.target.keeper
    if not plan.diff and plan.current:
        text = f"revision {plan.target.number} has the same template as what runs: nothing would change"
        return Finding("revision", "blocked", text, (keeper,))
    since = f", rolled out {ago(at, now)}" if at else ""
    kept = f"revision {plan.target.number} is kept ({ref(keeper).name}{since})"
    text = f"{kept}; it brings back: {summary(plan.diff)}"
    return Finding("revision", "ok", text, (keeper, plan.workload))


def paused(plan: Plan) -> Finding:
    """A paused Deployment takes no rollback."""
    if plan.paused:
        return Finding("paused", "blocked", "the Deployment is paused: resume it first", (plan.workload,))
    return Finding("paused", "ok", "the Deployment is not paused")


def needs(plan: Plan, there: Mapping[Ref, Json | None]) -> Finding:
    """Whether all that the old template names is there, keys included. None in `there`: does not exist."""
    missing, unread, read = [], [], []
    for need in references(plan.target.template):
        address = Ref(kind=need.kind, namespace=plan.namespace, name=need.name)
        if address not in there:
            unread.append(f"{need.kind} {need.name}")
            continue
        obj = there[address]
        if obj is not None:
            read.append(obj)
        if not need.optional and not _has(obj, need):
            missing.append(f"{need.kind} {need.name}" + (f" key {need.key}" if need.key else ""))
    if missing:
        text = f"the old template needs what is not there: {', '.join(dict.fromkeys(missing))}"
        return Finding("references", "blocked", text, tuple(read))
    if unread:
        return Finding("references", "unknown", f"could not be read: {', '.join(dict.fromkeys(unread))}")
    count = len({ref(each) for each in read})
    return Finding(
        "references",
        "ok",
        f"what the old template names is there ({count} objects)" if count > 1 else "what it needs is there",
        tuple(read),
    )


def _has(obj: Json | None, need: Reference) -> bool:
    if obj is None:
        return False
    return not need.key or any(need.key in (obj.get(part) or {}) for part in ("data", "binaryData"))


def config(plan: Plan, there: Mapping[Ref, Json | None], now: datetime) -> Finding:
    """Whether configuration that the old template reads was edited since: a rollback leaves it as it is."""
    since = plan.target.at
    found, read = [], []
    for need in references(plan.target.template):
        obj = there.get(Ref(kind=need.kind, namespace=plan.namespace, name=need.name))
        if need.kind not in {"ConfigMap", "Secret"} or obj is None:
            continue
        read.append(obj)
        for edit in edits(obj):
            keys = [each.partition(".")[2] or each for each in edit.below("data", "binaryData", "stringData")]
            if (
                edit.created
                or not keys
                or (need.key and need.key not in keys)
                or (since and edit.at <= since)
            ):
                continue
            found.append(
                f"{need.kind} {need.name} ({', '.join(keys[:3])}) {edit.at:%Y-%m-%d} {clock_time(edit.at)} "
                f"({ago(edit.at, now)}) by {edit.manager}"
            )
    told = list(dict.fromkeys(found))
    if told:
        text = f"edited since that revision, and a rollback does not bring it back: {'; '.join(told)}"
        return Finding("configuration", "risk", text, tuple(read))
    if since is None and read:
        return Finding("configuration", "unknown", "the time of that revision is not known", tuple(read))
    text = "no ConfigMap or Secret it reads was edited since" if read else "it reads no ConfigMap or Secret"
    return Finding("configuration", "ok", text, tuple(read))


def image(plan: Plan, nodes: Sequence[Json]) -> Finding:
    """Whether the old images can still be had, as far as the nodes tell."""
    wanted = images(plan.target.template)
    floating = [each for each in wanted if split_image(each)[1] in {"", "latest", "stable", "main", "master"}]
    if floating:
        text = f"the tag may point elsewhere today: {', '.join(floating)}"
        return Finding("image", "risk", text, (plan.target.keeper,))
    held = {
        name for node in nodes for each in dig(node, "status", "images", default=()) for name in each["names"]
    }
    absent = [each for each in wanted if each not in held]
    if absent:
        text = f"not known to be on any node, the registry is not asked: {', '.join(absent)}"
        return Finding("image", "unknown", text, (plan.target.keeper,))
    return Finding("image", "ok", f"still on a node: {', '.join(wanted)}", (plan.target.keeper,))


def managed(plan: Plan) -> Finding:
    """Whether something outside would put the new template back."""
    workload = plan.workload
    meta = workload["metadata"]
    marks = {**(meta.get("labels") or {}), **(meta.get("annotations") or {})}
    names = [f"{who} ({marks[key]})" for who, keys in OWNERS for key in keys if key in marks]
    names += [MANAGERS[e.manager] for e in edits(workload) if e.manager in MANAGERS]
    if marks.get("app.kubernetes.io/managed-by") == "Helm":
        names.append("Helm")
    if names:
        who = ", ".join(dict.fromkeys(names))
        text = f"managed by {who}: it may put the new release back; roll back there too"
        return Finding("owner", "risk", text, (workload,))
    note = (
        "; the next `kubectl apply` of its manifest brings the new release back" if APPLIED in marks else ""
    )
    return Finding("owner", "ok", f"no sign of Argo CD, Flux or Helm{note}", (workload,))


def autoscaler(plan: Plan, hpas: Sequence[Json], pdbs: Sequence[Json]) -> Finding:
    """What an autoscaler and disruption budgets mean for it."""
    mine = [h for h in hpas if dig(h, "spec", "scaleTargetRef", "name") == plan.name]
    labels = dig(plan.target.template, "metadata", "labels", default={})
    budgets = [p for p in pdbs if selected(labels, dig(p, "spec", "selector", "matchLabels", default={}))]
    for hpa in mine:
        resources = {dig(m, "resource", "name") for m in dig(hpa, "spec", "metrics", default=())} - {None}
        for each in dig(plan.target.template, "spec", "containers", default=()):
            lacking = [r for r in resources if r not in dig(each, "resources", "requests", default={})]
            if lacking:
                text = f"autoscaler {ref(hpa).name} needs requests the old one lacks: {', '.join(lacking)}"
                return Finding("autoscaling", "risk", text, (hpa,))
    words = [f"autoscaler {ref(h).name} goes on ({_range(h)})" for h in mine]
    words += [f"budget {ref(p).name} does not slow a rollout" for p in budgets]
    return Finding(
        "autoscaling", "ok", "; ".join(words) or "no autoscaler, no disruption budget", (*mine, *budgets)
    )


def _range(hpa: Json) -> str:
    return f"{dig(hpa, 'spec', 'minReplicas', default=1)} to {dig(hpa, 'spec', 'maxReplicas')} pods"


def services(plan: Plan, found: Sequence[Json]) -> Finding:
    """Whether the Services that lead to the pods now would also find the old ones."""
    old = dig(plan.target.template, "metadata", "labels", default={})
    new = dig(plan.workload, "spec", "template", "metadata", "labels", default={})
    mine = [s for s in found if selected(new, dig(s, "spec", "selector", default={}))]
    lost = [s for s in mine if not selected(old, dig(s, "spec", "selector"))]
    if lost:
        names = ", ".join(ref(each).name for each in lost)
        return Finding("services", "risk", f"the old pods lack the labels that {names} selects", tuple(lost))
    names = ", ".join(ref(each).name for each in mine) or "none leads here now"
    return Finding("services", "ok", f"Services find the old pods too: {names}", tuple(mine))


def migrations(plan: Plan, jobs: Sequence[Json], proven: bool) -> Finding:
    """Whether the schema may have moved on: a rollback does not undo a migration."""
    since = plan.target.at
    ran = [
        each
        for each in jobs
        if MIGRATION.search(
            " ".join([ref(each).name, *containers_named(dig(each, "spec", "template", default={}))])
        )
        and (since is None or (created(each) or since) > since)
    ]
    template = dig(plan.workload, "spec", "template", default={})
    inits = [
        each
        for each in dig(template, "spec", "initContainers", default=())
        if MIGRATION.search(" ".join(containers_named({"spec": {"initContainers": [each]}})))
    ]
    if ran or inits:
        names = [f"Job {ref(e).name}" for e in ran] + [f"init container {e['name']}" for e in inits]
        text = f"a database migration may have run since ({', '.join(names)}); a rollback does not undo it"
        return Finding("migrations", "risk", text, (*ran, plan.workload))
    if proven:
        return Finding("migrations", "ok", "pods of that revision work with the data as it is now")
    if images(plan.target.template) == images(template):
        return Finding("migrations", "ok", "the images stay the same, and no migration was run beside them")
    text = "no migration Job or init container seen; one that the application runs itself would not show"
    return Finding("migrations", "unknown", text)


def stability(plan: Plan, pods: Sequence[Json], now: datetime) -> Finding:
    """Whether that revision is known to be good by pods of it that run now."""
    mine = [p for p in pods if made_from(plan.target.keeper, p)]
    good = [p for p in mine if is_ready(p) and now - started(p) >= PROVEN and not _fell_lately(p, now)]
    if good:
        text = (
            f"{len(good)} pods of it are ready now, the oldest for {duration(now - min(map(started, good)))}"
        )
        return Finding("stability", "ok", text, tuple(good))
    if mine:
        text = f"{len(mine)} pods of it exist and none has been ready and quiet for {duration(PROVEN)}"
        return Finding("stability", "risk", text, tuple(mine))
    at, until = plan.target.at, plan.target.until
    ran = f"it ran for {duration(until - at)}; " if at and until else ""
    text = f"{ran}its pods are gone, and the cluster keeps no record of how they did"
    return Finding("stability", "unknown", text, (plan.target.keeper,))


def remembered(unknown: Finding, known: Known) -> Finding:
    """The same question answered by earlier looks, where the pods are gone."""
    if known.verdict == "unknown":
        text = f"{unknown.text}; earlier looks: {known.text}"
        return Finding("stability", "unknown", text, unknown.read, now=False)
    return Finding("stability", known.verdict, f"its pods are gone: {known.text}", unknown.read, now=False)


def _fell_lately(pod: Json, now: datetime) -> bool:
    ends = [
        moment(dig(each, "lastState", "terminated", "finishedAt"))
        for each in dig(pod, "status", "containerStatuses", default=())
    ]
    return restarts(pod) > 0 and any(end is None or now - end < timedelta(hours=1) for end in ends)


def all_objects(found: Iterable[Finding]) -> Iterator[Json]:
    """Everything the findings were read from."""
    return (obj for each in found for obj in each.read)
