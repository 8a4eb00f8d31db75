"""The tool `errors`: what the logs of a whole namespace complain of, one pod of every workload.

For where nothing looks broken and somebody complains all the same: whose log tells of it is not known yet.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from opssquad import Cluster, Json, Ref, Result, Signal, tool

from ._blocked import blocked
from ._instances import instance, most_broken
from ._kube import dig, owner, ref
from ._logtext import Wanted, command
from ._pods import is_finished, is_terminating, started
from ._reading_logs import cased, read_all
from ._resolving import resolving
from ._rights import as_data
from ._text import WIDTH, bullet, some
from .signals._case import Case
from .signals.logs import log_signals

MOST = 40
"""Workloads whose logs are read in one call."""
REVISION = ("pod-template-hash", "controller-revision-hash")
LINES = 1000
MOST_TOLD = 4
"""Complaints of a workload that are told; the rest is counted."""


@tool(effect="read", deadline=60)
async def errors(
    cluster: Cluster,
    namespace: Annotated[str, "all namespaces if empty"] = "",
    since_minutes: int = 0,
) -> Result:
    """What logs complain of: errors and failed calls of every workload, one pod each. For when nothing looks
    broken, or you do not know whose log to read; then `logs` tells more."""
    now = cluster.now()
    pods = _one_of_each(await cluster.list("Pod", namespace))
    where = f"namespace {namespace}" if namespace else "all namespaces"
    if not pods:
        return Result(text=f"There is no pod in {where} that could have a log.")
    wanted = Wanted(LINES, since_minutes=max(since_minutes, 0))
    read, unread = await read_all(cluster, [instance(each, "", "auto", now) for each in pods], wanted, MOST)
    case = await cased(cluster, read, namespace)
    said, services = await resolving(
        cluster, [each for part in _by_workload(case) for each in log_signals(part)]
    )
    denied = await blocked(cluster, said, (each.pod for each in case.reads), case.directory)
    told = {each.owner for each in said}
    mine = [each for each in case.reads if owner(each.pod) in told]
    return Result(
        text="\n".join(
            [_head(where, case, told), *_lines(said, denied.signals), *_quiet(case, told), *unread.values()]
        ),
        sources=(*(each.source() for each in mine), *denied.sources, *services),
        data={
            "pods": [str(ref(each.pod)) for each in mine],
            "workloads": list(dict.fromkeys(str(owner(each.pod)) for each in mine)),
            "unread": as_data({pod: why for pod, why in (unread | denied.unread).items() if pod}),
        },
        signals=(*said, *denied.signals),
        commands=tuple(command(i, wanted) for i, _ in read if i.started and owner(i.pod) in told)[:6],
    )


def _one_of_each(pods: Sequence[Json]) -> list[Json]:
    """Of every revision of a workload the pod that is worst off, else the one that has run longest."""
    by_owner: dict[tuple[Ref, str], list[Json]] = {}
    for each in pods:
        if not is_terminating(each) and (not is_finished(each) or owner(each).kind != "CronJob"):
            labels = dig(each, "metadata", "labels", default={})
            revision = next((str(labels[name]) for name in REVISION if name in labels), "")
            by_owner.setdefault((owner(each), revision), []).append(each)
    # What belongs to the system comes last: there may be more than are read.
    ordered = sorted(by_owner, key=lambda each: each[0].namespace.startswith("kube-"))
    return [most_broken(by_owner[each]) or min(by_owner[each], key=started) for each in ordered]


def _by_workload(case: Case) -> list[Case]:
    """The case in parts: what two workloads say in the same words is not one trouble."""
    parts: dict[Ref, list[int]] = {}
    for index, each in enumerate(case.reads):
        parts.setdefault(owner(each.pod), []).append(index)
    return [
        replace(case, entries=[each for each in case.entries if each.origin in mine])
        for mine in parts.values()
    ]


def _head(where: str, case: Case, told: set[Ref]) -> str:
    return "\n".join(
        textwrap.wrap(
            f"In {where}, at {case.now:%H:%M:%S} UTC: {len(case.reads)} logs, one a revision of a workload, "
            f"their last {LINES} lines; {len(told)} workloads complain.",
            WIDTH,
        )
    )


def _lines(said: Sequence[Signal], denied: Sequence[Signal]) -> list[str]:
    lines: list[str] = []
    for who in dict.fromkeys(each.owner for each in said):
        mine = [each for each in said if each.owner == who]
        mine.sort(key=lambda each: (each.until is not None, each.id == "log.error"))
        # The same line may be an error, a failed call and a name that does not resolve: it is told once.
        mine = list({tuple(quote.text for quote in each.quotes): each for each in reversed(mine)}.values())[
            ::-1
        ]
        lines += ["", f"{who.kind} {who.namespace}/{who.name}"]
        lines += [row for each in mine[:MOST_TOLD] for row in bullet(each.text)]
        lines += [f"  and {len(mine) - MOST_TOLD} more kinds"] if len(mine) > MOST_TOLD else []
    policies = [row for each in denied for row in bullet(each.text)]
    return [*lines, "", "What stands between them", *policies] if policies else lines


def _quiet(case: Case, told: set[Ref]) -> list[str]:
    names = [owner(each.pod).name for each in case.reads if owner(each.pod) not in told]
    return ["", *textwrap.wrap(f"Without complaint: {some(names, 20)}", WIDTH)] if names else []
