"""The networks with a fault that `python -m tests.network.lab` holds: each shows its fault to a probe."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from opssquad import content
from opssquad.worlds.net import answers, asks
from opssquad.worlds.net.here import Here, Resolvers
from tests.network.lab import Lab, why_not
from tests.network.lab.faults import FAULTS, NAME, NOBODY, SMALL, standing

pytestmark = pytest.mark.skipif(bool(why_not("dnsmasq")), reason=why_not("dnsmasq"))


async def ask(lab: Lab, *wanted: asks.Ask) -> list[answers.Answer]:
    """The same from the client, with the resolvers that programs there have."""
    servers = (lab.hosts["dns1"].v4, lab.hosts["dns2"].v4)
    here = Here(words="client", resolvers=Resolvers(servers))
    # In a thread: the shop is served by this loop.
    return [await asyncio.to_thread(lab.ask, "client", each, here) for each in wanted]


async def test_packets_to_a_port_vanish_and_the_other_one_answers() -> None:
    async with standing("dropped-port") as lab:
        shop = lab.hosts["shop"].v4
        dropped, other = await ask(
            lab, asks.Connect(host=shop, port=80, seconds=0.3), asks.Connect(host=shop, port=443)
        )
    assert (dropped.end, other.end) == ("timeout", "ok")


async def test_two_dns_servers_differ_and_programs_there_get_the_wrong_answer() -> None:
    async with standing("wrong-dns") as lab:
        right = lab.hosts["shop"].v4
        asked = [asks.Lookup(name=NAME, server=lab.hosts[each].v4) for each in ("dns1", "dns2")]
        own, one, two = await ask(lab, asks.Lookup(name=NAME), *asked)
        said = lab.run("client", "getent", "ahostsv4", NAME)
    told = [[record.data for record in getattr(each, "records", ())] for each in (own, one, two)]
    assert told == [[NOBODY], [NOBODY], [right]]
    assert said.split()[0] == NOBODY


async def test_a_certificate_has_expired() -> None:
    async with standing("expired-certificate") as lab:
        (found,) = await ask(lab, asks.Shake(host=lab.hosts["shop"].v4, name=NAME))
    assert isinstance(found, answers.Shaken)
    assert "expired" in found.faults


async def test_large_packets_vanish_without_a_word() -> None:
    async with standing("small-mtu") as lab:
        (found,) = await ask(lab, asks.Trace(host=lab.hosts["shop"].v4))
    assert isinstance(found, answers.Traced)
    assert (found.mtu, found.link_mtu, found.silent) == (SMALL, 1500, True)


FOUND = {
    "dropped-port": "N15",
    "wrong-dns": "N06",
    "expired-certificate": "N10",
    "loss": "N13",
    "small-mtu": "N13",
}
"""The fault of the network squad's catalogue that each of them is."""


WAITS = ("loss", "dropped-port")
"""Faults that show by deadlines that pass, for a quarter of a minute."""


@pytest.mark.parametrize(
    "fault", [pytest.param(each, marks=pytest.mark.long if each in WAITS else ()) for each in FAULTS]
)
async def test_the_squad_names_the_fault_first_when_asked_as_people_ask(fault: str, tmp_path: Path) -> None:
    async with standing(fault) as lab:
        argv = ("-m", "opssquad", "ask", "--squad", "network", FAULTS[fault].question, "--json")
        env = ("env", f"HOME={tmp_path}", f"KUBECONFIG={tmp_path / 'none'}", f"OPSSQUAD_STATE={tmp_path}")
        said = await asyncio.to_thread(lab.run, "client", *env, sys.executable, *argv)
    concluded = json.loads(said)["conclusion"]
    assert concluded["causes"][0]["fault"] == FOUND[fault]
    assert concluded["causes"][0]["component"]["name"] == NAME


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_program_says_how_to_enter_and_leaves_nothing_behind(how: signal.Signals) -> None:
    argv = [sys.executable, "-m", "tests.network.lab", "loss"]
    started = subprocess.Popen(argv, cwd=content.root(), stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    said = ""
    for line in started.stdout:
        if line.startswith("# Ctrl-C"):
            break
        said += line
    told = yaml.safe_load(said)
    # As it says, less the shell: the client has its own resolvers there.
    entered = [*told["enter"].split()[:-1], "cat", "/etc/resolv.conf"]
    resolvers = subprocess.run(entered, capture_output=True, text=True, check=True).stdout
    started.send_signal(how)
    assert started.wait(30) == 0
    assert started.stdout.read() == "ended\n"
    started.stdout.close()
    assert (told["fault"], told["what"]) == ("loss", FAULTS["loss"].what)
    assert resolvers.split() == ["nameserver", "10.77.3.2", "nameserver", "10.77.4.2"]
    left = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    assert not [each for each, *_ in told["hosts"].values() if each in left]
