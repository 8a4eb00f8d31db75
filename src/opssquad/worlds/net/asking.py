"""Probes as people write them and evidence names them: `connect cart.shop:80 from node/k2`."""

import json
import re
from collections.abc import Callable
from typing import Annotated, get_args

from pydantic import Field, TypeAdapter, ValidationError

from opssquad.errors import ToolError
from opssquad.types import Json
from opssquad.worlds.net import asks, names

ASK: TypeAdapter[asks.Ask] = TypeAdapter(Annotated[asks.Ask, Field(discriminator="kind")])
TYPES = get_args(asks.RecordType)
WANTED = (
    "write it as lookup NAME [TYPE] [@SERVER], connect HOST:PORT, shake HOST:PORT [as NAME], fetch URL, "
    "trace HOST[:PORT], echo HOST or sockets, each with `from node/NAME` where it is not from here"
)
_FROM = re.compile(r"(.*?)(?: from (\S+))?")
_HOST_PORT = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:\s]+))(?::(?P<port>\d+))?")


def parse(text: str) -> asks.Ask:
    """The probe that is meant, in words or as the JSON of `asks.key`. Raises ToolError."""
    bare = text.strip()
    try:
        if bare.startswith("{"):
            return ASK.validate_python(json.loads(bare))
        return ASK.validate_python(_read(bare))
    except (ValidationError, json.JSONDecodeError) as error:
        first = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise ToolError(f"{bare!r} is no probe ({first}): {WANTED}") from error


def _read(text: str) -> Json:
    found = _FROM.fullmatch(text)
    kind, _, rest = (found[1] if found else text).partition(" ")
    reader = READERS.get(kind)
    if found is None or reader is None:
        raise ToolError(f"{text!r} is no probe: {WANTED}")
    return {"kind": kind, "origin": found[2] or "", **reader(rest.strip())}


def _lookup(rest: str) -> Json:
    words = rest.split()
    servers = [each[1:] for each in words if each.startswith("@")]
    kinds = [each for each in words[1:] if each in TYPES]
    if not words or len(words) != 1 + len(servers[:1]) + len(kinds[:1]):
        raise ToolError(f"'lookup {rest}' is no probe: {WANTED}")
    return {"name": words[0], "server": (servers or [""])[0], **({"type": kinds[0]} if kinds else {})}


def _place(rest: str) -> Json:
    if names.address(rest):
        return {"host": rest}
    found = _HOST_PORT.fullmatch(rest)
    if found is None:
        raise ToolError(f"{rest!r} is no host: {WANTED}")
    return {"host": found["six"] or found["host"], **({"port": found["port"]} if found["port"] else {})}


def _shake(rest: str) -> Json:
    place, _, name = rest.partition(" as ")
    return {**_place(place), "name": name}


def _fetch(rest: str) -> Json:
    method, _, url = rest.rpartition(" ")
    return {"url": url, **({"method": method} if method else {})}


READERS: dict[str, Callable[[str], Json]] = {
    "lookup": _lookup,
    "connect": _place,
    "shake": _shake,
    "fetch": _fetch,
    "trace": _place,
    "echo": _place,
    "sockets": lambda rest: {"sockets": rest} if rest else {},
}
