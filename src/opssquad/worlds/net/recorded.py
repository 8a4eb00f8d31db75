"""A recorded network: probes answered from what was recorded, or from what follows from it."""

from datetime import datetime
from pathlib import Path

from opssquad.times import Clock
from opssquad.types import Json
from opssquad.worlds.net import answers, asks

FOLDER = "network"
KINDS: dict[str, type[answers.Answer]] = {
    "lookup": answers.Resolved,
    "connect": answers.Connected,
    "shake": answers.Shaken,
    "fetch": answers.Fetched,
    "trace": answers.Traced,
    "echo": answers.Echoed,
    "sockets": answers.SocketsSeen,
}


def has_network(folder: Path) -> bool:
    """Whether a recording has a network part."""
    return (folder / FOLDER).is_dir()


class RecordedNetwork:
    """The network of a recording; one without such a part answers nothing. `clock` is the world's."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder, self._clock = folder, clock

    def now(self) -> datetime:
        """The world's clock."""
        return self._clock()

    def login(self) -> Json:
        """From where it was probed."""
        return {"from": "where it was recorded"}

    def origins(self) -> dict[str, str]:
        """From where it was probed."""
        return {"": "where it was recorded"}

    async def probe(self, ask: asks.Ask) -> answers.Answer:
        """What was recorded of it."""
        why = "nothing of the kind was recorded"
        told = {"ask": ask, "origin": self.origins()[ask.origin], "at": self.now()}
        return KINDS[ask.kind].model_validate({**told, "end": "not_recorded", "why": why})
