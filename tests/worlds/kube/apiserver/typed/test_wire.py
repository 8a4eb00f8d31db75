"""Protobuf bodies that kubectl sent are read as the objects that the server made of them."""

import base64
from json import JSONDecodeError
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opssquad.worlds.kube.apiserver.typed.read import read
from opssquad.worlds.kube.apiserver.typed.schema import schema
from opssquad.worlds.kube.apiserver.typed.wire import MAGIC, BadWire, decode
from tests.conformance.transcripts import operations


def bodies() -> dict[str, tuple[bytes, Any]]:
    """Request body and answer of every recorded request in protobuf, by operation."""
    found = {}
    for operation in operations():
        for exchange in operation.transcript()["exchanges"] if operation.client == "kubectl-1.36" else ():
            if "body_base64" in exchange["request"]:
                body = base64.b64decode(exchange["request"]["body_base64"])
                found[operation.name] = (body, exchange["response"]["body"])
    return found


BODIES = bodies()


def contains(whole: Any, part: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(contains(whole.get(k), v) for k, v in part.items())
    if isinstance(part, list):
        return isinstance(whole, list) and all(contains(a, b) for a, b in zip(whole, part, strict=True))
    return bool(whole == part)


@pytest.mark.parametrize(
    "name", [n for n, (_, a) in BODIES.items() if a["kind"] in ("ConfigMap", "Secret", "Job")]
)
def test_what_was_sent_is_in_what_was_created(name: str) -> None:
    body, answer = BODIES[name]
    sent = decode(body)
    kind = schema().kind(sent["apiVersion"], sent["kind"])
    assert kind
    obj, unknown = read(kind, sent)
    assert unknown == []
    assert contains(answer, {key: obj[key] for key in ("kind", "apiVersion", "data") if key in obj})
    assert answer["metadata"]["name"] == obj["metadata"]["name"]


def test_a_deployment_keeps_its_container_and_replicas() -> None:
    sent = decode(BODIES["create-deployment"][0])
    assert sent["spec"]["replicas"] == 2
    [container] = sent["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example.com/shop/probe:1"


@given(st.binary(max_size=200))
@example(b"\x08\x00")  # a number where the type meta belongs
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        decode(MAGIC + data)
    except BadWire:
        return


@given(st.sampled_from(sorted(BODIES)), st.integers(min_value=4), st.integers(0, 255))
def test_a_real_body_with_one_wrong_byte_is_read_or_refused(name: str, place: int, byte: int) -> None:
    body = bytearray(BODIES[name][0])
    body[4 + place % (len(body) - 4)] = byte
    try:
        decode(bytes(body))
    except (BadWire, JSONDecodeError):
        return


def test_a_body_without_the_prefix_is_refused() -> None:
    with pytest.raises(BadWire, match="expected prefix"):
        decode(b"{}")
