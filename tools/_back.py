"""The way back from a change of a pod template: the revision that runs now."""

from opssquad import Cluster, Json, Ref, Undo

from ._change import line, target
from ._plan import history_of, running
from ._state import State
from ._template import differs


def back_args(where: Ref, number: int) -> Json:
    """The arguments of a rollback to a revision; a Deployment's need no kind."""
    args: Json = {"deployment": where.name, "namespace": where.namespace, "revision": number}
    return args if where.kind == "Deployment" else {**args, "kind": where.kind}


async def back(cluster: Cluster, where: Ref, state: State) -> Undo:
    """The undo of a change of the template. Without one by us where what is asked for now has no number."""
    current = running(await history_of(cluster, state.workload))
    now = state.workload["spec"]["template"]
    if current is None or not current.number or differs(current.template, now):
        return Undo(
            note="not by us: what is asked for now has no revision yet; set the former values again",
            command=line(where, "rollout", "undo", target(where)),
        )
    return Undo(
        note=f"roll back to revision {current.number}",
        tool="rollback",
        args=back_args(where, current.number),
        command=line(where, "rollout", "undo", target(where), f"--to-revision={current.number}"),
    )
