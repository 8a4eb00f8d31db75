"""How often the squad is right, without a model, before faults that stand on real servers:
`python -m tests.postgres.live [FAULT...] [--app NAME]` makes each, asks, and prints what was said.

Right is the fault and the component that its maker knows, and nothing else; where nothing is wrong, that.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from pydantic import SecretStr

from opssquad.events import Concluded
from opssquad.findings import Conclusion
from opssquad.investigation import Investigation, Options
from tests.postgres.faults.application import WATCHER, Application, password
from tests.postgres.faults.catalogue import FAULTS, standing
from tests.postgres.faults.companies import COMPANIES
from tests.postgres.faults.truth import Truth, server_of
from tests.postgres.server import Server

QUESTION = "Clients complain: what is wrong with the database?"
STANDING = 8.0
"""Seconds that a fault stands before anybody looks: statistics are flushed once a second."""


def options(state: Path, server: Server, app: Application, role: str) -> Options:
    """The database squad on a server, as that role."""
    dsn = server.dsn(role, app.database, password=password(role))
    return Options(state=state, by="kim", squad="database", dsn=SecretStr(dsn), mode="ask")


def right(found: Conclusion, fault: str, truth: Truth) -> bool:
    """Whether a conclusion is what the fault's maker knows."""
    if fault.startswith("Z"):
        return found.no_fault
    told = [(cause.fault, str(cause.component)) for cause in found.causes]
    meant = (truth.component, *truth.also)
    return [each for each, _ in told] == [fault.partition("-")[0]] and told[0][1] in meant


async def concluded(server: Server, app: Application) -> Conclusion:
    """What the squad says of it."""
    with tempfile.TemporaryDirectory() as state:
        async with await Investigation.open(options(Path(state), server, app, WATCHER)) as run:
            events = [event async for event in run.ask(QUESTION)]
    return next(event.conclusion for event in events if isinstance(event, Concluded))


def stand(fault: str, app: Application) -> bool:
    """Make the fault, ask, and print what was said; whether that was right."""
    with standing(fault, app) as (stage, truth):
        time.sleep(STANDING)
        found = asyncio.run(concluded(server_of(stage, truth), app))
    good = right(found, fault, truth)
    said = ", ".join(f"{cause.fault} {cause.component}" for cause in found.causes) or found.status
    print(f"{'right' if good else 'WRONG'}  {fault:12} {app.name:8} {said}", flush=True)  # noqa: T201
    return good


def main() -> None:
    """Every stand that the command line asks for, and the share that was right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", nargs="*", default=list(FAULTS), metavar="FAULT")
    parser.add_argument("--app", action="append", choices=list(COMPANIES))
    given = parser.parse_args()
    apps = [COMPANIES[name] for name in given.app or COMPANIES]
    made = [stand(fault, app) for app in apps for fault in given.faults]
    print(f"{sum(made)} of {len(made)} right, {sum(made) / len(made):.0%}")  # noqa: T201


if __name__ == "__main__":
    main()
