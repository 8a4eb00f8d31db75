"""What a workload's settings say about whom it calls, and the fault of a wrong port."""

from typing import Any

import pytest
from tools._kube import ref
from tools.signals._scene import make

from opssquad import Json
from tests.tools.signals.objects import deployment, faults, logged, obj, pod, ranked, rolled_out, told


def service(name: str = "catalog", port: int = 8080, **spec: Any) -> Json:
    return obj("Service", name, {"clusterIP": "10.96.0.7", "ports": [{"port": port}], **spec})


def web(**env: str) -> Json:
    """The Deployment `web` with these variables."""
    each = deployment()
    listed = [{"name": name, "value": value} for name, value in env.items()]
    each["spec"]["template"]["spec"]["containers"][0]["env"] = listed
    return each


@pytest.mark.parametrize(
    "env",
    [
        {"CATALOG_ADDR": "catalog:9999"},
        {"CATALOG_URL": "http://catalog.n.svc.cluster.local:9999/v1"},
        {"CATALOG_URL": "http://10.96.0.7:9999"},
        {"CATALOG_HOST": "catalog", "CATALOG_PORT": "9999"},
    ],
)
def test_a_port_that_the_service_does_not_have_is_told(env: dict[str, str]) -> None:
    found = told(web(**env), service())["env.wrong_port"]
    assert (found.data["port"], found.data["ports"], found.data["service"]) == (
        9999,
        [8080],
        "Service/n/catalog",
    )
    assert found.data["variable"] == next(iter(env))


def test_a_port_that_may_be_called_is_none() -> None:
    for env, there in (
        ({"CATALOG_ADDR": "catalog:8080"}, service()),
        ({"CATALOG_HOST": "catalog", "CATALOG_PORT": "8080"}, service()),
        ({"CATALOG_ADDR": "catalog"}, service()),
        ({"CATALOG_ADDR": "catalog:9999"}, service(clusterIP="None")),
        ({"CATALOG_ADDR": "catalog:9999"}, service(type="ExternalName", externalName="example.com")),
        ({"CATALOG_ADDR": "other:9999"}, service()),
        ({"CATALOG_ADDR": "catalog.elsewhere:9999"}, service()),
    ):
        assert "env.wrong_port" not in told(web(**env), there), env


def test_a_setting_of_a_config_map_is_quoted_where_it_stands() -> None:
    config = obj("ConfigMap", "conf")
    config["data"] = {"CATALOG_ADDR": "catalog:9999"}
    each = deployment()
    source = [{"configMapRef": {"name": "conf"}}]
    each["spec"]["template"]["spec"]["containers"][0]["envFrom"] = source
    found = told(each, config, service())["env.wrong_port"]
    assert [quote.locator for quote in found.quotes] == ["ConfigMap/n/conf", "Service/n/catalog"]


def test_an_address_that_holds_a_password_is_not_quoted() -> None:
    found = told(web(DATABASE_URL="postgres://app:hunter2@catalog:9999"), service())["env.wrong_port"]
    assert all("hunter2" not in quote.text for quote in found.quotes)
    assert "hunter2" not in found.text + str(found.data)


def test_a_caller_that_asks_a_wrong_port_is_the_fault_and_not_the_callee() -> None:
    each = pod()
    said = logged(each, "ERROR dial tcp 10.96.0.7:9999: connect: connection refused")
    rollout = rolled_out(deployment(), "env.CATALOG_ADDR", minutes=40)
    scene = (web(CATALOG_ADDR="catalog:9999"), service(), each)
    best = ranked(*scene, more=[*said, rollout])[0]
    assert (best.fault, str(best.component), best.options[0].action) == (
        "N08",
        "Deployment/n/web",
        "rollback",
    )
    assert "catalog:9999" in best.root_cause
    right = (web(CATALOG_ADDR="catalog:8080"), service(), each)
    assert "N08" not in faults(*right, more=[*said, rollout])


@pytest.mark.parametrize(
    ("spec", "policy"),
    [
        ({"dnsPolicy": "Default"}, "Default"),
        ({"dnsPolicy": "None", "dnsConfig": {"nameservers": ["8.8.8.8"]}}, "None"),
        ({"hostNetwork": True}, "ClusterFirst"),
    ],
)
def test_a_workload_that_asks_other_servers_for_names_is_told(spec: Json, policy: str) -> None:
    each = deployment()
    each["spec"]["template"]["spec"].update(spec)
    found = told(each)["workload.outside_dns"]
    assert (found.data["policy"], found.severity) == (policy, "info")


def test_a_workload_that_asks_the_clusters_dns_is_not() -> None:
    dns = obj("Service", "kube-dns", {"clusterIP": "10.96.0.10"})
    for spec in (
        {},
        {"dnsPolicy": "ClusterFirst"},
        {"dnsPolicy": "ClusterFirstWithHostNet", "hostNetwork": True},
        {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.96.0.10"]}},
    ):
        each = deployment()
        each["spec"]["template"]["spec"].update(spec)
        assert "workload.outside_dns" not in told(each, dns), spec


def test_names_that_do_not_resolve_where_other_servers_are_asked_are_the_fault_of_the_policy() -> None:
    each = deployment()
    where = ref(each)
    text = "web logged: lookup catalog on 8.8.8.8:53: no such host"
    failed = make("log.unresolved", pod(), where, text, (), data={"host": "catalog", "how": "not_found"})
    assert "N07" not in faults(each, pod(), more=[failed])
    each["spec"]["template"]["spec"]["dnsPolicy"] = "Default"
    assert "N07" not in faults(each, pod())
    best = ranked(each, pod(), more=[failed, rolled_out(each, "dnsPolicy", minutes=40)])[0]
    assert (best.fault, str(best.component)) == ("N07", "Deployment/n/web")
    assert best.options[0].action == "rollback"
    assert "with dnsPolicy Default" in best.root_cause
