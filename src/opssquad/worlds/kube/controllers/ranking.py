"""Which pods go first when a ReplicaSet shrinks. Pure; the order is the server's."""

import math
from collections import Counter
from datetime import datetime
from typing import Any

from opssquad.times import parse_time
from opssquad.types import Json
from opssquad.worlds.kube.controllers.meta import annotations_of, is_active, is_ready, ready_since, status_of

COST = "controller.kubernetes.io/pod-deletion-cost"
PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def first_to_go(pods: list[Json], related: list[Json], now: datetime) -> list[Json]:
    """The pods in the order in which they go. `related` are all pods of the same Deployment.

    Unscheduled first, then pending, not ready, cheap, on a node that holds more of them, ready for a
    shorter time (by powers of two), restarted more often, younger; the uid decides between equals.
    """
    crowd = Counter(pod["spec"].get("nodeName") for pod in related if is_active(pod))

    def rank(pod: Json) -> tuple[Any, ...]:
        since = ready_since(pod)
        statuses = status_of(pod).get("containerStatuses") or []
        return (
            bool(pod["spec"].get("nodeName")),
            PHASES.get(status_of(pod).get("phase", ""), 2),
            is_ready(pod),
            int(annotations_of(pod).get(COST, "0")),
            -crowd[pod["spec"].get("nodeName")],
            _power(since, now) if since else 0,
            0 if since else -max((status.get("restartCount", 0) for status in statuses), default=0),
            _power(parse_time(pod["metadata"]["creationTimestamp"]), now),
            pod["metadata"]["uid"],
        )

    return sorted(pods, key=rank)


def _power(moment: datetime, now: datetime) -> int:
    nanoseconds = (now - moment).total_seconds() * 1e9
    return int(math.log2(nanoseconds)) if nanoseconds > 0 else -1
