"""For every recording: an accepted fix, made through the API, repairs the workload; a wrong one does not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opssquad.worlds.kube.recording import load_truth
from tests.tools.recorded import IDS
from tests.worlds.kube.living import RECORDINGS, Living

Json = dict[str, Any]
Change = Callable[[Living], object]
SETTLED, LATER = 40, 60


def memory(side: str, amount: str) -> Json:
    return {"resources": {side: {"memory": amount}}}


AUTH = "Deployment/authentication/auth-service"
GOOD_AUTH = {
    "image": "registry.example.com/platform/auth-service:v2.4.0",
    "env": [{"name": "DB_TIMEOUT", "value": "10000"}, {"name": "DB_POOL_SIZE", "value": "50"}],
}
CHECKOUT = "Deployment/shop/checkout"
PAYMENTS = "Deployment/shop/payments"
CATALOG = "Deployment/shop/catalog"
RECOMMENDER = "Deployment/streaming/recommender"
TITLES = "Deployment/streaming/title-api"
SIGNER = "Deployment/streaming/cdn-signer"
PROFILE = "Deployment/streaming/profile"
INVENTORY = "Deployment/shop/inventory"
QUOTA = "ResourceQuota/streaming/team-compute"
PAYMENTS_CONFIG = "ConfigMap/shop/payments-config"


def keys(**values: str) -> Json:
    return {"data": values}


def repair_config_and_pod(living: Living) -> None:
    living.patch(PAYMENTS_CONFIG, keys(PSP_TIMEOUT_MS="4000"))
    for pod in living.pods(PAYMENTS):
        if pod["status"]["containerStatuses"][0]["restartCount"]:
            living.delete(f"Pod/shop/{pod['metadata']['name']}")


def hard(amount: str) -> Json:
    return {"spec": {"hard": {"limits.memory": amount}}}


REPAIRS: list[tuple[str, str, Change]] = [
    ("auth-0308", AUTH, lambda w: w.rollback(AUTH)),
    ("auth-0308", AUTH, lambda w: w.set_container(AUTH, **GOOD_AUTH)),
    ("media-0519", RECOMMENDER, lambda w: w.rollback(RECOMMENDER)),
    ("media-0519", RECOMMENDER, lambda w: w.set_container(RECOMMENDER, **memory("limits", "1536Mi"))),
    ("media-0606", TITLES, lambda w: w.rollback(TITLES)),
    (
        "media-0606",
        TITLES,
        lambda w: w.set_container(TITLES, readinessProbe={"httpGet": {"path": "/live"}}),
    ),
    ("media-0702", SIGNER, lambda w: w.scale(SIGNER, 2)),
    ("media-0715", PROFILE, lambda w: w.patch(QUOTA, hard("24Gi"))),
    ("shop-0412", CHECKOUT, lambda w: w.rollback(CHECKOUT)),
    (
        "shop-0412",
        CHECKOUT,
        lambda w: w.set_container(CHECKOUT, image="registry.acme-retail.example/shop/checkout:7.2.0"),
    ),
    ("shop-0427", PAYMENTS, lambda w: w.rollback(PAYMENTS)),
    (
        "shop-0427",
        PAYMENTS,
        lambda w: w.set_container(PAYMENTS, livenessProbe={"httpGet": {"port": 8080}}),
    ),
    ("shop-0503", CATALOG, lambda w: w.rollback(CATALOG)),
    (
        "shop-0503",
        CATALOG,
        lambda w: w.patch("ConfigMap/shop/catalog-config", keys(PRICE_LIST_URL="http://prices")),
    ),
    ("shop-0618", PAYMENTS, repair_config_and_pod),
    ("shop-0709", INVENTORY, lambda w: w.rollback(INVENTORY)),
    ("shop-0709", INVENTORY, lambda w: w.set_container(INVENTORY, **memory("requests", "2400Mi"))),
    ("shop-0805", PAYMENTS, lambda w: w.rollback(PAYMENTS)),
    ("shop-0805", PAYMENTS, lambda w: w.set_container(PAYMENTS, **memory("limits", "768Mi"))),
]
FAILURES: list[tuple[str, str, Change]] = [
    ("auth-0308", AUTH, lambda w: w.restart(AUTH)),
    ("auth-0308", AUTH, lambda w: w.scale(AUTH, 0)),
    ("auth-0308", AUTH, lambda w: w.rollback("Deployment/authentication/api-gateway")),
    ("media-0519", RECOMMENDER, lambda w: w.restart(RECOMMENDER)),
    ("media-0519", RECOMMENDER, lambda w: w.scale(RECOMMENDER, 4)),
    ("media-0606", TITLES, lambda w: w.restart(TITLES)),
    ("media-0702", SIGNER, lambda w: w.rollback(SIGNER)),
    ("media-0715", PROFILE, lambda w: w.rollback(PROFILE)),
    ("media-0811", PROFILE, lambda w: w.rollback(PROFILE)),
    ("shop-0412", CHECKOUT, lambda w: w.restart(CHECKOUT)),
    ("shop-0427", PAYMENTS, lambda w: w.restart(PAYMENTS)),
    ("shop-0503", CATALOG, lambda w: w.restart(CATALOG)),
    ("shop-0618", PAYMENTS, lambda w: w.restart(PAYMENTS)),
    ("shop-0618", PAYMENTS, lambda w: w.rollback(PAYMENTS)),
    ("shop-0709", INVENTORY, lambda w: w.restart(INVENTORY)),
    (
        "shop-0709",
        INVENTORY,
        lambda w: w.patch("Node//acme-k8s-w3", {"spec": {"unschedulable": None}}),
    ),
    ("shop-0805", PAYMENTS, lambda w: w.restart(PAYMENTS)),
]


def named(cases: list[tuple[str, str, Change]]) -> list[Any]:
    return [pytest.param(*case, id=f"{case[0]}-{number}") for number, case in enumerate(cases)]


@pytest.mark.parametrize(("name", "target", "repair"), named(REPAIRS))
def test_an_accepted_fix_makes_the_workload_healthy(name: str, target: str, repair: Change) -> None:
    living = Living(name)
    assert name == "shop-0618" or not living.healthy(target)
    repair(living)
    living.wait(SETTLED)
    assert living.healthy(target)
    assert all(c["restartCount"] == 0 for p in living.pods(target) for c in p["status"]["containerStatuses"])


@pytest.mark.parametrize(("name", "target", "mistake"), named(FAILURES))
def test_a_wrong_fix_does_not(name: str, target: str, mistake: Change) -> None:
    living = Living(name)
    mistake(living)
    for _ in range(3):
        living.wait(LATER)
        assert not living.healthy(target)


def test_a_service_has_endpoints_again_when_its_selector_fits() -> None:
    living = Living("shop-0721")
    assert not living.get("Endpoints/shop/cart").get("subsets")
    living.patch("Service/shop/cart", {"spec": {"selector": {"track": None}}})
    living.wait(2)
    [subset] = living.get("Endpoints/shop/cart")["subsets"]
    assert len(subset["addresses"]) == living.get("Deployment/shop/cart")["spec"]["replicas"]


def test_a_service_has_endpoints_again_when_new_pods_carry_the_label() -> None:
    living = Living("shop-0721")
    labels = {"spec": {"template": {"metadata": {"labels": {"track": "stable"}}}}}
    living.patch("Deployment/shop/cart", labels)
    living.wait(SETTLED)
    [subset] = living.get("Endpoints/shop/cart")["subsets"]
    assert len(subset["addresses"]) == living.get("Deployment/shop/cart")["spec"]["replicas"]


def test_restarting_the_pods_does_not_help_a_service_that_selects_none() -> None:
    living = Living("shop-0721")
    living.restart("Deployment/shop/cart")
    living.wait(SETTLED)
    assert living.healthy("Deployment/shop/cart")
    assert not living.get("Endpoints/shop/cart").get("subsets")


def test_a_pod_on_a_node_that_does_not_answer_stays_and_a_forced_deletion_does_not_help() -> None:
    living, pod = Living("media-0728"), "Pod/streaming/postgres-0"
    if "deletionTimestamp" not in living.get(pod)["metadata"]:
        living.delete(pod)
    living.wait(LATER)
    assert living.get(pod)["metadata"]["deletionTimestamp"]
    living.delete(pod, gracePeriodSeconds=0)
    living.wait(LATER)
    assert not living.healthy("StatefulSet/streaming/postgres")


@pytest.mark.parametrize("folder", sorted(RECORDINGS.iterdir()), ids=lambda p: p.name)
def test_nothing_moves_in_a_recording_that_nobody_touches(folder: Path) -> None:
    living = Living(folder.name)
    before = {key: living.world.store.list(key) for key in living.world.store.resources()}
    living.wait(LATER)
    assert {key: living.world.store.list(key) for key in living.world.store.resources()} == before


@pytest.mark.parametrize("folder", [RECORDINGS / id for id in IDS], ids=lambda p: p.name)
def test_every_recording_is_tried_with_a_right_or_a_wrong_fix(folder: Path) -> None:
    tried = {name for name, _, _ in [*REPAIRS, *FAILURES]} | {"shop-0721", "media-0728"}
    assert folder.name in tried
    assert load_truth(folder).fix.accept
