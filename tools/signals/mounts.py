"""Why volumes of a pod cannot be attached or mounted, in the words of their controllers and the kubelet."""

import re

from opssquad import Json, Ref

from .._kube import dig
from .startup import missing_reference

WHY = (
    ("multi_attach", re.compile(r"Multi-Attach error")),
    ("node_affinity", re.compile(r"node affinity conflict|no matching topology", re.I)),
    (
        "no_address",
        re.compile(r"no (?:available |free )?IP addresses|failed to allocate for range", re.I),
    ),
    ("read_only", re.compile(r"read-only file system", re.I)),
    ("denied", re.compile(r"permission denied|access denied", re.I)),
)
VOLUME = re.compile(r'for volume "(?P<name>[^"]+)"')
HELD_BY = re.compile(r"already used by pod\(s\) (?P<pods>[^\n]+)|exclusively attached to one node")


def stuck_in(pod: Json, said: str) -> Json:
    """What such an event tells, for the signal's data: `why` it fails, the `ref` and `key` that are missing,
    the `volume`, its `claim`, and the pods that hold it (`held_by`)."""
    space = pod["metadata"].get("namespace", "")
    missing, key = missing_reference(said, space)
    why = "missing" if missing else next((name for name, form in WHY if form.search(said)), "other")
    found = VOLUME.search(said)
    held = HELD_BY.search(said) if why == "multi_attach" else None
    return {
        "why": why,
        "ref": str(missing or ""),
        "key": key,
        "volume": found["name"] if found else "",
        "claims": [str(each) for each in _claims(pod, space)],
        "held_by": (held["pods"] or "a pod of another node").strip() if held else "",
    }


def _claims(pod: Json, space: str) -> list[Ref]:
    named = (
        dig(each, "persistentVolumeClaim", "claimName") for each in dig(pod, "spec", "volumes", default=())
    )
    return [Ref(kind="PersistentVolumeClaim", namespace=space, name=name) for name in named if name]
