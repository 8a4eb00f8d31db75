"""What the benchmark of a large cluster runs as a process of its own: one look at the health of everything.

`python -m tests.bench.looking KUBECONFIG` prints JSON: seconds of the call, characters of what a model reads.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from tools.health import health

from opssquad import Cluster


async def look(kubeconfig: Path) -> dict[str, float | str]:
    """Connect and look once, as a question does; the login is part of the time."""
    began = time.monotonic()
    cluster = await Cluster.connect(kubeconfig)
    result = await health.run({"namespace": ""}, {Cluster: cluster})
    seconds = time.monotonic() - began
    await cluster.close()
    return {"seconds": seconds, "characters": len(result.text), "text": result.text}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(look(Path(sys.argv[1])))))
