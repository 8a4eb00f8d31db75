"""Which kinds a cluster serves: the built-in table first, the server's discovery when that does not know."""

import asyncio
from collections.abc import Collection

from opssquad.errors import ToolError
from opssquad.worlds.kube.http import KubeHTTP
from opssquad.worlds.kube.kinds import (
    KNOWN,
    Resource,
    discovered,
    listed,
    match,
    stale,
    unknown,
    versions,
)

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


class Catalogue:
    """The kinds of one cluster; asks for discovery once, and again when a kind is not found in it."""

    def __init__(self, http: KubeHTTP) -> None:
        self._http = http
        self._served: list[Resource] = []
        self._unread: list[str] = []
        self._groups: list[Resource] | None = None

    async def find(self, kind: str, group: str = "") -> Resource:
        """The resource that goes by that name. Raises ToolError with the nearest kinds, and with the groups
        that did not answer: the kind may be one of theirs."""
        found = match(kind, group, (*KNOWN, *self._served, *(self._groups or ())))
        if found:
            return found
        served = await self.served()
        found = match(kind, group, served)
        if not found:
            raise unknown(kind, served, self._unread)
        return found

    async def served(self) -> list[Resource]:
        """Everything that the server says it serves, core group first. A group whose own server is down is
        left out, so that it does not hide the others."""
        core, named = await asyncio.gather(
            self._http.read("/api", accept=AGGREGATED), self._http.read("/apis", accept=AGGREGATED)
        )
        if core.get("kind") == named.get("kind") == "APIGroupDiscoveryList":
            self._served, self._unread = discovered([core, named]), stale(named)
        else:
            self._served = await self._one_by_one(versions(core, named))
        return self._served

    async def of_groups(self, wanted: Collection[str]) -> list[Resource]:
        """The resources of those API groups that the server serves, in the version it prefers; asked once,
        in one request where the server has discovery in one document."""
        if self._groups is None:
            named = await self._http.read("/apis", accept=AGGREGATED)
            if named.get("kind") == "APIGroupDiscoveryList":
                self._groups = discovered([named])
            else:
                mine = [path for path in versions({}, named) if path.split("/")[2] in wanted]
                self._groups = await self._one_by_one(mine)
        found = {(each.group, each.kind): each for each in reversed(self._groups) if each.group in wanted}
        return list(found.values())

    async def _one_by_one(self, paths: list[str]) -> list[Resource]:
        """Discovery as servers before 1.26 have it: one document for every group and version."""
        unread: list[str] = []

        async def one(path: str) -> list[Resource]:
            try:
                return listed(await self._http.read(path))
            except ToolError:
                unread.append(path.removeprefix("/apis/"))
                return []

        found = await asyncio.gather(*map(one, paths))
        self._unread = sorted(unread)
        return [resource for resources in found for resource in resources]
