"""What a run may look at and act upon, live or recorded: cluster, database, network, with one clock."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from opssquad.errors import ToolError, UsageError
from opssquad.gate.kubectl import classify
from opssquad.investigation.in_force import reach
from opssquad.investigation.options import Options, RecordedPart
from opssquad.squad.known import spec_of
from opssquad.squad.spec import World
from opssquad.times import Clock, wall_clock
from opssquad.toolbox import Handle, Handles, Tool
from opssquad.types import Json, Target
from opssquad.worlds.kube.access import NoKubeconfig
from opssquad.worlds.kube.clock import WorldClock
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.kube.identity import identity, login_of
from opssquad.worlds.kube.kubectl import Kubectl
from opssquad.worlds.kube.recording.load import load_incident
from opssquad.worlds.net.here import Here
from opssquad.worlds.net.live import Live
from opssquad.worlds.net.network import Network
from opssquad.worlds.net.reach import Bounded
from opssquad.worlds.net.recorded import ReadObject, RecordedNetwork, has_network
from opssquad.worlds.sql.database import Database
from opssquad.worlds.sql.trouble import ITSELF, DatabaseError

NAMED = ("Namespace", "Node", "Deployment", "StatefulSet", "DaemonSet", "CronJob", "Service")
"""Kinds whose names a conversation may begin with."""
LOOKED: tuple[tuple[str, str], ...] = (("tables", "table"), ("roles", "role"), ("sessions", "application"))
"""Looks into a database, and the column of each that names what a conversation may begin with."""
SYSTEMS: frozenset[type[Handle]] = frozenset([Cluster, Kubectl, Database, Network])
"""Handles that are only there with something connected."""
MEANT: dict[World, str] = {
    "cluster": "a cluster: give --context NAME, set KUBECONFIG, or take --recording DIR",
    "database": "a database: give --dsn 'host=... dbname=... user=...' or set OPSSQUAD_DSN",
    "network": "a network: take a recording that has one",
}


@dataclass(frozen=True)
class Connection:
    """One side that is connected to. `ask` asks it for its clock; `login` says as whom, without a secret."""

    what: World
    login: Json
    ask: Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Systems:
    """The systems of one run; at least one is there. `recording` is the name of the one they are of. With
    `beside` the squad can do without the cluster: that it does not answer may be what is asked about."""

    cluster: Cluster | None
    database: Database | None
    network: Network | None = None
    namespace: str = ""
    recording: str = ""
    beside: bool = False

    def now(self) -> datetime:
        """The world's clock: the cluster's where there is one."""
        return self._first.now()

    @property
    def _first(self) -> Cluster | Database | Network:
        found = self.cluster or self.database or self.network
        assert found is not None, "connect refuses a run without any system"
        return found

    @property
    def target(self) -> Target:
        """Where the run looks and acts, as the screen says it."""
        return Target(
            cluster=self.cluster.name if self.cluster else "",
            namespace=self.namespace or (self.cluster.namespace if self.cluster else ""),
            database=f"{self.database.name} at {self.database.server}" if self.database else "",
        )

    def has(self, world: World) -> bool:
        """Whether that is connected."""
        held = {"cluster": self.cluster, "database": self.database, "network": self.network}
        return held[world] is not None

    def handles(self) -> Handles:
        """What tools get by the types of their parameters."""
        found: dict[type[Any], Any] = {}
        if self.cluster:
            found |= {Cluster: self.cluster, Kubectl: Kubectl.beside(self.cluster, classify)}
        if self.database:
            found[Database] = self.database
        if self.network:
            found[Network] = self.network
        return found

    def serve(self, tool: Tool) -> bool:
        """Whether what that tool cannot do without is connected."""
        needed = {kind for name, kind in tool.act.handles.items() if name not in tool.act.optional}
        return not needed & SYSTEMS - self.handles().keys()

    def connections(self) -> Iterator[Connection]:
        """Each side, to be put on record before it is asked anything."""
        if self.cluster:
            asked = self._version if self.beside else self.cluster.version
            yield Connection("cluster", self.cluster.login(), asked)
        if self.database:
            yield Connection("database", self.database.login(), self._facts)
        if self.network and not (self.cluster or self.database):
            yield Connection("network", self.network.login(), self._nothing)

    async def _version(self) -> None:
        assert self.cluster is not None
        with suppress(ToolError):
            await self.cluster.version()

    async def _nothing(self) -> None:
        """A network is asked nothing before somebody wants to know something of it."""

    async def _facts(self) -> None:
        assert self.database is not None
        try:
            await self.database.facts()
        except DatabaseError as error:
            # That it refuses connections may be what is asked about: tools tell it.
            if error.kind not in ITSELF:
                raise

    async def identity(self, tool: Tool) -> str:
        """What tells the system that a tool acts upon from all others; a recorded one is its recording,
        wherever it is served. Raises ToolError where it does not answer."""
        if self.recording:
            return f"recording={self.recording}"
        if self.database and (not self.cluster or Database in tool.act.handles.values()):
            return await self.database.identity()
        return await identity(self.cluster) if self.cluster else ""

    async def names(self) -> list[str]:
        """The names that a conversation may begin with, as far as one may list them."""
        found: list[str] = []
        for kind in NAMED if self.cluster else ():
            with suppress(ToolError):
                found += await self._cluster_names(kind)
        for look, column in LOOKED if self.database else ():
            with suppress(ToolError):
                found += await self._database_names(look, column)
        return found

    async def _cluster_names(self, kind: str) -> list[str]:
        assert self.cluster is not None
        return await self.cluster.list(kind, keep=lambda obj: obj["metadata"]["name"])

    async def _database_names(self, look: str, column: str) -> list[str]:
        assert self.database is not None
        rows = (await self.database.rows(look)).rows
        return [self.database.name, *{str(row[column]) for row in rows if row.get(column)}]


async def connect(options: Options, thread: str, began: datetime, stack: AsyncExitStack) -> Systems:
    """The systems that are meant, not asked yet; recorded ones go on where the thread left them. Raises
    UsageError where the squad's own is not among them."""
    if options.recording:
        return await _recorded(options, options.recording, thread, began, stack)
    needs = spec_of(options.squad).world
    text = options.dsn.get_secret_value() if options.dsn else ""
    cluster = None
    named = options.context or options.kubeconfig or text.startswith("secret:")
    if named or needs != "database":
        try:
            cluster = await Cluster.connect(options.kubeconfig, options.context, options.namespace)
        except NoKubeconfig:
            # Hosts can be probed without any cluster.
            if named or needs != "network":
                raise
        else:
            stack.push_async_callback(cluster.close)
    database = await connect_database(text, cluster, stack) if text else _part(options.part, cluster)
    if needs == "database" and database is None:
        raise UsageError(f"squad {options.squad} needs {MEANT[needs]}")
    network = _network(options, cluster)
    return Systems(cluster, database, network, options.namespace, beside=needs == "network")


