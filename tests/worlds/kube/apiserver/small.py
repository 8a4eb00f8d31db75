"""A small world for tests of the server's parts: a few pods in two namespaces, a clock that is moved by
hand.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from opssquad.worlds.kube.apiserver.dispatch import answer
from opssquad.worlds.kube.apiserver.request import Call, Reply, Stream, User
from opssquad.worlds.kube.apiserver.resources import ResourceKey, Resources, builtin
from opssquad.worlds.kube.apiserver.store import Store
from opssquad.worlds.kube.apiserver.world import LogLine

Json = dict[str, Any]
PODS = ResourceKey("", "pods")
NODES = ResourceKey("", "nodes")
ADMIN = User("admin", ("system:masters",))
START = datetime(2026, 3, 8, 14, 37, tzinfo=UTC)


def pod(name: str, namespace: str = "a", version: int = 7, **changed: Any) -> Json:
    """A running pod of one container, `main`."""
    main = {"name": "main", "image": "x:1", "imageID": "x@sha256:1", "ready": True, "restartCount": 0}
    status = {"phase": "Running", "containerStatuses": [{**main, "state": {"running": {}}}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{namespace}-{name}",
            "resourceVersion": str(version),
            "creationTimestamp": "2026-03-08T14:00:00Z",
            "labels": {"app": name.split("-")[0]},
        },
        "spec": {
            "nodeName": "n1",
            "containers": [{"name": "main", "image": "x:1"}],
            **changed.get("spec", {}),
        },
        "status": {**status, **changed.get("status", {})},
    }


class SmallWorld:
    """Serves whatever is put into its store."""

    def __init__(self, *objects: Json) -> None:
        self.moment = START
        self.store = Store(lambda: self.moment)
        self.resources: Resources = builtin()
        self.lines: dict[tuple[str, str, str, bool], list[LogLine]] = {}
        self.version: Mapping[str, Any] = {"major": "1", "minor": "36", "gitVersion": "v1.36.2"}
        for obj in objects:
            self.store.load(PODS if obj["kind"] == "Pod" else NODES, obj)

    @property
    def logs(self) -> "SmallWorld":
        return self

    def read(self, namespace: str, pod: str, container: str, previous: bool) -> Sequence[LogLine] | None:
        return self.lines.get((namespace, pod, container, previous))

    def write_log(self, name: str, *texts: str, previous: bool = False) -> None:
        """Append lines to a log of `main`, one second apart."""
        lines = self.lines.setdefault(("a", name, "main", previous), [])
        for text in texts:
            moment = START - timedelta(minutes=10) + timedelta(seconds=len(lines))
            lines.append(LogLine(moment.strftime("%Y-%m-%dT%H:%M:%S.000000000Z"), text))

    def advance(self) -> None:
        """Nothing happens by itself."""

    def authenticate(self, authorization: str) -> User | None:
        return None if authorization == "Bearer wrong" else ADMIN

    def before_write(self, call: Call) -> None:
        """No journal is kept."""

    def get(self, target: str, accept: str = "application/json") -> Reply:
        """The reply to a GET that is no stream."""
        reply = self.call("GET", target, accept)
        assert isinstance(reply, Reply)
        return reply

    def stream(self, target: str, accept: str = "application/json") -> Stream:
        """The stream that a GET answers with."""
        reply = self.call("GET", target, accept)
        assert isinstance(reply, Stream)
        return reply

    def call(self, method: str, target: str, accept: str = "application/json") -> Reply | Stream:
        return answer(self, Call(method, target, ADMIN, {"accept": accept}))


def body(reply: Reply) -> Json:
    """The body of a reply that is JSON."""
    if isinstance(reply.body, bytes):
        loaded: Json = json.loads(reply.body)
        return loaded
    assert isinstance(reply.body, dict)
    return reply.body


def names(reply: Reply) -> list[str]:
    """The names in a list."""
    return [item["metadata"]["name"] for item in body(reply)["items"]]
