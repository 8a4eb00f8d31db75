"""What a card is bound to: of each object it touches, the part whose change voids the card; pure.

Not the resourceVersion of everything: the status of a Deployment whose pods crash changes every few seconds,
and so would every card about it be void. `generation` moves with the spec (and a Deployment's annotations)
alone, `revision` with each rollout; where an object has no generation, the digest of all but its status does
the same, and where it has no status either, resourceVersion is exact.
"""

import hashlib

from opssquad import Json

from ._kube import compact, dig, ref
from ._revisions import number

GONE = "not there"
PEOPLES = frozenset({"Service", "ResourceQuota", "LimitRange"})


def bound(obj: Json | None) -> str:
    """The object as a card is bound to it: `uid=1a2b3c4d generation=7 revision=3`."""
    if obj is None:
        return GONE
    meta = obj["metadata"]
    parts = [f"uid={meta.get('uid', '')[:8]}"]
    if obj["kind"] == "ReplicaSet":
        # Its own counts move during any rollout; what a card rests on is that it still holds that revision.
        parts.append(f"revision={number(obj)}")
    elif meta.get("generation") is not None and obj["kind"] != "Pod":
        parts.append(f"generation={meta['generation']}")
        parts += [f"revision={number(obj)}"] if number(obj) else []
    elif "status" in obj:
        parts.append(f"content={_digest(obj)}")
    else:
        parts.append(f"resourceVersion={meta.get('resourceVersion', '')}")
    return " ".join(parts)


def _digest(obj: Json) -> str:
    """Twelve letters of the sha256 of labels, spec and the like; controllers keep notes in annotations, but
    not on objects that are people's alone."""
    rest = {key: value for key, value in obj.items() if key not in {"metadata", "status"}}
    notes = dig(obj, "metadata", "annotations", default={}) if obj["kind"] in PEOPLES else {}
    text = compact([dig(obj, "metadata", "labels", default={}), rest, *([notes] if notes else [])])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def binding(*objects: Json) -> dict[str, str]:
    """The binding of these objects, by address."""
    return {str(ref(each)): bound(each) for each in objects}


def alive(pod: Json | None) -> str:
    """A pod as a card to delete it is bound to it: that very pod, on that node, not yet on its way out."""
    if pod is None or dig(pod, "metadata", "deletionTimestamp"):
        return GONE
    return f"uid={pod['metadata']['uid'][:8]} node={dig(pod, 'spec', 'nodeName', default='none')}"
