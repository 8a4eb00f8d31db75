"""What was approved of servers, kept beside `mcp.yaml`: tools as they were described then, with digests."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pydantic import Field, ValidationError

from opssquad.documents import misfit, read_text
from opssquad.errors import UsageError
from opssquad.types import Value
from opssquad.worlds.mcp.offered import Offered

FILE = "mcp.lock.yaml"


class Approved(Value):
    """A tool as it was approved. `suspicious`: its words read like an instruction to a model, so that they
    are not shown to any."""

    offered: Offered
    digest: str
    suspicious: bool = False


class ServerLock(Value):
    """What was approved of a server, by whom; `place` is a digest of where it was then. `left_out` are tools
    that cannot be used, and why."""

    place: str
    by: str
    at: datetime
    tools: tuple[Approved, ...] = ()
    left_out: Mapping[str, str] = Field(default_factory=dict)


class Lock(Value):
    """Servers by name."""

    servers: dict[str, ServerLock] = Field(default_factory=dict)


def read(folder: Path) -> Lock:
    """What is approved; nothing where there is no file. Raises UsageError for one that is not as we wrote
    it."""
    file = folder / FILE
    if not file.exists():
        return Lock()
    try:
        # JSON, which is YAML too: hundreds of schemas are read in no time.
        lock = Lock.model_validate_json(read_text(file))
    except ValidationError as error:
        said = f"{misfit(error, Lock)}; `opssquad mcp approve` writes it: delete it, and approve anew"
        raise UsageError(f"{file}: {said}") from None
    for name, server in lock.servers.items():
        for each in server.tools:
            if each.digest != each.offered.digest:
                what = f"{each.offered.name} of server {name} was altered by hand"
                raise UsageError(f"{file}: {what}; look at the server again: opssquad mcp approve {name}")
    return lock


def write(folder: Path, name: str, server: ServerLock) -> Path:
    """Keep what was approved of a server; the file. Raises UsageError."""
    file = folder / FILE
    try:
        servers = read(folder).servers
    except UsageError:
        # What cannot be believed is not kept.
        servers = {}
    lock = Lock(servers={**servers, name: server})
    part = file.with_suffix(".part")
    try:
        part.write_text(f"{lock.model_dump_json(indent=1)}\n", encoding="utf-8")
        part.replace(file)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from error
    return file
