"""Volume claims that are not bound, and volumes that cannot be used."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from opssquad import Json, Quote, Ref, Signal, ago

from .._kube import UNDATED, created, dig, event_text, quote_at, ref
from .._quantity import parse
from ._scene import Scene, event_quotes, make

REASONS = ("ProvisioningFailed", "FailedBinding", "VolumeMismatch", "ClaimLost", "ClaimMisbound")
WAITING = ("ExternalProvisioning", "ExternalExpanding", "WaitForFirstConsumer", "WaitForPodScheduled")
# Why a claim is not bound, in the words of the controllers; the first that fits wins.
WHY = (
    ("class_missing", re.compile(r'storageclass\S* "[^"]+" not found', re.I)),
    ("no_volume", re.compile(r"no persistent volumes available")),
    ("mismatch", re.compile(r"[Cc]annot bind to requested volume")),
    ("provisioning", re.compile(r"failed to provision|ProvisioningFailed")),
)
WORDS = {
    "class_missing": "StorageClass {cls} does not exist",
    "no_volume": "no volume fits it, and nothing makes one",
    "lost": "its volume {volume} is gone",
    "waits": "it is bound once its pod has a node",
}


def claim_signals(claim: Json, scene: Scene) -> Iterator[Signal]:
    """`pvc.unbound` for a claim that is Pending or Lost; one that waits for its first pod is no fault."""
    phase = dig(claim, "status", "phase")
    users = [pod for pod in scene.of("Pod") if claims(pod, claim)]
    if phase == "Bound" or (_waits(claim, scene) and not users):
        return
    events = scene.about(ref(claim), *REASONS) or scene.about(ref(claim), *WAITING)
    why = _why(claim, phase, events, scene)
    cls = dig(claim, "spec", "storageClassName", default="")
    near = nearest(claim, scene) if why in {"no_volume", "mismatch"} else None
    said = WORDS.get(why, "").format(cls=cls, volume=dig(claim, "spec", "volumeName", default="?"))
    said = said or (event_text(events[0])[:240] if events else "")
    start = created(claim)
    quotes: list[Quote] = [quote_at(claim, "status", "phase"), *event_quotes(events)]
    quotes += [quote_at(claim, "spec", "storageClassName")] if cls else []
    quotes += near.quotes(claim) if near else []
    yield make(
        "pvc.unbound",
        claim,
        scene.owner(users[0]) if users else ref(claim),
        f"PersistentVolumeClaim {claim['metadata']['name']}: {phase}"
        + (f", created {ago(start, scene.now)}" if start else "")
        + (f": {said}" if said else "")
        + (f"; {near.words}" if near else ""),
        quotes,
        severity="info" if why == "waits" else "critical" if users else "warning",
        at=start,
        data={
            "phase": phase,
            "class": cls,
            "why": why,
            "used": bool(users),
            "class_missing": why == "class_missing",
            "message": said,
            "nearest": near.words if near else "",
            "differs": list(near.differs) if near else [],
            "claim": str(ref(claim)),
            "used_by": sorted({str(scene.owner(each)) for each in users}),
        },
    )


def _why(claim: Json, phase: str | None, events: list[Json], scene: Scene) -> str:
    cls = dig(claim, "spec", "storageClassName", default="")
    if phase == "Lost":
        return "lost"
    absent = (
        bool(cls) and "StorageClass" in scene.complete and not scene.get(Ref(kind="StorageClass", name=cls))
    )
    # Volumes made by hand may carry the name of a class that never was an object.
    by_hand = any(dig(each, "spec", "storageClassName") == cls for each in scene.of("PersistentVolume"))
    if absent:
        return "no_volume" if by_hand else "class_missing"
    if not events and not cls and not dig(claim, "spec", "volumeName") and _no_default(scene):
        return "no_volume"
    words = event_text(events[0]) if events else ""
    why = next((name for name, form in WHY if form.search(words)), "")
    return why or ("waits" if _waits(claim, scene) else "other")


DEFAULT = "storageclass.kubernetes.io/is-default-class"


def defaults(scene: Scene) -> list[Json]:
    """The StorageClasses that a claim without one gets."""
    return [
        each for each in scene.of("StorageClass") if dig(each, "metadata", "annotations", DEFAULT) == "true"
    ]


def _no_default(scene: Scene) -> bool:
    return scene.covers("StorageClass") and not defaults(scene)


def default_class_signals(scene: Scene) -> Iterator[Signal]:
    """`storageclass.several_defaults`: a claim without a class gets the newest of them."""
    found = defaults(scene)
    if len(found) > 1:
        names = sorted(each["metadata"]["name"] for each in found)
        newest = max(found, key=lambda each: (created(each) or UNDATED, each["metadata"]["name"]))
        yield make(
            "storageclass.several_defaults",
            newest,
            ref(newest),
            f"{len(names)} StorageClasses are the default ({', '.join(names)}): claims without a class get "
            f"{newest['metadata']['name']}, the newest",
            [quote_at(each, "metadata", "annotations", DEFAULT) for each in found],
            severity="info",
            data={"classes": names},
        )


@dataclass(frozen=True)
class Near:
    """A free volume that does not fit a claim, and how it `differs`: class, mode, size, kind, selector."""

    volume: Json
    differs: tuple[str, ...]
    words: str

    def quotes(self, claim: Json) -> list[Quote]:
        """Both sides of each difference, as far as both say it."""
        found: list[Quote] = []
        for each in self.differs:
            wanted, offered = FIELDS[each]
            if dig(claim, *wanted) is not None:
                found.append(quote_at(claim, *wanted))
            if dig(self.volume, *offered) is not None:
                found.append(quote_at(self.volume, *offered))
        return found


FIELDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "class": (("spec", "storageClassName"), ("spec", "storageClassName")),
    "mode": (("spec", "accessModes"), ("spec", "accessModes")),
    "size": (("spec", "resources", "requests", "storage"), ("spec", "capacity", "storage")),
    "kind": (("spec", "volumeMode"), ("spec", "volumeMode")),
    "selector": (("spec", "selector", "matchLabels"), ("metadata", "labels")),
}


def nearest(claim: Json, scene: Scene) -> Near | None:
    """The free volume that fits the claim in all but the fewest ways."""
    free = [each for each in scene.of("PersistentVolume") if _free(each, claim)]
    told = [(tuple(_differences(claim, each)), each) for each in free]
    if not told or not min(told, key=lambda pair: len(pair[0]))[0]:
        return None
    differs, volume = min(told, key=lambda pair: len(pair[0]))
    said = "; ".join(
        f"{each}: {_show(dig(claim, *FIELDS[each][0]))} asked, {_show(dig(volume, *FIELDS[each][1]))} there"
        for each in differs
    )
    name = volume["metadata"]["name"]
    return Near(volume, differs, f"PersistentVolume {name} is free but differs ({said})")


def _free(volume: Json, claim: Json) -> bool:
    wanted = dig(claim, "spec", "volumeName")
    if wanted:
        return bool(volume["metadata"]["name"] == wanted)
    return dig(volume, "status", "phase") == "Available" and not dig(volume, "spec", "claimRef")


def _differences(claim: Json, volume: Json) -> Iterator[str]:
    wanted, offered = dig(claim, "spec", default={}), dig(volume, "spec", default={})
    if (wanted.get("storageClassName") or "") != (offered.get("storageClassName") or ""):
        yield "class"
    if not set(wanted.get("accessModes") or ()) <= set(offered.get("accessModes") or ()):
        yield "mode"
    if parse(dig(wanted, "resources", "requests", "storage", default="0")) > parse(
        dig(offered, "capacity", "storage", default="0")
    ):
        yield "size"
    if (wanted.get("volumeMode") or "Filesystem") != (offered.get("volumeMode") or "Filesystem"):
        yield "kind"
    labels = dig(volume, "metadata", "labels", default={})
    asked = dig(wanted, "selector", "matchLabels", default={})
    if any(labels.get(key) != value for key, value in asked.items()):
        yield "selector"


def _show(value: object) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}={each}" for key, each in value.items())
    return ",".join(map(str, value)) if isinstance(value, list) else str(value or "none")


def claims(pod: Json, claim: Json) -> bool:
    """Whether the pod mounts the claim."""
    if pod["metadata"].get("namespace") != claim["metadata"].get("namespace"):
        return False
    for each in dig(pod, "spec", "volumes", default=()):
        if dig(each, "persistentVolumeClaim", "claimName") == claim["metadata"]["name"]:
            return True
    return False


def _waits(claim: Json, scene: Scene) -> bool:
    cls = scene.get(Ref(kind="StorageClass", name=dig(claim, "spec", "storageClassName", default="-")))
    return bool(dig(cls, "volumeBindingMode") == "WaitForFirstConsumer")


def volume_signals(volume: Json) -> Iterator[Signal]:
    """`pv.failed` for a volume whose reclaiming failed, `pv.released` for one whose claim is gone."""
    if dig(volume, "status", "phase") == "Released":
        claim = dig(volume, "spec", "claimRef", default={})
        yield make(
            "pv.released",
            volume,
            ref(volume),
            f"PersistentVolume {volume['metadata']['name']}: its claim {claim.get('namespace')}/"
            f"{claim.get('name')} is gone; with its data it is kept, and no other claim gets it",
            [quote_at(volume, "status", "phase")],
            severity="info",
            data={"claim": f"PersistentVolumeClaim/{claim.get('namespace')}/{claim.get('name')}"},
        )
    if dig(volume, "status", "phase") == "Failed":
        said = dig(volume, "status", "message", default="Failed")
        yield make(
            "pv.failed",
            volume,
            ref(volume),
            f"PersistentVolume {volume['metadata']['name']}: {said}",
            [quote_at(volume, "status", "phase")],
        )
