"""A recording served over HTTP with the cluster handle on it: how the tools are tested for real."""

import contextlib
from collections.abc import AsyncIterator

from opssquad import Cluster
from opssquad.testing import recorded


@contextlib.asynccontextmanager
async def cluster_of(recording: str) -> AsyncIterator[Cluster]:
    """The recorded cluster, and nothing of its truth."""
    async with recorded(recording) as world:
        yield world[Cluster]
