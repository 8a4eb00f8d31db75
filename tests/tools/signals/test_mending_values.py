"""What signals say a fault can be mended with: only what the cluster itself shows, else nothing."""

from typing import Any

import pytest
from tools._kube import ref
from tools.signals._scene import make

from opssquad import Json
from tests.tools.signals.objects import deployment, event, obj, pod, ranked, rolled_out, told


def service(selector: Json, *ports: Json, name: str = "shop") -> Json:
    return obj("Service", name, {"selector": selector, "ports": list(ports), "clusterIP": "10.0.0.1"})


def workload(name: str, **labels: str) -> Json:
    each = deployment(ready=2)
    each["metadata"] = {**each["metadata"], "name": name}
    each["spec"]["selector"] = {"matchLabels": labels}
    each["spec"]["template"]["metadata"]["labels"] = labels
    return each


EMPTY = obj("EndpointSlice", "shop-1", labels={"kubernetes.io/service-name": "shop"})


def test_a_selector_is_set_to_what_the_one_workload_carries() -> None:
    for selector, fits in (
        ({"app": "web", "track": "stable"}, "app=web"),
        ({"app": "web", "tier": "back"}, "app=web,tier=front"),
    ):
        found = told(service(selector), EMPTY, workload("web", app="web", tier="front"))
        assert found["service.no_endpoints"].data["fits"] == fits


def test_no_selector_is_guessed_from_a_name_or_among_two_workloads() -> None:
    alone = told(service({"app": "web-api"}), EMPTY, workload("web", app="web"))
    assert "fits" not in alone["service.no_endpoints"].data
    two = (workload("web", app="web", v="1"), workload("web-old", app="web", v="2"))
    assert "fits" not in told(service({"app": "web", "v": "3"}), EMPTY, *two)["service.no_endpoints"].data


def test_a_target_port_is_the_one_that_bears_the_ports_name_or_the_only_one() -> None:
    ends = obj("EndpointSlice", "shop-1", labels={"kubernetes.io/service-name": "shop"})
    ends["endpoints"] = [{"addresses": ["10.1.0.1"], "conditions": {"ready": True}}]

    def fitting(*declared: Json, port: str = "http") -> Any:
        each = pod(ready=True)
        each["spec"]["containers"][0]["ports"] = list(declared)
        sent = {"name": port, "port": 80, "targetPort": 9999}
        return told(service({"app": "web"}, sent), ends, each)["service.port_mismatch"].data.get("fits")

    http, admin = {"name": "http", "containerPort": 8080}, {"name": "admin", "containerPort": 9090}
    assert fitting(http, admin) == 8080
    assert fitting(admin) == 9090
    assert fitting(http, admin, port="") is None


def test_a_quota_is_to_hold_what_is_used_what_lacks_and_what_rollouts_add() -> None:
    def sized(name: str, memory: str, made: int, strategy: str) -> Json:
        each = workload(name, app=name)
        each["spec"] |= {"strategy": {"type": strategy}}
        each["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"memory": memory}}
        each["status"] = {"replicas": made, "readyReplicas": made}
        return each

    short, other = sized("web", "1Gi", 0, "Recreate"), sized("api", "512Mi", 2, "RollingUpdate")
    text = (
        'Error creating: pods "web-1" is forbidden: exceeded quota: team, requested: limits.memory=1Gi, '
        "used: limits.memory=10Gi, limited: limits.memory=8Gi"
    )
    found = told(short, other, event(short, "FailedCreate", text))["replicaset.create_failed"]
    # 10 are used, two pods of 1 lack, and a rollout of the other makes one more pod of a half.
    assert found.data["enough"] == "limits.memory=12800Mi"
    unsaid = event(short, "FailedCreate", "Error creating: failed quota: team: must specify limits.memory")
    assert "enough" not in told(short, other, unsaid)["replicaset.create_failed"].data


def web(**env: str) -> Json:
    each = deployment()
    listed = [{"name": name, "value": value} for name, value in env.items()]
    each["spec"]["template"]["spec"]["containers"][0]["env"] = listed
    return each


@pytest.mark.parametrize(
    ("env", "right"),
    [
        ({"CATALOG_ADDR": "catalog:9999"}, "CATALOG_ADDR=catalog:8080"),
        ({"CATALOG_URL": "http://catalog:9999/v1"}, "CATALOG_URL=http://catalog:8080/v1"),
        ({"CATALOG_HOST": "catalog", "CATALOG_PORT": "9999"}, "CATALOG_PORT=8080"),
    ],
)
def test_a_wrong_port_of_a_variable_is_replaced_by_the_only_one_there_is(
    env: dict[str, str], right: str
) -> None:
    catalog = service({}, {"port": 8080}, name="catalog")
    found = told(web(**env), catalog)["env.wrong_port"]
    assert found.data["env"] == {"container": "app", "set": right}
    two = service({}, {"port": 8080}, {"port": 8081}, name="catalog")
    assert "env" not in told(web(**env), two)["env.wrong_port"].data


def test_a_value_that_may_hold_a_secret_is_not_told_anew() -> None:
    catalog = service({}, {"port": 8080}, name="catalog")
    found = told(web(CATALOG_URL="http://app:hunter2@catalog:9999"), catalog)["env.wrong_port"]
    assert "env" not in found.data
    assert "hunter2" not in str(found)


def test_a_wrong_port_in_a_config_map_is_set_there() -> None:
    each, config = deployment(), obj("ConfigMap", "conf")
    config["data"] = {"CATALOG_ADDR": "catalog:9999"}
    each["spec"]["template"]["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "conf"}}]
    found = told(each, config, service({}, {"port": 8080}, name="catalog"))["env.wrong_port"]
    right = {"value": "catalog:8080", "says": "catalog:8080"}
    assert found.data["config"] == {"name": "conf", "key": "CATALOG_ADDR", **right}


def test_the_catalogue_turns_such_a_value_into_a_call_and_its_absence_into_words() -> None:
    for data, tool, args in (
        ({"fits": "app=web"}, "set_service", {"name": "web", "namespace": "n", "selector": "app=web"}),
        ({}, "", {}),
    ):
        about = obj("Service", "web")
        why = {"why": "selector_matches_nothing", "selector": "app=www", **data}
        lost = make("service.no_endpoints", about, ref(about), "none", [], data=why)
        (found,) = ranked(more=[lost])
        assert (found.fault, found.options[0].tool, found.options[0].args) == ("N01", tool, args)


def test_a_limit_that_the_release_lowered_is_offered_to_be_raised_again() -> None:
    each = deployment()
    killed = make("container.oom_killed", pod(), ref(each), "killed", [], data={"limit": "64Mi"})
    release = rolled_out(each, "resources.limits.memory")
    former = {"resources": {"container": "app", "limits": "memory=512Mi"}}
    known = release.model_copy(update={"data": {**release.data, "former": former}})
    (first, second, *_) = ranked(more=[killed, known])[0].options
    assert (first.tool, first.args) == (
        "rollback",
        {"deployment": "web", "namespace": "n", "kind": "Deployment"},
    )
    where = {"name": "web", "namespace": "n", "kind": "Deployment", "container": "app"}
    assert (second.tool, second.args) == ("set_resources", {**where, "limits": "memory=512Mi"})
    unknown = ranked(more=[killed, release])[0].options
    assert [each.action for each in unknown] == ["rollback", "escalate"]
