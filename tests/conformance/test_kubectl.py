"""The real `kubectl`, where it is installed, prints against the stand-in what it printed against the real
server.

Each recorded command runs against a server of its own, over HTTP, at the recorded moment. Ages that kubectl
computes from its own clock are not compared.
"""

import asyncio
import re
import shlex
from pathlib import Path

import pytest

from opssquad.worlds.kube.apiserver.request import User
from opssquad.worlds.kube.apiserver.server import serving
from tests.conformance.compare import STAMP, UUID
from tests.conformance.kubectl import installed, run
from tests.conformance.transcripts import Json, Operation, operations
from tests.conformance.world import USERS, StandingStill

pytestmark = installed

# What these print is not ours alone: the version of the client, its flags, its editor, addresses, revisions,
# differences as another program shows them.
NOT_COMPARED = frozenset(
    {
        "version",
        "version-json",
        "cluster-info",
        "watch-too-old",
        "get-events-for-deployment",
        "get-raw-pods-limit",
        "edit",
        "diff",
        "diff-server-side",
    }
)
FAMILIES = tuple(dict.fromkeys(o.name.split("-")[0] for o in operations() if o.client == "kubectl-1.32"))
AT_ONCE = 2
AGE = re.compile(r"\b(?:\d+[ydhms]){1,2}\b")
URL = re.compile(r"http://127\.0\.0\.1:\d+")
VOLATILE = ((URL, "<url>"), (UUID, "<uid>"), (STAMP, "<time>"), (AGE, "<age>"))


class AsUser(StandingStill):
    """The world seen by one user. Over plain HTTP kubectl sends no credentials."""

    def __init__(self, moment: str, user: User) -> None:
        super().__init__(moment)
        self.user = user

    def authenticate(self, authorization: str) -> User | None:
        return self.user


def recorded(family: str) -> list[Operation]:
    return [
        o
        for o in operations()
        if o.client == "kubectl-1.32"
        and o.standing_still
        and o.name.split("-")[0] == family
        and o.name not in NOT_COMPARED
    ]


@pytest.mark.parametrize("family", FAMILIES)
async def test_kubectl_prints_what_it_printed_against_the_real_server(family: str, tmp_path: Path) -> None:
    gate = asyncio.Semaphore(AT_ONCE)
    chosen = recorded(family)
    results = await asyncio.gather(*(differences(o, tmp_path / o.name, gate) for o in chosen))
    found = [line for lines in results for line in lines]
    assert not found, "\n".join(found)


async def differences(operation: Operation, home: Path, gate: asyncio.Semaphore) -> list[str]:
    transcript = operation.transcript()
    steps = [step for step in transcript["steps"] if step["exit_code"] is not None]
    home.mkdir()
    for name, text in transcript.get("files", {}).items():
        (home / name).write_text(text)
    world = AsUser(transcript["recorded_at"], USERS[transcript["user"]])
    async with gate, serving(world) as url:
        write_kubeconfig(home / "config", url)
        found = [line for step in steps for line in await compare_step(step, home)]
    return [f"{operation.name}: {line}" for line in found]


def write_kubeconfig(path: Path, url: str) -> None:
    path.write_text(
        "{apiVersion: v1, kind: Config, current-context: c,"
        f" clusters: [{{name: c, cluster: {{server: '{url}'}}}}],"
        " contexts: [{name: c, context: {cluster: c, user: u, namespace: shop}}], users: [{name: u}]}"
    )


async def compare_step(step: Json, home: Path) -> list[str]:
    code, *texts = await run(shlex.split(step["command"])[1:], home, home / "config")
    found = [f"exit code {step['exit_code']} expected, {code} came"] if code != step["exit_code"] else []
    for name, text in zip(("stdout", "stderr"), texts, strict=True):
        wanted, got = plain(step[name]), plain(text)
        found += [f"{name} has {line!r}" for line in got if line not in wanted]
        found += [f"{name} lacks {line!r}" for line in wanted if line not in got]
    return found


def plain(text: str) -> list[str]:
    """Lines without moments, ages and uids, with single spaces."""
    for pattern, word in VOLATILE:
        text = pattern.sub(word, text)
    return [re.sub(r"\s+", " ", line).strip() for line in text.splitlines()]
