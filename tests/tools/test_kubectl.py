"""The tool `kubectl` against a served recording, with the real kubectl where one is installed."""

import contextlib
import json
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tools.kubectl import kubectl

from opssquad import Cluster, Kubectl, Result, ToolError
from opssquad.errors import Refused
from opssquad.gate.kubectl import classify
from opssquad.settings import PROXIES
from opssquad.worlds.kube.serve import open_recording
from tests.conformance.kubectl import installed
from tests.gate.kubectl.test_corpora import bypasses, plain_reads
from tests.tools.recorded import RECORDINGS, of_kind
from tests.tools.served import cluster_of

RECORDING = "auth-0308"
REPORTER = """#!{python} -I
import json, os, sys
home = os.environ["HOME"]
seen = {{"argv": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd(), "files": sorted(os.listdir(home)),
        "home": oct(os.stat(home).st_mode), "config": json.load(open(os.environ["KUBECONFIG"]))}}
print(json.dumps(seen))
"""


@contextlib.asynccontextmanager
async def handle() -> AsyncIterator[Kubectl]:
    async with cluster_of(RECORDING) as cluster:
        yield Kubectl.beside(cluster, classify)


async def ask(line: str, **args: str) -> Result:
    async with handle() as one:
        return await kubectl.run({"line": line, **args}, {Kubectl: one})


@installed
async def test_every_plain_read_runs_against_a_recording_and_nothing_is_changed(tmp_path: Path) -> None:
    journal, wrong = tmp_path / "journal.jsonl", []
    async with open_recording(RECORDINGS / RECORDING, journal=journal) as served:
        cluster = await Cluster.connect(served.kubeconfig)
        one = Kubectl.beside(cluster, classify)
        before = journal.read_text()
        for line in plain_reads():
            printed = await one.read(line)
            told = printed.out.strip() or "No resources found" in printed.err
            if printed.code != 0 or not told:
                wrong.append(f"{line}: {printed.code} {printed.err}")
        await cluster.close()
        assert not wrong, "\n".join(wrong)
        assert journal.read_text() == before


@installed
async def test_a_line_is_told_with_what_was_read_and_the_line_to_type() -> None:
    result = await ask("kubectl -n authentication get pods -o wide")
    assert result.text.startswith("NAME ")
    assert "CrashLoopBackOff" in result.sources[0].text
    assert result.commands == ("kubectl -n authentication get pods -o wide",)


@installed
async def test_grep_keeps_the_heading_and_the_lines_that_match() -> None:
    result = await ask("kubectl get pods -n authentication", grep="login-ui")
    count, head, *lines = result.text.splitlines()
    assert head.startswith("NAME ")
    assert lines
    assert all(line.startswith("login-ui-") for line in lines)
    assert count.startswith(f"{len(lines)} of ")


@installed
async def test_what_kubectl_refuses_is_told_in_its_words() -> None:
    with pytest.raises(ToolError, match='pods "nope" not found'):
        await ask("kubectl get pod nope -n authentication")


@installed
async def test_ages_that_kubectl_counts_by_another_clock_are_told_to_be_so() -> None:
    async with cluster_of(RECORDING) as cluster:
        await cluster.version()
        one = Kubectl.beside(cluster, classify)
        result = await kubectl.run(
            {"line": "kubectl describe pod session-store-0 -n authentication"}, {Kubectl: one}
        )
    assert result.text.startswith("kubectl counts ages by this machine's clock; the cluster's is ")


@installed
async def test_of_secrets_the_names_are_shown_and_no_value() -> None:
    secrets = [each for each in of_kind(RECORDING, "Secret") if each.get("data")]
    assert secrets
    result = await ask("kubectl get secrets -A -o wide --show-labels")
    for each in secrets:
        assert each["metadata"]["name"] in result.text
        assert not any(value in result.sources[0].text for value in each["data"].values() if len(value) > 3)


async def test_no_line_of_the_bypass_corpus_starts_a_program(tmp_path: Path) -> None:
    trap = program(tmp_path, f"#!/bin/sh\n: > {tmp_path}/started\n")
    async with cluster_of(RECORDING) as cluster:
        one = Kubectl.beside(cluster, classify, program=trap)
        for line, _ in bypasses():
            with pytest.raises(Refused):
                await one.read(line)
        assert not (tmp_path / "started").exists()
        await one.read("kubectl get pods")
        assert (tmp_path / "started").exists()


