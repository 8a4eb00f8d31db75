"""The network squad's runbooks, walked over recordings of what they are for, of what they are not, and of a
network that is well; and without a cluster, on a real port."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opssquad import content
from opssquad.cli.app import run
from opssquad.cli.failures import INCONCLUSIVE, OK
from opssquad.squad.runbooks.known import shelf
from tests.tools.recorded import truth

BOOKS = ["dns", "node-network", "policy", "refused", "timeout", "tls"]
LINES = 120
SALES = "skipassverkauf.piste.svc.cluster.local"
SHOP = "kasse.gipfelpass.example"
TILL = "Deployment/piste/kassenfront"
GATES = "Deployment/piste/drehkreuzdienst"
CELLAR, KETTLES = "Deployment/brewhouse/cellar", "Deployment/brewhouse/kettles"
EDGE, FRONT = "Deployment/edge/traefik", "Deployment/trade/storefront"
TANKS = "tanklog.brewhouse.svc.cluster.local"
Given = dict[str, str]
Walk = Callable[..., tuple[int, Any]]


def call(namespace: str, client: str, host: str, port: int = 0) -> Given:
    """The parameters of a book about a call."""
    given = {"client": client, "host": host} | ({"namespace": namespace} if namespace else {})
    return given | ({"port": str(port)} if port else {})


@pytest.fixture
def walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Walk:
    """Walks a runbook with nothing of this machine's own: the exit code, and what is printed."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("OPSSQUAD_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (
        "OPSSQUAD_RUNBOOKS",
        "OPSSQUAD_FAULTS",
        "OPSSQUAD_MODEL",
        "OPSSQUAD_READ_ONLY",
        "KUBECONFIG",
    ):
        monkeypatch.delenv(name, raising=False)

    def walked(book: str, given: Given, *more: str) -> tuple[int, Any]:
        capsys.readouterr()
        named = [word for name, value in given.items() for word in ("--set", f"{name}={value}")]
        code = run(["runbook", "run", book, "--squad", "network", *named, *more, "--json"])
        out = capsys.readouterr()
        assert out.err == ""
        return code, json.loads(out.out)

    return walked


def recorded(name: str) -> tuple[str, ...]:
    return ("--recording", name, "--approve", "all")


def causes(told: Any) -> list[tuple[str, str]]:
    """What was concluded: faults, and the objects that they are of."""
    found = (told["report"]["conclusion"] or {"causes": []})["causes"]
    return [(each["fault"], _named(each["component"])) for each in found]


def _named(component: Any) -> str:
    return f"{component['kind']}/{component['namespace']}/{component['name']}"


def acts(told: Any) -> list[tuple[str, str]]:
    return [(each["tool"], each["verify"]) for each in told["report"]["actions"]]


def left(told: Any) -> str:
    return " ".join(told["walk"]["left"])


def of_truth(recording: str) -> list[tuple[str, str]]:
    known = truth(recording)
    return [(known["fault"], _named(known["component"]))]


def test_each_is_short_and_says_what_a_walk_through_it_does_not_look_at() -> None:
    folder = content.squad("network") / "runbooks"
    known = shelf("network", None)
    assert [book.id for book in known.books] == BOOKS
    for book in known.books:
        assert len((folder / f"{book.id}.md").read_text().splitlines()) <= LINES, book.id
        assert book.head.value.not_looked_at, book.id


def test_every_fault_of_the_network_with_a_book_is_found_by_its_id() -> None:
    known = shelf("network", None)
    for fault in ("N02", "N04", "N05", "N06", "N07", "N08", *(f"N{n}" for n in range(10, 17))):
        assert known.for_fault(fault), fault


@pytest.mark.parametrize(
    ("book", "given"),
    [
        ("refused", call("piste", "internet", SHOP, 443)),
        ("timeout", call("piste", "internet", SHOP, 443)),
        ("dns", call("piste", "internet", SHOP)),
        ("policy", call("piste", TILL, SALES)),
        ("tls", {"namespace": "piste", "host": SHOP}),
        ("node-network", {"node": "bergrechner-1"}),
    ],
)
def test_where_the_network_is_well_each_says_what_it_looked_at_and_what_it_did_not(
    walk: Walk, book: str, given: Given
) -> None:
    known = shelf("network", None).get(book)
    code, told = walk(book, given, *recorded("gipfel-0212"))
    assert (code, told["walk"]["ended"], causes(told)) == (OK, "steady", [])
    assert [each.partition(":")[0] for each in told["walk"]["looked_at"]] == [c.tool for c in known.checks]
    assert told["walk"]["not_looked_at"] == known.head.value.not_looked_at


@pytest.mark.parametrize(
    ("book", "recording", "given", "act"),
    [
        ("refused", "gipfel-0115", call("piste", TILL, SALES, 80), "set_service"),
        ("policy", "gipfel-0122", call("piste", TILL, SALES), "patch"),
    ],
)
def test_what_a_change_mends_is_mended_by_a_card_of_the_squad_whose_tool_it_is(
    walk: Walk, book: str, recording: str, given: Given, act: str
) -> None:
    code, told = walk(book, given, *recorded(recording))
    assert (code, told["walk"]["ended"], acts(told)) == (OK, "mended", [(act, "better")])
    assert causes(told) == of_truth(recording)


