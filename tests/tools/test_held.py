"""Why a StatefulSet or DaemonSet does not bring a new template to its pods."""

from tools._held import keeping, late_ones

from opssquad import Json


def pod(name: str, ready: bool, going: bool = False) -> Json:
    meta: Json = {"name": name, "namespace": "n"} | (
        {"deletionTimestamp": "2026-01-01T00:00:00Z"} if going else {}
    )
    status = {"conditions": [{"type": "Ready", "status": str(ready)}]}
    return {"kind": "Pod", "metadata": meta, "status": status}


def stateful(**spec: str | Json) -> Json:
    return {"kind": "StatefulSet", "metadata": {"name": "db", "namespace": "n"}, "spec": spec}


PODS = [pod("db-0", ready=True), pod("db-1", ready=False), pod("db-2", ready=False, going=True)]


def names(workload: Json) -> list[str]:
    return [each["metadata"]["name"] for each in late_ones(workload, PODS)]


def test_in_order_a_pod_that_is_not_ready_holds_up_the_others() -> None:
    assert names(stateful()) == names(stateful(podManagementPolicy="OrderedReady")) == ["db-1"]
    assert "delete db-1" in keeping(stateful(), PODS)
    assert keeping(stateful(), PODS[:1]) == ""


def test_side_by_side_nothing_is_held_up() -> None:
    assert names(stateful(podManagementPolicy="Parallel")) == []
    assert keeping(stateful(podManagementPolicy="Parallel"), PODS) == ""


def test_on_delete_every_pod_waits_for_a_hand_also_of_a_daemon_set() -> None:
    by_hand = stateful(updateStrategy={"type": "OnDelete"})
    assert names(by_hand) == ["db-0", "db-1"]
    assert "OnDelete" in keeping({**by_hand, "kind": "DaemonSet"}, PODS)
    assert names({**stateful(), "kind": "DaemonSet"}) == []
