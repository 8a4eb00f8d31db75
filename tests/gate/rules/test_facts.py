"""Which objects a call is about, by its arguments or by a kubectl line; and the other keys of a rule."""

from typing import Any

import pytest

from opssquad import content
from opssquad.gate.kubectl.reads import reads
from opssquad.gate.rules.facts import things_of
from opssquad.gate.rules.fits import Fit
from opssquad.gate.rules.known import known
from opssquad.types import Json
from opssquad.worlds.kube.kinds import KNOWN
from tests.gate.rules.made import call, facts, rule

NO, MAYBE, YES = Fit.NO, Fit.MAYBE, Fit.YES


def told(tool: str, args: Json) -> list[tuple[str, str]]:
    return [(each.kind.name if each.kind else "", each.name) for each in things_of(tool, args)]


@pytest.mark.parametrize(
    ("tool", "args", "things"),
    [
        ("scale", {"name": "api", "namespace": "web"}, [("deployment", "api")]),
        ("scale", {"name": "db", "kind": "sts"}, [("statefulset", "db")]),
        ("rollback", {"deployment": "api"}, [("deployment", "api")]),
        ("rollback", {"deployment": "db", "kind": "sts"}, [("statefulset", "db")]),
        ("set_config", {"name": "conf", "key": "A"}, [("configmap", "conf")]),
        ("set_service", {"name": "web"}, [("service", "web")]),
        ("set_quota", {"name": "team"}, [("resourcequota", "team")]),
        ("set_probe", {"name": "db", "kind": "StatefulSet"}, [("statefulset", "db")]),
        ("set_resources", {"name": "api"}, [("deployment", "api")]),
        ("history", {"deployment": "db", "kind": "StatefulSet"}, [("statefulset", "db")]),
        ("delete_pod", {"pod": "api-1"}, [("pod", "api-1")]),
        ("cordon", {"node": "n1"}, [("node", "n1")]),
        ("patch", {"kind": "apps/v1/Deployment", "name": "api"}, [("deployment", "api")]),
        ("patch", {"name": "api"}, [("", "api")]),
        ("get", {"kind": "secrets"}, [("secret", "")]),
        ("get", {"kind": "Certificate", "name": "tls"}, [("certificate", "tls")]),
        ("get", {"kind": 3, "name": "tls"}, [("", "tls")]),
        ("logs", {"pod": "api"}, [("", "api")]),
        ("health", {"workload": "api"}, [("", "api")]),
        ("health", {}, [("", "")]),
        ("health", {"workload": ""}, [("", "")]),
        ("health", {"workload": 3}, [("", "")]),
        ("move", {"pod": "api-1", "node": "n1"}, [("pod", "api-1"), ("node", "n1")]),
    ],
)
def test_a_call_is_about_the_object_that_its_arguments_name(
    tool: str, args: Json, things: list[tuple[str, str]]
) -> None:
    assert told(tool, args) == things


@pytest.mark.parametrize(
    ("line", "things"),
    [
        ("kubectl get pods", [("pod", "")]),
        ("kubectl get po web-1 web-2 -n shop", [("pod", "web-1"), ("pod", "web-2")]),
        ("kubectl get deploy,svc", [("deployment", ""), ("service", "")]),
        ("kubectl describe deployments.apps/api svc/api", [("deployment", "api"), ("service", "api")]),
        ("kubectl get all -A", [("", "")]),
        ("kubectl get certificates.cert-manager.io tls", [("certificates", "tls")]),
        ("kubectl logs web-1 -n shop", [("pod", "web-1")]),
        ("kubectl logs deploy/web", [("deployment", "web")]),
        ("kubectl logs -l app=web", [("pod", "")]),
        ("kubectl top node n1", [("node", "n1")]),
        ("kubectl rollout status deploy/api", [("deployment", "api")]),
        ("kubectl events", [("event", "")]),
        ("kubectl auth can-i get secrets", []),
        ("kubectl version", []),
        ("kubectl delete pod web-1", [("", "")]),
        ("kubectl exec web-1 -- sh", [("", "")]),
        ("kubectl get", [("", "")]),
    ],
)
def test_a_kubectl_line_is_about_the_objects_that_it_names(line: str, things: list[tuple[str, str]]) -> None:
    assert told("kubectl", {"line": line}) == things


def test_every_line_that_reads_says_which_objects_it_is_about() -> None:
    assert set(known().lines) == set(reads().reads)


def test_a_line_of_a_form_that_nobody_described_is_about_what_is_not_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fewer = known().model_copy(update={"lines": {}})
    monkeypatch.setattr("opssquad.gate.rules.facts.known", lambda: fewer)
    assert told("kubectl", {"line": "kubectl get pods"}) == [("", "")]


