"""The tool `events`: grouping on events made here, the tool itself against the recorded clusters."""

from datetime import UTC, datetime, timedelta

import pytest
from tools._kube import event_count
from tools.events import STALE, concerns, events, rows, sources, stale

from opssquad import Cluster, Json, Result
from tests.tools.recorded import IDS, of_kind
from tests.tools.test_changes import cluster_of

NOW = datetime(2026, 3, 8, 14, 37, tzinfo=UTC)


def _event(name: str, minutes: int, message: str = "failed", kind: str = "Pod", count: int = 1) -> Json:
    at = (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "kind": "Event",
        "metadata": {"name": f"{name}.1", "namespace": "shop", "creationTimestamp": at},
        "involvedObject": {"kind": kind, "namespace": "shop", "name": name},
        "type": "Warning",
        "reason": "BackOff",
        "message": message,
        "count": count,
        "firstTimestamp": at,
        "lastTimestamp": at,
    }


async def run(recording: str, **args: object) -> Result:
    async with cluster_of(recording) as cluster:
        return await events.run(args, {Cluster: cluster})


def test_pods_of_one_replica_set_that_say_the_same_share_a_row() -> None:
    said = [
        _event("web-5f95d6d57b-72rsb", 9, "back-off in pod web-5f95d6d57b-72rsb_shop(id)", count=5),
        _event("web-5f95d6d57b-sbgvn", 3, "back-off in pod web-5f95d6d57b-sbgvn_shop(id)", count=2),
        _event("cart-5f95d6d57b-72rsb", 5, "back-off in pod cart-5f95d6d57b-72rsb_shop(id)"),
    ]
    found = rows(said)
    assert [(each.count, len(each.objects)) for each in found] == [(7, 2), (1, 1)]
    assert found[0].last == NOW - timedelta(minutes=3)
    assert found[0].first == NOW - timedelta(minutes=9)


def test_a_warning_is_stale_a_quarter_of_an_hour_before_the_newest() -> None:
    (row,) = rows([_event("web-1", 40)])
    assert stale(row, row.last + STALE) == ""
    assert stale(row, row.last + STALE + timedelta(minutes=1)) == " [stale: 16 min before the newest warning]"


def test_an_event_concerns_its_object_and_the_workload_that_made_it() -> None:
    event = _event("web-5f95d6d57b-72rsb", 1)
    assert concerns(event, "web")
    assert concerns(event, "web-5f95d6d57b-72rsb")
    assert concerns(event, "")
    assert not concerns(event, "we")


@pytest.mark.parametrize("recording", IDS)
def test_no_event_of_a_recording_is_lost_in_the_rows(recording: str) -> None:
    listed = list(of_kind(recording, "Event"))
    found = rows(listed)
    assert sum(row.count for row in found) == sum(map(event_count, listed))
    assert len(found) <= len(listed)
    held = {each.locator for each in sources(listed)}
    assert {f"Event {ref}" for row in found for ref in row.objects} == held


async def test_warnings_come_first_and_old_ones_are_marked() -> None:
    result = await run("media-0728", namespace="streaming")
    assert (
        result.text.index("Warnings:")
        < result.text.index("NodeNotReady")
        < result.text.index("Other events:")
    )
    text = " ".join(result.text.split())
    assert "Readiness probe failed: HTTP probe failed with statuscode: 503 [stale: 24 min before" in text
    assert "Pod/streaming/postgres-0" in result.data["pods"]


async def test_about_narrows_to_a_workload_and_names_the_line_to_type() -> None:
    result = await run("shop-0618", namespace="shop", about="payments")
    assert "Back-off restarting failed container payments" in result.text
    assert all("/payments" in each.locator for each in result.sources)
    assert result.commands == ("kubectl -n shop get events --sort-by=.lastTimestamp | grep payments",)


async def test_a_quiet_place_is_said_to_prove_little() -> None:
    result = await run("shop-0618", namespace="shop", about="nothing-here")
    assert "none. The API forgets events after about an hour" in result.text


@pytest.mark.parametrize("recording", IDS)
async def test_what_is_shown_of_a_whole_cluster_is_short(recording: str) -> None:
    assert len((await run(recording)).text) < 6000
