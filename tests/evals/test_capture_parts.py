"""Parts of a capture that the recordings show nothing of: kinds, a version withheld, the rules to write."""

from pathlib import Path

import yaml
from aiohttp import web

from opssquad.evals.capture import WORLD
from opssquad.evals.linting import lint
from opssquad.gate.own import Own
from opssquad.worlds.kube.recording import load
from opssquad.worlds.kube.recording.health import unhealthy
from opssquad.worlds.kube.recording.notes import load_notes
from opssquad.worlds.kube.recording.spec import WorldRules
from tests.evals.between import RECORDINGS, captured, refused
from tests.evals.more_objects import Json, meta, with_more

SHOP = RECORDINGS / "shop-0412"
IN_NAMESPACE = {
    "LimitRange": "v1",
    "ReplicationController": "v1",
    "DaemonSet": "apps/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "Role": "rbac.authorization.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
}
OF_CLUSTER = {
    "ClusterRole": "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding": "rbac.authorization.k8s.io/v1",
    "ValidatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
    "MutatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
}


def plain(kind: str, api: str, **place: str) -> Json:
    return {"apiVersion": api, "kind": kind, "metadata": meta(f"a-{kind.lower()}", **place)}


async def test_kinds_that_no_recording_has_are_captured(tmp_path: Path) -> None:
    more = [plain(kind, api, namespace="shop") for kind, api in IN_NAMESPACE.items()]
    more += [plain(kind, api) for kind, api in OF_CLUSTER.items()]
    copy = with_more(SHOP, tmp_path / "source" / "shop-0412", more)
    out = tmp_path / "shop-0412"
    await captured(copy, out, tmp_path)
    found = {obj["kind"]: obj["apiVersion"] for obj in load(out).objects}
    assert found.items() >= {**IN_NAMESPACE, **OF_CLUSTER}.items()


async def test_a_version_that_is_withheld_is_missing_and_the_capture_can_be_served(tmp_path: Path) -> None:
    async def meddle(request: web.Request) -> web.StreamResponse | None:
        return refused("version") if request.path == "/version" else None

    out = tmp_path / "shop-0412"
    await captured(SHOP, out, tmp_path, meddle)
    assert load(out).cluster.kubernetes == "v0.0.0"
    notes = load_notes(out)
    assert notes is not None
    assert [each.kind for each in notes.missing] == ["version"]
    again = tmp_path / "again-0412"
    await captured(out, again, tmp_path)
    assert len(load(again).objects) == len(load(out).objects)


async def test_a_version_that_is_none_is_missing(tmp_path: Path) -> None:
    async def meddle(request: web.Request) -> web.StreamResponse | None:
        return web.json_response({"gitVersion": "1.36"}) if request.path == "/version" else None

    found = await captured(SHOP, tmp_path / "shop-0412", tmp_path, meddle)
    assert [(each.kind, each.reason) for each in found.notes.missing] == [
        ("version", "the server calls it '1.36'")
    ]


async def test_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    pod = plain("Pod", "v1", namespace="shop")
    bad = "../../../../outside"
    running = {"running": {"startedAt": "2026-04-12T10:00:00Z"}}
    pod["spec"] = {"nodeName": "acme-k8s-w1", "containers": [{"name": bad, "image": "a"}]}
    pod["status"] = {"phase": "Running", "containerStatuses": [{"name": bad, "state": running}]}
    copy = with_more(SHOP, tmp_path / "source" / "shop-0412", [pod])

    async def meddle(request: web.Request) -> web.StreamResponse | None:
        return web.Response(text="2026-04-12T10:00:00Z x\n") if request.path.endswith("/log") else None

    home = tmp_path / "a" / "b"
    home.mkdir(parents=True)
    found = await captured(copy, home / "shop-0412", tmp_path, meddle)
    assert [(each.kind, each.where) for each in found.notes.missing] == [
        ("log", f"logs/shop/a-pod/{bad}.log")
    ]
    assert not list(tmp_path.rglob("outside*"))


async def test_a_capture_of_a_capture_is_that_capture(tmp_path: Path) -> None:
    first, second = tmp_path / "one" / "shop-0412", tmp_path / "two" / "shop-0412"
    await captured(SHOP, first, tmp_path)
    await captured(first, second, tmp_path)
    assert load(first).objects == load(second).objects
    assert lint(second, Own()).problems == []


def test_the_rules_that_the_new_world_shows_as_an_example_are_rules() -> None:
    assert WorldRules.model_validate(yaml.safe_load(WORLD)).outcomes == []
    lines = WORLD.splitlines()
    shown = [line.removeprefix("# ") for line in lines[lines.index("# outcomes:") :] if line.startswith("# ")]
    rules = WorldRules.model_validate({**yaml.safe_load("\n".join(shown)), "default": {"pods": "ready"}})
    [outcome] = rules.outcomes
    assert outcome.when.template.image == "registry.example.com/app:v2.*"
    assert outcome.when.objects[0].has == "data.KEY"
    assert outcome.pods.kind == "image_pull_error"


def test_a_daemon_set_that_lacks_pods_is_unhealthy() -> None:
    daemons = plain("DaemonSet", "apps/v1", namespace="shop")
    daemons["status"] = {"desiredNumberScheduled": 3, "numberReady": 3}
    assert list(unhealthy([daemons])) == []
    daemons["status"]["numberReady"] = 2
    assert [why for _, why in unhealthy([daemons])] == ["2/3 ready"]
