"""The tool `logs` against the recorded clusters, over HTTP."""

import pytest
from tools.logs import logs

from opssquad import Cluster, Result, Signal, ToolError
from tests.tools.recorded import IDS, clock, of_kind
from tests.tools.test_changes import cluster_of


async def run(recording: str, **args: object) -> Result:
    async with cluster_of(recording) as cluster:
        return await logs.run(args, {Cluster: cluster})


def _one(result: Result, name: str) -> Signal:
    return next(each for each in result.signals if each.id == name)


async def test_lines_asked_for_come_as_they_are_below_the_errors_that_led_to_the_end() -> None:
    pod = "auth-service-cff498559-nqd7q"
    result = await run("auth-0308", pod=pod, namespace="authentication", tail=50)
    lines = result.text.splitlines()
    assert lines[-1] == "2026-03-08T14:36:40.580Z FATAL Unable to initialize service, exiting"
    errors = [line.split(maxsplit=2)[1:] for line in lines if line.startswith("  14:36:40  ")]
    assert [level for level, _ in errors] == ["ERROR", "ERROR", "FATAL"]
    assert result.data["pod"] == f"Pod/authentication/{pod}"
    assert result.data["previous"] is True
    assert result.commands == (f"kubectl -n authentication logs {pod} -c auth-service --previous --tail=50",)
    assert _one(result, "log.fatal").owner.name == "auth-service"
    assert _one(result, "log.timeout").data["target"] == "db.internal:5432"


async def test_a_workload_means_its_broken_pod() -> None:
    result = await run("shop-0618", pod="payments", namespace="shop")
    assert "pod payments-65dccd66fc-jxhg4, the most broken of 2" in " ".join(result.text.split())
    data = _one(result, "log.parse_error").data
    assert (data["key"], data["value"]) == ("PSP_TIMEOUT_MS", "6s")


@pytest.mark.parametrize(
    ("recording", "caller", "callee"),
    [
        ("auth-0308", "token-service", "auth-service"),
        ("auth-0308", "login-ui", "auth-service"),
        ("auth-0308", "api-gateway", "auth-service"),
        ("media-0519", "title-api", "recommender"),
        ("media-0702", "playback", "cdn-signer"),
        ("shop-0709", "checkout", "inventory"),
        ("shop-0805", "checkout", "payments"),
    ],
)
async def test_a_caller_in_vain_names_the_workload_behind_the_address(
    recording: str, caller: str, callee: str
) -> None:
    space = next(p["metadata"]["namespace"] for p in of_kind(recording, "Pod"))
    signal = _one(await run(recording, pod=caller, namespace=space), "log.connect_refused")
    assert signal.owner.name == caller
    assert signal.data["service"] == f"Service/{space}/{callee}"
    assert signal.data["workload"] == f"Deployment/{space}/{callee}"


async def test_a_caller_that_times_out_names_its_target() -> None:
    signal = _one(await run("media-0728", pod="title-api", namespace="streaming"), "log.timeout")
    assert signal.data["workload"] == "StatefulSet/streaming/postgres"


async def test_a_pod_on_a_node_that_does_not_answer_does_not_hide_the_others() -> None:
    result = await run("media-0728", pod="title-api", namespace="streaming")
    assert "The log of pod title-api-6f545677c6-gdwcw cannot be read" in " ".join(result.text.split())
    assert len(result.sources) == 3
    with pytest.raises(ToolError, match="no route to host.* on node nl-node-02: if that does not answer"):
        await run("media-0728", pod="postgres", namespace="streaming")


async def test_a_refused_probe_is_read_from_the_pods_own_access_lines() -> None:
    data = _one(await run("media-0606", pod="title-api", namespace="streaming"), "log.probe_status").data
    assert (data["path"], data["status"]) == ("/ready", 404)


async def test_a_container_without_a_log_says_why() -> None:
    result = await run("shop-0503", pod="catalog", namespace="shop")
    assert "couldn't find key PRICE_LIST_URL" in " ".join(result.text.split())
    assert result.commands == ()


async def test_grep_shows_only_what_matches_and_takes_no_pattern_amiss() -> None:
    result = await run("shop-0721", pod="web", namespace="shop", grep="econnrefused")
    shown = result.text[result.text.index("Last ") :].splitlines()[1:]
    assert shown
    assert all("ECONNREFUSED" in line for line in shown)
    nothing = await run("shop-0721", pod="web", namespace="shop", grep="((")
    assert "0 of " in nothing.text


async def test_errors_that_are_over_are_no_alarm() -> None:
    signal = _one(await run("media-0811", pod="playback", namespace="streaming"), "log.connect_refused")
    assert signal.severity == "info"
    assert signal.until is not None
    assert signal.until < clock("media-0811")


async def test_names_that_are_not_there_are_answered_with_the_nearest() -> None:
    with pytest.raises(ToolError, match="no pod or workload 'paymets' in 'shop'; nearest: payments"):
        await run("shop-0618", pod="paymets", namespace="shop")
    with pytest.raises(ToolError, match="cdn-signer.* has no pods .replicas: 0."):
        await run("media-0702", pod="cdn-signer", namespace="streaming")


@pytest.mark.parametrize("recording", IDS)
async def test_every_quote_stands_in_the_sources_and_every_text_is_short(recording: str) -> None:
    pods = [p for p in of_kind(recording, "Pod") if p["spec"].get("nodeName")]
    names = {p["metadata"]["namespace"]: p["metadata"]["name"] for p in pods}
    async with cluster_of(recording) as cluster:
        for namespace, name in names.items():
            result = await logs.run({"pod": name, "namespace": namespace}, {Cluster: cluster})
            texts = {each.locator: each.text for each in result.sources}
            assert len(result.text) < 6000
            for quote in (q for signal in result.signals for q in signal.quotes):
                assert quote.text in texts[quote.locator]
