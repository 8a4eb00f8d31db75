"""The logs of the containers that ran, each instance that the kubelet still has, with times in one form."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from opssquad.errors import ToolError
from opssquad.times import parse_time
from opssquad.together import together
from opssquad.types import Json
from opssquad.worlds.kube.capture.turns import Turns
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.kube.recording.files import log_path
from opssquad.worlds.kube.recording.logs_check import expected_logs
from opssquad.worlds.kube.trouble import ApiError, Unreachable

STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""Names of which a path may be made."""
PATIENCE = 2
"""Logs in a row that a node may fail to give before it is asked for no more: each costs a deadline."""

Line = tuple[str, str]
"""Time stamp (RFC 3339, UTC, nanoseconds) and message."""


@dataclass(frozen=True)
class LogAsk:
    """A log to be read: of the current instance of a container, or of the one before."""

    namespace: str
    pod: str
    container: str
    previous: bool
    node: str

    @property
    def path(self) -> str:
        """Where a recording keeps it."""
        return log_path(self.namespace, self.pod, self.container, self.previous)


def asked_logs(objects: Iterable[Json]) -> Iterator[LogAsk]:
    """The logs that there should be; containers that never started have none."""
    for pod in objects:
        if pod["kind"] == "Pod":
            meta, node = pod["metadata"], str(pod["spec"].get("nodeName") or "")
            for container, previous in expected_logs(pod):
                yield LogAsk(meta["namespace"], meta["name"], container, previous, node)


async def read_logs(
    cluster: Cluster,
    asks: Iterable[LogAsk],
    since: datetime | None,
    turns: Turns,
    keep: Callable[[LogAsk, list[Line]], Awaitable[None]],
) -> None:
    """Give each log to `keep`, one at a time; what cannot be read is in `turns.missing`. Where `keep` fails,
    nothing is read any more."""
    failed: Counter[str] = Counter()
    # Side by side they would be no faster, and the logs are large.
    writing = asyncio.Lock()

    async def one(ask: LogAsk) -> None:
        async def read() -> None:
            if not all(map(NAME.fullmatch, (ask.namespace, ask.pod, ask.container))):
                raise ToolError("not asked for: its name would lead out of the recording's folder")
            if failed[ask.node] >= PATIENCE:
                raise ToolError(f"not asked for: node {ask.node} did not give the logs before this one")
            try:
                log = await cluster.logs(
                    ask.pod, ask.namespace, container=ask.container, previous=ask.previous, since=since
                )
            except (Unreachable, ApiError) as error:
                failed[ask.node] += isinstance(error, Unreachable) or error.status >= 500
                raise
            failed[ask.node] = 0
            async with writing:
                await keep(ask, _lines(ask, log, turns))
            if log.cut:
                turns.lacks(
                    "log", ask.path, "longer than is kept: its beginning or ends of lines are left out"
                )

        await turns.take("log", ask.path, read)

    await together(one(ask) for ask in asks)


def _lines(ask: LogAsk, log: str, turns: Turns) -> list[Line]:
    """The lines with their times; raises ToolError for what is no log but a word of the kubelet."""
    lines: list[Line] = []
    strange: list[str] = []
    for text in log.split("\n"):
        stamp, _, message = text.partition(" ")
        if found := STAMP.fullmatch(stamp):
            lines.append((_in_utc(found), message))
        elif text.strip():
            strange.append(text)
    if strange and not lines:
        raise ToolError(f"the node says: {strange[0]}")
    if strange:
        turns.lacks("log", ask.path, f"{len(strange)} lines without a time are left out")
    # A node's clock that was set back, or two streams of one container: lines keep their times.
    return sorted(lines, key=lambda line: line[0])


def _in_utc(found: re.Match[str]) -> str:
    """The time as recordings have it; runtimes write it in the zone of their node."""
    moment, fraction, zone = found.groups()
    if zone not in ("Z", "+00:00", "-00:00"):
        moment = parse_time(f"{moment}{zone}").astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{moment}.{(fraction or '').ljust(9, '0')}Z"
