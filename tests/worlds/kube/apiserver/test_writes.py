"""Creating, changing and deleting objects through the API."""

import pytest

from opssquad.worlds.kube.apiserver.request import Call
from tests.conformance.world import StandingStill
from tests.worlds.kube.apiserver.driver import APPLY, APPS, SHOP, STRATEGIC, Driver

WEB = f"{APPS}/deployments/web"
POD = f"{SHOP}/pods/web-79bf75b64d-9lkxd"
CONFIG = f"{SHOP}/configmaps/web-config"


@pytest.fixture
def client() -> Driver:
    return Driver()


def test_a_dry_run_answers_as_if_done_and_stores_nothing(client: Driver) -> None:
    before, revision = client.get(WEB), client.world.store.revision
    status, body = client.patch(f"{WEB}?dryRun=All", {"spec": {"replicas": 9}})
    assert (status, body["spec"]["replicas"], body["metadata"]["generation"]) == (200, 9, 7)
    assert body["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert client.say("POST", f"{SHOP}/configmaps?dryRun=All", {"metadata": {"name": "x"}})[0] == 201
    assert client.say("DELETE", f"{POD}?dryRun=All&gracePeriodSeconds=0")[0] == 200
    assert client.get(WEB) == before
    assert client.world.store.revision == revision


def test_a_patch_that_changes_nothing_writes_nothing(client: Driver) -> None:
    revision = client.world.store.revision
    assert client.patch(WEB, {"spec": {"replicas": 3}})[0] == 200
    assert client.world.store.revision == revision


def test_generation_moves_with_spec_and_annotations_but_not_with_labels(client: Driver) -> None:
    def generation(body: object) -> int:
        status, after = client.patch(WEB, body)
        assert status == 200
        return int(after["metadata"]["generation"])

    assert generation({"metadata": {"labels": {"a": "b"}}}) == 6
    assert generation({"metadata": {"annotations": {"a": "b"}}}) == 7
    assert generation({"spec": {"replicas": 4}}) == 8


def test_status_is_written_through_its_own_path_only(client: Driver) -> None:
    _, after = client.patch(WEB, {"status": {"replicas": 9}})
    assert after["status"]["replicas"] == 3
    _, after = client.patch(f"{WEB}/status", {"status": {"replicas": 9}, "spec": {"replicas": 9}})
    assert (after["status"]["replicas"], after["spec"]["replicas"]) == (9, 3)
    assert after["metadata"]["managedFields"][-1]["subresource"] == "status"


def test_scaling_moves_the_workload_and_is_owned_through_the_subresource(client: Driver) -> None:
    status, scale = client.patch(f"{WEB}/scale", {"spec": {"replicas": 5}})
    assert (status, scale["kind"], scale["spec"]) == (200, "Scale", {"replicas": 5})
    web = client.get(WEB)
    assert (web["spec"]["replicas"], web["metadata"]["generation"]) == (5, 7)
    entry = web["metadata"]["managedFields"][-1]
    assert (entry["manager"], entry["subresource"]) == ("tester", "scale")
    assert client.patch(f"{WEB}/scale", {"spec": {"replicas": -1}})[0] == 422


def test_a_replacement_with_an_old_version_conflicts(client: Driver) -> None:
    config = client.get(CONFIG)
    assert client.patch(CONFIG, {"data": {"new": "1"}})[0] == 200
    status, body = client.say("PUT", CONFIG, config)
    assert (status, body["reason"]) == (409, "Conflict")


def test_a_replacement_may_leave_out_what_the_server_gave(client: Driver) -> None:
    service = client.get(f"{SHOP}/services/web")
    bare = {
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 81, "targetPort": 8080}]},
    }
    status, after = client.say("PUT", f"{SHOP}/services/web", bare)
    assert status == 200
    assert after["spec"]["clusterIP"] == service["spec"]["clusterIP"]
    assert after["metadata"]["uid"] == service["metadata"]["uid"]


def test_names_that_the_server_gives_are_the_same_for_the_same_requests() -> None:
    def created() -> tuple[str, str]:
        _, body = Driver().say("POST", f"{SHOP}/configmaps", {"metadata": {"generateName": "x-"}})
        return body["metadata"]["name"], body["metadata"]["uid"]

    name, _ = created()
    assert name.startswith("x-")
    assert created() == created()


def test_a_running_pod_gets_its_grace_period_and_a_second_deletion_may_shorten_it(client: Driver) -> None:
    _, first = client.say("DELETE", POD)
    assert first["metadata"]["deletionGracePeriodSeconds"] == 30
    _, second = client.say("DELETE", f"{POD}?gracePeriodSeconds=60")
    assert second["metadata"] == first["metadata"]
    _, third = client.say("DELETE", f"{POD}?gracePeriodSeconds=5")
    assert third["metadata"]["deletionGracePeriodSeconds"] == 5
    assert client.say("DELETE", f"{POD}?gracePeriodSeconds=0")[0] == 200
    assert client.say("GET", POD)[0] == 404


