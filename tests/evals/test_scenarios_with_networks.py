"""Scenarios with a network: what their Services and pods come to, and what mending the cluster changes."""

from pathlib import Path

import pytest

from opssquad import content
from opssquad.documents import BadFile
from opssquad.evals.scenarios.network import Cluster, network_part
from opssquad.evals.scenarios.spec import Networked
from opssquad.types import Json
from opssquad.worlds.kube.recording import load
from opssquad.worlds.kube.recording.refs import reference
from opssquad.worlds.net import asks
from opssquad.worlds.net.deriving import answered
from opssquad.worlds.net.material import Material, load_material
from opssquad.worlds.net.network import Network
from opssquad.worlds.net.recorded import RecordedNetwork, has_network
from opssquad.worlds.net.view import view
from tests.worlds.net.recorded import CLOCK

RECORDED = {id: folder for id, folder in content.recordings().items() if has_network(folder)}
HEALED = sorted(id for id, folder in RECORDED.items() if load_material(folder).told.heals)
HERE: Json = {"origins": [{"name": "", "says": "a pod", "resolvers": ["10.0.0.10"]}]}
"""The least that a network tells."""
LABELS = {"kubernetes.io/service-name": "cart"}


def objects(target: int) -> list[Json]:
    """A Service of two pods, one of them ready, that leads to a port of theirs; they listen on 8080."""
    space = {"namespace": "shop"}
    return [
        {"kind": "Service", "metadata": {"name": "cart", **space},
         "spec": {"clusterIP": "10.0.1.1", "ports": [{"port": 80, "targetPort": target}]}},
        {"kind": "EndpointSlice", "metadata": {"name": "cart-1", "labels": LABELS, **space},
         "ports": [{"name": "", "port": target}],
         "endpoints": [{"addresses": ["10.1.0.1"], "conditions": {"ready": True}},
                       {"addresses": ["10.1.0.2"], "conditions": {"ready": False}}]},
        *({"kind": "Pod", "metadata": {"name": f"cart-{n}", "uid": f"u{n}", **space},
           "spec": {"containers": [{"ports": [{"containerPort": 8080}]}]},
           "status": {"phase": "Running", "podIP": f"10.1.0.{n}"}} for n in (1, 2)),
    ]  # fmt: skip


def made(folder: Path, found: list[Json], told: Json, dns: str = "10.0.0.10") -> Network:
    """The network that a scenario makes of these objects."""
    cluster = Cluster({reference(obj): obj for obj in found}, {"u1": "Deployment/shop/cart"})
    part = network_part(folder / "a.yaml", Networked(name="a", dns=dns, told=told), cluster)
    for path, content_ in part.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content_)
    return Network(RecordedNetwork(folder, lambda: CLOCK))


@pytest.mark.parametrize(("target", "end"), [(8080, "ok"), (9999, "refused")])
async def test_a_service_is_open_where_a_ready_pod_listens(tmp_path: Path, target: int, end: str) -> None:
    net = made(tmp_path, objects(target), HERE)
    found = await net.connect(asks.Connect(host="cart.shop.svc.cluster.local.", port=80))
    assert (found.end, found.address) == (end, "10.0.1.1")
    assert (await net.connect(asks.Connect(host="10.1.0.2", port=8080))).end == "ok"
    assert (await net.connect(asks.Connect(host="10.1.0.2", port=9999))).end == "refused"


async def test_a_service_without_a_ready_pod_is_refused(tmp_path: Path) -> None:
    found = objects(8080)
    found[1]["endpoints"] = found[1]["endpoints"][1:]
    net = made(tmp_path, found, HERE)
    assert (await net.connect(asks.Connect(host="10.0.1.1", port=80))).end == "refused"
    gone = await net.lookup(asks.Lookup(name="basket.shop.svc.cluster.local."))
    assert gone.status == "NXDOMAIN"


async def test_what_a_scenario_says_of_an_object_goes_before_what_follows(tmp_path: Path) -> None:
    shut = [{"addresses": ["Service/shop/cart", "Deployment/shop/cart"], "answers": "timeout"}]
    shut = [{**each, "port": port} for each in shut for port in (80, 8080)]
    net = made(tmp_path, objects(8080), {**HERE, "listeners": shut})
    for host, port, end in (
        ("10.0.1.1", 80, "timeout"),
        ("10.1.0.1", 8080, "timeout"),
        ("10.1.0.2", 8080, "ok"),
    ):
        assert (await net.connect(asks.Connect(host=host, port=port))).end == end


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"listeners": [{"addresses": ["Service/shop/basket"]}]}, "Service/shop/basket has no address"),
        ({"listners": []}, "network.told: listners: unknown key"),
    ],
)
def test_a_network_that_cannot_be_made_is_refused_in_a_line(tmp_path: Path, told: Json, said: str) -> None:
    with pytest.raises(BadFile, match=r"a\.yaml") as refused:
        made(tmp_path, objects(8080), {**HERE, **told})
    assert said in str(refused.value)


def test_there_are_recorded_networks_to_try() -> None:
    alone = [id for id, folder in RECORDED.items() if load(folder).incident.cluster is None]
    assert (len(RECORDED) >= 12, len(alone) >= 2, len(HEALED) >= 4) == (True, True, True)


@pytest.mark.parametrize("id", HEALED)
def test_what_heals_a_recorded_network_shows_in_its_probes(id: str) -> None:
    material, clock = load_material(RECORDED[id]), load(RECORDED[id]).clock
    for heal in material.told.heals:
        asked = list(_asked(material, heal.model_dump()))
        assert asked
        before, after = (
            [answered(each, view(material, clock, healed), 0).model_dump_json() for each in asked]
            for healed in ((), (heal,))
        )
        assert before != after


def _asked(material: Material, heal: Json) -> list[asks.Ask]:
    """What a heal tells of: connections, requests, and the names of the zones that servers get."""
    found: list[asks.Ask] = []
    for each in heal["listeners"]:
        host = str(each["addresses"][0]).partition("/")[0]
        found += [
            asks.Connect(host=host, port=each["port"]),
            asks.Fetch(url=f"http://{host}:{each['port']}/bereit"),
        ]
    for each in heal["servers"]:
        names = [str(name) for zone in each["zones"] for name in material.zones[zone].nodes]
        found += [asks.Lookup(name=name, server=each["address"]) for name in names]
    return found
