"""A recording served over HTTP with the cluster handle on it: how the tools are tested for real."""

import contextlib
from collections.abc import AsyncIterator

from opssquad import Cluster
from opssquad.worlds.kube.serve import open_recording
from tests.tools.recorded import RECORDINGS


@contextlib.asynccontextmanager
async def cluster_of(recording: str) -> AsyncIterator[Cluster]:
    """The recorded cluster, and nothing of its truth."""
    async with open_recording(RECORDINGS / recording) as served:
        cluster = await Cluster.connect(served.kubeconfig)
        try:
            yield cluster
        finally:
            await cluster.close()
