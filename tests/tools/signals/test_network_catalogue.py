"""Faults of the path to a workload and of admission: small scenes in which each wins or keeps silent."""

from collections.abc import Mapping

import pytest
from tools._addresses import Directory
from tools._loglines import entries
from tools.signals._case import Case, Read
from tools.signals._scene import Scene
from tools.signals.calls import called
from tools.signals.logs import log_signals
from tools.signals.reading import read_signals

from opssquad import Json
from opssquad.diagnosis.differential import rank
from opssquad.findings import Hypothesis
from opssquad.squad.knowledge import known_faults
from tests.tools.signals.network import app, config, endpoints, policy, running, service, workload
from tests.tools.signals.objects import NOW, ago, deployment, event, obj, pod
from tests.tools.signals.test_mutation import OOM, keeper, limits, made

CATALOGUE = known_faults("k8s", None).catalogue
MINE = {"K19", "K20", "N02", "N03", "N04", "N05", "N09"}
ALL = frozenset(
    {
        *("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Service"),
        *("EndpointSlice", "ConfigMap", "Secret", "Ingress", "NetworkPolicy", "IngressClass", "Namespace"),
        *("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"),
    }
)
REFUSED = "ERROR GET http://db:80/items failed: connect ECONNREFUSED db:80"
TIMED_OUT = "ERROR call failed: dial tcp db:80: i/o timeout"


def ranked(*objects: Json, logs: Mapping[str, str] | None = None) -> list[Hypothesis]:
    """The differential of these objects and of the last lines of their pods, by the name of the workload."""
    found = read_signals(Scene(NOW, objects, ALL))
    kinds = {kind: [o for o in objects if o["kind"] == kind] for kind in ("Service", "Pod", "Deployment")}
    directory = Directory(kinds["Service"], kinds["Pod"], kinds["Deployment"])
    for name, line in (logs or {}).items():
        text = f"{ago(2)} {line}"
        said = entries(text)
        mine = next(each for each in kinds["Pod"] if each["metadata"]["name"].startswith(f"{name}-"))
        read = Read(mine, "app", False, text)
        found += log_signals(Case([read], said, NOW, directory, called(said)))
    return rank(CATALOGUE, found)


def faults(found: list[Hypothesis]) -> set[str]:
    return {each.fault for each in found} & MINE


def best(found: list[Hypothesis]) -> tuple[str, str]:
    assert found
    return found[0].fault, str(found[0].component)


WEB, DB = workload("web", 8080, DB_URL="http://db:80"), workload("db", 8080)
WELL = [WEB, DB, running(WEB), running(DB), service("db"), endpoints("db")]


@pytest.mark.parametrize("logs", [{}, {"web": "INFO 200 items"}, {"web": REFUSED}, {"web": TIMED_OUT}])
def test_a_scene_without_such_a_fault_opens_none_of_them(logs: dict[str, str]) -> None:
    assert faults(ranked(*WELL, logs=logs)) == set()


# K19


def refused_by_a_webhook() -> list[Json]:
    up = [{"kind": "Deployment", "name": "web", "controller": True}]
    maker = obj("ReplicaSet", "web-h1", ownerReferences=up)
    message = (
        'Error creating: Internal error occurred: failed calling webhook "pods.guard.example.io": failed to '
        'call webhook: Post "https://guard.guard-system.svc:443/validate?timeout=10s": no endpoints '
        'available for service "guard"'
    )
    return [deployment(), maker, event(maker, "FailedCreate", message), config()]


def test_a_webhook_that_is_down_is_to_blame_and_not_the_workload_that_it_hits() -> None:
    found = ranked(*refused_by_a_webhook())
    assert best(found) == ("K19", "ValidatingWebhookConfiguration//guard")
    assert found[0].confidence == "confirmed"
    assert {option.action for option in found[0].options} == {"patch", "escalate"}
    assert "rollback" not in {option.action for each in found for option in each.options}


def test_a_webhook_that_answers_is_no_fault() -> None:
    guard = obj("Service", "guard", {"ports": [{"port": 443}]}, namespace="guard-system")
    ends = endpoints("guard")
    ends["metadata"]["namespace"] = "guard-system"
    assert faults(ranked(config(), guard, ends, *WELL)) == set()


# K20


MUTATING = config("MutatingWebhookConfiguration", "injector")
STARVED = deployment(1, 0)


def test_a_webhook_that_takes_memory_from_pods_is_to_blame_and_not_the_release() -> None:
    found = ranked(STARVED, keeper(), made(OOM, resources=limits("32Mi")), MUTATING)
    assert best(found) == ("K20", "MutatingWebhookConfiguration//injector")
    assert "512Mi -> 32Mi" in found[0].root_cause
    assert {option.action for option in found[0].options} == {"patch", "escalate"}


def test_a_webhook_beside_a_limit_that_is_too_low_of_itself_is_not_accused() -> None:
    found = ranked(STARVED, keeper(), made(OOM), MUTATING)
    assert (found[0].fault, faults(found)) == ("K05", set())


# N02, N03


def test_a_target_port_where_nothing_listens_is_to_blame_when_callers_are_refused() -> None:
    wrong = [WEB, DB, running(WEB), running(DB), service("db", target=9999), endpoints("db")]
    found = ranked(*wrong, logs={"web": REFUSED})
    assert best(found) == ("N02", "Service/n/db")
    assert "port 80 to 9999" in found[0].root_cause
    assert faults(ranked(*wrong)) == set()


