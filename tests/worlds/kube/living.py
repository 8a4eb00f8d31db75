"""A recorded world whose real time a test moves, and the changes that an engineer makes with kubectl."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from opssquad.worlds.kube.apiserver.dispatch import answer
from opssquad.worlds.kube.apiserver.labels import matches, of_selector
from opssquad.worlds.kube.apiserver.request import Call, Reply
from opssquad.worlds.kube.apiserver.resources import builtin
from opssquad.worlds.kube.recording import load
from opssquad.worlds.kube.world import ONCALL, RecordedWorld

RECORDINGS = Path(__file__).resolve().parents[3] / "evals" / "recordings"
REVISION = "deployment.kubernetes.io/revision"
PATCHES = {"merge": "merge-patch", "strategic": "strategic-merge-patch", "json": "json-patch"}
Json = dict[str, Any]


class Living:
    """One recorded world. Things are named Kind/namespace/name, as in the truth."""

    def __init__(self, name: str, journal: Path | None = None) -> None:
        self.wall = datetime(2027, 1, 1, tzinfo=UTC)
        self.recording = load(RECORDINGS / name)
        self.world = RecordedWorld(self.recording, journal=journal, real=lambda: self.wall)

    def wait(self, seconds: float) -> None:
        """Let time pass, a second at a time."""
        for _ in range(int(seconds)):
            self.wall += timedelta(seconds=1)
            self.world.advance()

    def path(self, target: str) -> str:
        kind, namespace, name = target.split("/")
        resource = next(r for r in builtin().all if r.kind == kind and r.group != "metrics.k8s.io")
        root = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
        scope = f"/namespaces/{namespace}" if namespace else ""
        return f"{root}{scope}/{resource.plural}/{name}"

    @staticmethod
    def sent(body: Any) -> bytes:
        """A body as it goes over the wire."""
        return b"" if body is None else json.dumps(body).encode()

    def call(self, method: str, path: str, body: Any = None, kind: str = "json") -> Json:
        """One request, a second after the last."""
        self.wait(1)
        sent = "application/json" if method != "PATCH" else f"application/{PATCHES[kind]}+json"
        raw = self.sent(body)
        reply = answer(
            self.world, Call(method, path, ONCALL, {"content-type": sent, "user-agent": "kubectl/v1"}, raw)
        )
        assert isinstance(reply, Reply)
        body: Json = json.loads(reply.body) if isinstance(reply.body, str | bytes) else reply.body
        assert reply.status < 300, body
        return body

    def get(self, target: str) -> Json:
        return self.call("GET", self.path(target))

    def patch(self, target: str, body: Any, kind: str = "strategic") -> Json:
        return self.call("PATCH", self.path(target), body, kind)

    def delete(self, target: str, **options: Any) -> Json:
        return self.call("DELETE", self.path(target), options)

    def scale(self, target: str, replicas: int) -> Json:
        return self.call("PATCH", self.path(target) + "/scale", {"spec": {"replicas": replicas}}, "merge")

    def restart(self, target: str) -> Json:
        note = {"kubectl.kubernetes.io/restartedAt": self.world.clock().isoformat()}
        return self.patch(target, {"spec": {"template": {"metadata": {"annotations": note}}}})

    def set_container(self, target: str, **fields: Any) -> Json:
        name = self.get(target)["spec"]["template"]["spec"]["containers"][0]["name"]
        return self.patch(
            target, {"spec": {"template": {"spec": {"containers": [{"name": name, **fields}]}}}}
        )

    def rollback(self, target: str) -> Json:
        """`kubectl rollout undo`: the template of the revision before the current one."""
        deployment = self.get(target)
        sets = sorted(
            self.owned("ReplicaSet", deployment), key=lambda rs: int(rs["metadata"]["annotations"][REVISION])
        )
        template = json.loads(json.dumps(sets[-2]["spec"]["template"]))
        del template["metadata"]["labels"]["pod-template-hash"]
        body = [{"op": "replace", "path": "/spec/template", "value": template}]
        return self.patch(target, body, "json")

    def listed(self, kind: str, namespace: str) -> list[Json]:
        return self.call("GET", self.path(f"{kind}/{namespace}/").rstrip("/"))["items"]

    def stored(self, target: str) -> Json | None:
        """An object as it is at this moment; nothing is asked and no time passes."""
        kind, namespace, name = target.split("/")
        resource = next(r for r in builtin().all if r.kind == kind and r.group != "metrics.k8s.io")
        return self.world.store.get(resource.key, namespace, name)

    def owned(self, kind: str, owner: Json) -> list[Json]:
        uid = owner["metadata"]["uid"]
        found = self.listed(kind, owner["metadata"]["namespace"])
        return [o for o in found if uid in [r["uid"] for r in o["metadata"].get("ownerReferences", ())]]

    def pods(self, target: str) -> list[Json]:
        """The pods that a workload selects."""
        workload = self.get(target)
        wanted = of_selector(workload["spec"]["selector"]) or []
        found = self.listed("Pod", workload["metadata"]["namespace"])
        return [pod for pod in found if matches(wanted, pod["metadata"].get("labels", {}))]

    def healthy(self, target: str) -> bool:
        """Whether every replica of a workload is there, new, ready, and nothing else is left."""
        workload = self.get(target)
        status, wanted = workload["status"], workload["spec"]["replicas"]
        fields = ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas")
        return (
            bool(wanted)
            and all(status.get(field) == wanted for field in fields)
            and all(
                condition["status"] == "True"
                for pod in self.pods(target)
                for condition in pod["status"]["conditions"]
                if condition["type"] == "Ready"
            )
        )
