"""Objects, tables, logs and discovery documents of any shape: a result or a ToolError, never another end."""

import asyncio
import copy
import json
from pathlib import Path
from typing import Any

from aiohttp import web
from hypothesis import strategies as st
from tools._read import GLOBAL, SPACED
from tools.signals._scene import Scene
from tools.signals.reading import read_signals

from opssquad import content
from opssquad.errors import ToolError
from opssquad.executor import Executor
from opssquad.gate.redact import Redactor
from opssquad.toolbox import Progress, Record, Toolbox
from opssquad.types import Cleared, Target, ToolCall, Verdict
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.kube.fitting import fitted
from opssquad.worlds.kube.kinds import KNOWN, Resource, match
from tests.fuzz.amounts import each_amount, fuzzed
from tests.fuzz.odd import Json, answered, anything, logs_text, mutated, mutation, told
from tests.tools.recorded import IDS, clock, objects
from tests.worlds.kube.stub_api import serving

TEN = [each for each in IDS if len(objects(each)) < 400][:6]


def resource_of(obj: Json) -> Resource:
    found = match(f"{obj['apiVersion']}/{obj['kind']}", "", KNOWN) or match(str(obj["kind"]), "", KNOWN)
    return found or Resource("example.org", "v1", "widgets", "Widget", True)


KNOWN_OBJECTS = [obj for each in TEN for obj in objects(each) if match(obj["kind"], "", KNOWN)]
one_object = st.sampled_from(KNOWN_OBJECTS)


@each_amount
def test_an_object_of_any_shape_fits_or_is_told(many: bool) -> None:
    def check(pair: tuple[Json, Any]) -> None:
        model, obj = pair
        resource = resource_of(model)
        try:
            made = fitted(resource, obj)
        except ToolError as error:
            told(error)
            return
        again = json.loads(json.dumps(made))
        assert fitted(resource, copy.deepcopy(made)) == again
        assert made["metadata"]["name"]

    def both(model: Json) -> st.SearchStrategy[tuple[Json, Any]]:
        return st.tuples(st.just(model), st.one_of(mutated(st.just(model)), anything))

    fuzzed("fitting", many, one_object.flatmap(both), check)


def taken(listed_: list[Any]) -> list[Json]:
    """What the cluster handle would hand on of these objects; one that does not fit hides its kind."""
    found: dict[str, list[Json] | None] = {}
    for model, obj in listed_:
        kind = model["kind"]
        try:
            made = obj if obj is model else fitted(resource_of(model), obj)
        except ToolError:
            found[kind] = None
            continue
        if made is not model:
            made.update(apiVersion=model["apiVersion"], kind=kind)
        if (kept := found.setdefault(kind, [])) is not None:
            kept.append(made)
    return [obj for kept in found.values() for obj in kept or ()]


class Listed:
    """The objects of one namespace of a recording as a server lists them: each as it was, and as it is."""

    def __init__(self, recording: str, pairs: list[tuple[Json, Any]]) -> None:
        self.recording, self.pairs = recording, pairs

    def __repr__(self) -> str:
        changed = [obj for model, obj in self.pairs if model is not obj]
        return f"Listed({self.recording}, changed={json.dumps(changed)[:6000]})"


@st.composite
def scenes(draw: st.DrawFn) -> Listed:
    """A namespace in which some objects were mutated."""
    recording = draw(st.sampled_from(TEN))
    there = [obj for obj in objects(recording) if obj["kind"] in (*SPACED, *GLOBAL)]
    spaces = sorted({obj["metadata"].get("namespace", "") for obj in there} - {""})
    space = draw(st.sampled_from(spaces))
    mine = [obj for obj in there if obj["metadata"].get("namespace", "") in ("", space)]
    changed = draw(st.lists(st.integers(0, len(mine) - 1), min_size=1, max_size=25, unique=True))
    pairs: list[tuple[Json, Any]] = [(obj, obj) for obj in mine]
    for index in changed:
        pairs[index] = (mine[index], mutation(draw, mine[index], 3))
    return Listed(recording, pairs)


@each_amount
def test_every_family_of_signals_reads_any_scene(many: bool) -> None:
    def check(read: Listed) -> None:
        found = read_signals(made := Scene(clock(read.recording), taken(read.pairs)))
        for source in made.sources(found):
            assert source.text

    fuzzed("signals", many, scenes(), check)