async def connect_database(text: str, cluster: Cluster | None, stack: AsyncExitStack) -> Database:
    """The database that a DSN means, not asked yet; a Secret is one of the cluster. Raises UsageError."""
    # Not before one is meant: the driver takes a while to import.
    from opssquad.worlds.sql.dsn import Referred, parse, secret_of
    from opssquad.worlds.sql.postgres import Postgres

    reference = secret_of(text)
    meant = Referred(reference, partial(login_of, cluster)) if reference and cluster else parse(text)
    database = Database(Postgres(meant), proven)
    stack.push_async_callback(database.close)
    return database


def _part(part: RecordedPart | None, cluster: Cluster | None) -> Database | None:
    return _recorded_database(part.folder, _clock(part, cluster), part.journal) if part else None


def _clock(part: RecordedPart, cluster: Cluster | None) -> Clock:
    return cluster.now if cluster else WorldClock(load_incident(part.folder).clock, part.began)


def _network(options: Options, cluster: Cluster | None) -> Network:
    """Where somebody else serves a recording, its own network, and never the real one."""
    if part := options.part:
        return Network(RecordedNetwork(part.folder, _clock(part, cluster), _objects(cluster)))
    return Network(live_network(options, cluster))


def live_network(options: Options, cluster: Cluster | None) -> Live:
    """The network as it is seen from here; what the policy about destinations refuses is not asked."""
    now = cluster.now if cluster else wall_clock
    return Live(Here(now=now, refuses=Bounded(reach(options))))


def _objects(cluster: Cluster | None) -> ReadObject | None:
    """How a recorded network looks at the cluster that it is of; nobody asked for these reads."""
    if cluster is None:
        return None

    async def read(kind: str, namespace: str, name: str) -> Json | None:
        return await cluster.find(kind, name, namespace)

    return read


def proven(statement: str, *, binds: bool = False) -> str:
    """The statement as it may be run, because it provably only reads. Raises ToolError for any other."""
    # Late: the grammar of PostgreSQL is large, and few conversations bring a statement of their own.
    from opssquad.gate.sql import SqlRefusal, prove

    found = prove(statement, binds=binds)
    if isinstance(found, SqlRefusal):
        raise ToolError(found.reason)
    return found.text


async def _recorded(
    options: Options, folder: Path, thread: str, began: datetime, stack: AsyncExitStack
) -> Systems:
    worlds = options.state / "worlds"
    worlds.mkdir(mode=0o700, parents=True, exist_ok=True)
    incident, cluster, real = load_incident(folder), None, options.beside.real
    clock: Clock = WorldClock(incident.clock, began, options.speed, real)
    if incident.cluster:
        from opssquad.worlds.kube.serve import open_recording

        journal, speed = worlds / f"{thread}.jsonl", options.speed
        serving = open_recording(folder, journal=journal, started_at=began, speed=speed, real=real)
        served = await stack.enter_async_context(serving)
        # The clock of our own world is known, so the client library is loaded while the model thinks.
        clock = served.world.store.now
        cluster = await Cluster.connect(served.kubeconfig, namespace=options.namespace, clock=clock)
        stack.push_async_callback(cluster.close)
    database = _recorded_database(folder, clock, worlds / f"{thread}.database.jsonl")
    there = cluster or has_network(folder)
    network = Network(RecordedNetwork(folder, clock, _objects(cluster))) if there else None
    found = Systems(cluster, database, network, options.namespace, folder.name)
    needs = spec_of(options.squad).world
    if not found.has(needs):
        raise UsageError(f"recording {folder.name} holds no {needs}, and squad {options.squad} needs one")
    return found


def _recorded_database(folder: Path, clock: Clock, journal: Path) -> Database | None:
    from opssquad.worlds.sql.material import has_database, load_material

    if not has_database(folder):
        return None
    from opssquad.worlds.sql.recorded import Recorded

    return Database(Recorded(load_material(folder), folder.name, clock, journal), proven)


def without_secrets(text: str) -> str:
    """A connection string as it may be kept: a reference as it is, words without a password. Raises
    UsageError."""
    from opssquad.worlds.sql.dsn import parse, secret_of

    return text if secret_of(text) else parse(text).public
