"""Operators that the Operator Lifecycle Manager cannot install or keep: catalogs, subscriptions, extensions.

Read only where the cluster serves these kinds. That a newer version waits to be approved is no fault: it is
told as information.
"""

from collections import defaultdict
from collections.abc import Iterator

from opssquad import Json, Quote, Severity, Signal

from .._kube import condition, dig, moment, quote_at, ref
from ._scene import Scene, make

COPIED = "olm.copiedFrom"
"""The label of a ClusterServiceVersion that stands in each namespace its operator watches."""
PASSING = frozenset({"Pending", "InstallReady", "Installing", "Replacing", "Deleting", "Planning", ""})
WAITS = frozenset({"UpgradePending", "UpgradeAvailable"})
UNRESOLVED = ("ResolutionFailed", "CatalogSourcesUnhealthy", "BundleUnpackFailed", "InstallPlanFailed")


def catalog_signals(source: Json, scene: Scene) -> Iterator[Signal]:
    """`operator.catalog_down` for a CatalogSource that does not answer, or a ClusterCatalog not served."""
    if source["kind"] == "ClusterCatalog":
        yield from _condition(source, "operator.catalog_down", "Serving", "True")
        yield from _condition(source, "operator.catalog_down", "Progressing", "True", fine=("Succeeded",))
        if not _digest(dig(source, "spec", "source", "image", "ref", default="@sha256:")):
            yield _told(source, "operator.catalog_unpinned", "its image is named by a tag", severity="info")
        return
    state = dig(source, "status", "connectionState", "lastObservedState", default="")
    if state and state != "READY":
        path = ("status", "connectionState")
        yield _told(source, "operator.catalog_down", f"its connection is {state}", *path, why=state)


def _digest(image: str) -> bool:
    return "@sha256:" in image


def version_signals(version: Json, scene: Scene) -> Iterator[Signal]:
    """`operator.not_installed` for a ClusterServiceVersion that is not Succeeded; a copy says nothing new."""
    phase = dig(version, "status", "phase", default="")
    if phase == "Succeeded" or COPIED in dig(version, "metadata", "labels", default={}):
        return
    said = ": ".join(filter(None, (phase, dig(version, "status", "message", default=""))))
    yield _phase(version, said, phase)


def plan_signals(plan: Json, scene: Scene) -> Iterator[Signal]:
    """`operator.not_installed` for an InstallPlan that failed; one that waits for a yes is information."""
    phase = dig(plan, "status", "phase", default="")
    if phase and phase != "Complete":
        yield _phase(plan, f"its phase is {phase}", phase)


def _phase(obj: Json, said: str, phase: str) -> Signal:
    waits = phase in {*PASSING, "RequiresApproval"}
    severity: Severity = "info" if waits else "warning"
    return _told(obj, "operator.not_installed", said, "status", "phase", why=phase, severity=severity)


def subscription_signals(subscription: Json, scene: Scene) -> Iterator[Signal]:
    """`operator.not_installed` for a Subscription that nothing came of, `operator.upgrade_waits`."""
    for name in UNRESOLVED:
        if found := list(_condition(subscription, "operator.not_installed", name, "False")):
            yield from found
            return
    state = dig(subscription, "status", "state", default="")
    if not state and dig(subscription, "status"):
        yield _told(subscription, "operator.not_installed", "nothing has come of it yet", "status")
    elif state in WAITS:
        new = dig(subscription, "status", "currentCSV", default="?")
        said = f"{new} is to be had and not installed ({state})"
        yield _told(
            subscription, "operator.upgrade_waits", said, "status", "state", severity="info", why=state
        )


def extension_signals(extension: Json, scene: Scene) -> Iterator[Signal]:
    """`operator.not_installed` for a ClusterExtension that is not installed, or cannot get on."""
    missing = list(_condition(extension, "operator.not_installed", "Installed", "True"))
    fine = ("Succeeded", "RolloutInProgress")
    yield from missing or _condition(extension, "operator.not_installed", "Progressing", "True", fine=fine)


def group_signals(scene: Scene) -> Iterator[Signal]:
    """`operator.groups_clash` for a namespace with several OperatorGroups: none of its operators installs."""
    by_space: dict[str, list[Json]] = defaultdict(list)
    for each in scene.of("OperatorGroup"):
        by_space[each["metadata"].get("namespace", "")].append(each)
    for space, found in by_space.items():
        if len(found) > 1:
            names = sorted(each["metadata"]["name"] for each in found)
            yield make(
                "operator.groups_clash",
                found[0],
                ref(found[0]),
                f"namespace {space} has {len(names)} OperatorGroups ({', '.join(names)}): no operator "
                "installs there until one is left",
                [quote_at(each, "metadata", "name") for each in found],
                data={"groups": names},
            )


def _condition(
    obj: Json, name: str, type_: str, wanted: str, *, fine: tuple[str, ...] = ()
) -> Iterator[Signal]:
    """A signal where a condition is there and not as wanted; with `fine` also where its reason is another."""
    each = condition(obj, type_)
    if not each or (each.get("status") == wanted and (not fine or each.get("reason") in fine)):
        return
    said = ": ".join(filter(None, (each.get("reason"), each.get("message"))))[:240]
    index = obj["status"]["conditions"].index(each)
    yield _told(
        obj,
        name,
        f"{type_} is {each.get('status')}: {said}",
        *("status", "conditions", index),
        why=each.get("reason", ""),
        at=each.get("lastTransitionTime"),
    )


def _told(
    obj: Json,
    name: str,
    said: str,
    *path: str | int,
    why: str = "",
    severity: Severity = "warning",
    at: str | None = None,
) -> Signal:
    quotes: list[Quote] = [quote_at(obj, *(path or ("metadata", "name")))]
    return make(
        name,
        obj,
        ref(obj),
        f"{obj['kind']} {obj['metadata']['name']}: {said}",
        quotes,
        severity=severity,
        at=moment(at),
        data={"why": why, "message": said},
    )
