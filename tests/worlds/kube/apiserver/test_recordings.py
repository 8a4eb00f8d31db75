"""Every recording can be read whole: each object in each form, each log, each list."""

from pathlib import Path

import pytest

from opssquad.worlds.kube.apiserver.dispatch import answer
from opssquad.worlds.kube.apiserver.request import Call, Reply
from opssquad.worlds.kube.apiserver.resources import Resource
from opssquad.worlds.kube.recording import load
from opssquad.worlds.kube.world import ONCALL, RecordedWorld
from tests.sampling import sample
from tests.worlds.kube.apiserver.small import body

FOLDER = Path(__file__).parents[4] / "evals" / "recordings"
RECORDINGS = [FOLDER / id for id in sample(p.parent.name for p in FOLDER.glob("*/incident.yaml"))]
JSON = "application/json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def fetched(world: RecordedWorld, target: str, accept: str = JSON) -> Reply:
    reply = answer(world, Call("GET", target, ONCALL, {"accept": accept}))
    assert isinstance(reply, Reply)
    return reply


def collection(resource: Resource, namespace: str = "") -> str:
    root = f"/apis/{resource.api_version}" if resource.group else "/api/v1"
    scope = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{scope}/{resource.plural}"


@pytest.mark.parametrize("folder", RECORDINGS, ids=lambda p: p.name)
def test_every_object_can_be_read_in_every_form(folder: Path) -> None:
    world = RecordedWorld(load(folder))
    read = 0
    for resource in world.resources.all:
        if "list" not in resource.verbs:
            continue
        listed = body(fetched(world, collection(resource)))
        table = body(fetched(world, collection(resource), TABLE))
        assert len(table["rows"] or []) == len(listed["items"])
        widths = {len(row["cells"]) for row in table["rows"] or []}
        assert widths <= {len(table["columnDefinitions"])}
        for item in listed["items"]:
            metadata = item["metadata"]
            target = f"{collection(resource, metadata.get('namespace', ''))}/{metadata['name']}"
            assert fetched(world, target).status == 200
            read += 1
    assert read >= len([o for o in world.recording.objects if o["kind"] != "Event"])


@pytest.mark.parametrize("folder", RECORDINGS, ids=lambda p: p.name)
def test_every_recorded_log_can_be_read_and_no_other_answer_is_a_surprise(folder: Path) -> None:
    world = RecordedWorld(load(folder))
    shown = 0
    for pod in (o for o in world.recording.objects if o["kind"] == "Pod"):
        metadata = pod["metadata"]
        lead = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/log"
        for container in (*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())):
            for previous in ("false", "true"):
                reply = fetched(world, f"{lead}?container={container['name']}&previous={previous}")
                assert reply.status in (200, 204, 400, 500)
                shown += reply.status == 200 and reply.body != ""
    assert shown == sum(bool(file.stat().st_size) for file in (folder / "logs").rglob("*.log"))