def test_finalizers_hold_an_object_until_the_last_is_gone(client: Driver) -> None:
    assert client.patch(CONFIG, {"metadata": {"finalizers": ["example.com/hold"]}})[0] == 200
    _, held = client.say("DELETE", CONFIG)
    assert held["metadata"]["deletionTimestamp"]
    assert client.get(CONFIG)
    assert client.patch(CONFIG, {"metadata": {"finalizers": None}})[0] == 200
    assert client.say("GET", CONFIG)[0] == 404


def test_a_foreground_deletion_leaves_the_object_to_its_controller(client: Driver) -> None:
    _, body = client.say("DELETE", f"{WEB}?propagationPolicy=Foreground")
    assert body["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert client.get(WEB)["metadata"]["deletionTimestamp"]


def test_a_collection_is_deleted_by_selector(client: Driver) -> None:
    status, body = client.say("DELETE", f"{SHOP}/configmaps?fieldSelector=metadata.name%3Dweb-config")
    assert (status, body["kind"], len(body["items"])) == (200, "ConfigMapList", 1)
    assert client.say("GET", CONFIG)[0] == 404
    assert client.get(f"{SHOP}/configmaps/payments-config")


def test_an_eviction_spends_the_budget_and_then_is_forbidden(client: Driver) -> None:
    assert client.say("POST", f"{POD}/eviction", {"metadata": {"name": "x"}})[0] == 201
    evicted = client.get(POD)
    assert evicted["status"]["conditions"][-1]["reason"] == "EvictionByEvictionAPI"
    status, body = client.say("POST", f"{SHOP}/pods/web-79bf75b64d-bh2gn/eviction", {})
    assert status == 429
    assert "The disruption budget web needs 2 healthy pods" in body["details"]["causes"][0]["message"]


def test_a_namespace_on_its_way_out_takes_nothing_new(client: Driver) -> None:
    assert client.say("POST", "/api/v1/namespaces", {"metadata": {"name": "tmp"}})[0] == 201
    _, body = client.say("DELETE", "/api/v1/namespaces/tmp")
    assert body["status"]["phase"] == "Terminating"
    assert client.say("POST", "/api/v1/namespaces/tmp/configmaps", {"metadata": {"name": "x"}})[0] == 403
    assert client.say("POST", "/api/v1/namespaces/none/configmaps", {"metadata": {"name": "x"}})[0] == 404


def test_a_namespace_goes_when_it_is_finalized(client: Driver) -> None:
    assert client.say("POST", "/api/v1/namespaces", {"metadata": {"name": "tmp"}})[0] == 201
    _, body = client.say("DELETE", "/api/v1/namespaces/tmp")
    assert (
        client.say("PUT", "/api/v1/namespaces/tmp/finalize", {**body, "spec": {"finalizers": []}})[0] == 200
    )
    assert client.say("GET", "/api/v1/namespaces/tmp")[0] == 404


def test_a_pod_gets_account_tolerations_and_quality(client: Driver) -> None:
    spec = {"containers": [{"name": "c", "image": "i:1"}]}
    status, body = client.say("POST", f"{SHOP}/pods", {"metadata": {"name": "p"}, "spec": spec})
    assert status == 201
    assert body["spec"]["serviceAccountName"] == "default"
    assert len(body["spec"]["tolerations"]) == 2
    assert body["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    stranger = {"metadata": {"name": "q"}, "spec": {**spec, "serviceAccountName": "nobody"}}
    status, body = client.say("POST", f"{SHOP}/pods", stranger)
    assert status == 403
    assert 'serviceaccount "nobody" not found' in body["message"]


def test_apply_creates_updates_and_conflicts(client: Driver) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "new"},
        "data": {"a": "1", "b": "2"},
    }
    path = f"{SHOP}/configmaps/new"
    assert client.patch(f"{path}?fieldManager=ann", config, APPLY)[0] == 201
    config["data"] = {"a": "1"}
    status, body = client.patch(f"{path}?fieldManager=ann", config, APPLY)
    assert (status, body["data"]) == (200, {"a": "1"})
    config["data"] = {"a": "other"}
    status, body = client.patch(f"{path}?fieldManager=ben", config, APPLY)
    assert status == 409
    assert body["message"] == 'Apply failed with 1 conflict: conflict with "ann": .data.a'
    assert client.patch(f"{path}?fieldManager=ben&force=true", config, APPLY)[1]["data"] == {"a": "other"}


