"""The recorded operations: which there are, and the exchanges of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.conformance.world import DATA, load_json

Json = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """One operation of one client. `standing_still` is false where controllers were at work while it was
    recorded.
    """

    client: str
    name: str
    path: Path = field(compare=False)
    standing_still: bool = True

    def __str__(self) -> str:
        return f"{self.client}/{self.name}"

    def transcript(self) -> Json:
        """The file: user, world, steps, exchanges."""
        loaded: Json = load_json(self.path)
        return loaded


@cache
def operations() -> tuple[Operation, ...]:
    """All of them, as the index lists them. Several clients may share one file."""
    return tuple(
        Operation(
            entry["client"], entry["operation"], DATA / entry["file"], entry["world"] == "standing still"
        )
        for entry in load_json(DATA / "index.json")
    )


@cache
def referred(name: str) -> Any:
    """A document that transcripts refer to."""
    return load_json(DATA / name)


def recorded_body(message: Mapping[str, Any]) -> Any:
    """The body of a recorded response: JSON as such, text as str, None without a body."""
    if "body_ref" in message:
        return referred(message["body_ref"])
    return message.get("body", message.get("body_text"))
