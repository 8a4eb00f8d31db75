"""Conditions of nodes, storage, configuration and webhooks."""

from tests.tools.signals.network import config
from tests.tools.signals.objects import event, obj
from tests.tools.signals.peers.row import ADMITTED, BIG, GUARDED, REFERS, SERVED, Row, claim, node, wide

ROWS = [
    Row(
        "PersistentVolumeClaim",
        "not provisioned",
        (claim(), event(claim(), "ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found')),
        "pvc.unbound",
    ),
    Row("Node", "not ready", (node("Ready", "Unknown"),), "node.not_ready"),
    Row("Node", "under pressure", (node("DiskPressure", "True"),), "node.pressure"),
    Row("Node", "a condition that is not known", (node("MemoryPressure", "Unknown"),), "node.problem"),
    Row("Node", "a condition of another's", (node("KernelDeadlock", "True"),), "node.problem"),
    Row(
        "Node",
        "a condition of another's that is False",
        (node("KernelDeadlock", "False"),),
        silent="False is what it says when all is well",
    ),
    Row(
        "Node",
        "a member of etcd that votes",
        (node("EtcdIsVoter", "True"),),
        silent="True is what it says when all is well",
    ),
    Row("ConfigMap", "empty, and used", (REFERS, obj("ConfigMap", "settings")), "config.empty"),
    Row(
        "ConfigMap",
        "not used by a pod",
        (*SERVED, {**obj("ConfigMap", "settings"), "data": {"a": "b"}}),
        silent="programs read such objects by the API: that no pod names it proves nothing",
    ),
    Row(
        "ConfigMap",
        "about as large as the API allows",
        ({**obj("ConfigMap", "settings"), "data": BIG},),
        silent="one that is too large is refused by the API, so what exists works",
    ),
    *(
        Row(
            kind.removesuffix("Configuration"),
            "its Service is missing",
            (config(kind),),
            "webhook.unavailable",
        )
        for kind in sorted(ADMITTED)
    ),
    *(
        Row(
            kind.removesuffix("Configuration"),
            "no pods, or none that runs, behind its Service",
            (config(kind), GUARDED),
            "webhook.unavailable",
        )
        for kind in sorted(ADMITTED)
    ),
    Row(
        "Storage",
        "a class that provisions nothing",
        (wide("StorageClass", "local") | {"provisioner": "kubernetes.io/no-provisioner"},),
        silent="volumes made by hand are meant so; a claim that gets none tells",
    ),
    Row(
        "Storage",
        "several default classes",
        tuple(
            wide("StorageClass", name, annotations={"storageclass.kubernetes.io/is-default-class": "true"})
            for name in ("a", "b")
        ),
        "storageclass.several_defaults",
    ),
    Row(
        "Storage",
        "a volume that is released",
        (
            wide(
                "PersistentVolume",
                "v1",
                {"claimRef": {"namespace": "n", "name": "data"}},
                {"phase": "Released"},
            ),
        ),
        "pv.released",
    ),
    Row(
        "Storage",
        "a volume that failed",
        (wide("PersistentVolume", "v1", {}, {"phase": "Failed", "message": "no deleter"}),),
        "pv.failed",
    ),
    Row(
        "Storage",
        "a small volume",
        (wide("PersistentVolume", "v1", {"capacity": {"storage": "500Mi"}}, {"phase": "Bound"}),),
        silent="how much is enough is for its program to say",
    ),
    Row("Storage", "a claim that is lost", (claim(phase="Lost"),), "pvc.unbound"),
    Row("Storage", "a claim without a class where none is the default", (claim(None),), "pvc.unbound"),
    Row(
        "Storage",
        "a claim without a class that is bound",
        (claim(None, "Bound"),),
        silent="it has its volume",
    ),
]