async def test_a_change_is_sent_on_to_the_tool_that_asks() -> None:
    with pytest.raises(Refused, match=r'call scale with {"name": "web", .*"replicas": 0}'):
        await ask("kubectl scale deploy/web --replicas=0")


async def test_a_machine_without_kubectl_is_told_in_one_line() -> None:
    async with cluster_of(RECORDING) as cluster:
        one = Kubectl.beside(cluster, classify, program="")
        with pytest.raises(ToolError) as told:
            await one.read("kubectl get pods")
    assert str(told.value) == "kubectl is not on the PATH of this machine; the other tools do without it"


async def test_a_pattern_that_is_none_is_told_before_anything_runs() -> None:
    with pytest.raises(ToolError, match="is not a regular expression"):
        await ask("kubectl get pods", grep="[")


async def test_environment_home_and_configuration_are_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECTL_EXTERNAL_DIFF", "/srv/evil")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-for-others")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    reporter = program(tmp_path, REPORTER.format(python=sys.executable))
    async with cluster_of(RECORDING) as cluster:
        one = Kubectl.beside(cluster, classify, program=reporter)
        seen = json.loads((await one.read("kubectl -n shop get pods")).out)
    home = Path(seen["env"]["HOME"])
    ours = {"HOME", "PATH", "TZ", "LC_ALL", "LC_CTYPE", "KUBECONFIG", "KUBECTL_KUBERC"}
    assert {name.upper() for name in seen["env"]} <= ours | set(PROXIES)
    assert seen["env"]["HTTPS_PROXY"] == "http://proxy.example.com:3128"
    assert seen["argv"][:2] == ["get", "pods"]
    assert f"--kubeconfig={home / 'kubeconfig'}" in seen["argv"]
    assert {"--context=production", "--namespace=shop", f"--cache-dir={home / 'cache'}"} <= set(seen["argv"])
    assert (seen["cwd"], seen["home"]) == (str(home), oct(stat.S_IFDIR | 0o700))
    assert [each["name"] for each in seen["config"]["contexts"]] == ["production"]
    assert "exec" not in seen["config"]["users"][0]["user"]
    assert not home.exists()


async def test_a_login_plug_in_is_asked_by_us_and_kubectl_gets_its_token(tmp_path: Path) -> None:
    answer = {"apiVersion": "client.authentication.k8s.io/v1", "status": {"token": "t-1"}}
    plugin = program(tmp_path, f"#!/bin/sh\necho '{json.dumps(answer)}'\n", "plugin")
    user = {"exec": {"apiVersion": answer["apiVersion"], "command": plugin}}
    config = {
        "apiVersion": "v1",
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    (tmp_path / "config").write_text(json.dumps(config))
    cluster = await Cluster.connect(tmp_path / "config")
    reporter = program(tmp_path, REPORTER.format(python=sys.executable))
    one = Kubectl.beside(cluster, classify, program=reporter)
    seen = json.loads((await one.read("kubectl get pods")).out)
    assert seen["config"]["users"][0]["user"] == {"token": "t-1"}


async def test_what_takes_too_long_or_prints_too_much_is_stopped_and_says_so(tmp_path: Path) -> None:
    slow = program(tmp_path, "#!/bin/sh\nwhile :; do :; done\n", "slow")
    chatty = program(tmp_path, f"#!{sys.executable} -I\nwhile True: print('y' * 99)\n", "chatty")
    async with cluster_of(RECORDING) as cluster:
        with pytest.raises(ToolError, match=r"did not finish within 0\.3 s and was stopped"):
            await Kubectl.beside(cluster, classify, program=slow, deadline=0.3).read("kubectl get pods")
        one = Kubectl.beside(cluster, classify, program=chatty, cap=1000)
        result = await kubectl.run({"line": "kubectl get pods"}, {Kubectl: one})
    assert result.text.startswith("kubectl printed more than is taken; this is the beginning.")
    assert len(result.sources[0].text) == 1000


def program(folder: Path, text: str, name: str = "kubectl") -> str:
    """A program in kubectl's place, to see what it is given."""
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return str(path)
