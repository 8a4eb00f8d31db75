"""`opssquad.testing.recorded`: the world of a recording with its handles, and a clock to set forward."""

from datetime import timedelta

import pytest

from opssquad import Cluster, Database, Network, UsageError, content
from opssquad.testing import recorded
from opssquad.toolbox import Clock


async def test_a_recorded_world_has_the_handles_of_what_was_recorded_and_its_clock() -> None:
    async with recorded("auth-0308") as world:
        assert f"{world[Clock].now():%Y-%m-%d %H:%M}" == "2026-03-08 14:37"
        assert (await world[Cluster].get("Deployment", "auth-service", "authentication"))["spec"]
        with pytest.raises(UsageError, match="recording auth-0308 has no Database; it has: Clock, Cluster"):
            world[Database]


async def test_a_recording_by_its_folder_may_have_a_database_or_a_network_alone() -> None:
    async with recorded(content.recordings()["shop-db-03"]) as world:
        assert (await world[Database].rows("server")).rows
    async with recorded("gipfel-0219") as world:
        assert world[Network].origins()


async def test_time_passes_at_once_and_the_world_goes_on_meanwhile() -> None:
    async with recorded("auth-0308") as world:
        cluster, before = world[Cluster], world[Clock].now()
        template = {"spec": {"template": {"metadata": {"annotations": {"example.com/restarted": "now"}}}}}
        await cluster.patch("Deployment", "token-service", "authentication", template, how="merge")
        await world.pass_time(timedelta(minutes=3))
        assert world[Clock].now() - before > timedelta(seconds=170)
        status = (await cluster.get("Deployment", "token-service", "authentication"))["status"]
        assert status["updatedReplicas"] == status["readyReplicas"] == status["replicas"]


async def test_each_world_is_apart_from_others_of_the_same_recording() -> None:
    async with recorded("auth-0308") as one, recorded("auth-0308") as other:
        await one[Cluster].delete("Deployment", "login-ui", "authentication")
        assert await other[Cluster].find("Deployment", "login-ui", "authentication")