def test_the_kinds_are_called_as_the_cluster_handle_calls_them() -> None:
    served = [each for each in KNOWN if each.group != "metrics.k8s.io"]
    assert {(known().called[name].kind, name) for each in served for name in each.names()} == {
        (each.kind, name) for each in served for name in each.names()
    }
    assert all(each.group in known().called[each.kind.lower()].groups for each in served)
    assert {called.kind for called in known().called.values()} == {each.kind for each in served}


def test_the_kind_that_a_tool_takes_by_itself_is_the_one_in_its_signature() -> None:
    for name, tool in content.all_tools().items():
        kind = tool.parameters()["properties"].get("kind", {})
        if kind.get("default") and "name" in tool.parameters()["properties"]:
            assert known().tools[name].kind == kind["default"], name


@pytest.mark.parametrize(
    ("patterns", "kind", "fits"),
    [
        ("Deployment", "deploy", YES),
        ("deployments", "Deployment", YES),
        ("deploy", "deployments.apps", YES),
        ("deploy", "deployments.v1.apps", YES),
        ("Secret", "secrets.v1.", YES),
        ("D*", "deploy", YES),
        ("Pod", "Deployment", NO),
        # Another group's kind of the same name is perhaps that one.
        ("Service", "services.serving.knative.dev", MAYBE),
        ("Pod", "services.serving.knative.dev", NO),
        ("Knative", "services.serving.knative.dev", MAYBE),
        # What a kind that is not built in is called besides is not known, but it is no built-in one.
        ("Certificate", "certificate", YES),
        ("Certificate", "cert", MAYBE),
        ("Secret", "cert", NO),
        (["Secret", "Cert*"], "kafka", MAYBE),
        ("Secret", "all", MAYBE),
        ("*", "all", YES),
    ],
)
def test_a_kind_is_the_same_however_it_is_called(patterns: Any, kind: str, fits: Fit) -> None:
    assert rule(kind=patterns).fit(facts(call("get", kind=kind))) is fits


def test_a_word_for_several_kinds_is_refused_in_a_rule() -> None:
    with pytest.raises(ValueError, match="'all' stands for several kinds; list those that are meant"):
        rule(kind="all")


@pytest.mark.parametrize(
    ("keys", "line", "fits"),
    [
        ({"kind": "Secret"}, "kubectl get secrets", YES),
        ({"kind": "Secret"}, "kubectl get pods,secrets", MAYBE),
        ({"kind": "Secret"}, "kubectl get pods", NO),
        ({"kind": "Secret"}, "kubectl version", NO),
        ({"kind": "*"}, "kubectl version", YES),
        ({"object": "api"}, "kubectl get pods", MAYBE),
        ({"object": "api"}, "kubectl get deploy api", YES),
        ({"object": "api"}, "kubectl get deploy api web", MAYBE),
        ({"object": "api"}, "kubectl get deploy web", NO),
        ({"object": "api"}, "kubectl api-versions", NO),
        ({"kind": "Pod", "object": "api"}, "kubectl get deploy/api pods/web", NO),
        ({"kind": "Pod", "object": "api"}, "kubectl get deploy/api pods/api", MAYBE),
    ],
)
def test_of_several_objects_some_are_not_enough_to_be_sure(keys: Json, line: str, fits: Fit) -> None:
    assert rule(**keys).fit(facts(call("kubectl", line=line), "read")) is fits


@pytest.mark.parametrize(
    ("keys", "fits"),
    [
        ({"squad": "k8s"}, YES),
        ({"squad": ["db", "net*"]}, NO),
        ({"tool": "re*"}, YES),
        ({"tool": "scale"}, NO),
        ({"effect": "mutate"}, YES),
        ({"effect": "read"}, NO),
        ({"effect": "any"}, YES),
        ({"cluster": "prod*"}, YES),
        ({"cluster": "staging"}, NO),
        ({"namespace": ["shop", "web"]}, YES),
        ({"namespace": "kube-*"}, NO),
    ],
)
def test_each_key_restricts(keys: Json, fits: Fit) -> None:
    assert rule(**keys).fit(facts()) is fits


@pytest.mark.parametrize("key", ["squad", "cluster", "namespace"])
def test_a_place_that_is_not_named_may_be_any(key: str) -> None:
    nowhere = facts(call(cluster="", namespace=""), squad="")
    assert rule(**{key: "web"}).fit(nowhere) is MAYBE
    assert rule(**{key: "*"}).fit(nowhere) is YES
    assert f"the call names no {key}, so it counts as any" in rule(**{key: "web"}).says(nowhere).reason


def test_the_reason_says_that_the_object_is_not_certain() -> None:
    said = rule("refuse", object="db").says(facts(call("health"), "read")).reason
    assert said == "which object the call is about is not certain, so it counts as any"
