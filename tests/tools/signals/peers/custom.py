"""Conditions of add-ons, and of what is no fault at all."""

from tests.tools.signals.network import running
from tests.tools.signals.objects import ago, container, event, obj, pod
from tests.tools.signals.peers.row import SERVED, WEB, Row, ended, hpa, said, wide

ROWS = [
    Row(
        "Security",
        "pods on the default account, without a security context, or privileged",
        SERVED,
        silent="how far a pod is trusted; it is the same before and after something fails",
    ),
    Row(
        "Security",
        "a role that may do everything",
        (obj("Role", "all") | {"rules": [{"verbs": ["*"], "resources": ["*"]}]},),
        silent="what a login may do fails nothing; what it may not is read off the log",
    ),
    Row(
        "OLM",
        "a CatalogSource without a connection",
        (obj("CatalogSource", "c", {}, {"connectionState": {"lastObservedState": "TRANSIENT_FAILURE"}}),),
        "operator.catalog_down",
    ),
    Row(
        "OLM",
        "a ClusterCatalog that is not served",
        (wide("ClusterCatalog", "c", {}, {"conditions": [said("Serving", "False", "Unavailable")]}),),
        "operator.catalog_down",
    ),
    Row(
        "OLM",
        "a ClusterCatalog that does not get on",
        (wide("ClusterCatalog", "c", {}, {"conditions": [said("Progressing", "True", "Retrying")]}),),
        "operator.catalog_down",
    ),
    Row(
        "OLM",
        "a ClusterCatalog without a digest",
        (wide("ClusterCatalog", "c", {"source": {"image": {"ref": "quay.io/c:latest"}}}),),
        "operator.catalog_unpinned",
    ),
    Row(
        "OLM",
        "a ClusterExtension that is not installed",
        (wide("ClusterExtension", "e", {}, {"conditions": [said("Installed", "False", "Failed")]}),),
        "operator.not_installed",
    ),
    Row(
        "OLM",
        "a ClusterExtension whose source is no good",
        (wide("ClusterExtension", "e", {}, {"conditions": [said("Progressing", "False", "Blocked")]}),),
        "operator.not_installed",
    ),
    Row(
        "OLM",
        "a ClusterServiceVersion that has not succeeded",
        (obj("ClusterServiceVersion", "v", {}, {"phase": "Failed"}),),
        "operator.not_installed",
    ),
    Row(
        "OLM",
        "a Subscription of which nothing came",
        (obj("Subscription", "s", {}, {"lastUpdated": ago(9)}),),
        "operator.not_installed",
    ),
    *(
        Row(
            "OLM",
            f"a Subscription: {state}",
            (obj("Subscription", "s", {}, {"state": state, "currentCSV": "v2"}),),
            "operator.upgrade_waits",
        )
        for state in ("UpgradePending", "UpgradeAvailable")
    ),
    Row(
        "OLM",
        "an InstallPlan that is not complete",
        (obj("InstallPlan", "i", {}, {"phase": "Failed"}),),
        "operator.not_installed",
    ),
    Row(
        "OLM",
        "several OperatorGroups",
        (obj("OperatorGroup", "a"), obj("OperatorGroup", "b")),
        "operator.groups_clash",
    ),
    Row(
        "KEDA",
        "its target is missing",
        (obj("ScaledObject", "web", {"scaleTargetRef": {"name": "wob"}}),),
        "scaledobject.target_missing",
    ),
    Row(
        "KEDA",
        "a warning about it",
        (
            *SERVED,
            scaled := obj("ScaledObject", "web", {"scaleTargetRef": {"name": "web"}}),
            event(scaled, "KEDAScalerFailed", "no such queue"),
        ),
        "scaledobject.not_ready",
    ),
    Row(
        "KEDA",
        "containers without requests",
        (
            WEB,
            running(WEB),
            hpa(said("ScalingActive", "False", "FailedGetResourceMetric", "missing request for cpu")),
        ),
        "hpa.inactive",
    ),
    Row(
        "Kyverno",
        "a policy report with failures",
        (obj("PolicyReport", "r") | {"results": [{"result": "fail"}]},),
        silent="a report of an audit; a policy that is enforced refuses pods, and that is told",
    ),
    Row(
        "Prometheus",
        "a configuration that cannot be read",
        (
            pod(
                containerStatuses=[
                    container(
                        restarts=4, state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState=ended(2)
                    )
                ]
            ),
        ),
        "container.crash_loop",
    ),
]
