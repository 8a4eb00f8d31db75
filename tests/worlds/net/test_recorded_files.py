"""The files of a recorded network: exact answers, what mending the cluster changes, and what is refused."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from opssquad.documents import BadFile
from opssquad.types import Json
from opssquad.worlds.net import answers, asks
from opssquad.worlds.net.material import line, probed
from tests.worlds.net.recorded import CLOCK, SERVER, network, pem, written

REFUSED = "listeners:\n  - {addresses: [192.0.2.7], port: 80, answers: refused}\n"
HEALS = """\
heals:
  - when: [{ref: Service/shop/cart, equals: {spec.ports.0.targetPort: 8080}}]
    listeners: [{addresses: [192.0.2.7], port: 80}]
    records: ["edge.tern.example. 60 A 192.0.2.99"]
    forgets: ["connect 192.0.2.7:*"]
"""


def answered(end: answers.End, ms: float) -> answers.Connected:
    ask = asks.Connect(host="192.0.2.7", port=80, seconds=3)
    return answers.Connected(
        ask=ask, origin="a pod", at=CLOCK - timedelta(seconds=20), end=end, ms=ms, address="192.0.2.7"
    )


def kept(*found: answers.Answer) -> str:
    return "".join(f"{line(probed(each, CLOCK))}\n" for each in found)


async def test_recorded_answers_go_before_what_follows_and_are_given_in_their_order(tmp_path: Path) -> None:
    told = kept(answered("ok", 4), answered("timeout", 3000))
    net = network(written(tmp_path, REFUSED, probes_jsonl=told))
    ask = asks.Connect(host="192.0.2.7", port=80)
    found = [await net.connect(ask) for _ in range(3)]
    assert [(each.end, each.ms) for each in found] == [("ok", 4), ("timeout", 3000), ("timeout", 3000)]
    assert {each.at for each in found} == {CLOCK}
    assert (await net.connect(ask.model_copy(update={"origin": "node/k2"}))).end == "refused"


async def test_the_clock_of_a_recorded_handshake_stays_as_far_off_as_it_was(tmp_path: Path) -> None:
    ask = asks.Shake(host="192.0.2.7")
    at = CLOCK - timedelta(seconds=9)
    seen = answers.Shaken(ask=ask, origin="a pod", at=at, clock=at + timedelta(days=40))
    found = await network(written(tmp_path, "", probes_jsonl=kept(seen))).shake(ask)
    assert found.clock == CLOCK + timedelta(days=40)


async def test_the_clock_that_a_recorded_kernel_told_stays_as_far_off_as_it_was(tmp_path: Path) -> None:
    at = CLOCK - timedelta(seconds=9)
    seen = answers.SocketsSeen(ask=asks.Sockets(), origin="a pod", at=at, clock=at - timedelta(minutes=3))
    found = await network(written(tmp_path, "", probes_jsonl=kept(seen))).sockets(asks.Sockets())
    assert (found.at, found.clock) == (CLOCK, CLOCK - timedelta(minutes=3))


async def test_what_is_mended_in_the_cluster_shows_in_the_network(tmp_path: Path) -> None:
    service: Json = {"kind": "Service", "spec": {"ports": [{"port": 80, "targetPort": 9999}]}}

    async def read(kind: str, namespace: str, name: str) -> Json | None:
        return service if (kind, namespace, name) == ("Service", "shop", "cart") else None

    here = written(tmp_path, SERVER + REFUSED + HEALS, probes_jsonl=kept(answered("refused", 1)))
    net = network(here, read)
    ask, name = asks.Connect(host="192.0.2.7", port=80), asks.Lookup(name="edge.tern.example.")
    assert (await net.connect(ask)).end == "refused"
    assert [each.data for each in (await net.lookup(name)).records] == ["192.0.2.80"]
    service["spec"]["ports"][0]["targetPort"] = 8080
    assert (await net.connect(ask)).end == "ok"
    assert [each.data for each in (await net.lookup(name)).records] == ["192.0.2.99"]


async def test_without_a_network_part_nothing_was_recorded(tmp_path: Path) -> None:
    net = network(tmp_path)
    found = await net.connect(asks.Connect(host="192.0.2.7", port=80))
    assert found.end == "not_recorded"
    assert list(net.origins()) == [""]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("listners: []\n", "network.yaml, line 8: listners: unknown key; did you mean 'listeners'?"),
        (
            "servers:\n- {address: x}\n",
            "network.yaml, line 9: servers.0.address: must be an address, not 'x'",
        ),
        (
            "listeners:\n- {port: 80}\n",
            "network.yaml, line 9: listeners.0: listens nowhere: give addresses or hosts",
        ),
        ("listeners:\n- {hosts: [a], origins: [node/k9]}\n", "'node/k9' is none of the origins"),
        ("heals:\n- {when: []}\n", "network.yaml, line 9: heals.0.when: list should have at least 1 item"),
        ("servers:\n- {address: 192.0.2.53, zones: [gone]}\n", "gone.zone: this file is missing"),
        ("trusted: [gone]\n", "gone.pem: this file is missing"),
    ],
)
def test_a_network_that_cannot_be_read_is_refused_in_a_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadFile, match="network") as refused:
        network(written(tmp_path, text))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"zones__bad_zone": "@ 60 IN SOA a. b. 1 2 3 4 5\n"}, "must begin with $ORIGIN"),
        (
            {"zones__bad_zone": "$ORIGIN b.example.\n@ 60 IN NS a.\nx 5 IN A 300.1.1.1\n"},
            "near line 4: Text input is malformed",
        ),
        ({"zones__bad_zone": "$ORIGIN b.example.\nx 5 IN A 192.0.2.1\n"}, "no zone"),
        ({"certificates__bad_pem": "hello\n"}, "no certificates in PEM"),
        (
            {"certificates__bad_pem": "-----BEGIN EC PRIVATE KEY-----\n"},
            "bad.pem, line 1: holds a private key",
        ),
        ({"probes_jsonl": "[]\n"}, "probes.jsonl, line 1"),
        ({"probes_jsonl": '{"at": 0, "ahead": 0, "answer": {"kind": "connect"}}\n'}, "probes.jsonl, line 1"),
    ],
)
def test_files_of_a_network_that_cannot_be_read_are_refused(
    tmp_path: Path, files: dict[str, str], said: str
) -> None:
    usual = {
        "zones__bad_zone": "$ORIGIN b.example.\n@ 60 IN SOA a. b. 1 2 3 4 5\n@ 60 IN NS a.\n",
        "certificates__bad_pem": pem("b.example", -timedelta(days=1), timedelta(days=1)),
    }
    told = "servers:\n- {address: 192.0.2.53, zones: [bad]}\ntrusted: [bad]\n"
    with pytest.raises(BadFile, match="network") as refused:
        network(written(tmp_path, told, **(usual | files)))
    assert said in str(refused.value)


def test_an_answer_is_one_line_that_does_not_hold_its_deadline_or_an_instant() -> None:
    said = json.loads(line(probed(answered("timeout", 3000), CLOCK)))
    assert said["at"] == -20
    assert said["answer"]["ask"] == {"kind": "connect", "host": "192.0.2.7", "port": 80}
    assert "at" not in said["answer"]
