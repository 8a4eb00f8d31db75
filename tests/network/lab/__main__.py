"""`python -m tests.network.lab FAULT` builds a network with that fault, says how to enter it, and holds
it until Ctrl-C. It needs root, and iproute2, nftables and dnsmasq."""

import argparse
import asyncio
import contextlib
import signal
import sys

import yaml

from tests.network.lab import Lab, why_not
from tests.network.lab.faults import FAULTS, standing


def main(arguments: list[str]) -> None:
    """Build the network that was asked for and hold it."""
    parser = argparse.ArgumentParser(prog="python -m tests.network.lab", description=__doc__)
    parser.add_argument("fault", choices=FAULTS)
    asked = parser.parse_args(arguments)
    if said := why_not("dnsmasq"):
        parser.exit(1, f"{said}\n")
    asyncio.run(hold(asked.fault))


async def hold(fault: str) -> None:
    """Have it until a signal comes."""
    over, loop = asyncio.Event(), asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, over.set)
    async with standing(fault) as lab:
        sys.stdout.write(yaml.safe_dump(described(lab, fault), sort_keys=False, width=110))
        sys.stdout.write("# Ctrl-C ends it\n")
        sys.stdout.flush()
        await over.wait()
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write("ended\n")


def described(lab: Lab, fault: str) -> dict[str, object]:
    """How to enter it, and what is so there."""
    its = FAULTS[fault]
    return {
        "fault": fault,
        "what": its.what,
        "question": its.question,
        "enter": f"ip netns exec {lab.hosts['client'].namespace} bash",
        "hosts": {each.name: [each.namespace, each.v4, each.v6] for each in lab.hosts.values()},
    }


if __name__ == "__main__":
    main(sys.argv[1:])
