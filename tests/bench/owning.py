"""Figures of tools of one's own: listing many, and what loading one costs beside its own imports."""

import json
import tempfile
from pathlib import Path

from tests.bench.measure import Figure, environment, run

MANY = 200
TOOL = '''from opssquad import Cluster, tool


@tool(effect="read", squads=["k8s"])
async def look_{number}(cluster: Cluster, service: str, count: int = 3) -> str:
    """What pipeline {number} says of a service, and of so many of its latest deploys."""
    return service
'''
LOADING = """
import json, time
import opssquad
from opssquad.extensions.library import library
opssquad.Cluster, opssquad.tool
began = time.perf_counter()
found = library()
print(json.dumps([len(found.tools), (time.perf_counter() - began) * 1000]))
"""


def figures(times: int) -> list[Figure]:
    """`tool list` with 200 tools of one's own, and milliseconds for each to be loaded."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        (here / "own" / "tools").mkdir(parents=True)
        for number in range(MANY):
            (here / "own" / "tools" / f"look_{number}.py").write_text(TOOL.format(number=number))
        env = environment(here, OPSSQUAD_OWN=str(here / "own"))
        listed = [run(["-m", "opssquad", "tool", "list", "--json"], here, env) for _ in range(times + 1)][1:]
        told = [json.loads(run(["-c", LOADING], here, env).output) for _ in range(times + 1)][1:]
    shown = [len([t for t in json.loads(r.output)["tools"] if t["source"] == "user"]) for r in listed]
    if {*shown, *(count for count, _ in told)} != {MANY}:
        raise RuntimeError(f"of {MANY} tools {shown} were listed and {[count for count, _ in told]} loaded")
    return [
        Figure(f"tool list with {MANY} tools of one's own", [r.seconds for r in listed], "s", 1),
        Figure("loading a tool of one's own", [ms / MANY for _, ms in told], "ms", 2, "imports of ours done"),
    ]
