"""`python -m tests.postgres.faults D03 shop` makes a fault, says who is to blame and how to look at it, and
holds it until Ctrl-C. `--version 15` takes a server of that major version; `Z2 shop --with ago=10` sets a
scale that the fault's maker takes."""

import argparse
import signal
import sys
import threading

import yaml

from tests.postgres.faults.application import OPERATOR, WATCHER, Application, password
from tests.postgres.faults.catalogue import FAULTS, standing
from tests.postgres.faults.companies import COMPANIES
from tests.postgres.faults.truth import Stage, Truth
from tests.postgres.server import Server


def main(arguments: list[str]) -> None:
    """Make the fault that was asked for and hold it."""
    parser = argparse.ArgumentParser(prog="python -m tests.postgres.faults", description=__doc__)
    parser.add_argument("fault", choices=FAULTS)
    parser.add_argument("application", choices=COMPANIES)
    parser.add_argument("--version", default="", help="major version of the server")
    parser.add_argument("--with", dest="scales", type=_scale, action="append", default=[], metavar="NAME=N")
    asked = parser.parse_args(arguments)
    # What a shell starts in the background ignores Ctrl-C otherwise.
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, signal.default_int_handler)
    app, scales = COMPANIES[asked.application], dict(asked.scales)
    try:
        with standing(asked.fault, app, asked.version, **scales) as (stage, truth):
            sys.stdout.write(yaml.safe_dump(described(stage, truth), sort_keys=False, width=110))
            sys.stdout.write("# Ctrl-C ends it\n")
            sys.stdout.flush()
            threading.Event().wait()
    except KeyboardInterrupt:
        sys.stdout.write("ended\n")


def _scale(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    return name, int(number) if number.isdigit() else float(number)


def described(stage: Stage, truth: Truth) -> dict[str, object]:
    """Where to look, and what is so there."""
    servers = {"primary": stage.server, **({"replica": truth.replica} if truth.replica else {})}
    return {
        "servers": {name: _ways_in(server, stage.app) for name, server in servers.items()},
        "truth": {
            "fault": truth.fault,
            "component": truth.component,
            "mechanism": truth.mechanism,
            "remedy": truth.remedy,
            "also": list(truth.also),
            "distractors": list(truth.distractors),
            "culprits": list(truth.culprits),
            "victims": list(truth.victims),
            "said": list(truth.said[:3]),
        },
    }


def _ways_in(server: Server, app: Application) -> dict[str, str]:
    roles = (WATCHER, OPERATOR)
    given = {role: server.dsn(role, app.database, password=password(role)) for role in roles}
    return {**given, "superuser": server.dsn(dbname=app.database), "log": str(server.log)}


if __name__ == "__main__":
    main(sys.argv[1:])
