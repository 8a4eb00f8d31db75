"""A folder of one's own with `mcp.yaml`, and servers written by hand."""

import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opssquad.extensions.mcp import lock
from opssquad.extensions.mcp.approving import Look, look
from opssquad.extensions.mcp.loading import servers
from opssquad.types import Json
from tests.extensions.conftest import own

__all__ = ["own"]
BYHAND = Path(__file__).resolve().parents[2] / "byhand.py"
SCHEMA: Json = {"type": "object", "properties": {"item": {"type": "string"}}, "required": ["item"]}
Write = Callable[..., Path]
Approve = Callable[..., Awaitable[Look]]


def offered(name: str, description: str = "How many there are.", **more: object) -> Json:
    """A tool as a server lists it."""
    return {"name": name, "description": description, "inputSchema": SCHEMA, **more}


def by_hand(how: str, *more: object) -> str:
    """The command of a server written by hand, as YAML has it."""
    return json.dumps([sys.executable, "-S", str(BYHAND), how, *map(str, more)])


@pytest.fixture
def tools(own: Path) -> Callable[..., Path]:
    """Writes what a server offers."""

    def written(*found: Json, name: str = "tools.json") -> Path:
        path = own / name
        path.write_text(json.dumps(found), encoding="utf-8")
        return path

    return written


@pytest.fixture
def mcp(own: Path) -> Write:
    """Writes `mcp.yaml`."""

    def written(text: str) -> Path:
        path = own / "mcp.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.fixture
def approve(own: Path) -> Approve:
    """Looks at a server and says yes to all of it."""

    async def approved(name: str = "depot") -> Look:
        known = servers(own, believing=False)
        source = known.source(name)
        seen = await look(source, known.lock.servers.get(name))
        lock.write(own, name, seen.lock(source, "kim", datetime(2026, 9, 14, tzinfo=UTC)))
        return seen

    return approved
