"""Field selectors: which fields each resource can be selected by, escapes, and what is refused."""

from typing import Any

import pytest

from opssquad.worlds.kube.apiserver.resources import builtin
from opssquad.worlds.kube.apiserver.selectors import field_terms, selector
from opssquad.worlds.kube.apiserver.status import ApiStatus


def selects(path: str, text: str, obj: dict[str, Any]) -> bool:
    group, version, plural = path.split("/")
    resource = builtin().lookup(group, version, plural)
    assert resource is not None
    matches = selector(resource, {"fieldSelector": text})
    return matches is None or matches({"metadata": {"name": "one", "namespace": "a"}, **obj})


@pytest.mark.parametrize("text", ["metadata.name=one", "metadata.namespace!=b", "metadata.name==one", ""])
def test_every_resource_can_be_selected_by_name_and_namespace(text: str) -> None:
    assert selects("batch/v1/cronjobs", text, {})


def test_pods_are_selected_by_node_and_phase() -> None:
    pod = {"spec": {"nodeName": "n1"}, "status": {"phase": "Running"}}
    assert selects("/v1/pods", "spec.nodeName=n1,status.phase!=Pending", pod)
    assert selects("/v1/pods", "spec.nodeName=", {"spec": {}})
    assert selects("/v1/pods", "spec.hostNetwork=false", {"spec": {}})


def test_an_event_is_found_by_either_name_of_its_object() -> None:
    event = {"involvedObject": {"kind": "Pod"}, "source": {}, "reportingComponent": "scheduler"}
    assert selects("/v1/events", "involvedObject.kind=Pod,source=scheduler", event)
    assert selects("events.k8s.io/v1/events", "regarding.kind=Pod,reportingController=scheduler", event)


def test_a_value_may_hold_an_escaped_comma() -> None:
    assert field_terms(r"metadata.name=a\,b,type!=x\=y") == [
        ("metadata.name", True, "a,b"),
        ("type", False, "x=y"),
    ]


@pytest.mark.parametrize(
    ("path", "text", "complaint"),
    [
        ("/v1/pods", "spec.image=x", "field label not supported: spec.image"),
        (
            "apps/v1/deployments",
            "spec.replicas=1",
            '"spec.replicas" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        ("/v1/pods", "nonsense", "invalid selector: \"nonsense\"; can't understand 'nonsense'"),
    ],
)
def test_what_cannot_be_selected_by_is_refused(path: str, text: str, complaint: str) -> None:
    with pytest.raises(ApiStatus) as raised:
        selects(path, text, {})
    assert (raised.value.code, raised.value.message) == (400, complaint)
