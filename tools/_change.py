"""What the tools that change a workload share: reading it, its card, patches by container, their roles."""

from dataclasses import dataclass
from typing import Annotated

from opssquad import Check, Cluster, Json, Preview, Progress, Ref, Result, Risk, ToolError

from ._binding import binding
from ._fields import unified
from ._headroom import way
from ._held import keeping
from ._kinds import kind_of
from ._kube import dig, kubectl, ref, source
from ._state import State
from ._watch import before_of, verify

Kind = Annotated[str, "or StatefulSet, DaemonSet"]
Before = dict[str, object]
PLAN = "watch until all pods are ready and stay so; compare ready pods, restarts and failures with before"


@dataclass(frozen=True)
class Card:
    """What a preview is made of beside the diff."""

    command: str
    impact: str
    risk: Risk
    rule: str


def address(cluster: Cluster, kind: str, name: str, namespace: str) -> Ref:
    """Where the workload is; the kind as the API writes it."""
    return Ref(kind=kind_of(kind), namespace=namespace or cluster.namespace, name=name)


async def standing(cluster: Cluster, where: Ref) -> State:
    """The workload as it stands. Raises ToolError: not there, or of a kind without rollouts."""
    return await before_of(cluster, where)


def preview(state: State, after: Json, card: Card) -> Preview:
    """The card's facts for a change of a workload, from a server-side dry run."""
    title = str(ref(state.workload))
    paused = " It is paused: pods change only when it is resumed." if state.paused else ""
    return Preview(
        command=card.command,
        impact=card.impact + paused,
        risk=card.risk,
        risk_rule=card.rule,
        diff=unified(title, state.workload, after),
        binding=binding(state.workload),
        verify_plan=PLAN,
        before=state.snapshot(),
    )


def rolls(state: State) -> str:
    """What a new template does to the pods, in numbers."""
    words, held = way(state.workload, state.ready), keeping(state.workload, state.pods)
    return f"{words}; {held}" if held else words


def risk_of_roll(state: State) -> tuple[Risk, str]:
    """How much a new rollout can hurt, by what is ready now."""
    recreate = dig(state.workload, "spec", "strategy", "type") == "Recreate"
    if state.ready == 0:
        return "low", "no pod is ready, so none is lost"
    if recreate or state.desired == 1:
        return (
            "medium",
            "the ready pods stop before new ones are ready" if recreate else "its only pod is replaced",
        )
    return "low", "pods are replaced step by step; the others serve meanwhile"


def container_of(workload: Json, container: str) -> tuple[str, Json]:
    """The list and the container meant; the only one where none is named. Raises ToolError with the names."""
    spec = dig(workload, "spec", "template", "spec", default={})
    found = [(key, e) for key in ("containers", "initContainers") for e in spec.get(key) or ()]
    names = ", ".join(each["name"] for _, each in found)
    main = [pair for pair in found if pair[0] == "containers"]
    if not container:
        if len(main) == 1:
            return main[0]
        raise ToolError(f"{ref(workload).name} has several containers; say which: {names}")
    for key, each in found:
        if each["name"] == container:
            return key, each
    raise ToolError(f"no container {container!r} in {ref(workload).name}; there is: {names}")


def container_patch(key: str, name: str, fields: Json) -> Json:
    """A strategic merge patch of one container of the template."""
    return {"spec": {"template": {"spec": {key: [{"name": name, **fields}]}}}}


async def observe(cluster: Cluster, name: str, namespace: str, kind: str) -> dict[str, str]:
    """The role `observe` of every tool that changes a workload."""
    where = address(cluster, kind, name, namespace)
    return binding(await cluster.get(where.kind, where.name, where.namespace))


async def check(
    cluster: Cluster, progress: Progress, name: str, namespace: str, kind: str, before: Before
) -> Check:
    """The role `verify` of every tool that changes a workload."""
    return await verify(cluster, progress, address(cluster, kind, name, namespace), before)


def line(where: Ref, *words: str) -> str:
    """A kubectl line in the workload's namespace."""
    return kubectl(*words, namespace=where.namespace)


def target(where: Ref) -> str:
    """The workload as kubectl names it: `deployment/web`."""
    return f"{where.kind.lower()}/{where.name}"


def done(after: Json, where: Ref, text: str, command: str) -> Result:
    """The result of a change of a workload."""
    return Result(text=text, sources=(source(after),), data={"workloads": [str(where)]}, commands=(command,))
