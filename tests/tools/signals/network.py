"""Workloads that call each other in the namespace `n`, what stands between them, and webhooks."""

from opssquad import Json
from tests.tools.signals.objects import ago, obj

RULE = {"operations": ["CREATE", "UPDATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
GUARD = {"name": "guard", "namespace": "guard-system", "path": "/validate", "port": 443}


def workload(name: str, *ports: int | str, image: str = "", host: bool = False, **env: str) -> Json:
    """A Deployment of that name whose pods carry `app: name`, with one replica that is ready."""
    named = [{"containerPort": 8080, "name": each} if isinstance(each, str) else each for each in ports]
    listed = [each if isinstance(each, dict) else {"containerPort": each} for each in named]
    app: Json = {
        "name": "app",
        "image": image or f"{name}:1",
        "env": [{"name": key, "value": value} for key, value in env.items()],
        **({"ports": listed} if listed else {}),
    }
    spec: Json = {
        "replicas": 1,
        "selector": {"matchLabels": {"app": name}},
        "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [app], **({"hostNetwork": True} if host else {})},
        },
    }
    return obj("Deployment", name, spec, {"replicas": 1, "readyReplicas": 1, "updatedReplicas": 1})


def running(deployment: Json) -> Json:
    """A ready pod of a Deployment, with the containers of its template."""
    name = deployment["metadata"]["name"]
    up = [{"kind": "ReplicaSet", "name": f"{name}-h1", "controller": True}]
    at = {"type": "Ready", "status": "True", "lastTransitionTime": ago(30)}
    labels = {**deployment["spec"]["template"]["metadata"]["labels"], "pod-template-hash": "h1"}
    spec = deployment["spec"]["template"]["spec"]
    status = {"phase": "Running", "startTime": ago(50), "conditions": [at]}
    return obj("Pod", f"{name}-h1-x", spec, status, ownerReferences=up, labels=labels)


def service(name: str, port: int = 80, target: int | str | None = 8080, **spec: object) -> Json:
    """A Service of that name that selects `app: name`; `target` None: its own port."""
    ports: Json = {"port": port, "protocol": "TCP", **({"targetPort": target} if target else {})}
    return obj("Service", name, {"selector": {"app": name}, "ports": [ports], "type": "ClusterIP", **spec})


def endpoints(name: str) -> Json:
    """One ready endpoint of a Service."""
    labels = {"kubernetes.io/service-name": name}
    ends = [{"addresses": ["10.0.0.1"], "conditions": {"ready": True}}]
    return {**obj("EndpointSlice", f"{name}-x", labels=labels), "endpoints": ends}


def policy(name: str, selector: Json, *types: str, age: float = 20, **rules: object) -> Json:
    """A NetworkPolicy, created so many minutes ago by kubectl; `rules` are `ingress` and `egress`."""
    stamp = ago(age)
    entry = {
        "manager": "kubectl-create",
        "operation": "Update",
        "apiVersion": "networking.k8s.io/v1",
        "time": stamp,
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {"f:podSelector": {}, "f:policyTypes": {}}},
    }
    spec = {"podSelector": selector, "policyTypes": list(types), **rules}
    return obj("NetworkPolicy", name, spec, None, creationTimestamp=stamp, managedFields=[entry])


def app(name: str) -> Json:
    """A selector of the pods of one workload."""
    return {"matchLabels": {"app": name}}


def namespace(name: str, **labels: str) -> Json:
    """A namespace with its labels."""
    made = obj("Namespace", name, labels={"kubernetes.io/metadata.name": name, **labels})
    made["metadata"].pop("namespace")
    return made


def config(kind: str = "ValidatingWebhookConfiguration", name: str = "guard", **hook: object) -> Json:
    """A configuration with one webhook, as the server shows it after its defaults."""
    whole = {
        "name": "pods.guard.example.io",
        "clientConfig": {"service": GUARD, "caBundle": "TFM="},
        "rules": [RULE],
        "failurePolicy": "Fail",
        "matchPolicy": "Equivalent",
        "namespaceSelector": {},
        "objectSelector": {},
        "sideEffects": "None",
        "timeoutSeconds": 10,
        "admissionReviewVersions": ["v1"],
        **hook,
    }
    made = {**obj(kind, name), "webhooks": [whole]}
    made["metadata"].pop("namespace")
    return made
