"""A recording of a live system, without its secrets, in a folder that appears when it is whole.

Nobody's verdict is in it: `truth.yaml` is for a human to write, and so are the rules of `world.yaml`.
"""

import asyncio
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from opssquad.documents import yaml_text
from opssquad.errors import ToolError
from opssquad.evals.appearing import beside
from opssquad.evals.cleaning import Cleaner
from opssquad.gate.names import Lexicon
from opssquad.gate.names import secrets as known_secrets
from opssquad.gate.own import Own
from opssquad.gate.redact import Redactor
from opssquad.times import rfc3339
from opssquad.types import Json
from opssquad.worlds.kube.capture import LogAsk, Turns, asked_logs, read_logs, read_objects
from opssquad.worlds.kube.capture.logs import Line
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.kube.recording.files import packed
from opssquad.worlds.kube.recording.notes import NOTES, CaptureNotes, Missing
from opssquad.worlds.net.answers import Answer
from opssquad.worlds.net.asks import Ask
from opssquad.worlds.net.network import Backend
from opssquad.worlds.sql.capture import read_database
from opssquad.worlds.sql.database import Database

QUESTIONS = (
    "What is wrong in {where}?",
    "Something in {where} does not work as it should. What is it, and what do I do?",
    "Is everything healthy in {where}? If not, why?",
)
"""Asked where the operator gives fewer: they name no workload and suspect nothing."""
UNKNOWN_VERSION = "v0.0.0"
VERSION = re.compile(r"v\d+\.\d+\.\d+")
WORLD = """\
# How this recorded world answers a change. The first outcome that matches decides how new pods of a workload
# fare; what none names gets the default. As it stands every change heals. Write what would not, for example:
#
# outcomes:
# - when:
#     workload: Deployment/NAMESPACE/NAME      # * as in a shell
#     template:                                # of the new pods: image, env, resources, probe, command, args,
#       image: registry.example.com/app:v2.*   # init, volumes
#     objects:                                 # of other objects: exists, absent, has, equals, at_least
#     - ref: ConfigMap/NAMESPACE/NAME
#       has: data.KEY
#   pods: image_pull_error                     # or ready, unready, {pending: {message: ...}},
#                                              # {crash: {exit_code: 1, reason: Error, log: logs/...}}
outcomes: []
default:
  pods: ready
"""


@dataclass(frozen=True)
class CaptureOrder:
    """What is wanted. `since` makes of the cluster's clock the first moment of the logs; None for all.
    `folder` is where the recording will stand, its name is the recording's id. `tell` hears what is done."""

    folder: Path
    namespaces: tuple[str, ...]
    since: Callable[[datetime], datetime | None]
    title: str = ""
    questions: tuple[str, ...] = ()
    probes: tuple[Ask, ...] = ()
    tell: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class Captured:
    """What came of it: numbers of objects, logs, lines, rows of the database and answers of the network, and
    the notes that stand in `missing.yaml`."""

    folder: Path
    objects: int
    logs: int
    lines: int
    notes: CaptureNotes
    rows: int = 0
    answers: int = 0


async def capture(
    cluster: Cluster | None,
    order: CaptureOrder,
    redactor: Redactor,
    database: Database | None = None,
    network: Backend | None = None,
) -> Captured:
    """Write the recording of a cluster, a database, a network, or of several. Raises UsageError where it may
    not be written, ToolError where they cannot be read at all, OSError where the disk fails; nothing is left
    behind then, nor after Ctrl-C."""
    cleaner = Cleaner(redactor)
    with beside(order.folder) as part:
        found = await _Capture(cluster, database, network, order, cleaner, part).run()
        part.rename(order.folder)
    return found


