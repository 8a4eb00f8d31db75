"""A recorded network: probes answered from what was recorded, or from what follows from it."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from opssquad.times import Clock
from opssquad.types import Json
from opssquad.worlds.net import answers, asks

if TYPE_CHECKING:
    from opssquad.worlds.net.material import Material

FOLDER = "network"
TOLD, PROBES, ZONES, CERTIFICATES = (
    f"{FOLDER}/{each}" for each in ("network.yaml", "probes.jsonl", "zones", "certificates")
)
"""The files of a network part, below the recording's folder."""
ReadObject = Callable[[str, str, str], Awaitable[Json | None]]
"""Kind, namespace and name to the object of the cluster as it is now."""
WHERE = "where it was recorded"


def has_network(folder: Path) -> bool:
    """Whether a recording has a network part."""
    return (folder / FOLDER).is_dir()


class RecordedNetwork:
    """The network of a recording; one without such a part answers nothing. `clock` is the world's, `read`
    reads the cluster that was recorded with it, where there is one: what is mended there shows here. Raises
    BadFile."""

    def __init__(self, folder: Path, clock: Clock, read: ReadObject | None = None) -> None:
        self._material, self._clock, self._read = self._load(folder), clock, read
        self._asked: Counter[str] = Counter()

    def _load(self, folder: Path) -> "Material | None":
        if not has_network(folder):
            return None
        # Late: DNS and certificates take a while to import.
        from opssquad.worlds.net.material import load_material

        return load_material(folder)

    def now(self) -> datetime:
        """The world's clock."""
        return self._clock()

    def login(self) -> Json:
        """From where it was probed."""
        return {"from": self.origins()[""]}

    def origins(self) -> dict[str, str]:
        """From where it was probed."""
        told = self._material.told.origins if self._material else ()
        return {each.name: each.says for each in told} or {"": WHERE}

    def resolvers(self, origin: str) -> list[str]:
        """The DNS servers that a place asks."""
        told = self._material.told.origins if self._material else ()
        return next(([str(server) for server in each.resolvers] for each in told if each.name == origin), [])

    async def probe(self, ask: asks.Ask) -> answers.Answer:
        """What was recorded of it, else what follows from the rest."""
        if self._material is None:
            return _nothing(ask, self.origins()[ask.origin], self.now())
        from opssquad.worlds.net.deriving import answered
        from opssquad.worlds.net.view import mended, view

        number = self._asked[asks.key(ask)]
        self._asked[asks.key(ask)] += 1
        return answered(
            ask, view(self._material, self.now(), await mended(self._material, self._read)), number
        )


def _nothing(ask: asks.Ask, origin: str, now: datetime) -> answers.Answer:
    from opssquad.worlds.net.material import KINDS

    told = {"ask": ask, "origin": origin, "at": now}
    return KINDS[ask.kind].model_validate({**told, "end": "not_recorded", "why": "no network was recorded"})