def test_a_namespace_that_reads_like_an_address_leads_to_its_own_object() -> None:
    # `Service///cart` would be read back as an object without a namespace, called `/cart`.
    there = [copy.deepcopy(obj) for obj in objects("shop-0721") if obj["kind"] in (*SPACED, *GLOBAL)]
    for obj in there:
        if obj["kind"] == "Service" and obj["metadata"]["name"] == "cart":
            obj["metadata"]["namespace"] = "/"
    made = Scene(clock("shop-0721"), there)
    found = read_signals(made)
    assert any("Service///cart" in quote.locator for signal in found for quote in signal.quotes)
    assert all(source.text for source in made.sources(found))


def server_of(listed_: list[tuple[Json, Any]], log_text: str) -> Any:
    """A server that gives these objects, as they are, in lists and alone; tables of pods by their names."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/log"):
            return web.Response(text=log_text.encode("utf-8", "replace").decode())
        if request.path == "/version":
            return web.json_response({"gitVersion": "v1.36.2"})
        mine = [(m, obj) for m, obj in listed_ if resource_of(m).plural in request.path.split("/")]
        last = request.path.rsplit("/", 1)[-1]
        alone = [obj for m, obj in mine if m["metadata"]["name"] == last]
        if alone:
            return answered(alone[0])
        if "as=Table" in request.headers["Accept"]:
            return answered(_table(obj for _, obj in mine))
        return answered({"kind": "List", "metadata": {}, "items": [obj for _, obj in mine]})

    return answer


def _table(listed_: Any) -> Json:
    columns = [{"name": name} for name in ("Name", "Ready", "Status", "Endpoints")]
    rows = [{"cells": ["p", "0/1", "Error", "<none>"], "object": {"metadata": _meta(obj)}} for obj in listed_]
    return {"kind": "Table", "columnDefinitions": columns, "rows": rows}


def _meta(obj: Any) -> Any:
    return obj.get("metadata") if isinstance(obj, dict) else None


READS = (
    "health",
    "find",
    "workload",
    "logs",
    "events",
    "changes",
    "history",
    "rollback_check",
    "nodes",
    "get",
)
arguments = st.fixed_dictionaries(
    {},
    optional={
        "namespace": st.sampled_from(("", "authentication", "shop", "..", "é")),
        "minutes": st.sampled_from((0, 60, -5, 10**12)),
        "tail": st.sampled_from((0, 10, -1, 10**9)),
        "grep": st.sampled_from(("", "error", "(a+)+$", "[", "(?P<x", "\\")),
        "since_minutes": st.sampled_from((0, 5, 10**15)),
    },
)


async def _look(folder: Path, example: Any) -> None:
    read, tool_name, given, text = example
    listed_ = read.pairs
    tool = content.all_tools()[tool_name]
    named = [m["metadata"]["name"] for m, _ in listed_ if m["kind"] in ("Deployment", "Pod")] or ["x"]
    wanted = {"what": "auth service", "pod": named[0], "name": named[-1], "deployment": named[0]}
    wanted |= {"kind": "Pod", "workload": named[0], "namespace": "authentication"}
    args = {key: value for key, value in {**wanted, **given}.items() if key in tool.args.model_fields}
    if tool_name != "get":
        args.pop("kind", None)
    async with serving(server_of(listed_, text), folder) as stub:
        cluster = await Cluster.connect(stub.kubeconfig(namespace="authentication"), deadline=5)
        handles = {Cluster: cluster, Progress: Progress(lambda _: None), Record: Record(_nothing, _nothing)}
        executor = Executor(Toolbox([tool]), handles, admit=lambda _: None, redact=Redactor())
        call = ToolCall(id="c", tool=tool_name, args=args, target=Target(cluster="stub"))
        try:
            ended = await executor.run(Cleared(call=call, verdict=Verdict(outcome="allow", rule="fuzz")))
        finally:
            await cluster.close()
            # What reads beside a call that failed ends before the server, which else forgets connections.
            async with asyncio.timeout(10):
                while len(asyncio.all_tasks()) > 1:
                    await asyncio.sleep(0.001)
    assert ended.status in ("ok", "error")
    ended.model_dump_json()


async def _nothing(_: str = "") -> str:
    return ""


@each_amount
def test_every_tool_that_reads_ends_in_a_result_or_an_error_that_is_told(many: bool, tmp_path: Path) -> None:
    examples = st.tuples(scenes(), st.sampled_from(READS), arguments, logs_text)
    fuzzed("tools", many, examples, lambda example: asyncio.run(_look(tmp_path, example)))
