"""Looks at the workloads of a cluster again and again, and keeps what it sees. It only reads; a cluster that
does not answer is waited for.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from opssquad import content
from opssquad.cli.failures import OK
from opssquad.cli.render.screen import MUTED, Screen
from opssquad.cli.which import span
from opssquad.errors import ToolError, UsageError
from opssquad.findings import Result
from opssquad.observations.judging import MOST_GAP
from opssquad.settings import Settings
from opssquad.squad.remembering import remembering
from opssquad.store.base import AuditDraft
from opssquad.store.sqlite import Store
from opssquad.times import wall_clock
from opssquad.toolbox import Handles, History
from opssquad.types import Target, digest
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.kube.identity import observed_as

TOOL = "revisions"
LEAST = timedelta(seconds=1)
MOST_LINES = 20
"""Changes that one look tells one by one."""


@dataclass(frozen=True)
class Order:
    """What is to be watched; `every` as it was given, "" among the namespaces means all."""

    context: str
    kubeconfig: Path | None
    recording: str
    namespaces: tuple[str, ...]
    every: str
    once: bool


async def watch(settings: Settings, screen: Screen, order: Order) -> int:
    """Look until told to stop, or once. Raises UsageError for what cannot be meant, StoreError, and
    ToolError where the one look, or the first for another reason than silence, comes to nothing."""
    every = span(order.every, "--every", LEAST, MOST_GAP)
    if order.recording and (order.context or order.kubeconfig):
        raise UsageError("--recording goes with neither --context nor --kubeconfig; give one")
    async with await Store.open(settings.state) as store, _connected(order) as cluster:
        if not order.recording:
            await _on_record(store, settings, cluster, order)
        watching = Watching(store, cluster, screen, order)
        try:
            await watching.look()
            while not order.once:
                await asyncio.sleep(every.total_seconds())
                await watching.look()
        finally:
            watching.leave()
    return OK


@asynccontextmanager
async def _connected(order: Order) -> AsyncIterator[Cluster]:
    """The cluster, with a handle that cannot write."""
    if order.recording:
        from opssquad.worlds.kube.serve import open_recording

        async with open_recording(content.recording(order.recording)) as served:
            cluster = await Cluster.connect(served.kubeconfig, clock=served.world.store.now)
            try:
                yield cluster.limited("read")
            finally:
                await cluster.close()
        return
    cluster = await Cluster.connect(order.kubeconfig, order.context)
    try:
        yield cluster.limited("read")
    finally:
        await cluster.close()


async def _on_record(store: Store, settings: Settings, cluster: Cluster, order: Order) -> None:
    """Put on record that the cluster is connected to, unless that was the last thing that was: a look a
    minute would fill the audit log."""
    args = {**cluster.login(), "namespaces": ", ".join(order.namespaces) or "all"}
    await store.audit_change(
        AuditDraft(
            kind="connection",
            ts=wall_clock(),
            requested_by=settings.by,
            agent="history watch",
            target=Target(cluster=cluster.name),
            tool="history watch",
            args=args,
            status="opened",
            output_sha256=digest(args),
        )
    )


@dataclass
class Watching:
    """What one process has seen so far."""

    store: Store
    cluster: Cluster
    screen: Screen
    order: Order
    looks: int = 0
    _space: str = ""
    _silent: str = ""
    _running: dict[tuple[str, str], str] = field(default_factory=dict)

    async def look(self) -> None:
        """One look at everything; what is new is told. Raises ToolError where no other look would help."""
        try:
            found = await self._found()
        except ToolError as error:
            if self.order.once or (not self.looks and not error.blind):
                raise
            if str(error) != self._silent:
                self._silent = str(error)
                self._say(f"no look: {error}; goes on trying every {self.order.every}")
            return
        if self._silent:
            self._silent = ""
            self._say("answers again")
        self._tell(found)
        self.looks += 1

    async def _found(self) -> list[Result]:
        if not self.order.recording:
            await self._who()
        tool = content.all_tools()[TOOL]
        found = []
        for namespace in self.order.namespaces:
            try:
                async with asyncio.timeout(tool.deadline):
                    found.append(await tool.run({"namespace": namespace}, self._handles()))
            except TimeoutError:
                said = f"{namespace or 'the cluster'} was not read within {tool.deadline:g} s"
                raise ToolError(said, blind=True) from None
        return found

    async def _who(self) -> None:
        """Whose looks these are; another cluster may have come up at the same address."""
        space = await observed_as(self.cluster)
        if self._space and space != self._space:
            self._say("another cluster answers here now; what is seen from now on is kept as its own")
            self._running = {}
        self._space = space

    def _handles(self) -> Handles:
        history = History()
        if not self.order.recording:
            history = remembering(self.store, self.cluster, self._whose)
        return {Cluster: self.cluster, History: history}

    async def _whose(self) -> str:
        return self._space

    def _tell(self, found: list[Result]) -> None:
        """A line for each revision that came, changed or went since it was last kept, which may be by another
        process; the first look also counts."""
        seen = {(e["workload"], e["revision"]): e["text"] for r in found for e in r.data["revisions"]}
        news = [(e["workload"], e["revision"]) for r in found for e in r.data["news"]]
        if self.order.recording:
            news = [key for key, text in seen.items() if self._running.get(key) != text]
        gone = [key for key in self._running if key not in seen]
        if not self.looks:
            workloads = len({workload for workload, _ in seen})
            self._say(f"{_many(len(seen), 'revision')} of {_many(workloads, 'workload')}{self._how()}")
        lines = [f"{workload} {seen[workload, revision]}" for workload, revision in news]
        lines += [f"{key[0]} {self._running[key].partition(':')[0]}: no pods any more" for key in gone]
        for line in lines[:MOST_LINES]:
            self._say(line)
        if len(lines) > MOST_LINES:
            self._say(f"and {len(lines) - MOST_LINES} more; see: opssquad history show")
        self._running = seen

    def _how(self) -> str:
        where = ", ".join(filter(None, self.order.namespaces)) or "all namespaces"
        pace = "" if self.order.once else f", every {self.order.every}"
        kept = "; a recording, so nothing is kept" if self.order.recording else ""
        return f" in {where} of {self.cluster.name}{pace}{kept}"

    def _say(self, text: str) -> None:
        head = f"{self.cluster.now():%H:%M:%S} "
        self.screen.flow(text, indent=len(head), first=head)

    def leave(self) -> None:
        """The last line, also where it was told to stop."""
        if self.looks and not self.order.once:
            self.screen.line((f"stopped after {_many(self.looks, 'look')}", MUTED))


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
