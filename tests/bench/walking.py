"""What the benchmark of `path` runs as a process of its own.

`python -m tests.bench.walking KUBECONFIG CLIENT TO NAMESPACE` prints JSON: seconds with the login, characters
of what a model reads, the text.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from tools.network.path import path

from opssquad import Cluster


async def look(kubeconfig: Path, client: str, to: str, namespace: str) -> dict[str, float | str]:
    """Connect and walk once, as a question does."""
    began = time.monotonic()
    cluster = await Cluster.connect(kubeconfig)
    result = await path.run({"client": client, "to": to, "namespace": namespace}, {Cluster: cluster})
    seconds = time.monotonic() - began
    await cluster.close()
    return {"seconds": seconds, "characters": len(result.text), "text": result.text}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(look(Path(sys.argv[1]), *sys.argv[2:5]))))
