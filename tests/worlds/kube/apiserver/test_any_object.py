"""Every recorded object can be written, and nothing that a client sends brings the server down."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opssquad.worlds.kube.apiserver.resources import Resource, builtin
from opssquad.worlds.kube.apiserver.store import Store
from tests.conformance.world import pristine
from tests.sampling import sample
from tests.worlds.kube.apiserver.driver import APPLY, APPS, MERGE, SHOP, STRATEGIC, Driver

FOLDER = Path(__file__).parents[4] / "evals" / "recordings"
RECORDED = sample(path.parent.name for path in FOLDER.glob("*/cluster"))
RECORDINGS = [FOLDER / name / "cluster" / "objects.jsonl.gz" for name in RECORDED]
CRD = {
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [{"name": "v1", "subresources": {"status": {}}}],
    }
}
SCALARS = st.none() | st.booleans() | st.integers(-2, 99) | st.text(max_size=4)
NAMES = st.sampled_from(
    [
        "spec",
        "metadata",
        "name",
        "labels",
        "template",
        "containers",
        "image",
        "replicas",
        "$patch",
        "x",
        "status",
    ]
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def loaded(path: Path) -> Store:
    """The objects of a recording; events count once."""
    store = Store(lambda: datetime(2026, 12, 1, tzinfo=UTC))
    for line in gzip.decompress(path.read_bytes()).splitlines():
        obj = json.loads(line)
        resource = builtin().of_kind(obj["apiVersion"], obj["kind"])
        if resource and obj["apiVersion"] != "events.k8s.io/v1":
            store.load(resource.key, obj)
    return store


def paths(store: Store) -> Iterator[str]:
    """The path of every object in every version that can be updated."""
    for key in list(store.resources()):
        for resource in builtin().all:
            if resource.key == key and "update" in resource.verbs:
                yield from (path_of(resource, obj) for obj in store.list(key))


def path_of(resource: Resource, obj: dict[str, Any]) -> str:
    root = f"/apis/{resource.group}/{resource.version}" if resource.group else "/api/v1"
    namespace = obj["metadata"].get("namespace")
    scope = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{scope}/{resource.plural}/{obj['metadata']['name']}"


@pytest.mark.parametrize("recording", [None, *RECORDINGS], ids=lambda p: p.parts[-3] if p else "conformance")
def test_an_object_replaced_by_itself_does_not_change(recording: Path | None) -> None:
    client = Driver()
    store = client.world.store = loaded(recording) if recording else pristine().copy()
    revision, seen = store.revision, 0
    for path in paths(store):
        obj = client.get(path)
        assert client.say("PUT", path, obj) == (200, obj), path
        seen += 1
    assert store.revision == revision
    assert seen > 50


@settings(max_examples=150, deadline=None)
@given(
    path=st.sampled_from(
        [
            f"{APPS}/deployments/web",
            f"{SHOP}/pods/web-79bf75b64d-9lkxd",
            f"{SHOP}/services/web",
            f"{SHOP}/events/no",
        ]
    ),
    subresource=st.sampled_from(["", "/status", "/scale"]),
    media=st.sampled_from([MERGE, STRATEGIC, APPLY, "application/json-patch+json"]),
    body=TREES,
)
def test_every_patch_gets_an_answer(path: str, subresource: str, media: str, body: Any) -> None:
    status, answer = Driver().patch(f"{path}{subresource}?dryRun=All&fieldManager=m", body, media)
    assert 200 <= status < 500
    assert answer["kind"]


@settings(max_examples=100, deadline=None)
@given(
    path=st.sampled_from(
        [
            f"{APPS}/deployments",
            f"{SHOP}/pods",
            f"{SHOP}/pods/web-79bf75b64d-9lkxd/eviction",
            f"{SHOP}/services",
        ]
    ),
    body=TREES,
)
def test_every_body_gets_an_answer(path: str, body: Any) -> None:
    status, answer = Driver().say("POST", f"{path}?dryRun=All", body)
    assert 200 <= status < 500
    assert answer["kind"]


def test_custom_resources_are_written_without_a_schema() -> None:
    client = Driver()
    client.world.resources = builtin().extended([CRD])
    collection = "/apis/example.com/v1/namespaces/shop/widgets"
    widget = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "w"},
        "spec": {"a": [1, 2]},
    }
    status, created = client.say("POST", collection, {**widget, "status": {"x": 1}})
    assert (status, created["metadata"]["generation"]) == (201, 1)
    assert "status" not in created
    _, patched = client.patch(f"{collection}/w", {"spec": {"a": [3]}})
    assert (patched["spec"], patched["metadata"]["generation"]) == ({"a": [3]}, 2)
    _, told = client.patch(f"{collection}/w/status", {"status": {"ready": True}, "spec": None})
    assert (told["status"], told["spec"]) == ({"ready": True}, {"a": [3]})
    assert client.patch(f"{collection}/w", {"spec": {}}, STRATEGIC)[0] == 415
    applied = client.patch(f"{collection}/w?fieldManager=ann&force=true", widget, APPLY)[1]
    assert applied["spec"] == {"a": [1, 2]}
    assert client.say("DELETE", f"{collection}/w")[1]["status"] == "Success"
