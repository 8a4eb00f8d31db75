"""Captures of clusters that withhold, stall and fail: what is missing is said, and no half folder is left."""

import asyncio
import re
import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web

from opssquad.errors import ToolError, UsageError
from opssquad.evals.linting import lint
from opssquad.gate.own import Own
from opssquad.worlds.kube.recording import load
from opssquad.worlds.kube.recording.notes import CaptureNotes, load_notes
from tests.evals.between import RECORDINGS, captured, refused
from tests.evals.more_objects import definition, event, role, viewer, widget, with_more
from tests.worlds.kube.stub_api import status

SHOP = RECORDINGS / "shop-0412"
CRASHING = RECORDINGS / "auth-0308"


def noted(folder: Path) -> dict[tuple[str, str], str]:
    """What missing.yaml says, by kind and place."""
    notes = load_notes(folder)
    assert isinstance(notes, CaptureNotes)
    return {(each.kind, each.where): each.reason for each in notes.missing}


def kinds(folder: Path) -> set[str]:
    return {f"{obj['apiVersion']}/{obj['kind']}" for obj in load(folder).objects}


async def test_what_an_account_may_not_read_is_listed_and_the_rest_is_there(tmp_path: Path) -> None:
    async def meddle(request: web.Request) -> web.StreamResponse | None:
        denied = re.search(r"/(secrets|nodes|persistentvolumes|namespaces|clusterroles)$", request.path)
        return refused(denied[1]) if denied else None

    out = tmp_path / "shop-0412"
    found = await captured(SHOP, out, tmp_path, meddle)
    said = noted(out)
    assert {("Secret", "shop"), ("Node", ""), ("PersistentVolume", ""), ("Namespace", "")} <= said.keys()
    assert ("ClusterRole.rbac.authorization.k8s.io", "") in said
    assert 'secrets is forbidden: User "viewer"' in said["Secret", "shop"]
    assert found.notes.missing == load_notes(out).missing  # type: ignore[union-attr]
    assert "v1/Secret" not in kinds(out)
    assert {"v1/Pod", "v1/Namespace", "apps/v1/Deployment"} <= kinds(out)
    assert (lint(out, Own()).problems, lint(out, Own()).verdict) == ([], False)


async def test_an_account_that_may_only_read_its_namespace_gets_that(tmp_path: Path) -> None:
    copy = with_more(SHOP, tmp_path / "source" / "shop-0412", viewer())
    out = tmp_path / "view-0412"
    account = "system:serviceaccount:shop:default"
    await captured(copy, out, tmp_path, user=account)
    said = noted(out)
    assert {("Node", ""), ("Secret", "shop"), ("PodMetrics.metrics.k8s.io", "shop")} <= said.keys()
    assert all("forbidden" in reason for reason in said.values())
    # Logs are a subresource of what a viewer may read.
    assert len(list(out.rglob("*.log"))) == len(list(SHOP.rglob("*.log")))
    assert "apps/v1/Deployment" in kinds(out)


async def test_a_group_of_the_api_that_is_not_there_is_missing(tmp_path: Path) -> None:
    async def meddle(request: web.Request) -> web.StreamResponse | None:
        if request.path.startswith("/apis/metrics.k8s.io/"):
            return status(404, "NotFound", "the server could not find the requested resource")
        return None

    out = tmp_path / "shop-0412"
    await captured(SHOP, out, tmp_path, meddle)
    assert noted(out) == {
        ("NodeMetrics.metrics.k8s.io", ""): "this cluster serves no NodeMetrics (metrics.k8s.io/v1beta1)",
        ("PodMetrics.metrics.k8s.io", "shop"): "this cluster serves no PodMetrics (metrics.k8s.io/v1beta1)",
    }


async def test_a_list_that_does_not_come_costs_its_deadline_and_is_missing(tmp_path: Path) -> None:
    async def meddle(request: web.Request) -> web.StreamResponse | None:
        if request.path.endswith("/configmaps"):
            await asyncio.sleep(30)
        return None

    out = tmp_path / "shop-0412"
    await captured(SHOP, out, tmp_path, meddle, deadline=1.0)
    assert "did not answer within 1 s" in noted(out)["ConfigMap", "shop"]
    assert "v1/ConfigMap" not in kinds(out)