@pytest.mark.parametrize(
    ("book", "recording", "given", "words"),
    [
        ("refused", "brew-0329", call("brewhouse", CELLAR, TANKS, 8482), "name a port of the Service"),
        ("refused", "gipfel-0108", call("piste", TILL, SALES, 80), "runbook no-endpoints of squad k8s"),
        ("dns", "brew-0201", call("brewhouse", KETTLES, TANKS), "create it again"),
        pytest.param("dns", "brew-0222", call("trade", FRONT, "orders.trade"), "put the Corefile",
                     marks=pytest.mark.long),
        ("dns", "brew-0301", call("trade", FRONT, "orders.trade"), "put the Corefile"),
        ("dns", "brew-0308", call("trade", "Deployment/trade/billing", "ledger.trade"), "ClusterFirst"),
        ("dns", "brew-0215", call("trade", "Deployment/trade/orders", "billing.trade"), "The DNS is well"),
        ("timeout", "gipfel-0205", call("piste", GATES, SALES, 80), "runbook node-network"),
        ("timeout", "brew-0208", call("edge", EDGE, "storefront.trade", 80), "Use the runbook policy"),
        ("tls", "gipfel-0129", {"namespace": "piste", "host": SHOP}, "renewed in Secret/piste/kasse-tls"),
    ],
)  # fmt: skip
def test_what_is_not_ours_to_mend_is_left_to_people_with_the_object_that_is_at_fault(
    walk: Walk, book: str, recording: str, given: Given, words: str
) -> None:
    code, told = walk(book, given, *recorded(recording))
    assert (code, told["walk"]["ended"], acts(told)) == (INCONCLUSIVE, "broken", [])
    assert words in left(told)
    assert causes(told) == of_truth(recording)


def test_one_rule_is_let_through_and_what_else_a_policy_denies_is_said(walk: Walk) -> None:
    given = call("trade", EDGE, "storefront.trade")
    code, told = walk("policy", given, *recorded("brew-0208"))
    assert (code, told["walk"]["ended"]) == (INCONCLUSIVE, "broken")
    assert acts(told) == [("patch", "same")]
    assert causes(told) == of_truth("brew-0208")
    assert "calls of traefik to storefront: let through" in left(told)
    assert "the steady state is broken: NetworkPolicy tenant-baseline" in left(told)


def test_a_node_is_closed_and_its_tables_are_left_to_who_runs_it(walk: Walk) -> None:
    code, told = walk("node-network", {"node": "bergrechner-2"}, *recorded("gipfel-0205"))
    assert (code, told["walk"]["ended"], acts(told)) == (INCONCLUSIVE, "broken", [("cordon", "better")])
    assert causes(told) == of_truth("gipfel-0205")
    assert "raise nf_conntrack_max" in left(told)


def test_a_node_that_is_well_beside_one_that_is_not_is_no_all_clear(walk: Walk) -> None:
    code, told = walk("node-network", {"node": "bergrechner-1"}, *recorded("gipfel-0205"))
    assert (code, told["walk"]["ended"], acts(told)) == (INCONCLUSIVE, "elsewhere", [])
    assert causes(told) == of_truth("gipfel-0205")


def test_a_port_that_nobody_could_ask_is_no_all_clear(walk: Walk) -> None:
    code, told = walk("refused", call("piste", "internet", SHOP, 8443), *recorded("gipfel-0129"))
    assert (code, told["walk"]["ended"], causes(told)) == (INCONCLUSIVE, "unknown", [])
    assert [s["outcome"] for s in told["walk"]["steps"][:2]] == ["as expected", "not known"]


def test_a_reader_alone_is_offered_no_change(walk: Walk) -> None:
    given = call("piste", TILL, SALES, 80)
    code, told = walk("refused", given, "--recording", "gipfel-0115", "--read-only")
    assert (code, told["walk"]["ended"], acts(told)) == (INCONCLUSIVE, "broken", [])
    assert "set_service is not among the tools of this conversation" in left(told)


def test_without_a_cluster_a_port_that_refuses_is_found_and_one_that_does_not_is_not_known(
    walk: Walk,
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        code, told = walk("refused", call("", "here", "127.0.0.1", port))
        assert (code, told["walk"]["ended"]) == (INCONCLUSIVE, "broken")
        assert causes(told) == [("N14", "Host//127.0.0.1")]
        assert f"what should listen at port {port}" in left(told)
        taken.listen()
        code, told = walk("refused", call("", "here", "127.0.0.1", port))
        # What the cluster would tell is not known, so nobody says that all is well.
        assert (code, told["walk"]["ended"], causes(told)) == (INCONCLUSIVE, "unknown", [])
