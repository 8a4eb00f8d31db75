"""Events as a cluster keeps them: once as core/v1 and once as events.k8s.io/v1, with one uid."""

import random
from datetime import datetime

from opssquad.evals.perturb.material import uid
from opssquad.times import rfc3339
from opssquad.types import Json

FIELDS = (
    *(
        "count",
        "firstTimestamp",
        "involvedObject",
        "lastTimestamp",
        "message",
        "reason",
        "reportingComponent",
    ),
    *("reportingInstance", "source", "type"),
)


def event(
    about: Json,
    reason: str,
    message: str,
    component: str,
    moment: datetime,
    rng: random.Random,
    *,
    warning: bool = False,
    host: str = "",
) -> list[Json]:
    """The two forms of one event about an object, seen once at that moment."""
    meta, stamp = about["metadata"], rfc3339(moment)
    target = {
        "kind": about["kind"],
        "namespace": meta["namespace"],
        "name": meta["name"],
        "uid": meta["uid"],
        "apiVersion": about["apiVersion"],
        "resourceVersion": meta["resourceVersion"],
    }
    nanos = int(moment.timestamp()) * 10**9 + rng.randrange(10**9)
    manager = {"manager": component, "operation": "Update", "apiVersion": "v1", "time": stamp}
    fields = {"fieldsType": "FieldsV1", "fieldsV1": {f"f:{name}": {} for name in FIELDS}}
    head = {
        "name": f"{meta['name']}.{nanos:x}",
        "namespace": meta["namespace"],
        "uid": uid(rng),
        "resourceVersion": meta["resourceVersion"],
        "creationTimestamp": stamp,
        "managedFields": [{**manager, **fields}],
    }
    source = {"component": component, **({"host": host} if host else {})}
    kind = "Warning" if warning else "Normal"
    core: Json = {"apiVersion": "v1", "kind": "Event", "metadata": head, "involvedObject": target}
    core |= {"reason": reason, "message": message, "source": source, "firstTimestamp": stamp}
    core |= {"lastTimestamp": stamp, "count": 1, "type": kind, "eventTime": None}
    core |= {"reportingComponent": component, "reportingInstance": host}
    new: Json = {"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": dict(head), "eventTime": None}
    new |= {
        "reportingController": component,
        "reportingInstance": host,
        "reason": reason,
        "regarding": target,
    }
    new |= {"note": message, "type": kind, "deprecatedSource": source, "deprecatedFirstTimestamp": stamp}
    new |= {"deprecatedLastTimestamp": stamp, "deprecatedCount": 1}
    return [core, new]
