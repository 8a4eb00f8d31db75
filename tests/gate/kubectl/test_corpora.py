"""Every line of the two corpora: what must never be taken for a read, and what must pass without asking."""

from functools import cache
from pathlib import Path

import pytest
import yaml

from opssquad import content
from opssquad.gate.kubectl import classify
from opssquad.types import KubectlChange, KubectlRead

CORPORA = Path(__file__).parents[1] / "corpora"
TOOLS = {tool.name: tool for tool in content.all_tools().values()}


@cache
def bypasses() -> list[tuple[str, str]]:
    """Every line that is no read, with what it is instead."""
    groups = yaml.safe_load((CORPORA / "kubectl_bypass.yaml").read_text(encoding="utf-8"))
    return [(line, group.get("is", "refuse")) for group in groups for line in group["lines"]]


@cache
def plain_reads() -> list[str]:
    """Every line that is a read."""
    lines = (CORPORA / "kubectl_reads.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_the_corpora_are_as_large_as_they_are_said_to_be() -> None:
    assert len({line for line, _ in bypasses()}) >= 300
    assert len(set(plain_reads())) >= 60


@pytest.mark.parametrize(("line", "kind"), bypasses(), ids=lambda text: repr(text))
def test_what_changes_runs_writes_or_reveals_is_never_taken_for_a_read(line: str, kind: str) -> None:
    found = classify(line)
    assert found.kind == kind
    assert found.reason.strip()
    assert "\n" not in found.reason


@pytest.mark.parametrize("line", plain_reads())
def test_a_plain_read_passes(line: str) -> None:
    found = classify(line)
    assert isinstance(found, KubectlRead), found.reason


@pytest.mark.parametrize("line", [line for line, kind in bypasses() if kind == "change"])
def test_a_change_names_a_tool_of_ours_that_takes_its_arguments_and_changes_things(line: str) -> None:
    found = classify(line)
    assert isinstance(found, KubectlChange)
    tool = TOOLS[found.tool]
    assert tool.effect == "mutate"
    tool.validate(found.args)


@pytest.mark.parametrize(
    ("line", "tool", "args"),
    [
        (
            "kubectl scale sts/db --replicas=2 -n shop",
            "scale",
            {"name": "db", "namespace": "shop", "kind": "StatefulSet", "replicas": 2},
        ),
        (
            "kubectl -n shop rollout undo deployments.apps/web --to-revision=7",
            "rollback",
            {"deployment": "web", "namespace": "shop", "revision": 7},
        ),
        (
            "kubectl set env ds/agent -c main LEVEL=debug=2 -n ops",
            "set_env",
            {
                "name": "agent",
                "namespace": "ops",
                "kind": "DaemonSet",
                "container": "main",
                "env": "LEVEL=debug=2",
            },
        ),
        ("kubectl delete pod web-1 -n shop", "delete_pod", {"pod": "web-1", "namespace": "shop"}),
        (
            "kubectl delete pod web-1 -n shop --force --grace-period=0",
            "delete_pod",
            {"pod": "web-1", "namespace": "shop", "force": True},
        ),
        (
            "kubectl rollout undo statefulset/db -n shop --to-revision=3",
            "rollback",
            {"deployment": "db", "namespace": "shop", "revision": 3, "kind": "StatefulSet"},
        ),
        (
            "kubectl -n shop set resources deploy/web -c app --limits=cpu=1,memory=1Gi",
            "set_resources",
            {
                "name": "web",
                "namespace": "shop",
                "kind": "Deployment",
                "container": "app",
                "limits": "cpu=1,memory=1Gi",
                "requests": "",
            },
        ),
        (
            "kubectl -n shop set selector svc/web app=web,tier=front",
            "set_service",
            {"name": "web", "namespace": "shop", "selector": "app=web,tier=front"},
        ),
        ("kubectl uncordon node/n1", "uncordon", {"node": "n1"}),
    ],
)
def test_the_arguments_of_a_change_are_what_the_line_says(
    line: str, tool: str, args: dict[str, object]
) -> None:
    found = classify(line)
    assert isinstance(found, KubectlChange)
    assert (found.tool, found.args) == (tool, args)


@pytest.mark.parametrize(
    ("line", "namespace", "everywhere"),
    [
        ("kubectl get pods", "", False),
        ("kubectl -n shop get pods", "shop", False),
        ("kubectl get pods -nshop", "shop", False),
        ("kubectl get pods -A -n shop", "shop", True),
        ("kubectl get pods --all-namespaces=false", "", False),
    ],
)
def test_where_a_read_looks_is_known(line: str, namespace: str, everywhere: bool) -> None:
    found = classify(line)
    assert isinstance(found, KubectlRead)
    assert (found.namespace, found.everywhere) == (namespace, everywhere)
    assert not any("namespace=" in word for word in found.words)