class _Capture:
    """One capture, into a folder of its own."""

    def __init__(
        self,
        cluster: Cluster | None,
        database: Database | None,
        network: Backend | None,
        order: CaptureOrder,
        cleaner: Cleaner,
        folder: Path,
    ) -> None:
        self._reading = cluster.limited("read") if cluster else None
        self._database = database.limited("read") if database else None
        self._network = network
        self._order, self._cleaner, self._folder = order, cleaner, folder
        self._turns = Turns()
        self._lines: list[int] = []
        self._objects = self._rows = 0

    @property
    def _cluster(self) -> Cluster:
        assert self._reading is not None, "only what reads the cluster comes here"
        return self._reading

    async def run(self) -> Captured:
        facts = await self._read_database() if self._database else None
        since, version = None, ""
        if self._reading:
            since, version = await self._read_cluster()
        answers = await self._probe(self._network) if self._network else []
        first = self._reading or self._database or self._network
        assert first is not None, "the command line asks for one of them"
        # The last thing read is before it, though a Date is cut to seconds.
        clock = first.now().replace(microsecond=0) + timedelta(seconds=1)
        if self._network:
            self._keep(self._network, answers, clock)
        notes = self._notes(clock, since)
        self._write(NOTES, yaml_text(notes.model_dump(mode="json")).encode())
        if self._reading:
            self._write("world.yaml", WORLD.encode())
        self._write("incident.yaml", yaml_text(self._incident(clock, version, facts)).encode())
        return Captured(
            self._order.folder,
            self._objects,
            len(self._lines),
            sum(self._lines),
            notes,
            self._rows,
            len(answers),
        )

    async def _probe(self, network: Backend) -> list[Answer]:
        # Late: DNS and certificates take a while to import, and few captures need them.
        from opssquad.worlds.net.capture import read_network
        from opssquad.worlds.net.telling import place

        self._order.tell(f"asking the network {len(self._order.probes)} times")
        answers = await read_network(network, self._order.probes)
        for each in answers:
            if each.end == "denied":
                self._turns.lacks("probe", place(each.ask).removeprefix("probe "), each.why)
        return answers

    def _keep(self, network: Backend, answers: list[Answer], clock: datetime) -> None:
        from opssquad.worlds.net.capture import files

        for path, content in files(network.origins(), answers, clock, self._cleaner.row):
            self._write(path, content)

    async def _read_database(self) -> Json:
        assert self._database is not None
        self._order.tell(f"reading database {self._database.name}")
        found = await read_database(self._database, self._cleaner.row, self._cleaner.line)
        for look, why in found.missing.items():
            self._turns.lacks("database", look, why)
        for path, content in found.files():
            self._write(path, content)
        self._rows = sum(map(len, found.rows.values()))
        return {"name": self._database.name, "version": str(found.server["version"])}

    async def _read_cluster(self) -> tuple[datetime | None, str]:
        """Since when logs were read, and the server's version."""
        version = await self._version()
        await self._refuse_unknown_namespaces()
        since = self._order.since(self._cluster.now())
        self._order.tell(f"reading the objects of {', '.join(self._order.namespaces)}")
        objects = await read_objects(self._cluster, self._order.namespaces, self._turns)
        if not objects:
            raise ToolError(f"nothing could be read: {_first(self._turns.missing)}")
        # Beside the loop, which is to hear Ctrl-C.
        clean = await asyncio.to_thread(self._clean, objects)
        self._write("cluster/objects.jsonl.gz", await asyncio.to_thread(packed, clean))
        asked = list(asked_logs(objects))
        self._order.tell(f"reading {len(asked)} logs")
        await read_logs(self._cluster, asked, since, self._turns, self._write_log)
        self._objects = len(clean)
        return since, version

    async def _version(self) -> str:
        """The server's version. An answer that withholds it is none that ends the capture."""
        try:
            version = await self._cluster.version()
        except ToolError as error:
            if not self._cluster.timed:
                raise
            self._turns.lacks("version", "", str(error))
            return UNKNOWN_VERSION
        if VERSION.match(version):
            return version
        self._turns.lacks("version", "", f"the server calls it {version!r}")
        return UNKNOWN_VERSION

    async def _refuse_unknown_namespaces(self) -> None:
        for name in self._order.namespaces:
            try:
                await self._cluster.get("Namespace", name)
            except ToolError as error:
                if not error.blind:
                    raise

    def _clean(self, objects: list[Json]) -> list[Json]:
        """The objects without secrets."""
        kept = []
        for obj in objects:
            clean = self._cleaner.object(obj)
            if clean is None:
                meta = obj["metadata"]
                where = f"{meta.get('namespace', '')}/{meta['name']}"
                self._turns.lacks(obj["kind"], where, "without its secrets it is no object of its kind")
            else:
                kept.append(clean)
        return kept

    async def _write_log(self, ask: LogAsk, lines: list[Line]) -> None:
        # Only what is written here is written: a thread goes on when all else was cancelled and cleared up.
        text = await asyncio.to_thread(self._cleaner.log, lines)
        self._write(ask.path, text.encode())
        self._lines.append(len(lines))

    def _write(self, path: str, content: bytes) -> None:
        file = self._folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def _notes(self, clock: datetime, since: datetime | None) -> CaptureNotes:
        missing = sorted(self._turns.missing, key=lambda each: (each.kind, each.where, each.reason))
        return CaptureNotes(
            captured_at=clock,
            namespaces=list(self._order.namespaces),
            logs_since=since,
            redacted=self._cleaner.counts,
            missing=[each.model_copy(update={"reason": self._cleaner.text(each.reason)}) for each in missing],
        )

    def _where(self) -> str:
        names = self._order.namespaces
        if not names and self._database:
            return f"database {self._database.name}"
        if not names:
            return "the network"
        return f"namespace {names[0]}" if len(names) == 1 else f"namespaces {', '.join(names)}"

    def _incident(self, clock: datetime, version: str, database: Json | None) -> Json:
        where = self._where()
        asked = [self._cleaner.text(each) for each in self._order.questions]
        neutral = (each.format(where=where) for each in QUESTIONS)
        while len(asked) < len(QUESTIONS):
            asked.append(next(neutral))
        return {
            "id": self._order.folder.name,
            "title": self._cleaner.text(self._order.title) or f"Trouble in {where}",
            "reported_at": rfc3339(clock),
            "clock": rfc3339(clock),
            "squad": "k8s" if self._reading else "database" if self._database else "network",
            "questions": asked,
            "alerts": [],
            **({"cluster": {"name": self._reading.name, "kubernetes": version}} if self._reading else {}),
            **({"database": database} if database else {}),
            **({"network": {"name": self._order.folder.name}} if self._network else {}),
        }


def passing_redactor(own: Own) -> Redactor:
    """A redactor whose placeholders are tagged with a key that nobody keeps: one secret reads alike in all
    of a recording, and nowhere else."""
    return Redactor(secrets.token_bytes(32), Lexicon(known_secrets(), own))


def _first(missing: list[Missing]) -> str:
    return missing[0].reason if missing else "the namespace is empty and nothing else may be read"
