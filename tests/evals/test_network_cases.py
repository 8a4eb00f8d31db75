"""What evals do with a recorded network: lint what its probes show, score citations of it, shift it."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from opssquad.documents import yaml_text
from opssquad.evals.evidence import place, shown
from opssquad.evals.linting import lint
from opssquad.evals.perturb import perturbed
from opssquad.findings import Evidence
from opssquad.gate.own import Own
from opssquad.types import Json
from opssquad.worlds.kube.recording import load_truth
from opssquad.worlds.kube.recording.spec import Proof
from opssquad.worlds.net import answers, asks
from opssquad.worlds.net.asking import parse
from opssquad.worlds.net.material import line, load_material, probed
from opssquad.worlds.net.network import Network, probe_quote
from opssquad.worlds.net.recorded import RecordedNetwork
from tests.worlds.net.recorded import CLOCK, SERVER, pem, written

LISTENS = """\
trusted: [edge]
listeners:
  - {addresses: [192.0.2.80], port: 443, certificate: edge, http: [{body: closed}]}
  - {addresses: [192.0.2.80], port: 8443, answers: refused}
"""
EXPIRED = timedelta(hours=-7)


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """An incident at a host outside of any cluster: its certificate has run out."""
    folder = tmp_path / "tern-0403"
    edge = pem("www.tern.example", timedelta(days=-90), EXPIRED)
    seen = answers.Shaken(
        ask=asks.Shake(host="mx.tern.example"),
        origin="node k2",
        at=CLOCK,
        clock=CLOCK,
        end="closed",
        why="it hung up",
    )
    written(
        folder,
        f"{SERVER}{LISTENS}",
        certificates__edge_pem=edge,
        probes_jsonl=f"{line(probed(seen, CLOCK))}\n",
    )
    (folder / "incident.yaml").write_text(yaml_text(incident()))
    (folder / "truth.yaml").write_text(yaml_text(truth()))
    return folder


def incident() -> Json:
    return {
        "id": "tern-0403",
        "title": "Customers cannot open the booking page",
        "reported_at": "2028-04-03T09:25:00Z",
        "clock": "2028-04-03T09:30:00Z",
        "squad": "network",
        "questions": ["What is wrong with www.tern.example?", "Is it the network?", "Why do browsers warn?"],
        "alerts": [],
        "network": {"name": "tern-public"},
    }


def truth() -> Json:
    return {
        "fault": "N10",
        "component": {"kind": "Host", "namespace": "", "name": "www.tern.example"},
        "mechanism": "Its leaf was not renewed in time.",
        "root_cause": "The renewal of the leaf stopped in January.",
        "since": "2028-04-03T02:30:00Z",
        "evidence": [
            {"kind": "probe", "where": "shake www.tern.example:443", "contains": "wrong with it: expired"},
            {"kind": "probe", "where": "connect www.tern.example:8443", "contains": "connection refused"},
        ],
        "fix": {"accept": [{"action": "escalate", "target": "Host//www.tern.example", "detail": "renew it"}]},
        "distractors": ["port 8443 is closed, as ever"],
    }


def edited(folder: Path, name: str, **change: object) -> None:
    file = folder / name
    file.write_text(yaml_text(yaml.safe_load(file.read_text()) | change))


def test_a_network_alone_is_a_fair_case(case: Path) -> None:
    assert lint(case, Own()).problems == []


def test_what_a_probe_does_not_show_is_no_evidence(case: Path) -> None:
    proofs = [
        {"kind": "probe", "where": where, "contains": contains}
        for where, contains in (
            ("shake www.tern.example:443", "not_yet_valid"),
            ("connect www.tern.example:8443 from node/k9", "connection refused"),
            ("lookup edge.tern.example.", "192.0.2.80"),
            ("dig edge.tern.example.", "192.0.2.80"),
            ("lookup edge.tern.example. A", "192.0.2.80"),
        )
    ]
    edited(case, "truth.yaml", evidence=proofs)
    found = [each for each in lint(case, Own()).problems if "does not hold" in each]
    assert len(found) == 4
    assert not any("lookup edge.tern.example. A" in each for each in found)


def test_the_answer_may_not_stand_in_what_probes_show(case: Path) -> None:
    file = case / "network" / "network.yaml"
    file.write_text(
        file.read_text().replace("body: closed", "body: the renewal of the leaf stopped in January")
    )
    assert any(
        each.startswith("network/network.yaml: says what truth.yaml") for each in lint(case, Own()).problems
    )


def test_a_private_key_or_a_file_that_nothing_names_is_a_problem(case: Path) -> None:
    (case / "network" / "zones" / "old.zone").write_text("$ORIGIN old.example.\n")
    (found,) = lint(case, Own()).problems
    assert found == "network/zones/old.zone: nothing names it"
    (case / "network" / "certificates" / "edge.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
    assert any("holds a private key" in each for each in lint(case, Own()).problems)


def test_a_network_that_the_incident_does_not_tell_of_is_a_problem(case: Path) -> None:
    edited(case, "incident.yaml", network=None, database={"name": "orders", "version": "18"})
    assert any("network must be given" in each for each in lint(case, Own()).problems)


def test_a_citation_of_a_probe_shows_the_truth_where_it_was_probed(case: Path) -> None:
    proof = Proof(kind="probe", where="shake www.tern.example:443", contains="wrong with it: expired")
    for locator, found in (
        ("probe shake www.tern.example:443", True),
        ("probe shake www.tern.example:443 from node/k2", False),
        ("probe connect www.tern.example:443", False),
    ):
        assert place(locator)[0] == "probe"
        cited = Evidence(id="E1", call="c1", locator=locator, text="wrong with it: expired")
        assert shown(proof, [cited], lambda key: key) is found


async def test_a_shifted_network_is_the_same_incident_under_other_names(case: Path, tmp_path: Path) -> None:
    made = perturbed(case, tmp_path / "out", shift=1, noise=None)
    assert lint(made, Own()).problems == []
    text = "\n".join(file.read_text() for file in made.rglob("*") if file.is_file() and file.suffix != ".pem")
    assert not re.search(r"\btern\b", text)
    proof = load_truth(made).evidence[0]
    ask = parse(proof.where)
    assert isinstance(ask, asks.Shake)
    clock = load_truth(made).since - EXPIRED
    found = await Network(RecordedNetwork(made, lambda: clock)).shake(ask)
    assert found.faults == ("expired",)
    assert found.chain[0].names == (ask.host,)
    assert found.chain[0].not_after == load_truth(made).since
    assert probe_quote(found, "wrong").text == proof.contains


def test_the_same_shift_gives_the_same_bytes(case: Path, tmp_path: Path) -> None:
    once, again = (perturbed(case, tmp_path / each, shift=4, noise=None) for each in ("a", "b"))
    files = [file.relative_to(once) for file in once.rglob("*") if file.is_file()]
    assert len(files) == 6
    assert [(once / each).read_bytes() for each in files] == [(again / each).read_bytes() for each in files]
    assert list(load_material(once).probes) != list(load_material(case).probes)
