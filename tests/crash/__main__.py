"""Kill an investigation at each point of a list and let another process go on: `python -m tests.crash [N]`.

With a number only so many points are tried, spread evenly over the list. Prints one JSON object a line: the
figures of each list, each point at which something was wrong, the end.
"""

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.crash import forge, scene
from tests.crash.judging import wrong
from tests.crash.points import Hit, Line, Point, after, chosen, killed_at, recorded

PARALLEL = 2 * (os.cpu_count() or 1)
"""Processes at a time: most of a rollout is waiting."""


@dataclass(frozen=True)
class Play:
    """A part of an investigation that is cut off; it begins with a copy of `base`, or with nothing."""

    name: str
    run: Callable[[Path], object]
    base: Path | None = None

    def begin(self) -> Path:
        """A new state folder for it, in a temporary one of its own."""
        folder = Path(tempfile.mkdtemp(prefix="opssquad-crash-")) / "state"
        if self.base:
            shutil.copytree(self.base, folder)
        return folder

    def hits(self) -> list[Hit]:
        """Every line of a whole run."""
        folder, hits = self.begin(), list[Hit]()
        with recorded(folder, hits):
            self.run(folder)
        shutil.rmtree(folder.parent)
        return hits


@dataclass(frozen=True)
class Death:
    """A point at which a play ends; with `asking` the next process is asked something else at once."""

    play: Play
    point: Point
    asking: bool

    def __str__(self) -> str:
        return f"{self.play.name}, {self.point}{', then asked at once' * self.asking}"


def die(play: Play, point: Point, folder: Path) -> tuple[int, object]:
    """Run a play in a process that dies at the point."""

    def run() -> None:
        with killed_at(point):
            play.run(folder)

    return forge.forked(run)


def tried(death: Death) -> dict[str, Any]:
    """Kill one run, go on in another process, and see what does not hold."""
    folder = death.play.begin()
    try:
        code, said = die(death.play, death.point, folder)
        if code != -signal.SIGKILL:
            return {"at": str(death), "reached": False, "wrong": [said] if code else []}
        left = asyncio.run(scene.left(folder))
        code, said = forge.forked(lambda: asyncio.run(scene.take_up(folder, asking=death.asking)))
        found = said if isinstance(said, list) else [f"the next process failed: {said or code}"]
        now = asyncio.run(scene.left(folder))
        return {"at": str(death), "reached": True, "wrong": found + wrong(left, now, asking=death.asking)}
    finally:
        shutil.rmtree(folder.parent)


def plays(folder: Path) -> Iterator[Play]:
    """The act, the question before it, and the going on of a process that found the act cut off."""
    asked, cut = folder / "asked", folder / "cut"
    forge.forked(lambda: asyncio.run(scene.ask(asked)))
    act = Play("choosing and acting", lambda state: asyncio.run(scene.choose(state)), asked)
    yield act
    yield Play("asking", lambda state: asyncio.run(scene.ask(state)))
    shutil.copytree(asked, cut)
    code, said = die(act, after(in_a_fork(act.hits), "worlds"), cut)
    assert code == -signal.SIGKILL, said
    yield Play("going on after a death amid the act", lambda state: asyncio.run(scene.take_up(state)), cut)


def deaths(most: int, folder: Path) -> list[Death]:
    """The list: every point of every play, taken up in both ways, or so many of them in even strides."""
    found, known = list[Death](), set[Line]()
    for play in plays(folder):
        hits = in_a_fork(play.hits)
        points = chosen(hits)
        known |= {(file, line) for file, line, _ in hits}
        tell(play=play.name, executed=len(hits), points=len(points), lines=len(known))
        found += [Death(play, point, asking) for point in points for asking in (False, True)]
    step = len(found) / most if most else 1
    return [found[int(n * step)] for n in range(most or len(found))]


def whole(folder: Path) -> None:
    asyncio.run(scene.ask(folder))
    asyncio.run(scene.choose(folder))
    asyncio.run(scene.take_up(folder))


def in_a_fork(work: Callable[[], list[Hit]]) -> list[Hit]:
    code, said = forge.forked(work)
    assert isinstance(said, list), f"no list of points could be made: {said}"
    return said


def tell(**said: Any) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def main(most: int) -> None:
    began = time.monotonic()
    forge.prepare(scene.RECORDING, whole)
    with tempfile.TemporaryDirectory() as folder:
        wanted, missed = deaths(most, Path(folder)), 0
        for _, result in forge.spread(wanted, tried, PARALLEL):
            assert isinstance(result, dict), result
            missed += not result["reached"]
            if result["wrong"]:
                tell(**result)
    tell(tried=len(wanted), missed=missed, seconds=round(time.monotonic() - began))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