def test_conflicts_are_told_by_managers_in_the_order_of_their_names(client: Driver) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "new"},
        "data": {"a": "1", "b": "2"},
    }
    path = f"{SHOP}/configmaps/new"
    assert client.patch(f"{path}?fieldManager=zoe", config, APPLY)[0] == 201
    assert client.patch(f"{path}?fieldManager=ann", config, APPLY)[0] == 200
    assert client.patch(f"{path}?fieldManager=max", {"data": {"c": "3"}})[0] == 200
    config["data"] = {"a": "other", "b": "other", "c": "other"}
    status, body = client.patch(f"{path}?fieldManager=ben", config, APPLY)
    assert (status, body["message"].splitlines()) == (
        409,
        [
            'Apply failed with 5 conflicts: conflicts with "ann":',
            "- .data.a",
            "- .data.b",
            'conflicts with "max" using v1:',
            "- .data.c",
            'conflicts with "zoe":',
            "- .data.a",
            "- .data.b",
        ],
    )


def test_apply_of_an_unknown_field_is_refused(client: Driver) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web-config"}, "dta": {}}
    status, body = client.patch(f"{CONFIG}?fieldManager=ann", config, APPLY)
    assert (status, "field not declared in schema" in body["message"]) == (500, True)


@pytest.mark.parametrize(
    ("path", "patch", "words"),
    [
        (WEB, {"spec": {"selector": {"matchLabels": {"app": "x"}}}}, "spec.selector: Invalid value"),
        (POD, {"spec": {"nodeName": "elsewhere"}}, "pod updates may not change fields other than"),
        (f"{APPS}/statefulsets/orders-db", {"spec": {"serviceName": "x"}}, "updates to statefulset spec"),
        (
            f"{SHOP}/services/web",
            {"spec": {"clusterIP": "1.2.3.4", "clusterIPs": ["1.2.3.4"]}},
            "may not change once set",
        ),
        (f"{SHOP}/secrets/db-credentials", {"type": "other"}, "type: Invalid value"),
    ],
)
def test_what_is_fixed_cannot_be_patched(client: Driver, path: str, patch: object, words: str) -> None:
    status, body = client.patch(path, patch)
    assert status == 422, body
    assert words in body["message"]


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ({"name": "nginx", "image": ""}, "containers[0].image: Required value"),
        ({"name": "nginx", "volumeMounts": [{"name": "no", "mountPath": "/x"}]}, 'Not found: "no"'),
        ({"name": "nginx", "imagePullPolicy": "Sometimes"}, 'Unsupported value: "Sometimes"'),
        ({"name": "nginx", "ports": [{"containerPort": 99999}]}, "must be between 1 and 65535, inclusive"),
        ({"name": "Nginx_2", "image": "i:1"}, "a lowercase RFC 1123 label"),
        (
            {"name": "nginx", "readinessProbe": {"$patch": "replace", "periodSeconds": 3}},
            "must specify a handler type",
        ),
    ],
)
def test_a_template_that_could_not_run_is_refused(client: Driver, container: object, words: str) -> None:
    patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
    status, body = client.patch(WEB, patch, STRATEGIC)
    assert status == 422, body
    assert words in body["message"]


def test_a_viewer_is_refused_before_anything_is_looked_at() -> None:
    status, body = Driver("viewer").patch(f"{APPS}/deployments/nope", {"spec": {"replicas": 1}})
    assert (status, body["reason"]) == (403, "Forbidden")


def test_an_older_version_of_an_object_is_stored_in_the_newer_one(client: Driver) -> None:
    body = {
        "metadata": {"name": "x"},
        "spec": {
            "maxReplicas": 3,
            "targetCPUUtilizationPercentage": 50,
            "scaleTargetRef": {"kind": "Deployment", "name": "web"},
        },
    }
    collection = "/apis/autoscaling/{}/namespaces/shop/horizontalpodautoscalers"
    assert client.say("POST", collection.format("v1"), body)[0] == 201
    [metric] = client.get(collection.format("v2") + "/x")["spec"]["metrics"]
    assert metric["resource"]["target"] == {"type": "Utilization", "averageUtilization": 50}


def test_the_world_is_told_of_writes_and_not_of_questions() -> None:
    class Told(StandingStill):
        def before_write(self, call: Call) -> None:
            told.append(call)

    client, told = Driver(), list[Call]()
    client.world = Told()
    client.patch(f"{WEB}/scale", {"spec": {"replicas": 2}})
    client.get(WEB)
    review = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
    assert client.say("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)[0] == 201
    assert [call.method for call in told] == ["PATCH"]
