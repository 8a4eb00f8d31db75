"""Reading what the rollback checks need, and asking the server whether it would do it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from opssquad import Cluster, History, Json, Ref, ToolError

from . import _checks as checks
from ._checks import Finding
from ._headroom import quota
from ._kube import uid
from ._needs import references
from ._observing import observations
from ._order import order
from ._past import Past, kept_of, past
from ._plan import Plan
from ._rights import visible

KINDS = ("HorizontalPodAutoscaler", "PodDisruptionBudget", "ResourceQuota", "Service", "Job", "Pod", "Node")


@dataclass(frozen=True)
class Assessment:
    """The answers, the workload as the server would make it (None where it refused), and what is known of the
    revision from earlier looks, if anything."""

    findings: list[Finding]
    after: Json | None
    past: Past | None = None

    @property
    def verdict(self) -> checks.Verdict:
        """safe, risky or unknown."""
        return checks.verdict(self.findings)

    def of(self, *outcomes: str) -> list[Finding]:
        """The findings with one of these outcomes."""
        return [each for each in self.findings if each.outcome in outcomes]


async def assess(cluster: Cluster, history: History, plan: Plan) -> Assessment:
    """Ask every question about a rollback. What these rights cannot read becomes `unknown`."""
    space = plan.namespace
    listed = asyncio.gather(*(visible(cluster, kind, "" if kind == "Node" else space) for kind in KINDS))
    found, there, allowed, dry = await asyncio.gather(
        listed, _needed(cluster, plan), _allowed(cluster, plan), _dry_run(cluster, plan)
    )
    hpas, pdbs, quotas, services, jobs, pods, nodes = (each or [] for each in found)
    now = cluster.now()
    seen = await _remembered(history, plan, found[KINDS.index("Pod")], now)
    stable = checks.stability(plan, pods, now)
    # Pods that run now say more of it than any that ran before.
    if seen and stable.outcome == "unknown":
        stable = checks.remembered(stable, seen.known)
    findings = [
        checks.revision(plan, now),
        checks.paused(plan) if plan.kind == "Deployment" else order(plan, pods),
        allowed,
        dry[0],
        checks.needs(plan, there),
        checks.config(plan, there, now),
        checks.image(plan, nodes),
        checks.managed(plan),
        checks.services(plan, services),
        checks.autoscaler(plan, hpas, pdbs),
        quota(plan, quotas),
        checks.migrations(plan, jobs, stable.outcome == "ok" and stable.now),
        stable,
    ]
    unread = [kind for kind, each in zip(KINDS, found, strict=True) if each is None and kind != "Node"]
    if unread:
        findings.append(Finding("rights", "unknown", f"these rights do not show: {', '.join(unread)}"))
    return Assessment(findings, dry[1], seen)


async def _remembered(history: History, plan: Plan, pods: list[Json] | None, now: datetime) -> Past | None:
    """What is known of the revision, this look included where pods can be read."""
    keepers = list({uid(each.keeper): each.keeper for each in plan.history}.values())
    if pods is not None:
        await history.record(observations([plan.workload], keepers, pods, now))
    return past(plan.workload, plan.target, await kept_of(history, plan.workload))


async def _needed(cluster: Cluster, plan: Plan) -> dict[Ref, Json | None]:
    wanted = {
        Ref(kind=r.kind, namespace=plan.namespace, name=r.name) for r in references(plan.target.template)
    }
    found = await asyncio.gather(*(_find(cluster, each) for each in wanted))
    return {each: obj for each, (read, obj) in zip(wanted, found, strict=True) if read}


async def _find(cluster: Cluster, address: Ref) -> tuple[bool, Json | None]:
    try:
        return True, await cluster.find(address.kind, address.name, address.namespace)
    except ToolError:
        return False, None


async def _allowed(cluster: Cluster, plan: Plan) -> Finding:
    try:
        allowed = await cluster.can_i("patch", plan.kind, plan.namespace, name=plan.name)
    except ToolError as error:
        return Finding("rights", "unknown", f"the server does not say whether this login may: {error}")
    if allowed:
        return Finding("rights", "ok", f"this login may patch the {plan.kind}")
    return Finding("rights", "blocked", f"this login may not patch the {plan.kind}")


async def _dry_run(cluster: Cluster, plan: Plan) -> tuple[Finding, Json | None]:
    try:
        after = await cluster.patch(
            plan.kind, plan.name, plan.namespace, plan.patch(), how="json", dry_run=True
        )
    except ToolError as error:
        return Finding("dry run", "blocked", f"the server refuses it: {error}"), None
    return Finding("dry run", "ok", "the server accepts it (dry run)"), after
