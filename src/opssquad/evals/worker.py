"""A process that makes runs: a job as JSON on each line of its input, its result on a line of its output.

`python -m opssquad.evals.worker FOLDER`: its temporary files are in that folder, since it may be killed.
"""

import asyncio
import gc
import os
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

from opssquad.evals.linting import unfair
from opssquad.evals.plan import Job
from opssquad.evals.work import work
from opssquad.types import Value


class Order(Value):
    """What a worker is told: to make a run, or to say whether a recording is a fair case."""

    job: Job | None = None
    folder: str = ""


def main() -> None:
    """Work until the input ends."""
    tempfile.tempdir = sys.argv[1]
    # What the imports made stays: looking through it again and again took a seventh of a run's time.
    gc.freeze()
    # Whatever else is printed here must not get among the results.
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)
        for line in sys.stdin.buffer:
            _answer(Order.model_validate_json(line), out)


def _answer(order: Order, out: BinaryIO) -> None:
    text = asyncio.run(work(order.job)).model_dump_json() if order.job else unfair(Path(order.folder))
    out.write(text.encode() + b"\n")
    out.flush()


if __name__ == "__main__":
    main()
