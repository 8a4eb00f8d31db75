"""The parts of the benchmarks that could mislead: the large cluster is coherent, figures are judged."""

import re
from collections import Counter
from pathlib import Path

from opssquad.worlds.kube.recording import load
from tests.bench import wide
from tests.bench.large import Size, objects, write
from tests.bench.measure import Figure
from tests.bench.reading import long_log

SMALL = Size(pods=80, nodes=5, events=40, namespaces=4, broken=1)


def test_a_large_cluster_has_as_many_objects_as_it_says_and_owners_that_exist() -> None:
    made = list(objects(SMALL))
    kinds = Counter(obj["kind"] for obj in made)
    assert (kinds["Pod"], kinds["Node"], kinds["Event"]) == (80 + 3, 5, 40)
    uids = [obj["metadata"]["uid"] for obj in made]
    assert len(uids) == len(set(uids))
    owners = {o["uid"] for obj in made if obj["kind"] == "Pod" for o in obj["metadata"]["ownerReferences"]}
    assert owners <= set(uids)
    nodes = {obj["metadata"]["name"] for obj in made if obj["kind"] == "Node"}
    assert {obj["spec"]["nodeName"] for obj in made if obj["kind"] == "Pod"} <= nodes


def test_a_large_cluster_is_a_recording_that_loads(tmp_path: Path) -> None:
    assert len(load(write(tmp_path / "large-0001", SMALL)).objects) == len(list(objects(SMALL)))


def test_a_wide_cluster_is_as_wide_as_it_says_and_its_endpoints_are_its_pods(tmp_path: Path) -> None:
    size = wide.Size(services=4, pods=8, policies=6, namespaces=2, nodes=3)
    made = load(wide.write(tmp_path / "wide-0001", size)).objects
    mine = [obj for obj in made if obj["metadata"].get("namespace") != "kube-system"]
    kinds = Counter(obj["kind"] for obj in mine)
    assert (kinds["Service"], kinds["Pod"], kinds["NetworkPolicy"]) == (4, 8, 6)
    slices = (obj for obj in mine if obj["kind"] == "EndpointSlice")
    ends = Counter(ip for each in slices for end in each["endpoints"] for ip in end["addresses"])
    assert ends == Counter(obj["status"]["podIP"] for obj in mine if obj["kind"] == "Pod")


def test_a_figure_is_judged_by_its_median_and_a_missed_one_says_so() -> None:
    good, bad = Figure("a", [1, 2, 9], "s", 3), Figure("b", [4, 5, 6], "s", 3)
    assert (good.median, good.met, bad.met) == (2, True, False)
    assert "MISSED" in bad.line()
    assert "(1 to 9)" in good.line()


def test_a_long_log_has_as_many_lines_as_it_says_and_none_is_empty() -> None:
    lines = long_log(70_000).splitlines()
    assert len(lines) == 70_000
    assert all(re.match(r"20\d\d-\d\d-", line) for line in lines)
