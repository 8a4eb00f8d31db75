"""The discovery documents are those of the real server, in both forms."""

import pytest

from opssquad.worlds.kube.apiserver import discovery
from opssquad.worlds.kube.apiserver.request import Reply
from opssquad.worlds.kube.apiserver.resources import builtin
from tests.conformance.world import DATA, load_json

PLAIN = sorted(p for p in (DATA / "discovery").iterdir() if ".aggregated." not in p.name and p.stem != "api")


def fetched(path: str, accept: str) -> Reply:
    reply = discovery.answer(builtin(), path, accept)
    assert reply is not None
    return reply


@pytest.mark.parametrize("path", ["/api", "/apis"])
def test_the_aggregated_form_is_word_for_word_what_kubectl_was_told(path: str) -> None:
    reply = fetched(path, f"{discovery.AGGREGATED},application/json")
    assert reply.headers["Content-Type"] == discovery.AGGREGATED
    assert reply.body == load_json(DATA / "discovery" / f"{path[1:]}.aggregated.json")


@pytest.mark.parametrize("document", PLAIN, ids=lambda p: p.stem)
def test_the_plain_form_is_word_for_word_what_older_clients_were_told(document) -> None:
    reply = fetched("/" + document.stem.replace("_", "/"), "application/json")
    assert reply.body == load_json(document)
