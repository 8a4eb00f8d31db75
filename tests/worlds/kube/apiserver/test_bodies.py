"""Bodies that are broken, strange or of another kind are refused in the server's words."""

from typing import Any

import pytest

from opssquad.worlds.kube.apiserver.dispatch import answer
from opssquad.worlds.kube.apiserver.request import Call, Reply
from tests.conformance.world import USERS, StandingStill
from tests.worlds.kube.apiserver.driver import APPS, SHOP, STRATEGIC, Driver


def post(body: bytes, media: str = "application/json", path: str = f"{SHOP}/configmaps") -> Reply:
    reply = answer(StandingStill(), Call("POST", path, USERS["admin"], {"content-type": media}, body))
    assert isinstance(reply, Reply)
    return reply


def message(reply: Reply) -> str:
    assert isinstance(reply.body, dict)
    return str(reply.body.get("message", ""))


@pytest.mark.parametrize(
    ("body", "media", "status", "words"),
    [
        (b"{", "application/json", 400, "unexpected end of JSON input ({)"),
        (b"[]", "application/json", 400, "cannot unmarshal array"),
        (b'{"a": nope}', "application/json", 400, "invalid character 'n'"),
        (b"a: [", "application/yaml", 400, "error decoding YAML"),
        (b"k8s\x00\xff", "application/vnd.kubernetes.protobuf", 400, "unexpected EOF"),
        (b"a", "text/plain", 415, "the body of the request was in an unknown format"),
        (
            b'{"apiVersion":"v1","kind":"Pod"}',
            "application/json",
            400,
            "converting (v1.Pod) to (core.ConfigMap)",
        ),
        (b'{"apiVersion":"v2","kind":"ConfigMap"}', "application/json", 400, 'registered for version "v2"'),
        (
            b'{"metadata":{"name":7}}',
            "application/json",
            400,
            "cannot unmarshal number into Go struct field ObjectMeta",
        ),
    ],
)
def test_a_bad_body_is_refused(body: bytes, media: str, status: int, words: str) -> None:
    reply = post(body, media)
    assert reply.status == status
    assert words in message(reply)


def test_yaml_is_read_with_times_as_text() -> None:
    reply = post(b"metadata: {name: y}\ndata: {since: 2026-01-01T00:00:00Z}\n", "application/yaml")
    assert isinstance(reply.body, dict)
    assert reply.body["data"] == {"since": "2026-01-01T00:00:00Z"}


def test_unknown_fields_are_warned_of_unless_they_are_to_be_ignored() -> None:
    body = b'{"metadata":{"name":"x"},"dta":{}}'
    assert post(body).headers["Warning"] == '299 - "unknown field \\"dta\\""'
    assert "Warning" not in post(body, path=f"{SHOP}/configmaps?fieldValidation=Ignore").headers
    refused = post(body, path=f"{SHOP}/configmaps?fieldValidation=Strict")
    assert (refused.status, 'unknown field "dta"' in message(refused)) == (400, True)


@pytest.mark.parametrize(
    ("query", "field"), [("dryRun=Some", "dryRun"), ("fieldValidation=Maybe", "fieldValidation")]
)
def test_options_that_are_none_are_refused(query: str, field: str) -> None:
    status, body = Driver().patch(f"{APPS}/deployments/web?{query}", {})
    assert status == 422
    assert body["details"]["causes"][0]["field"] == field


@pytest.mark.parametrize(
    ("patch", "media", "status"),
    [
        ([], "application/merge-patch+json", 400),
        ({}, "application/json-patch+json", 400),
        ({"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}}, STRATEGIC, 400),
        ({"spec": {"replicas": "x"}}, STRATEGIC, 422),
        ({}, "application/json", 415),
    ],
)
def test_a_bad_patch_is_refused(patch: Any, media: str, status: int) -> None:
    assert Driver().patch(f"{APPS}/deployments/web", patch, media)[0] == status
