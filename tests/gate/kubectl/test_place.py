"""Policy judges a kubectl line by the namespace that stands in it."""

import pytest

from opssquad.gate.kubectl import namespace_of
from opssquad.types import Json


@pytest.mark.parametrize(
    ("tool", "args", "namespace"),
    [
        ("kubectl", {"line": "kubectl -n kube-system get pods"}, "kube-system"),
        ("kubectl", {"line": "kubectl get pods -nkube-system -o wide"}, "kube-system"),
        ("kubectl", {"line": "kubectl get pods -n shop -A"}, ""),
        ("kubectl", {"line": "kubectl get pods"}, None),
        ("kubectl", {"line": "kubectl -n kube-system delete pod x"}, None),
        ("kubectl", {"line": "kubectl get pods", "namespace": "shop"}, None),
        ("kubectl", {}, None),
        ("kubectl", {"line": ["get", "pods"]}, None),
        ("logs", {"pod": "x", "namespace": "shop"}, "shop"),
        ("logs", {"pod": "x"}, None),
        ("logs", {"pod": "x", "namespace": 3}, None),
    ],
)
def test_the_namespace_of_a_call_is_what_its_arguments_say(
    tool: str, args: Json, namespace: str | None
) -> None:
    assert namespace_of(tool, args) == namespace
