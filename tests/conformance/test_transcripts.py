"""Recorded operations of real clients are answered as the real control plane answered them."""

import fnmatch
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.conformance.named import patterns, promise
from tests.conformance.replay import replay
from tests.conformance.report import failures, shares, summary
from tests.conformance.running import Living
from tests.conformance.transcripts import Operation, operations

FLOOR = yaml.safe_load((Path(__file__).parent / "floor.yaml").read_text())
CLIENTS = tuple(dict.fromkeys(o.client for o in operations()))


def of_client(client: str) -> list[Operation]:
    return [o for o in operations() if o.client == client]


@pytest.mark.parametrize("client", CLIENTS)
async def test_no_fewer_operations_pass_than_before(
    client: str, record_property: Callable[[str, object], None]
) -> None:
    chosen = of_client(client)
    found = await failures(chosen)
    record_property("conformance", summary(chosen, found))
    passed, total = shares(chosen, found)[client]
    assert passed >= FLOOR[client], f"{passed} of {total} pass, {FLOOR[client]} did"


@pytest.mark.parametrize("client", CLIENTS)
async def test_every_operation_that_is_promised_passes(client: str) -> None:
    promised = [o for o in of_client(client) if promise(o)]
    found = await failures(promised)
    assert not found, "\n".join(f"{promise(o)}: {o}: {lines[0]}" for o, lines in found.items())


def test_every_pattern_of_the_promises_names_an_operation() -> None:
    for said, by_client in patterns().items():
        for client, wanted in by_client.items():
            known = {o.name for o in operations() if o.client.startswith(client)}
            unused = [pattern for pattern in wanted if not fnmatch.filter(known, pattern)]
            assert not unused, f"{said}, {client}: {unused}"


def test_every_client_has_a_floor() -> None:
    assert set(FLOOR) == set(CLIENTS)


async def test_the_comparison_sees_a_wrong_answer() -> None:
    operation = next(o for o in operations() if str(o) == "python-37/read-namespaced-pod")
    wrong = operation.transcript()
    wrong["exchanges"][0]["response"]["body"]["spec"]["nodeName"] = "elsewhere"
    [difference] = await replay(operation, wrong)
    assert "spec.nodeName: 'elsewhere' expected" in difference


async def test_the_comparison_sees_controllers_that_do_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    operation = next(o for o in operations() if str(o) == "kubectl-1.36/rollout-status-watch")
    monkeypatch.setattr(Living, "advance", lambda self: None)
    found = await replay(operation)
    assert any("objects.web: " in line for line in found)
