"""`opssquad history` as people run it: watching a served cluster, killed, twice at once, told to stop."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import yaml

from opssquad import Cluster
from opssquad.store.sqlite import Store
from opssquad.store.stretches import Seen
from opssquad.worlds.kube.serve import open_recording
from tests.cli.terminal import run
from tests.tools.recorded import RECORDINGS

GOLDEN = RECORDINGS / "auth-0308"
SPACE = "authentication"


class Watcher:
    """A process that watches, and what it has said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process, self.said = process, ""

    async def until(self, text: str, seconds: float = 60) -> None:
        """Read until it has said that, line breaks aside."""
        assert self.process.stdout
        async with asyncio.timeout(seconds):
            while text not in " ".join(self.said.split()):
                line = await self.process.stdout.readline()
                assert line, f"it ended before it said {text!r}:\n{self.said}"
                self.said += line.decode()

    async def end(self, how: signal.Signals) -> int:
        """End it that way, and read the rest; gives its exit code."""
        self.process.send_signal(how)
        rest, _ = await self.process.communicate()
        self.said += rest.decode()
        return self.process.returncode or 0


@asynccontextmanager
async def watching(state: Path, kubeconfig: Path, *words: str) -> AsyncIterator[Watcher]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "opssquad", "history", "watch", "--kubeconfig", str(kubeconfig)),
        *("--namespace", SPACE, "--every", "1s", *words),
        env={**os.environ, "OPSSQUAD_STATE": str(state), "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Watcher(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def kept(state: Path) -> Sequence[Seen]:
    async with await Store.open(state) as store:
        return await store.all_stretches()


def looks(found: Sequence[Seen], name: str) -> int:
    return sum(each.stretch.looks for each in found if each.stretch.workload.name == name)


async def shown(state: Path, *words: str) -> str:
    done = await asyncio.to_thread(run, state, "history", "show", *words)
    assert done.returncode == 0, done.stderr
    return " ".join(done.stdout.split())


async def test_a_watch_tells_each_change_and_keeps_what_it_saw(tmp_path: Path) -> None:
    async with open_recording(GOLDEN) as served, watching(tmp_path, served.kubeconfig) as watcher:
        await watcher.until("7 revisions of 7 workloads in authentication of production, every 1s")
        cluster = await Cluster.connect(served.kubeconfig)
        body = {"spec": {"replicas": 3}}
        await cluster.patch("Deployment", "login-ui", SPACE, body, how="merge", subresource="scale")
        await watcher.until("Deployment/authentication/login-ui revision 2: 2 of 3 ready, 0 restarts")
        await watcher.until("Deployment/authentication/login-ui revision 2: 3 of 3 ready, 0 restarts")
        await cluster.delete("Deployment", "login-ui", SPACE)
        await watcher.until("Deployment/authentication/login-ui revision 2: no pods any more")
        await cluster.close()
        assert await watcher.end(signal.SIGINT) == 130
    assert re.search(r"stopped after \d+ looks\n$", watcher.said)
    assert "Traceback" not in watcher.said
    text = await shown(tmp_path, "auth-service")
    assert "revision 3 (cff498559) did not run well" in text
    assert "exit code 1 (Error)" in text
    assert "login-ui" not in text


async def test_a_watch_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    async with open_recording(GOLDEN) as served:
        async with watching(tmp_path, served.kubeconfig) as watcher:
            await watcher.until("Deployment/authentication/api-gateway revision 2: 2 of 2 ready")
            assert await watcher.end(signal.SIGKILL) == -signal.SIGKILL
        before = await kept(tmp_path)
        async with watching(tmp_path, served.kubeconfig, "--once") as watcher:
            assert await watcher.process.wait() == 0
            await watcher.until("7 revisions of 7 workloads")
            rest, _ = await watcher.process.communicate()
        after = await kept(tmp_path)
    # Nothing has changed about it, so it is told as nothing new, and it is one stretch with the looks before.
    assert "api-gateway" not in watcher.said + rest.decode()
    assert looks(after, "api-gateway") == looks(before, "api-gateway") + 1
    assert len([e for e in after if e.stretch.workload.name == "api-gateway"]) == 1


async def test_two_that_watch_at_once_keep_every_look_in_one_store(tmp_path: Path) -> None:
    async with open_recording(GOLDEN) as served:
        async with (
            watching(tmp_path, served.kubeconfig) as one,
            watching(tmp_path, served.kubeconfig) as two,
        ):
            for each in (one, two):
                await each.until("7 revisions of 7 workloads")
            await asyncio.sleep(3)
            assert [await each.end(signal.SIGTERM) for each in (one, two)] == [143, 143]
        (stretch,) = [e.stretch for e in await kept(tmp_path) if e.stretch.workload.name == "api-gateway"]
    told = [int(re.findall(r"stopped after (\d+) look", each.said)[0]) for each in (one, two)]
    # One that is told to stop amid a look has kept it and not counted it.
    assert sum(told) <= stretch.looks <= sum(told) + 2


async def test_a_cluster_that_does_not_answer_is_waited_for_and_another_one_is_told(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config, state = tmp_path / "kubeconfig", tmp_path / "state"
    async with AsyncExitStack() as stack:
        async with open_recording(GOLDEN, port=port) as served:
            # Without the token, which the next server would not know.
            written = yaml.safe_load(served.kubeconfig.read_text(encoding="utf-8"))
            written["users"] = [{**each, "user": {}} for each in written["users"]]
            config.write_text(yaml.safe_dump(written), encoding="utf-8")
            watcher = await stack.enter_async_context(watching(state, config))
            await watcher.until("7 revisions of 7 workloads")
        await watcher.until("no look:")
        async with open_recording(RECORDINGS / "shop-0412", port=port):
            # The other cluster takes the place of the first, and has no such namespace.
            await watcher.until("another cluster answers here now")
            assert await watcher.end(signal.SIGINT) == 130
    assert len({each.cluster for each in await kept(state)}) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--every", "2h"], "--every is '2h'; give 1 s to 10 min, as 60s, 5min or 2h"),
        (["--every", "soon"], "--every is 'soon'; give 1 s to 10 min"),
        (["--recording", "auth-0308", "--context", "x"], "--recording goes with neither --context nor"),
        (["--recording", "nope"], "no recording 'nope'"),
        (["--kubeconfig", "/nowhere"], "no kubeconfig found (looked at /nowhere)"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(tmp_path: Path, words: list[str], said: str) -> None:
    done = run(tmp_path, "history", "watch", "--once", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_namespace_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    done = run(tmp_path, "history", "watch", "--recording", "auth-0308", "--once", "-n", "authenticatio")
    assert done.returncode == 1
    assert "no namespace 'authenticatio'; nearest: authentication" in done.stderr


def test_a_recording_can_be_tried_and_nothing_of_it_is_kept(tmp_path: Path) -> None:
    done = run(tmp_path, "history", "watch", "--recording", "auth-0308", "--once", "-n", SPACE)
    assert done.returncode == 0, done.stderr
    assert "a recording, so nothing is kept" in " ".join(done.stdout.split())
    assert "auth-service revision 3: 0 of 3 ready, 41 restarts" in " ".join(done.stdout.split())
    assert run(tmp_path, "history", "show").stdout == (
        "no look is kept yet; begin with: opssquad history watch\n"
    )


async def test_what_is_shown_can_be_narrowed_and_pruned(tmp_path: Path) -> None:
    async with (
        open_recording(GOLDEN) as served,
        watching(tmp_path, served.kubeconfig, "--once") as watcher,
    ):
        assert await watcher.process.wait() == 0
    assert "Deployment/authentication/api-gateway" in await shown(tmp_path)
    assert "session-store" in await shown(tmp_path, "statefulset/session-store", "-n", SPACE)
    refused = await asyncio.to_thread(run, tmp_path, "history", "show", "api-gatewai")
    assert refused.returncode == 2
    assert "nothing is kept of 'api-gatewai'; nearest: api-gateway" in refused.stderr
    left = await asyncio.to_thread(run, tmp_path, "history", "prune")
    assert left.stdout == "0 stretches of looks let go\n"
    gone = await asyncio.to_thread(run, tmp_path, "history", "prune", "--older", "0s")
    assert gone.stdout == "7 stretches of looks let go\n"
    assert await kept(tmp_path) == []


async def test_the_connection_is_on_record_once_however_often_cron_looks(tmp_path: Path) -> None:
    async with open_recording(GOLDEN) as served:
        for _ in range(2):
            async with watching(tmp_path, served.kubeconfig, "--once") as watcher:
                assert await watcher.process.wait() == 0
    async with await Store.open(tmp_path) as store:
        (line,) = await store.audit_records()
    assert (line.kind, line.tool, line.status, line.target.cluster) == (
        "connection",
        "history watch",
        "first",
        "production",
    )
