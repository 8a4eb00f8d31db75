"""Quotas count new objects and refuse what is too much."""

from tests.worlds.kube.apiserver.driver import SHOP, Driver

QUOTA = f"{SHOP}/resourcequotas/shop-quota"


def limited(**hard: str) -> Driver:
    client = Driver()
    body = {"status": {"hard": hard, "used": dict.fromkeys(hard, "0")}}
    client.patch(f"{QUOTA}/status", {"status": None})
    status, quota = client.patch(f"{QUOTA}/status", body)
    assert (status, quota["status"]["hard"]) == (200, hard)
    return client


def pod(name: str, **requests: str) -> dict[str, object]:
    container = {"name": "c", "image": "i:1", "resources": {"requests": requests} if requests else {}}
    return {"metadata": {"name": name}, "spec": {"containers": [container]}}


def test_what_is_created_is_counted() -> None:
    client = limited(configmaps="1")
    assert client.say("POST", f"{SHOP}/configmaps", {"metadata": {"name": "a"}})[0] == 201
    assert client.get(QUOTA)["status"]["used"] == {"configmaps": "1"}


def test_one_too_many_is_refused_with_the_numbers() -> None:
    client = limited(**{"configmaps": "0"})
    status, body = client.say("POST", f"{SHOP}/configmaps", {"metadata": {"name": "a"}})
    assert status == 403
    assert body["message"] == (
        'configmaps "a" is forbidden: exceeded quota: shop-quota, requested: configmaps=1, '
        "used: configmaps=0, limited: configmaps=0"
    )


def test_compute_resources_add_up() -> None:
    client = limited(**{"requests.memory": "1Gi"})
    assert client.say("POST", f"{SHOP}/pods", pod("a", memory="768Mi"))[0] == 201
    status, body = client.say("POST", f"{SHOP}/pods", pod("b", memory="512Mi"))
    assert status == 403
    assert "requested: requests.memory=512Mi, used: requests.memory=768Mi" in body["message"]


def test_a_pod_must_say_what_a_quota_limits() -> None:
    status, body = limited(**{"requests.cpu": "4"}).say("POST", f"{SHOP}/pods", pod("a"))
    assert status == 403
    assert "must specify requests.cpu for: c" in body["message"]
