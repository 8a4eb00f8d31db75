"""The evaluator of NetworkPolicies against one that expands every policy into the connections it allows."""

from collections.abc import Callable
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tools._policies import decide
from tools._policy_rules import Port, Side, outside, pod_side
from tools.signals._scene import Scene

from opssquad import Json
from tests.tools.network.naive import PORTS, PROTOCOLS, Dot, Town
from tests.tools.signals.objects import NOW

KEYS, VALUES, SPACES = ("app", "tier"), ("a", "b"), ("n1", "n2")
CIDRS = ("0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/30", "10.0.0.2/31", "fd00::/8", "fd00::2/127")
NAMES = ("web", "dns")


class Maker:
    """Towns of a few pods, one host outside and policies about them, drawn at random: rules that are missing
    or empty are seldom, so that most of them decide something."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def town(self) -> Town:
        far = Dot("far", ips=(self.random.choice(("10.0.0.5", "198.51.100.7", "fd00::3")),))
        dots = [far, *(self._pod(number) for number in range(1, self.random.randint(2, 4)))]
        spaces = {space: self._labels() for space in SPACES}
        return Town(dots, spaces, [self._policy() for _ in range(self.random.randint(1, 3))])

    def _pod(self, number: int) -> Dot:
        pick = self.random.choice
        named = {(pick(NAMES), pick(PROTOCOLS[:2])): pick(PORTS) for _ in range(self.random.randint(0, 3))}
        return Dot(
            f"p{number}",
            space=pick(SPACES),
            labels=tuple(sorted(self._labels().items())),
            ips=(pick((f"10.0.0.{number}", f"10.0.0.{number}", f"fd00::{number}")),),
            named=tuple((name, protocol, port) for (name, protocol), port in named.items()),
            node=pick(("w1", "w2")),
            on_node=self._one_in(5),
        )

    def _policy(self) -> Json:
        spec: Json = {"podSelector": self._selector()}
        kinds = self.random.choice((["Ingress"], ["Egress"], ["Ingress", "Egress"], [], None))
        if kinds is not None:
            spec["policyTypes"] = kinds
        for direction, key in (("ingress", "from"), ("egress", "to")):
            if not self._one_in(5):
                spec[direction] = self._some(lambda key=key: self._rule(key))
        return {"kind": "NetworkPolicy", "metadata": {"namespace": self.random.choice(SPACES)}, "spec": spec}

    def _rule(self, key: str) -> Json:
        rule: Json = {}
        if not self._one_in(4):
            rule[key] = self._some(self._peer)
        if not self._one_in(4):
            rule["ports"] = self._some(self._port)
        return rule

    def _peer(self) -> Json:
        kind = self.random.choice(("pods", "spaces", "both", "block", "block"))
        if kind == "block":
            block: Json = {"cidr": self.random.choice(CIDRS)}
            if self._one_in(2):
                block["except"] = self._some(lambda: self.random.choice(CIDRS))
            return {"ipBlock": block}
        found = {"podSelector": self._selector()} if kind != "spaces" else {}
        return {**found, **({"namespaceSelector": self._selector()} if kind != "pods" else {})}

    def _port(self) -> Json:
        first, last = sorted((self.random.choice(PORTS), self.random.choice(PORTS)))
        made: Json = self.random.choice(
            ({}, {"port": first}, {"port": self.random.choice(NAMES)}, {"port": first, "endPort": last})
        )
        return {**made, **({} if self._one_in(2) else {"protocol": self.random.choice(PROTOCOLS)})}

    def _selector(self) -> Json:
        if self._one_in(2):
            return {}
        if self._one_in(2):
            return {"matchLabels": self._labels()}
        operator = self.random.choice(("In", "NotIn", "Exists", "DoesNotExist"))
        values = {"values": [self.random.choice(VALUES)]} if operator.endswith("In") else {}
        return {"matchExpressions": [{"key": self.random.choice(KEYS), "operator": operator, **values}]}

    def _labels(self) -> dict[str, str]:
        return {key: self.random.choice(VALUES) for key in KEYS if self._one_in(2)}

    def _some(self, make: Callable[[], Any]) -> list[Any]:
        return [make() for _ in range(self.random.choice((0, 1, 1, 2, 2)))]

    def _one_in(self, many: int) -> bool:
        return self.random.randrange(many) == 0


def scene_of(town: Town) -> Scene:
    objects: list[Json] = [
        {"kind": "Namespace", "metadata": {"name": name, "labels": told}}
        for name, told in town.spaces.items()
    ]
    for number, each in enumerate(town.policies):
        objects.append({**each, "metadata": {**each["metadata"], "name": f"p{number}"}})
    return Scene(NOW, objects)


def side_of(dot: Dot) -> Side:
    if not dot.space:
        return outside(dot.name, *dot.ips)
    ports = [{"name": name, "protocol": kind, "containerPort": number} for name, kind, number in dot.named]
    return pod_side(
        {
            "kind": "Pod",
            "metadata": {"name": dot.name, "namespace": dot.space, "labels": dict(dot.labels)},
            "spec": {"hostNetwork": dot.on_node, "nodeName": dot.node, "containers": [{"ports": ports}]},
            "status": {"podIP": dot.ips[0], "podIPs": [{"ip": ip} for ip in dot.ips]},
        }
    )


def agree(town: Town) -> None:
    """The evaluator says yes where every plug-in lets a connection pass, no where none does, else unknown."""
    scene, sides = scene_of(town), {dot: side_of(dot) for dot in town.dots}
    blind = Town(town.dots, town.spaces, town.policies, apart=False)
    readings = {kind: (town.passing(kind), blind.passing(kind)) for kind in ("Egress", "Ingress")}
    for one, other, protocol, number in product(town.dots, town.dots, PROTOCOLS, PORTS):
        to, link = Port(number, protocol=protocol), (one, other, protocol, number)
        found = {
            "Egress": decide("egress", sides[one], sides[other], to, scene).passes,
            "Ingress": decide("ingress", sides[other], sides[one], to, scene).passes,
        }
        for kind, readers in readings.items():
            said = {link in each for each in readers}
            assert found[kind] is (said.pop() if len(said) == 1 else None), (kind, link, town.policies)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**64))
def test_the_evaluator_agrees_with_the_sets_of_connections_that_policies_allow(seed: int) -> None:
    agree(Maker(Random(seed)).town())


@pytest.mark.long
@settings(max_examples=5_000, deadline=None)
@given(st.integers(0, 2**64))
def test_the_evaluator_agrees_over_thousands_of_clusters(seed: int) -> None:
    agree(Maker(Random(seed)).town())
