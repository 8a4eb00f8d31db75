"""The cluster's DNS: what its own objects and logs tell, and its fault against those that look alike."""

import pytest
from tools._kube import ref
from tools._object_entries import object_entries
from tools.signals.dns import flaws

from opssquad import Json, Ref, Signal
from opssquad.findings import Hypothesis
from tests.tools.signals.network import endpoints, workload
from tests.tools.signals.objects import NOW, ago, container, every, logged, obj, pod, ranked

PLACE = {"namespace": "kube-system"}
GOOD = """\
.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 # seconds
    loop
    reload
    loadbalance
}
"""
SWALLOWS = GOOD.replace(
    "    ready\n", "    template ANY ANY svc.cluster.local {\n       rcode NXDOMAIN\n    }\n    ready\n"
)


def placed(made: Json) -> Json:
    made["metadata"] |= PLACE
    return made


def resolver(ready: int = 2) -> Json:
    made = workload("names", 53)
    mount = {"name": "config", "configMap": {"name": "names", "items": [{"key": "Corefile"}]}}
    made["spec"]["template"]["spec"]["volumes"] = [mount]
    made["spec"]["replicas"] = 2
    made["status"] = {"replicas": 2, "readyReplicas": ready}
    return placed(made)


def service() -> Json:
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}]
    return obj("Service", "resolver", {"selector": {"app": "names"}, "ports": ports}, **PLACE)


def corefile(text: str, edited: float | None = None) -> Json:
    """The ConfigMap with its Corefile; `edited` so many minutes ago with kubectl."""
    entry = {
        "manager": "kubectl-edit", "operation": "Update", "apiVersion": "v1", "time": ago(edited or 0),
        "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:Corefile": {}}},
    }  # fmt: skip
    fields = {"managedFields": [entry]} if edited else {}
    return obj("ConfigMap", "names", creationTimestamp=ago(9000), **PLACE, **fields) | {
        "data": {"Corefile": text}
    }


def told(*objects: Json) -> dict[str, Signal]:
    return {each.id: each for each in every(*objects)}


def asked(line: str, who: str = "shop", **data: object) -> list[Signal]:
    """What the log of a workload says, with what was looked up about the name, as `logs` gives it."""
    made = pod(f"{who}-h1-x", ready=True)
    made["metadata"]["ownerReferences"][0]["name"] = f"{who}-h1"
    found = [each for each in logged(made, line) if each.id == "log.unresolved"]
    more = {"dns": "Deployment/kube-system/names", "used_by": [str(found[0].owner)], **data}
    return [each.model_copy(update={"data": {**each.data, **more}}) for each in found]


def n06(*objects: Json, more: list[Signal]) -> Hypothesis:
    return next(each for each in ranked(*objects, more=more) if each.fault == "N06")


UP = (resolver(), service(), placed(endpoints("resolver")), corefile(GOOD))
SILENT = "ERROR dial tcp: lookup db.n.svc.cluster.local on 10.96.0.10:53: server misbehaving"
UNKNOWN = "ERROR getaddrinfo ENOTFOUND db"


def test_a_dns_that_answers_says_nothing_of_itself() -> None:
    assert not {each for each in told(*UP) if each.startswith("dns.")}


def test_without_an_endpoint_it_is_down_and_the_workload_behind_it_answers_for_that() -> None:
    found = told(resolver(0), service(), corefile(GOOD), placed(obj("EndpointSlice", "x")))["dns.down"]
    assert str(found.owner) == "Deployment/kube-system/names"
    assert found.severity == "critical"


def test_with_a_part_of_its_pods_it_is_degraded() -> None:
    found = told(resolver(1), *UP[1:])["dns.degraded"]
    assert "1 of 2 pods ready" in found.text


def test_a_service_for_port_53_of_an_application_is_not_the_clusters() -> None:
    own = obj("Service", "resolver", {"selector": {"app": "names"}, "ports": [{"port": 53}]})
    assert not {each for each in told(own, obj("EndpointSlice", "x")) if each.startswith("dns.")}


