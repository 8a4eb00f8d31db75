"""Whatever path, query and headers come, there is an answer that the API knows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad.worlds.kube.apiserver.dispatch import answer
from opssquad.worlds.kube.apiserver.encoding import render
from opssquad.worlds.kube.apiserver.request import Call, Reply, Stream
from opssquad.worlds.kube.apiserver.route import route
from tests.worlds.kube.apiserver.small import ADMIN, START, SmallWorld, pod

WORLD = SmallWorld(pod("web-1"))
SEGMENTS = [
    "api",
    "apis",
    "v1",
    "apps",
    "namespaces",
    "a",
    "pods",
    "web-1",
    "log",
    "status",
    "watch",
    "openapi",
    "%ff",
] + [""]
PARAMETERS = [
    "watch",
    "limit",
    "continue",
    "resourceVersion",
    "labelSelector",
    "fieldSelector",
    "tailLines",
    "container",
    "x",
]
VALUES = ["1", "0", "true", "-1", "abc", "%00", "a%3Db", "metadata.name%3Da", "eyJ9", "IjEi", "bnVsbA", ""]
ACCEPTS = ["", "*/*", "application/json;as=Table;v=v1;g=meta.k8s.io", "application/yaml", "text/html", ";;,="]
KNOWN = [
    "/api/v1/pods",
    "/api/v1/namespaces/a/pods",
    "/api/v1/namespaces/a/pods/web-1",
    "/api/v1/namespaces/a/pods/web-1/log",
    "/apis/apps/v1/namespaces/a/deployments/x/scale",
    "/apis/metrics.k8s.io/v1beta1/nodes",
    "/openapi/v3/apis/apps/v1",
]

made_up = st.lists(st.sampled_from(SEGMENTS), max_size=8).map(lambda parts: "/" + "/".join(parts))
paths = st.one_of(st.sampled_from(KNOWN), made_up)
queries = st.lists(st.tuples(st.sampled_from(PARAMETERS), st.sampled_from(VALUES)), max_size=3)


@given(st.sampled_from(["GET", "HEAD", "OPTIONS"]), paths, queries, st.sampled_from(ACCEPTS))
def test_every_read_has_an_answer(method: str, path: str, query: list[tuple[str, str]], accept: str) -> None:
    target = f"{path}?{'&'.join(f'{k}={v}' for k, v in query)}"
    reply = answer(WORLD, Call(method, target, ADMIN, {"accept": accept}))
    status = 200 if isinstance(reply, Stream) else reply.status
    if not isinstance(reply, Stream):
        render(reply, accept, START)
    assert status in (200, 204, 400, 404, 405, 406, 410, 415, 422, 500, 504)


@pytest.mark.parametrize(
    ("method", "path", "meaning"),
    [
        ("GET", "/api/v1/namespaces", ("list", "", "namespaces", "", "")),
        ("GET", "/api/v1/namespaces/a", ("get", "a", "namespaces", "a", "")),
        ("PUT", "/api/v1/namespaces/a/finalize", ("update", "a", "namespaces", "a", "finalize")),
        ("GET", "/api/v1/namespaces/a/pods", ("list", "a", "pods", "", "")),
        ("POST", "/api/v1/namespaces/a/pods/p/eviction", ("create", "a", "pods", "p", "eviction")),
        (
            "DELETE",
            "/apis/apps/v1/namespaces/a/deployments",
            ("deletecollection", "a", "deployments", "", ""),
        ),
        ("GET", "/apis/apps/v1/watch/namespaces/a/deployments", ("watch", "a", "deployments", "", "")),
        ("GET", "/api/v1/nodes/n1/proxy/metrics", ("get", "", "nodes", "n1", "proxy")),
    ],
)
def test_a_path_names_verb_scope_and_object(method: str, path: str, meaning: tuple[str, ...]) -> None:
    found = route(method, path, {})
    assert found is not None
    assert (found.verb, found.namespace, found.plural, found.name, found.subresource) == meaning


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/v1", "/apis/apps", "/apis/apps/v1", "/version", "/x/y/z/w"]
)
def test_other_paths_are_no_resource(path: str) -> None:
    assert route("GET", path, {}) is None


def test_a_watch_of_one_object_by_its_path_is_a_get() -> None:
    found = route("GET", "/api/v1/namespaces/a/pods/p", {"watch": "1"})
    assert found is not None
    assert found.verb == "get"


@pytest.mark.parametrize(
    ("method", "what", "headers", "says"),
    [
        ("POST", "exec?command=ls", {"upgrade": "SPDY/3.1"}, "no exec to a pod of a recorded cluster: "),
        ("GET", "attach", {"upgrade": "websocket"}, "no attach to a pod of a recorded cluster: "),
        ("POST", "portforward", {"upgrade": "SPDY/3.1"}, "no portforward to a pod of a recorded cluster: "),
        ("GET", "proxy", {}, "no proxy to a pod of a recorded cluster: "),
        ("GET", "exec?command=ls", {}, "Upgrade request required"),
    ],
)
def test_a_connection_to_a_container_is_refused_with_the_reason(
    method: str, what: str, headers: dict[str, str], says: str
) -> None:
    reply = answer(WORLD, Call(method, f"/api/v1/namespaces/a/pods/web-1/{what}", ADMIN, headers))
    assert isinstance(reply, Reply)
    assert reply.status == 400
    assert isinstance(reply.body, dict)
    assert reply.body["message"].startswith(says)
