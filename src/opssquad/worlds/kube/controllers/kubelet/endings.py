"""How containers end that do not crash: because their work is done, or because their pod is evicted."""

from opssquad.times import rfc3339
from opssquad.types import Json
from opssquad.worlds.kube.controllers.kubelet import states
from opssquad.worlds.kube.controllers.kubelet.hands import Hands
from opssquad.worlds.kube.recording.fates import Evicted


def complete(hands: Hands, pod: Json, container: Json) -> None:
    """A container that is to end by itself has, unless it lingers."""
    lingering = hands.fates(pod).lingering
    if not lingering or lingering.container != container["name"]:
        hands.edit(pod, lambda p: states.end(p, container["name"], 0, "Completed", hands.plane.now))


def evict(hands: Hands, pod: Json, evicted: Evicted) -> None:
    """The kubelet ends a pod that uses too much of its node, unless its fate has changed by then."""
    if not hands.fates(pod).evicted or not hands.there(pod):
        return
    hands.say(pod, "", "Evicted", evicted.message, warning=True)
    for container in pod["spec"]["containers"]:
        hands.say(pod, container["name"], "Killing", f"Stopping container {container['name']}")

    def change(current: Json) -> None:
        now = hands.plane.now
        for container in current["spec"]["containers"]:
            states.end(current, container["name"], 137, "Error", now)
        status = current["status"]
        status |= {"phase": "Failed", "reason": "Evicted", "message": evicted.message}
        states.settle(current, now)
        status["conditions"].append(
            {
                "type": "DisruptionTarget",
                "status": "True",
                "lastProbeTime": None,
                "lastTransitionTime": rfc3339(now),
                "reason": "TerminationByKubelet",
                "message": evicted.message,
            }
        )

    hands.edit(pod, change)