async def test_a_node_that_does_not_give_logs_is_not_asked_for_ever(tmp_path: Path) -> None:
    asked: list[str] = []

    async def meddle(request: web.Request) -> web.StreamResponse | None:
        if not request.path.endswith("/log"):
            return None
        asked.append(request.path)
        return status(504, "Timeout", "dial tcp 10.0.0.5:10250: i/o timeout", headers={"Retry-After": "0"})

    out = tmp_path / "auth-0308"
    await captured(CRASHING, out, tmp_path, meddle)
    said = {where: reason for (kind, where), reason in noted(out).items() if kind == "log"}
    assert len(said) == len(list(CRASHING.rglob("*.log")))
    assert any("i/o timeout" in reason for reason in said.values())
    assert any("did not give the logs before" in reason for reason in said.values())
    assert len(set(asked)) < len(said)
    assert not list(out.rglob("*.log"))
    # No log is missed that could not be captured.
    assert lint(out, Own()).problems == []


async def test_a_log_that_is_only_a_word_of_the_node_is_missing(tmp_path: Path) -> None:
    async def meddle(request: web.Request) -> web.StreamResponse | None:
        if request.path.endswith("/log") and "cart-" in request.path:
            return web.Response(text="unable to retrieve container logs for containerd://abc")
        return None

    out = tmp_path / "shop-0412"
    await captured(SHOP, out, tmp_path, meddle)
    reasons = {reason for (kind, where), reason in noted(out).items() if kind == "log" and "cart-" in where}
    assert reasons == {"the node says: unable to retrieve container logs for containerd://abc"}


async def test_logs_of_a_node_in_another_zone_and_with_odd_lines_can_be_loaded(tmp_path: Path) -> None:
    text = (
        "2026-04-12T12:00:01.5+02:00 first\u2028still first\n"
        "2026-04-12T12:00:03.000000001+02:00 third\n"
        "2026-04-12T12:00:02+02:00 second\rhalf\n"
        "rpc error: the stream broke\n"
    )

    async def meddle(request: web.Request) -> web.StreamResponse | None:
        return web.Response(text=text) if request.path.endswith("/log") else None

    out = tmp_path / "shop-0412"
    await captured(SHOP, out, tmp_path, meddle)
    lines = load(out).log("shop", "postgres-0", "postgres")
    assert lines == [
        "2026-04-12T10:00:01.500000000Z first\u2028still first",
        "2026-04-12T10:00:02.000000000Z second\ufffdhalf",
        "2026-04-12T10:00:03.000000001Z third",
    ]
    assert noted(out)["log", "logs/shop/postgres-0/postgres.log"] == "1 lines without a time are left out"


async def test_several_namespaces_come_together_and_nothing_twice(tmp_path: Path) -> None:
    recording, out = RECORDINGS / "media-0728", tmp_path / "media-0728"
    await captured(recording, out, tmp_path, also=("default", "kube-system"))
    found = [(o["apiVersion"], o["kind"], o["metadata"]["name"]) for o in load(out).objects]
    # What is in `default` there are two forms of an event about a node, which come with any namespace.
    assert sorted(found) == sorted(
        (o["apiVersion"], o["kind"], o["metadata"]["name"]) for o in load(recording).objects
    )
    incident = load(out).incident
    assert incident.questions[0] == "What is wrong in namespaces streaming, default, kube-system?"


async def test_events_of_another_namespace_are_not_taken_but_those_of_nodes_are(tmp_path: Path) -> None:
    more = [event("of-a-pod", namespace="default"), event("of-a-node")]
    copy = with_more(SHOP, tmp_path / "source" / "shop-0412", more)
    out = tmp_path / "shop-0412"
    await captured(copy, out, tmp_path)
    found = [o["apiVersion"] for o in load(out).objects if o["metadata"]["name"] == "of-a-node"]
    assert found == ["v1", "events.k8s.io/v1"]
    assert not [o for o in load(out).objects if o["metadata"]["name"] == "of-a-pod"]


async def test_a_capture_only_reads(tmp_path: Path) -> None:
    methods: set[str] = set()

    async def meddle(request: web.Request) -> None:
        methods.add(request.method)

    await captured(SHOP, tmp_path / "shop-0412", tmp_path, meddle)
    assert methods == {"GET"}


