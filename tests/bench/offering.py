"""Figures of choosing tools: how often the right one is offered, and what a first request costs then."""

import asyncio
import tempfile
from pathlib import Path

from opssquad import content
from tests.bench.large import SOURCE
from tests.bench.measure import Figure, environment, run
from tests.bench.starting import how_counted, tokens
from tests.squad.questions import corpus, missed, platform
from tests.stub_model import serving, text

SQUAD = "extends: k8s\ntools: [{}]\n"


def share_figures() -> list[Figure]:
    """Questions of the corpus, in hundredths, for which the tool that they need is not offered."""
    asked = corpus()
    parts = (
        ("all of them", asked),
        ("those held out", [question for question in asked if question.held_out]),
    )
    return [
        Figure(
            f"right tool not offered, {what}, of {len(platform().tools)} tools",
            [100 * len(missed(part)) / len(part)],
            "%",
            5 if part is asked else None,
            f"{len(part) - len(missed(part))} of {len(part)} questions have it",
        )
        for what, part in parts
    ]


async def request_figure(times: int) -> Figure:
    """The first request of a squad that has every bundled tool, for different questions."""
    questions = [question.text for question in corpus()[:: len(corpus()) // times]]
    sizes, seen = [], []
    for question in questions:
        async with serving([text("I cannot tell.")]) as stub:
            with tempfile.TemporaryDirectory() as folder:
                own = Path(folder) / "own" / "squads" / "crowd"
                own.mkdir(parents=True)
                tools = ", ".join(sorted(content.tool_names()))
                (own / "squad.yaml").write_text(SQUAD.format(tools), encoding="utf-8")
                env = environment(Path(folder), OPENAI_BASE_URL=stub.url, OPSSQUAD_OWN=str(own.parent.parent))
                argv = ["-m", "opssquad", "ask", question, "--squad", "crowd", "--recording", str(SOURCE)]
                done = await asyncio.to_thread(run, [*argv, "--model", "stub", "--json"], Path(folder), env)
        if not stub.asked:
            raise RuntimeError(f"the question never reached the endpoint: {done.output[-500:]}")
        sizes.append(tokens(stub.asked[0]))
        seen.append(stub.asked[0])
    largest = seen[sizes.index(max(sizes))]
    count = len(content.tool_names())
    return Figure(f"first request of a squad with {count} tools", sizes, "tokens", 4000, how_counted(largest))
