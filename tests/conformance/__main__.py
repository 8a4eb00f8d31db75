"""Prints the share of recorded operations that our API server answers as the real one did, and what it
does not.

python -m tests.conformance everything python -m tests.conformance get- logs- operations whose name holds
one of the words, with every difference
"""

import asyncio
import sys

from tests.conformance.report import failures, summary
from tests.conformance.transcripts import operations


def main(words: list[str]) -> None:
    """Replay and print."""
    chosen = [o for o in operations() if not words or any(word in str(o) for word in words)]
    found = asyncio.run(failures(chosen))
    sys.stdout.write("\n".join(summary(chosen, found, details=bool(words))) + "\n")


main(sys.argv[1:])
