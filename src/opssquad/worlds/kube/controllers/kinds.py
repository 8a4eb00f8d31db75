"""The resources that controllers read and write: the key in the store, apiVersion and kind of each."""

from opssquad.worlds.kube.apiserver.resources import ResourceKey

CONFIG_MAPS = ResourceKey("", "configmaps")
ENDPOINTS = ResourceKey("", "endpoints")
EVENTS = ResourceKey("", "events")
NAMESPACES = ResourceKey("", "namespaces")
NODES = ResourceKey("", "nodes")
PODS = ResourceKey("", "pods")
QUOTAS = ResourceKey("", "resourcequotas")
SECRETS = ResourceKey("", "secrets")
SERVICES = ResourceKey("", "services")
SERVICE_ACCOUNTS = ResourceKey("", "serviceaccounts")
CLAIMS = ResourceKey("", "persistentvolumeclaims")
VOLUMES = ResourceKey("", "persistentvolumes")
STORAGE_CLASSES = ResourceKey("storage.k8s.io", "storageclasses")
PRIORITY_CLASSES = ResourceKey("scheduling.k8s.io", "priorityclasses")
DEPLOYMENTS = ResourceKey("apps", "deployments")
REPLICA_SETS = ResourceKey("apps", "replicasets")
STATEFUL_SETS = ResourceKey("apps", "statefulsets")
DAEMON_SETS = ResourceKey("apps", "daemonsets")
REVISIONS = ResourceKey("apps", "controllerrevisions")
JOBS = ResourceKey("batch", "jobs")
CRON_JOBS = ResourceKey("batch", "cronjobs")
SCALERS = ResourceKey("autoscaling", "horizontalpodautoscalers")
BUDGETS = ResourceKey("policy", "poddisruptionbudgets")
SLICES = ResourceKey("discovery.k8s.io", "endpointslices")
POD_METRICS = ResourceKey("metrics.k8s.io", "pods")

KINDS: dict[ResourceKey, tuple[str, str]] = {
    CONFIG_MAPS: ("v1", "ConfigMap"),
    ENDPOINTS: ("v1", "Endpoints"),
    EVENTS: ("v1", "Event"),
    NODES: ("v1", "Node"),
    PODS: ("v1", "Pod"),
    QUOTAS: ("v1", "ResourceQuota"),
    SECRETS: ("v1", "Secret"),
    SERVICES: ("v1", "Service"),
    SERVICE_ACCOUNTS: ("v1", "ServiceAccount"),
    CLAIMS: ("v1", "PersistentVolumeClaim"),
    VOLUMES: ("v1", "PersistentVolume"),
    DEPLOYMENTS: ("apps/v1", "Deployment"),
    REPLICA_SETS: ("apps/v1", "ReplicaSet"),
    STATEFUL_SETS: ("apps/v1", "StatefulSet"),
    DAEMON_SETS: ("apps/v1", "DaemonSet"),
    REVISIONS: ("apps/v1", "ControllerRevision"),
    JOBS: ("batch/v1", "Job"),
    CRON_JOBS: ("batch/v1", "CronJob"),
    SCALERS: ("autoscaling/v2", "HorizontalPodAutoscaler"),
    BUDGETS: ("policy/v1", "PodDisruptionBudget"),
    SLICES: ("discovery.k8s.io/v1", "EndpointSlice"),
    POD_METRICS: ("metrics.k8s.io/v1beta1", "PodMetrics"),
}
KEYS: dict[str, ResourceKey] = {kind: key for key, (_, kind) in KINDS.items()}
"""The key of a kind; kinds of these groups are unique."""
