"""A cluster with a mesh whose policy keeps one workload from another: what the tools and `ask` say of it."""

import gzip
import json
import shutil
from pathlib import Path

import pytest
from tools.health import health
from tools.network.path import path

from opssquad import Cluster, Json, Result
from opssquad.cli.app import run
from opssquad.worlds.kube.serve import open_recording
from tests.tools.recorded import RECORDINGS
from tests.tools.test_extensions import definition, meta

SPACE, LABEL = "haul", "app.kubernetes.io/name"
GROUP, KIND = "security.istio.io", "AuthorizationPolicy"
DENIED = "2026-12-14T08:{:02}:07.0Z ERROR POST http://pricing.haul.svc:80/quotes: RBAC: access denied\n"


def lock() -> Json:
    """Only another namespace may call `pricing`."""
    spec = {
        "selector": {"matchLabels": {LABEL: "pricing"}},
        "rules": [{"from": [{"source": {"namespaces": ["elsewhere"]}}]}],
    }
    named = {**meta("pricing-lock", SPACE), "creationTimestamp": "2026-12-14T08:05:00Z"}
    return {"apiVersion": f"{GROUP}/v1", "kind": KIND, "metadata": named, "spec": spec}


@pytest.fixture(scope="module")
def meshed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cluster that was well, but for a policy of the mesh, and whose one caller tells of it."""
    made = tmp_path_factory.mktemp("meshed") / "meshed-0001"
    shutil.copytree(RECORDINGS / "haul-1214", made)
    file = made / "cluster" / "objects.jsonl.gz"
    objects = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    objects = [each for each in objects if each["kind"] != "Event"]
    shutil.rmtree(made / "logs")
    for each in objects:
        name = each["metadata"]["name"]
        if each["kind"] == "Pod" and each["metadata"]["namespace"] == SPACE:
            each["spec"]["containers"].append({"name": "istio-proxy", "image": "istio/proxyv2"})
            if name.startswith("order-intake"):
                log = made / "logs" / SPACE / name / "intake.log"
                log.parent.mkdir(parents=True)
                log.write_text("".join(DENIED.format(minute) for minute in range(6, 40)))
    objects += [definition(GROUP, KIND, "authorizationpolicies"), lock()]
    file.write_bytes(gzip.compress("".join(json.dumps(each) + "\n" for each in objects).encode()))
    return made


async def test_health_and_path_read_the_policies_where_they_are_served(meshed: Path) -> None:
    def denials(result: Result) -> list[str]:
        sources = {each.locator: each.text for each in result.sources}
        found = [each for each in result.signals if each.id == "mesh.denies"]
        assert all(quote.text in sources[quote.locator] for each in found for quote in each.quotes)
        return [str(each.data["policy"]) for each in found]

    async with open_recording(meshed) as served:
        cluster = await Cluster.connect(served.kubeconfig)
        handles = {Cluster: cluster}
        looked = await health.run({"namespace": SPACE}, handles)
        walked = await path.run({"client": "order-intake", "to": "pricing", "namespace": SPACE}, handles)
        every = await path.run({"namespace": SPACE}, handles)
        await cluster.close()
    named = f"{KIND}/{SPACE}/pricing-lock"
    assert [denials(each) for each in (looked, walked, every)] == [[named], [named], [named]]
    assert (walked.data["first_broken"]["what"], walked.data["first_broken"]["object"]) == ("mesh", named)


@pytest.mark.parametrize("squad", ["k8s", "network"])
def test_asking_names_the_policy(
    meshed: Path,
    squad: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("OPSSQUAD_STATE", str(tmp_path / "state"))
    capsys.readouterr()
    words = ("--recording", str(meshed), "--squad", squad, "--json")
    code = run(("ask", "order-intake takes no orders, why?", *words))
    cause = json.loads(capsys.readouterr().out)["conclusion"]["causes"][0]
    assert code == 0
    assert (cause["fault"], cause["component"]["name"]) == ("N12", "pricing-lock")
