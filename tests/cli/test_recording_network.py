"""`opssquad recording capture --probe`: what the network answered, in a recording that answers it again."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from opssquad.evals.cleaning import Cleaner
from opssquad.gate.redact import Redactor
from opssquad.worlds.kube.recording import load
from opssquad.worlds.net import asks
from opssquad.worlds.net.network import Network
from opssquad.worlds.net.recorded import RecordedNetwork
from tests.cli.test_recording import run
from tests.worlds.net.recorded import pem


async def test_what_the_network_answered_is_answered_again_by_the_recording(tmp_path: Path) -> None:
    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            await reader.readline()
            writer.write(b"HTTP/1.1 503 Busy\r\ncontent-length: 5\r\nx-token: hunter22XyZ\r\n\r\nlater")
            await writer.drain()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    (tmp_path / "asks.txt").write_text(f"# the front\nfetch http://127.0.0.1:{port}/\n\n")
    words = ("recording", "capture", "--probes", str(tmp_path / "asks.txt"), "--out", str(tmp_path / "tern"))
    async with server:
        done = await asyncio.to_thread(run, tmp_path, *words, "--probe", f"connect 127.0.0.1:{port}")
    assert done.returncode == 0, done.stderr
    assert "2 answers of the network" in done.stdout
    recording = load(tmp_path / "tern")
    assert recording.incident.squad == "network"
    net = Network(RecordedNetwork(recording.folder, lambda: recording.clock))
    found = await net.fetch(asks.Fetch(url=f"http://127.0.0.1:{port}/"))
    assert (found.steps[0].status, found.body) == (503, "later")
    assert (await net.connect(asks.Connect(host="127.0.0.1", port=port))).end == "ok"
    shown = run(tmp_path, "recording", "show", str(recording.folder))
    assert "2 recorded answers" in shown.stdout
    linted = run(tmp_path, "recording", "lint", str(recording.folder))
    assert linted.returncode == 3, linted.stdout


async def test_what_the_policy_refuses_is_not_asked(tmp_path: Path) -> None:
    """Neither a metadata address, as for everybody, nor what the organisation's own policy names."""
    came: list[str] = []

    def heard(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append("somebody")
        writer.close()

    own = tmp_path / "own.yaml"
    own.write_text(
        "destinations:\n- name: ours\n  networks: [127.0.0.0/8]\n  verdict: refuse\n  reason: not ours\n"
    )
    server = await asyncio.start_server(heard, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    words = ("recording", "capture", "--probe", "connect 169.254.169.254:80", "--out", str(tmp_path / "tern"))
    more = ("--probe", f"connect 127.0.0.1:{port}")
    async with server:
        done = await asyncio.to_thread(run, tmp_path, *words, *more, OPSSQUAD_POLICY=str(own))
    assert done.returncode == 0, done.stderr
    recording = load(tmp_path / "tern")
    net = Network(RecordedNetwork(recording.folder, lambda: recording.clock))
    metadata = await net.connect(asks.Connect(host="169.254.169.254", port=80))
    ours = await net.connect(asks.Connect(host="127.0.0.1", port=port))
    assert (metadata.end, ours.end, came) == ("denied", "denied", [])
    assert "metadata of clouds" in metadata.why
    assert "not ours" in ours.why
    missing = yaml.safe_load((tmp_path / "tern" / "missing.yaml").read_text())["missing"]
    asked = {each["where"]: each["reason"] for each in missing if each["kind"] == "probe"}
    assert asked == {"connect 169.254.169.254:80": metadata.why, f"connect 127.0.0.1:{port}": ours.why}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--probe", "dig cart"), "--probe: 'dig cart' is no probe"),
        (("--probes", "asks.txt"), "asks.txt, line 2: 'connect cart' is no probe"),
        (("--probe", "echo 127.0.0.1 from node/k9"), "nothing probes from 'node/k9' here"),
        ((), "nothing to record: give --namespace NAME, --dsn DSN or --probe PROBE"),
    ],
)
def test_probes_that_cannot_be_asked_are_refused_in_a_line(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    file = tmp_path / "asks.txt"
    file.write_text("connect cart:80\nconnect cart\n")
    given = [str(file) if each == "asks.txt" else each for each in words]
    done = run(tmp_path, "recording", "capture", *given, "--out", str(tmp_path / "tern"))
    assert done.returncode != 0
    assert said in done.stderr
    assert not (tmp_path / "tern").exists()


def test_a_certificate_is_no_secret() -> None:
    day = timedelta(days=1)
    told = {"chain": [{"pem": pem("www.tern.example", -day, day), "at": str(datetime.now(UTC))}]}
    assert Cleaner(Redactor(b"k" * 32)).row(told) == told
