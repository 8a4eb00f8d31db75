"""Login helpers that a kubeconfig names: real programs that answer, fail, hang and print nonsense."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from opssquad.errors import ToolError
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.kube.plugin import credential
from tests.worlds.kube.stub_api import items, pod, serving, status

VERSION = "client.authentication.k8s.io/v1"


def plugin(program: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": VERSION, "command": sys.executable, "args": ["-c", program], **more}


def prints(**credential_status: str) -> str:
    reply = {"apiVersion": VERSION, "kind": "ExecCredential", "status": credential_status}
    return f"print({json.dumps(json.dumps(reply))})"


async def test_a_plugin_is_told_the_cluster_and_its_own_environment() -> None:
    program = (
        "import json, os; info = json.loads(os.environ['KUBERNETES_EXEC_INFO']);"
        "spec = info['spec']; server = spec['cluster']['server'];"
        "token = server + os.environ['PROFILE'] + str(spec['interactive']);"
        f"print(json.dumps({{'apiVersion': '{VERSION}', 'status': {{'token': token}}}}))"
    )
    asked = plugin(program, provideClusterInfo=True, env=[{"name": "PROFILE", "value": "-ops-"}])
    assert await credential(asked, {"server": "https://prod"}) == {"token": "https://prod-ops-False"}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (plugin("import sys; sys.exit('sso session\\nhas expired')"), "exit code 1: sso session has expired"),
        (plugin("print('hello')"), "printed no JSON"),
        (plugin("print('{}')"), "no ExecCredential of .*v1 with a 'status'"),
        (
            plugin(prints(expirationTimestamp="2030-01-01T00:00:00Z")),
            "neither a token nor a client certificate",
        ),
        (plugin("", interactiveMode="Always"), "wants a terminal; run `kubectl get ns` once"),
        (
            {"apiVersion": VERSION, "command": "no-such-helper", "installHint": "brew\ninstall it"},
            "; brew install it",
        ),
        ({"command": "x"}, "lacks 'command' or an 'apiVersion'"),
    ],
)
async def test_each_way_a_plugin_fails_is_one_line(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(ToolError, match=words) as caught:
        await credential(asked, {})
    assert "\n" not in str(caught.value)


async def test_a_plugin_that_hangs_is_ended_and_not_left_behind(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    program = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    began = time.monotonic()
    with pytest.raises(ToolError, match="did not finish within 1.5 s"):
        await credential(plugin(program), {}, deadline=1.5)
    assert time.monotonic() - began < 10
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


async def test_an_expired_token_of_a_plugin_is_fetched_anew(tmp_path: Path) -> None:
    count = tmp_path / "count"
    program = (
        f"import json, pathlib; p = pathlib.Path({str(count)!r});"
        "n = len(p.read_text()) if p.exists() else 0;"
        "p.write_text('x' * (n + 1));"
        f"print(json.dumps({{'apiVersion': '{VERSION}', 'status': {{'token': 't%d' % n}}}}))"
    )

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.headers["Authorization"] == "Bearer t1":
            return items(pod("a"))
        return status(401, "Unauthorized", "Unauthorized")

    async with serving(handler, tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig(user={"exec": plugin(program)}))
        assert len(await cluster.list("pods")) == 1
        assert len(await cluster.list("pods")) == 1
        await cluster.close()
    assert count.read_text() == "xx"
    assert [r.headers["Authorization"] for r in stub.seen] == ["Bearer t0", "Bearer t1", "Bearer t1"]
