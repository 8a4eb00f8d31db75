"""Volume claims that are not bound, and volumes that cannot be used."""

from collections.abc import Iterator

from opssquad import Json, Quote, Ref, Signal, ago

from .._kube import created, dig, event_text, quote_at, ref
from ._scene import Scene, event_quotes, make

REASONS = (
    "ProvisioningFailed",
    "FailedBinding",
    "ExternalExpanding",
    "VolumeMismatch",
    "WaitForFirstConsumer",
)


def claim_signals(claim: Json, scene: Scene) -> Iterator[Signal]:
    """`pvc.unbound` for a claim that is Pending or Lost; one that waits for its first pod is no fault."""
    phase = dig(claim, "status", "phase")
    users = [pod for pod in scene.of("Pod") if claims(pod, claim)]
    if phase == "Bound" or (_waits(claim, scene) and not users):
        return
    events = scene.about(ref(claim), *REASONS)
    cls = dig(claim, "spec", "storageClassName", default="")
    absent = (
        bool(cls) and "StorageClass" in scene.complete and not scene.get(Ref(kind="StorageClass", name=cls))
    )
    why = f"StorageClass {cls} does not exist" if absent else event_text(events[0])[:240] if events else ""
    start = created(claim)
    answers = scene.owner(users[0]) if users else ref(claim)
    quotes: list[Quote] = [quote_at(claim, "status", "phase"), *event_quotes(events)]
    if cls:
        quotes.append(quote_at(claim, "spec", "storageClassName"))
    yield make(
        "pvc.unbound",
        claim,
        answers,
        f"PersistentVolumeClaim {claim['metadata']['name']}: {phase}"
        + (f", created {ago(start, scene.now)}" if start else "")
        + (f": {why}" if why else ""),
        quotes,
        severity="critical" if users else "warning",
        at=start,
        data={"phase": phase, "class": cls, "class_missing": absent, "message": why},
    )


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
    """`pv.failed` for a volume whose reclaiming failed."""
    if dig(volume, "status", "phase") == "Failed":
        said = dig(volume, "status", "message", default="Failed")
        yield make(
            "pv.failed",
            volume,
            ref(volume),
            f"PersistentVolume {volume['metadata']['name']}: {said}",
            [quote_at(volume, "status", "phase")],
        )
