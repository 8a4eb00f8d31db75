"""What can be looked at in a database, `looks.yaml`, read and validated; no connection is made here."""

from functools import cache
from pathlib import Path

from pydantic import Field

from opssquad.documents import read_yaml
from opssquad.errors import ToolError
from opssquad.types import Json, Value


class Need(Value):
    """What a look takes, and what is lost without: membership in a role, or an extension."""

    lost: str
    role: str = ""
    extension: str = ""


class LookSpec(Value):
    """One look. `versions` are texts for servers from that version on; below `since` there is nothing to
    see. Names of extensions in braces stand for their views, wherever they are installed."""

    tells: str
    sql: str
    versions: dict[int, str] = Field(default_factory=dict)
    since: int = 0
    needs: Need | None = None
    most: int = Field(default=500, gt=0)

    def text(self, version: int) -> str:
        """The statement for a server of that version."""
        fitting = [least for least in self.versions if version >= least]
        return self.versions[max(fitting)] if fitting else self.sql


class Looks(Value):
    """All looks by name."""

    looks: dict[str, LookSpec]


@cache
def known_looks() -> dict[str, LookSpec]:
    """Every look by its name."""
    return read_yaml(Path(__file__).with_name("looks.yaml"), Looks).looks


def look_of(name: str) -> LookSpec:
    """The look of that name. Raises ToolError."""
    found = known_looks().get(name)
    if found is None:
        raise ToolError(f"nothing called {name!r} can be looked at; there is: {', '.join(known_looks())}")
    return found


def lacking(spec: LookSpec, server: Json) -> str:
    """What keeps this login of this server from that look, and what is lost for it; empty for nothing.
    `server` is the row of the look of that name."""
    if spec.since > int(server["version_num"]):
        known = spec.since // 10000
        return f"PostgreSQL {server['version']} does not tell {spec.tells}; it does from {known} on"
    need = spec.needs
    if need and need.extension and need.extension not in (server.get("extensions") or {}):
        return (
            f"the extension {need.extension} is not installed in {server['database']}, so {need.lost} cannot"
            f" be told; a superuser adds it with: CREATE EXTENSION {need.extension}"
        )
    return ""


def hidden(spec: LookSpec, server: Json) -> str:
    """What such a login does not see of a look that it may take; empty for nothing."""
    need = spec.needs
    if not need or not need.role or server.get("superuser") or server.get("sees_all_sessions"):
        return ""
    return (
        f"{server['role']} is no member of {need.role}, so it does not see {need.lost}; a superuser mends it"
        f" with: GRANT pg_monitor TO {server['role']}"
    )
