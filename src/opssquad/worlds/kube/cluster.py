"""The cluster handle that tools get; the same for a live cluster and a recorded one.

Objects are dicts as the API writes them. Values of Secrets never leave it; a handle limited to reading
refuses every write that is no dry run. Requests, paging and login live beside it.
"""

import copy
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from opssquad.errors import Refused, ToolError
from opssquad.times import Clock
from opssquad.toolbox import Handle
from opssquad.types import Effect, Json
from opssquad.worlds.kube import containerlog, reading
from opssquad.worlds.kube.access import described, meant
from opssquad.worlds.kube.catalogue import Catalogue
from opssquad.worlds.kube.containerlog import Log, read_log
from opssquad.worlds.kube.fitting import fitted, shaped
from opssquad.worlds.kube.http import DEADLINE, MEDIA, Ask, How, KubeHTTP
from opssquad.worlds.kube.kinds import Resource
from opssquad.worlds.kube.missing import not_there
from opssquad.worlds.kube.reading import Collection, Detail, Table, absent, selection
from opssquad.worlds.kube.trouble import ApiError
from opssquad.worlds.kube.withhold import withheld

MANAGER = "opssquad"
Objects = list[Any]
Resources = list[Resource]


class Cluster(Handle):
    """A Kubernetes cluster as one login sees it.

    `name` is what is on screen (the context's name), `namespace` the default one ("" = none chosen), `server`
    the URL. Every call raises ToolError in one line that says what to try.
    """

    def __init__(self, http: KubeHTTP) -> None:
        self.name = http.access.name
        self.namespace = http.access.namespace
        self.server = http.access.server
        self._http = http
        self._catalogue = Catalogue(http)
        self._writable = True

    @classmethod
    async def connect(
        cls,
        kubeconfig: Path | None = None,
        context: str = "",
        namespace: str = "",
        *,
        deadline: float = DEADLINE,
        clock: Clock | None = None,
    ) -> Self:
        """Choose a cluster; the login waits for the first call. Without `kubeconfig`: KUBECONFIG, the usual
        file, or the service account of the pod we run in. `clock` counts until the server has answered once.

        Raises UsageError: no or malformed kubeconfig, or an unknown context with the nearest names.
        """
        return cls(KubeHTTP(meant(kubeconfig, context, namespace), deadline, clock))

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.close()

    def limited(self, effect: Effect) -> Self:
        """The handle for a call of that effect: for `read`, writes that are no dry run raise Refused."""
        other = copy.copy(self)
        other._writable = self._writable and effect == "mutate"
        return other

    def now(self) -> datetime:
        """The world's clock: the Date of the server's answers, running on."""
        return self._http.now()

    def login(self) -> Json:
        """Which server this is and as whom we come to it, without secrets."""
        return described(self._http.access)

    @property
    def timed(self) -> bool:
        """Whether the server has told its time; if not, `now` is another clock's."""
        return self._http.heard

    async def version(self) -> str:
        """The server's version, such as `v1.36.2`; a cheap way to see whether it answers."""
        return str((await self._http.read("/version")).get("gitVersion", "unknown"))

    async def kinds(self, *groups: str) -> Resources:
        """Every resource that the cluster serves, custom ones included, core first; where `groups` are named
        those of them alone, and that is asked once for as long as the handle lives."""
        return await (self._catalogue.of_groups(groups) if groups else self._catalogue.served())

    async def resource(self, kind: str, group: str = "") -> Resource:
        """What a kind means here: `Deployment`, `deploy`, `deployments.apps`, a custom kind."""
        return await self._catalogue.find(kind, group)

    async def get(self, kind: str, name: str, namespace: str = "", *, group: str = "") -> Json:
        """One object. ToolError names the nearest objects when it is not there."""
        resource, namespace = await self._place(kind, namespace, group, name)
        found = await self._look(resource, name, namespace)
        if found is None:
            raise await not_there(self._http, resource, name, namespace)
        return found

    async def find(self, kind: str, name: str, namespace: str = "", *, group: str = "") -> Json | None:
        """One object, or None if it is not there."""
        resource, namespace = await self._place(kind, namespace, group, name)
        return await self._look(resource, name, namespace)

    async def list(
        self,
        kind: str,
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
        group: str = "",
        keep: Callable[[Json], Any] | None = None,
    ) -> Objects:
        """Objects of a kind, in pages; "" means all namespaces. With `keep`, what it makes of each, None
        dropped: so a large cluster is read without holding it in memory."""
        resource = await self.resource(kind, group)
        return await reading.objects(
            self._http, Collection(resource, namespace, selection(labels, fields)), keep
        )

    async def table(
        self,
        kind: str,
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
        group: str = "",
        detail: Detail | None = None,
    ) -> Table:
        """The kind as the server prints it (`kubectl get -o wide`): much cheaper than objects. With `detail`
        cheaper still: rows get their metadata only where it says yes to (headings, cells) of one nearby."""
        resource = await self.resource(kind, group)
        what = Collection(resource, namespace, selection(labels, fields))
        return await reading.table(self._http, what, detail)

    async def watch(
        self, kind: str, namespace: str = "", *, fields: str = "", labels: str = "", since: str = ""
    ) -> AsyncGenerator[tuple[str, Json], None]:
        """Changes as (ADDED | MODIFIED | DELETED, object), until the caller stops; put a deadline around it.

        `since` is a resourceVersion; without it everything there is comes first, as ADDED.
        """
        resource = await self.resource(kind)
        changes = reading.watch(self._http, Collection(resource, namespace, selection(labels, fields)), since)
        async with aclosing(changes):
            async for change in changes:
                yield change

    async def logs(
        self,
        pod: str,
        namespace: str,
        *,
        container: str = "",
        previous: bool = False,
        tail: int = 0,
        since: datetime | None = None,
        most: int = containerlog.MOST,
    ) -> Log:
        """A container's log, every line headed by its time (RFC 3339). `tail` lines from the end, 0 for all;
        `previous` is the instance before the last restart; `most` bytes are kept, the last ones, and `cut`
        says that there were more. ToolError in the server's words."""
        resource, namespace = await self._place("Pod", namespace, "", pod)
        query = containerlog.query(container, previous, tail, since)
        try:
            return await read_log(self._http, resource.path(namespace, pod, "log"), query, most)
        except ApiError as error:
            if not absent(error):
                raise
            raise await not_there(self._http, resource, pod, namespace) from error

    async def can_i(
        self, verb: str, kind: str, namespace: str = "", *, subresource: str = "", name: str = ""
    ) -> bool:
        """Whether this login may do that, as `kubectl auth can-i` asks it."""
        resource = await self.resource(kind)
        attributes = {
            "verb": verb,
            "group": resource.group,
            "resource": resource.plural,
            "subresource": subresource,
            "namespace": namespace if resource.namespaced else "",
            "name": name,
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
        }
        answer = await self._http.ask("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
        status = answer.get("status")
        return isinstance(status, dict) and status.get("allowed") is True

    async def patch(
        self,
        kind: str,
        name: str,
        namespace: str,
        body: Any,
        *,
        how: How,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Json:
        """Patch an object and return it. Sent once: ToolUnsure when no answer tells if it was made."""
        resource, namespace = await self._place(kind, namespace, "", name)
        path = resource.path(namespace, name, subresource)
        return await self._change(resource, Ask("PATCH", path, body=body, content=MEDIA[how]), dry_run)

    async def create(self, kind: str, body: Json, namespace: str = "", *, dry_run: bool = False) -> Json:
        """Create an object and return it. Sent once."""
        resource, namespace = await self._place(kind, namespace, "", "the new object")
        return await self._change(resource, Ask("POST", resource.path(namespace), body=body), dry_run)

    async def replace(
        self,
        kind: str,
        name: str,
        namespace: str,
        body: Json,
        *,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Json:
        """Replace an object; with metadata.resourceVersion in the body a newer one is a conflict (409)."""
        resource, namespace = await self._place(kind, namespace, "", name)
        path = resource.path(namespace, name, subresource)
        return await self._change(resource, Ask("PUT", path, body=body), dry_run)

    async def delete(
        self,
        kind: str,
        name: str,
        namespace: str,
        *,
        uid: str = "",
        grace: int | None = None,
        dry_run: bool = False,
    ) -> None:
        """Delete an object; with `uid` only that very one, no successor of its name. `grace` in seconds."""
        resource, namespace = await self._place(kind, namespace, "", name)
        body: Json = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if uid:
            body["preconditions"] = {"uid": uid}
        if grace is not None:
            body["gracePeriodSeconds"] = grace
        if dry_run:
            # With a body, the server reads no options from the query: there a dry run would be a real one.
            body["dryRun"] = ["All"]
        await self._change(resource, Ask("DELETE", resource.path(namespace, name), body=body), dry_run)

    async def _change(self, resource: Resource, ask: Ask, dry_run: bool) -> Json:
        if not dry_run and not self._writable:
            raise Refused(
                f"a read may not change {resource.plural} ({ask.method}); only an approved call writes"
            )
        query = [("fieldManager", MANAGER)] if ask.method != "DELETE" else []
        query += [("dryRun", "All")] if dry_run else []
        made = await self._http.write(replace(ask, query=query))
        try:
            return {} if ask.method == "DELETE" else withheld(resource, shaped(resource, made))
        except ToolError as error:
            if dry_run:
                raise
            raise self._http.unknown(str(error)) from error

    async def _place(self, kind: str, namespace: str, group: str, name: str) -> tuple[Resource, str]:
        """The resource, and the namespace that the object lives in."""
        resource = await self.resource(kind, group)
        if not name.strip():
            # Without a name the path is that of the whole collection.
            raise ToolError(f"which {resource.kind}? The name is empty")
        place = (namespace or self.namespace) if resource.namespaced else ""
        if resource.namespaced and not place:
            raise ToolError(f"{resource.kind} {name!r} lives in a namespace: say which")
        return resource, place

    async def _look(self, resource: Resource, name: str, namespace: str) -> Json | None:
        try:
            found = await self._http.read(resource.path(namespace, name))
        except ApiError as error:
            if not absent(error):
                raise reading.explained(error, resource) from error
            return None
        return withheld(resource, fitted(resource, found, namespace, name))