def test_a_late_edit_of_the_corefile_is_told_with_who_made_it() -> None:
    found = told(*UP[:3], corefile(GOOD, edited=12))["dns.corefile_changed"]
    assert (found.data["by"], found.at) == ("kubectl-edit", NOW.replace(hour=11, minute=48))
    assert "dns.corefile_changed" not in told(*UP[:3], corefile(GOOD, edited=9 * 24 * 60))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD, []),
        (GOOD.replace("ready\n", "ready {\n"), ["its braces do not match"]),
        (GOOD.replace("    reload\n", "    relaod\n"), ["`relaod` is no plugin of a stock CoreDNS"]),
        (
            GOOD.replace("    kubernetes cluster.local in-addr.arpa ip6.arpa {", "    hosts {"),
            ["no `kubernetes` plugin: the names of the cluster are unknown"],
        ),
        (SWALLOWS, ["`template ANY ANY svc.cluster.local` answers rcode NXDOMAIN for names of the cluster"]),
        (SWALLOWS.replace("svc.cluster.local", "corp.example"), []),
    ],
)
def test_what_cannot_be_right_in_a_corefile(text: str, words: list[str]) -> None:
    assert flaws(text) == words


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Corefile:7 - Error during parsing: Unknown directive 'relaod'", True),
        ('[FATAL] plugin/loop: Loop (127.0.0.1:5399 -> :53) detected for zone "."', True),
        ("[INFO] plugin/reload: Running configuration SHA512 = 9f3b", False),
    ],
)
def test_what_the_server_itself_logs_of_its_corefile(line: str, told: bool) -> None:
    found = [each for each in logged(pod(), line) if each.id == "log.corefile"]
    assert [each.data["dns"] for each in found] == (["Deployment/n/web"] if told else [])


def test_the_logs_of_those_who_ask_open_it_and_name_the_look_at_the_system_namespace() -> None:
    found = n06(more=[*asked(SILENT, exists=True), *asked(UNKNOWN, who="cart", exists=True)])
    assert (str(found.component), found.confidence) == ("Deployment/kube-system/names", "possible")
    first = found.next_calls[0]
    assert (first.tool, first.args) == ("health", {"namespace": "kube-system"})


def test_with_a_look_there_a_spoilt_corefile_is_confirmed_and_no_restart_is_offered() -> None:
    spoilt = (resolver(0), service(), placed(obj("EndpointSlice", "x")), corefile(SWALLOWS, edited=12))
    asks = [*asked(SILENT, exists=True), *asked(UNKNOWN, who="cart", exists=True)]
    found = ranked(*spoilt, more=asks)[0]
    assert (found.fault, str(found.component)) == ("N06", "ConfigMap/kube-system/names")
    assert found.confidence != "possible"
    dns = Ref.parse("Deployment/kube-system/names")
    said = logged(placed(pod("names-h1-x")), "Corefile:7 - Error during parsing: Unknown directive 'x'")
    mine = [
        each.model_copy(update={"owner": dns, "data": {**each.data, "dns": str(dns)}})
        for each in said
        if each.id == "log.corefile"
    ]
    sure = n06(*spoilt, more=[*asks, *mine])
    assert sure.confidence == "confirmed"
    targets = {each.action: each.target for each in sure.options}
    assert targets == {
        "patch": "ConfigMap/kube-system/names",
        "escalate": "Deployment/kube-system/names",
    }
    silent = n06(resolver(0), service(), placed(obj("EndpointSlice", "x")), more=asks)
    assert [each.action for each in silent.options] == ["escalate"]
    assert {each.action for each in sure.inadmissible} == {"rollback", "restart"}


def test_pods_that_crash_over_an_edited_corefile_are_that_and_no_bad_release() -> None:
    waits = {"waiting": {"reason": "CrashLoopBackOff"}}
    last = {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": ago(2)}}
    down = placed(pod("names-h1-x", containerStatuses=[container(restarts=6, state=waits, lastState=last)]))
    down["metadata"]["ownerReferences"][0]["name"] = "names-h1"
    change = corefile(GOOD, edited=12)
    users = {ref(change): ("Deployment/kube-system/names",)}
    entry = next(each.signal for each in object_entries(change, users))
    found = ranked(resolver(1), *UP[1:3], change, down, more=[entry])
    assert [each.fault for each in found][:1] == ["N06"]


def test_one_name_of_no_service_does_not_open_it() -> None:
    gone = [each.model_copy(update={"data": {**each.data, "dns": ""}}) for each in asked(UNKNOWN)]
    assert "N06" not in {each.fault for each in ranked(more=gone)}


def test_a_workload_that_asks_elsewhere_is_the_better_explanation() -> None:
    apart = workload("shop", 8080)
    apart["spec"]["template"]["spec"]["dnsPolicy"] = "Default"
    found = ranked(apart, more=asked(UNKNOWN, exists=True))
    assert found[0].fault == "N07"
    assert next(each.score for each in found if each.fault == "N06") == 0


def test_a_policy_that_shuts_it_off_from_one_workload_is_the_better_explanation() -> None:
    denied = asked(SILENT, exists=True)
    denies = denied[0].model_copy(
        update={
            "id": "policy.denies",
            "owner": denied[0].owner.model_copy(update={"kind": "NetworkPolicy", "name": "deny"}),
            "entity": denied[0].owner.model_copy(update={"kind": "NetworkPolicy", "name": "deny"}),
            "data": {"allows_dns": False, "used_by": [str(denied[0].owner)], "recent": True},
        }
    )
    found = ranked(more=[*denied, denies])
    assert found[0].fault == "N05"
    assert next(each.score for each in found if each.fault == "N06") == 0
