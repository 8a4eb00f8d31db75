"""Which kinds a cluster serves: the built-in table first, the server's discovery when that does not know."""

import asyncio

from opssquad.types import Json
from opssquad.worlds.kube.http import KubeHTTP
from opssquad.worlds.kube.kinds import KNOWN, Resource, discovered, listed, match, unknown

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


class Catalogue:
    """The kinds of one cluster; asks for discovery once, and again when a kind is not found in it."""

    def __init__(self, http: KubeHTTP) -> None:
        self._http = http
        self._served: list[Resource] = []

    async def find(self, kind: str, group: str = "") -> Resource:
        """The resource that goes by that name. Raises ToolError with the nearest kinds."""
        found = match(kind, group, KNOWN) or match(kind, group, self._served)
        if found:
            return found
        served = await self.served()
        found = match(kind, group, served)
        if not found:
            raise unknown(kind, served)
        return found

    async def served(self) -> list[Resource]:
        """Everything that the server says it serves, core group first."""
        core, named = await asyncio.gather(
            self._http.read("/api", accept=AGGREGATED), self._http.read("/apis", accept=AGGREGATED)
        )
        if core.get("kind") == named.get("kind") == "APIGroupDiscoveryList":
            self._served = discovered([core, named])
        else:
            self._served = await self._one_by_one(core, named)
        return self._served

    async def _one_by_one(self, core: Json, named: Json) -> list[Resource]:
        """Discovery as servers before 1.26 have it: one document for every group and version."""
        paths = [f"/api/{version}" for version in core.get("versions", [])]
        paths += [f"/apis/{group['preferredVersion']['groupVersion']}" for group in named.get("groups", [])]
        documents = await asyncio.gather(*(self._http.read(path) for path in paths))
        return [resource for document in documents for resource in listed(document)]
