"""The cells of table rows: for each kind, what `kubectl get` prints, as the server computes it.

A cell function takes the stored object and the server's time and gives the cells in the order of the
resource's columns (`data/columns.json`). Which function belongs to which resource stands here.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from opssquad.worlds.kube.apiserver.cells import cluster, config, network, pods, workloads
from opssquad.worlds.kube.apiserver.resources import ResourceKey

Cells = Callable[[dict[str, Any], datetime], list[Any]]

CELLS: dict[ResourceKey, Cells] = {
    ResourceKey(group, plural): function
    for group, functions in {
        "": {
            "pods": pods.pod,
            "podtemplates": workloads.pod_template,
            "replicationcontrollers": workloads.replica_set,
            "services": network.service,
            "endpoints": network.endpoints,
            "configmaps": config.config_map,
            "secrets": config.secret,
            "serviceaccounts": config.name_and_age,
            "persistentvolumeclaims": config.claim,
            "persistentvolumes": config.volume,
            "resourcequotas": config.quota,
            "namespaces": cluster.namespace,
            "nodes": cluster.node,
            "events": cluster.event,
        },
        "apps": {
            "deployments": workloads.deployment,
            "replicasets": workloads.replica_set,
            "statefulsets": workloads.stateful_set,
            "daemonsets": workloads.daemon_set,
            "controllerrevisions": workloads.controller_revision,
        },
        "batch": {"jobs": workloads.job, "cronjobs": workloads.cron_job},
        "autoscaling": {"horizontalpodautoscalers": workloads.autoscaler, "scales": workloads.scale},
        "policy": {"poddisruptionbudgets": workloads.disruption_budget},
        "discovery.k8s.io": {"endpointslices": network.endpoint_slice},
        "networking.k8s.io": {
            "ingresses": network.ingress,
            "ingressclasses": network.ingress_class,
            "networkpolicies": network.network_policy,
        },
        "rbac.authorization.k8s.io": {
            "roles": cluster.name_and_creation,
            "clusterroles": cluster.name_and_creation,
            "rolebindings": cluster.role_binding,
            "clusterrolebindings": cluster.role_binding,
        },
        "storage.k8s.io": {"storageclasses": config.storage_class, "csinodes": cluster.csi_node},
        "coordination.k8s.io": {"leases": cluster.lease},
        "apiregistration.k8s.io": {"apiservices": cluster.api_service},
        "scheduling.k8s.io": {"priorityclasses": cluster.priority_class},
        "admissionregistration.k8s.io": {
            "validatingwebhookconfigurations": cluster.webhooks,
            "mutatingwebhookconfigurations": cluster.webhooks,
        },
    }.items()
    for plural, function in functions.items()
}
