"""Logs, tables and discovery documents of any shape: read, or told in a ToolError, never another end."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import strategies as st
from tools._addresses import Directory
from tools._loglines import entries
from tools._logtext import Wanted, body
from tools._pods import containers
from tools.signals._case import Case, Read
from tools.signals.calls import called
from tools.signals.logs import log_signals

from opssquad.errors import ToolError
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.kube.kinds import discovered, listed, versions
from tests.fuzz.amounts import each_amount, fuzzed
from tests.fuzz.odd import answered, logs_text, mutated, told
from tests.tools.recorded import clock, one
from tests.worlds.kube.stub_api import serving

ENDED = next(
    each.final for each in containers(one("auth-0308", "Pod", "auth-service-cff498559-nqd7q")) if each.final
)


@each_amount
def test_a_log_of_any_text_is_read(many: bool) -> None:
    pod = one("auth-0308", "Pod", "auth-service-cff498559-nqd7q")
    now = clock("auth-0308")

    def check(example: tuple[str, str, bool]) -> None:
        text, grep, ended = example
        read = Read(pod, "auth-service", ended, text, ENDED if ended else None)
        found = sorted(entries(text, 0), key=lambda each: each.stamp)
        case = Case([read], found, now, Directory(()), called(found))
        signals = log_signals(case)
        for signal in signals:
            assert all(quote.text in text or quote.locator.startswith("Pod/") for quote in signal.quotes)
        body(case, signals, Wanted(50, grep, 0))

    greps = st.one_of(
        st.sampled_from(("", "error", "(", "(a+)+b", "a{99999999999}", "\\")), st.text(max_size=8)
    )
    fuzzed("logs", many, st.tuples(logs_text, greps, st.booleans()), check)


AGGREGATED = {
    "kind": "APIGroupDiscoveryList",
    "items": [
        {
            "metadata": {"name": "example.org"},
            "versions": [
                {
                    "version": "v1",
                    "freshness": "Current",
                    "resources": [
                        {
                            "resource": "widgets",
                            "responseKind": {"kind": "Widget"},
                            "scope": "Namespaced",
                            "shortNames": ["wi"],
                        }
                    ],
                }
            ],
        }
    ],
}
OLD = {
    "groupVersion": "example.org/v1",
    "resources": [{"name": "widgets", "kind": "Widget", "namespaced": True}],
}
GROUPS = {"groups": [{"name": "example.org", "preferredVersion": {"groupVersion": "example.org/v1"}}]}


@each_amount
def test_discovery_of_any_shape_gives_kinds_that_can_be_named(many: bool) -> None:
    def check(documents: tuple[Any, Any, Any]) -> None:
        new, old, groups = (each if isinstance(each, dict) else {} for each in documents)
        for each in (*discovered([new]), *listed(old)):
            assert each.plural
            assert each.names()
        assert all(path.startswith("/api") for path in versions({"versions": ["v1"]}, groups))

    shapes = (mutated(st.just(each)) for each in (AGGREGATED, OLD, GROUPS))
    fuzzed("discovery", many, st.tuples(*shapes), check)


TABLE = {
    "kind": "Table",
    "metadata": {"continue": ""},
    "columnDefinitions": [{"name": "Name"}, {"name": "Ready"}],
    "rows": [{"cells": ["web-1", "1/1"], "object": {"metadata": {"name": "web-1", "namespace": "shop"}}}],
}


@each_amount
def test_a_table_of_any_shape_is_read_or_told(many: bool, tmp_path: Path) -> None:
    async def read(document: Any) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            return answered(document)

        async with serving(answer, tmp_path) as stub:
            cluster = await Cluster.connect(stub.kubeconfig(), deadline=5)
            try:
                table = await cluster.table("pod", "shop")
                assert all(len(row.cells) == len(table.columns) for row in table.rows)
                assert all(isinstance(row.name, str) for row in table.rows)
            except ToolError as error:
                told(error)
            finally:
                await cluster.close()

    def check(document: Any) -> None:
        # A page that says that there is more would be asked for again and again.
        if isinstance(document, dict) and isinstance(document.get("metadata"), dict):
            document["metadata"].pop("continue", None)
        asyncio.run(read(document))

    fuzzed("tables", many, mutated(st.just(TABLE)), check)


@pytest.mark.parametrize("text", ["\\ud800", "a\\udfffb"])
async def test_half_a_character_in_a_document_is_replaced(text: str, tmp_path: Path) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        said = '{"metadata":{"name":"web","namespace":"shop","labels":{"a":"%s"}}}' % text  # noqa: UP031
        return web.Response(text=said, content_type="application/json")

    async with serving(answer, tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        found = await cluster.get("pod", "web", "shop")
        await cluster.close()
    assert "\ufffd" in found["metadata"]["labels"]["a"] or "?" in found["metadata"]["labels"]["a"]
