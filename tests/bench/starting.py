"""Figures of starting: `--help`, a question up to its first request to the model, that request's size."""

import asyncio
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.large import SOURCE
from tests.bench.measure import Figure, environment, run
from tests.stub_model import Json, serving, text

QUESTION = "auth-service keeps restarting, why?"
BYTES_PER_TOKEN = 4.0


def help_figures(times: int) -> list[Figure]:
    """`opssquad --help`: seconds and memory."""
    with tempfile.TemporaryDirectory() as folder:
        env = environment(Path(folder))
        runs = [run(["-m", "opssquad", "--help"], Path(folder), env) for _ in range(times + 1)][1:]
    return [
        Figure("opssquad --help", [r.seconds for r in runs], "s", 0.15),
        Figure("opssquad --help, memory", [r.megabytes for r in runs], "MB", 40),
    ]


async def ask_figures(times: int) -> list[Figure]:
    """`opssquad ask` on a recording, a stub as endpoint: start to first request, memory, that request."""
    seconds, runs, sizes = [], [], []
    for number in range(times + 1):
        async with serving([text("I cannot tell.")]) as stub:
            with tempfile.TemporaryDirectory() as folder:
                env = environment(Path(folder), OPENAI_BASE_URL=stub.url)
                argv = [
                    "-m",
                    "opssquad",
                    "ask",
                    QUESTION,
                    "--recording",
                    str(SOURCE),
                    "--model",
                    "stub",
                    "--json",
                ]
                done = await asyncio.to_thread(run, argv, Path(folder), env)
        if not stub.times:
            raise RuntimeError(f"the question never reached the endpoint: {done.output[-500:]}")
        if number:
            seconds.append(stub.times[0] - done.began)
            runs.append(done)
            sizes.append(tokens(stub.asked[0]))
    return [
        Figure("ask, process start to first request", seconds, "s", 1.6),
        Figure("ask, CPU of the whole run, on a busy machine the truer", [r.cpu for r in runs], "s", None),
        Figure("ask, memory of the whole run", [r.megabytes for r in runs], "MB", 140),
        Figure("first request", sizes, "tokens", 4000, how_counted(stub.asked[0])),
    ]


def tokens(asked: Json) -> float:
    """Tokens of messages and tool schemas, estimated as bytes of compact JSON divided by four."""
    return len(_compact(asked)) / BYTES_PER_TOKEN


def how_counted(asked: Json) -> str:
    """The parts of a request in bytes, and how they became tokens."""
    system = sum(len(_compact(m)) for m in asked["messages"] if m["role"] == "system")
    tools = len(_compact(asked.get("tools") or []))
    parts = f"system {system}, {len(asked['tools'])} tools {tools}"
    return f"estimate: {len(_compact(asked))} bytes of JSON / 4 ({parts})"


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def spans(later: Sequence[float], earlier: Sequence[float]) -> list[float]:
    """Milliseconds between pairs."""
    return [(after - before) * 1000 for after, before in zip(later, earlier, strict=False)]