def test_a_port_that_is_merely_not_declared_is_less_likely_than_pods_that_are_down() -> None:
    down = workload("db", 8080)
    down["status"] = {"replicas": 1}
    half = [WEB, down, running(WEB), running(DB), service("db", target=9999), endpoints("db")]
    whole = [DB if each is down else each for each in half]
    ill, well = (
        next(e.score for e in ranked(*some, logs={"web": REFUSED}) if e.fault == "N02")
        for some in (half, whole)
    )
    assert ill < well


def broad(image: str) -> list[Json]:
    other = workload("search", 9200, image=image)
    other["spec"]["template"]["metadata"]["labels"] = {"app": "search", "tier": "data"}
    db = workload("db", 8080)
    db["spec"]["template"]["metadata"]["labels"] = {"app": "db", "tier": "data"}
    wide = service("db", selector={"tier": "data"})
    return [WEB, db, other, running(WEB), running(db), running(other), wide, endpoints("db")]


def test_a_selector_that_takes_in_another_program_is_to_blame_when_callers_fail() -> None:
    found = ranked(*broad("search:7"), logs={"web": REFUSED})
    assert best(found) == ("N03", "Service/n/db")
    assert faults(ranked(*broad("search:7"))) == set()


def test_two_releases_of_one_program_behind_a_service_are_no_fault() -> None:
    assert faults(ranked(*broad("db:2"), logs={"web": REFUSED})) == set()


# N04


@pytest.mark.parametrize(
    "said",
    ["dial tcp: lookup db on 10.96.0.10:53: no such host", "getaddrinfo ENOTFOUND db.n.svc.cluster.local"],
)
def test_a_service_that_is_gone_is_to_blame_when_callers_cannot_resolve_it(said: str) -> None:
    gone = [WEB, DB, running(WEB), running(DB)]
    found = ranked(*gone, logs={"web": f"ERROR {said}"})
    assert best(found) == ("N04", "Service/n/db")
    assert "web is configured with db (DB_URL)" in found[0].root_cause
    assert faults(ranked(*gone)) == set()


def test_a_service_that_exists_is_not_missed_and_a_silent_dns_tells_nothing() -> None:
    assert faults(ranked(*WELL, logs={"web": "ERROR lookup db on 10.96.0.10:53: no such host"})) == set()
    silent = {"web": "ERROR getaddrinfo EAI_AGAIN db"}
    assert faults(ranked(WEB, DB, running(WEB), running(DB), logs=silent)) == set()


# N05


@pytest.mark.parametrize(
    ("lock", "line"),
    [
        (policy("lock", app("db"), "Ingress"), TIMED_OUT),
        (
            policy("lock", {}, "Egress", egress=[{"to": [{"podSelector": {}}]}]),
            "ERROR getaddrinfo EAI_AGAIN db",
        ),
        (
            policy("lock", {}, "Egress"),
            "ERROR lookup db on 10.96.0.10:53: read udp 10.1.2.3:4->10.96.0.10:53: i/o timeout",
        ),
    ],
)
def test_a_policy_that_denies_what_then_times_out_is_to_blame(lock: Json, line: str) -> None:
    found = ranked(*WELL, lock, logs={"web": line})
    assert best(found) == ("N05", "NetworkPolicy/n/lock")
    assert found[0].confidence == "confirmed"
    assert faults(ranked(*WELL, lock)) == set()


def test_a_policy_is_not_to_blame_for_what_it_lets_through_or_what_fails_elsewhere() -> None:
    allow = policy("lock", app("db"), "Ingress", ingress=[{"from": [{"podSelector": app("web")}]}])
    assert faults(ranked(*WELL, allow, logs={"web": TIMED_OUT})) == set()
    lock = policy("lock", app("db"), "Ingress")
    other = [service("api"), workload("api", 8080), running(workload("api", 8080))]
    elsewhere = {"web": "ERROR call failed: dial tcp api:80: i/o timeout"}
    assert faults(ranked(*WELL, *other, lock, logs=elsewhere)) == set()


def test_a_policy_that_came_after_the_first_timeout_is_less_likely() -> None:
    before, after = (policy("lock", app("db"), "Ingress", age=age) for age in (20, 1))
    scores = [ranked(*WELL, each, logs={"web": TIMED_OUT})[0].score for each in (before, after)]
    assert scores[0] > scores[1]


# N09


def front(name: str, cls: str) -> Json:
    backend = {"service": {"name": name, "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    spec = {"ingressClassName": cls, "rules": [{"http": {"paths": paths}}]}
    return obj("Ingress", "front", spec, {"loadBalancer": {}})


NGINX = {**obj("IngressClass", "nginx", {"controller": "k8s.io/ingress-nginx"})}
NGINX["metadata"].pop("namespace")


@pytest.mark.parametrize("ingress", [front("dbb", "nginx"), front("db", "nginxx")])
def test_an_ingress_whose_class_or_backend_is_not_there_is_to_blame(ingress: Json) -> None:
    assert best(ranked(*WELL, NGINX, ingress)) == ("N09", "Ingress/n/front")


def test_an_ingress_with_class_and_backend_is_well() -> None:
    assert faults(ranked(*WELL, NGINX, front("db", "nginx"))) == set()


def test_a_victim_of_none_of_them_stays_with_its_own_fault() -> None:
    assert faults(ranked(*WELL, NGINX, front("db", "nginx"), deployment(), pod())) == set()
