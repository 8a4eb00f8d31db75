"""`make bench`: every figure with its median, spread and target; missed ones are said, and nothing fails."""

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import conversation, crowded, large, owning, probing, reading, starting, suites, wide
from tests.bench.measure import ROOT, Figure, environment, machine, run, with_tests
from tests.stub_model import calls, serving, text

TIMES = 5
TURNS = 20
READY = 90.0
"""Seconds that the server of the large cluster has to read it."""


async def turn_figures(wanted: int, target: float) -> Figure:
    """From the end of a reply to the next request: judging, running `wanted` trivial calls, checkpointing."""
    replies = [calls(*[("look", {})] * wanted) for _ in range(TURNS)] + [text("done")]
    async with serving(replies) as stub:
        with tempfile.TemporaryDirectory() as folder:
            argv = ["-m", "tests.bench.turning", stub.url, folder]
            await asyncio.to_thread(run, argv, Path(folder), with_tests(Path(folder)))
    name = (
        "overhead per turn, one trivial call" if wanted == 1 else f"overhead per turn, {wanted} calls at once"
    )
    gaps = starting.spans(stub.times[1:], stub.ended)[1:]
    return Figure(name, gaps, "ms", target, f"{len(gaps)} turns")


def health_figures(times: int) -> list[Figure]:
    """Health of everything in a large cluster that another process serves."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        large.write(here / "large-0001")
        with _served(here / "large-0001", here) as kubeconfig:
            argv = ["-m", "tests.bench.looking", kubeconfig]
            runs = [run(argv, here, with_tests(here)) for _ in range(times)]
    told = [json.loads(r.output) for r in runs]
    size = large.Size()
    shape = f"{size.pods} pods, {size.nodes} nodes, {size.events} events"
    return [
        Figure(f"health of {shape}", [t["seconds"] for t in told], "s", 3),
        Figure("health, memory of the client", [r.megabytes for r in runs], "MB", 250),
        Figure(
            "health, what the model reads",
            [t["characters"] / 4 for t in told],
            "tokens",
            1500,
            "characters / 4",
        ),
    ]


def path_figures(times: int) -> list[Figure]:
    """One path, and every call of a namespace, in a wide cluster that another process serves."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        wide.write(here / "wide-0001")
        with _served(here / "wide-0001", here) as kubeconfig:
            argv = ["-m", "tests.bench.walking", kubeconfig]
            one = ["svc-003.team-07", "svc-020.team-31:8080", ""]
            runs = [run([*argv, *one], here, with_tests(here)) for _ in range(times)]
            all_calls = [run([*argv, "", "", "team-07"], here, with_tests(here)) for _ in range(times)]
    told, whole = ([json.loads(r.output) for r in each] for each in (runs, all_calls))
    size = wide.Size()
    shape = f"{size.services} Services, {size.pods} pods, {size.policies} policies"
    calls = f"{whole[0]['text'].partition(' looked')[0]}"
    return [
        Figure(f"path among {shape}", [t["seconds"] for t in told], "s", 2, "served, with the login"),
        Figure("path, memory of the client", [r.megabytes for r in runs], "MB", 250),
        Figure("path, what the model reads", [t["characters"] / 4 for t in told], "tokens", 600),
        Figure("path, every call of a namespace", [t["seconds"] for t in whole], "s", 3, calls),
    ]


@contextmanager
def _served(recording: Path, folder: Path) -> Iterator[str]:
    """Serve a recording in a process of its own; gives the kubeconfig's path."""
    argv = [sys.executable, "-m", "opssquad", "recording", "serve", str(recording)]
    server = subprocess.Popen(argv, env=environment(folder), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip().removeprefix("KUBECONFIG=")
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(READY)
        server.stdout.close()


async def figures() -> AsyncIterator[Figure]:
    """All of them, as they are measured."""
    for figure in starting.help_figures(TIMES):
        yield figure
    for figure in await starting.ask_figures(TIMES):
        yield figure
    yield await turn_figures(1, 15)
    yield await turn_figures(8, 30)
    for figure in await asyncio.to_thread(health_figures, TIMES):
        yield figure
    for figure in await asyncio.to_thread(path_figures, TIMES):
        yield figure
    for figure in await asyncio.to_thread(crowded.overview_figures, TIMES):
        yield figure
    for figure in await asyncio.to_thread(reading.digest_figures, TIMES):
        yield figure
    yield await asyncio.to_thread(probing.figure, TIMES)
    for figure in await asyncio.to_thread(owning.figures, TIMES):
        yield figure
    yield await conversation.figure(3)
    for figure in await asyncio.to_thread(suites.suite_figures, 2):
        yield figure


async def main() -> None:
    began = time.monotonic()
    say(f"{machine()}\nmedians (least to most) of {TIMES} runs after one that warms the disk's cache\n")
    missed = []
    async for figure in figures():
        say(figure.line())
        if not figure.met:
            missed.append(figure.name)
    said = f"missed: {', '.join(missed)}" if missed else "every target is met"
    say(f"\n{said}; {time.monotonic() - began:.0f} s in all")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