async def test_custom_objects_come_with_the_definition_of_their_kind(tmp_path: Path) -> None:
    copy = with_more(SHOP, tmp_path / "source" / "shop-0412", [definition("widgets", "Widget"), widget(),
                                                            definition("gadgets", "Gadget")])  # fmt: skip
    out = tmp_path / "shop-0412"
    await captured(copy, out, tmp_path)
    custom = [o for o in load(out).objects if o["kind"] in ("Widget", "Gadget", "CustomResourceDefinition")]
    # A kind of which the namespace holds nothing is left out.
    assert [(o["kind"], o["metadata"]["name"]) for o in custom] == [
        ("CustomResourceDefinition", "widgets.example.com"),
        ("Widget", "blue"),
    ]
    assert custom[1]["spec"] == {"size": 3}


async def test_roles_that_every_server_makes_are_left_out_and_others_are_not(tmp_path: Path) -> None:
    copy = with_more(SHOP, tmp_path / "source" / "shop-0412", [role("team-view")])
    out = tmp_path / "shop-0412"
    await captured(copy, out, tmp_path)
    roles = [o["metadata"]["name"] for o in load(out).objects if o["kind"] == "ClusterRole"]
    assert roles == ["team-view"]


async def test_a_namespace_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    source = shutil.copytree(SHOP, tmp_path / "source")
    (source / "logs" / "shop").rename(source / "logs" / "shopp")
    with pytest.raises(ToolError, match="no namespace 'shopp'; nearest: shop"):
        await captured(source, tmp_path / "shop-0412", tmp_path)
    assert not (tmp_path / "shop-0412").exists()


async def test_a_cluster_that_shows_nothing_leaves_no_folder(tmp_path: Path) -> None:
    async def meddle(_: web.Request) -> web.StreamResponse | None:
        return refused("everything")

    home = tmp_path / "home"
    home.mkdir()
    with pytest.raises(ToolError, match="nothing could be read: .* forbidden"):
        await captured(SHOP, home / "shop-0412", tmp_path, meddle)
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("there", ["full", "file", "link"])
async def test_what_is_there_already_is_not_written_over(there: str, tmp_path: Path) -> None:
    out = tmp_path / "shop-0412"
    if there == "full":
        out.mkdir()
        (out / "mine").write_text("kept")
    elif there == "file":
        out.write_text("kept")
    else:
        out.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="--out .*shop-0412 is"):
        await captured(SHOP, out, tmp_path)
    assert not (out / "incident.yaml").exists()


async def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    out = tmp_path / "shop-0412"
    out.mkdir()
    await captured(SHOP, out, tmp_path)
    assert load(out).incident.id == "shop-0412"


@pytest.mark.parametrize("size", [20_000, 60_000], ids=["at the objects", "at a log"])
async def test_a_disk_that_is_full_leaves_nothing_behind(size: int, tmp_path: Path) -> None:
    packed = (SHOP / "cluster" / "objects.jsonl.gz").stat().st_size
    largest = max(file.stat().st_size for file in SHOP.rglob("*.log"))
    assert 20_000 < packed < 60_000 < largest
    home = tmp_path / "home"
    home.mkdir()
    with _files_no_larger_than(size), pytest.raises(OSError, match="File too large"):
        await captured(SHOP, home / "shop-0412", tmp_path)
    assert list(home.iterdir()) == []


async def test_a_capture_that_is_cancelled_leaves_nothing_behind(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def meddle(request: web.Request) -> web.StreamResponse | None:
        if request.path.endswith("/log"):
            begun.set()
            await asyncio.sleep(30)
        return None

    home = tmp_path / "home"
    home.mkdir()
    work = asyncio.create_task(captured(SHOP, home / "shop-0412", tmp_path, meddle))
    await asyncio.wait_for(begun.wait(), 20)
    # While it is being made it has neither the name nor an incident.yaml.
    [partial] = home.iterdir()
    assert partial.name.startswith(".shop-0412.")
    assert not (partial / "incident.yaml").exists()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert list(home.iterdir()) == []


@contextmanager
def _files_no_larger_than(size: int) -> Iterator[None]:
    """As on a disk that is full: writing past it fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    kept = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, kept)
