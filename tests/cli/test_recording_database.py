"""`opssquad recording capture --dsn`: a database alone, beside a cluster, without its secrets; bad input."""

import asyncio
import gzip
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from opssquad import content
from opssquad.worlds.kube.apiserver.request import User
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.kube.recording.load import load_incident
from opssquad.worlds.kube.serve import open_recording
from opssquad.worlds.sql.material import load_material
from tests.cli.terminal import run
from tests.postgres.faults.application import WATCHER, password
from tests.postgres.faults.catalogue import standing
from tests.postgres.faults.companies import SHOP
from tests.postgres.faults.truth import Stage

SECRET = "Zr8qLw2mXv5tKc9p"


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A healthy database in which somebody sets a password."""
    with standing("Z1", SHOP) as (stage, _), psycopg.connect(stage.server.dsn()) as root:
        root.execute(f"alter role reporting_ro password '{SECRET}'")
        yield stage


def test_a_database_alone_is_captured_without_its_secrets(stage: Stage, tmp_path: Path) -> None:
    out = tmp_path / "db-0107"
    done = run(tmp_path, "recording", "capture", "--dsn", stage.watcher(), "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "rows of a database" in done.stdout
    incident, material = load_incident(out), load_material(out)
    assert (incident.squad, incident.cluster, incident.database.name) == ("database", None, "shop")  # type: ignore[union-attr]
    assert any("alter role" in str(row["query"]) for row in material.rows["sessions"])
    for path in (each for each in out.rglob("*") if each.is_file()):
        raw = path.read_bytes()
        text = gzip.decompress(raw) if path.suffix == ".gz" else raw
        assert SECRET.encode() not in text
        assert password(WATCHER).encode() not in text
    asked = run(tmp_path, "ask", "clients complain, why?", "--recording", str(out), "--json")
    assert '"no_fault": true' in asked.stdout


async def test_a_cluster_and_a_database_are_one_recording(stage: Stage, tmp_path: Path) -> None:
    out = tmp_path / "both-0107"
    async with open_recording(content.recordings()["auth-0308"]) as served:
        words = ["--kubeconfig", str(served.kubeconfig), "-n", "authentication", "--dsn", stage.watcher()]
        done = await asyncio.to_thread(run, tmp_path, "recording", "capture", *words, "--out", str(out))
    assert done.returncode == 0, done.stderr
    incident = load_incident(out)
    assert incident.squad == "k8s"
    assert incident.cluster
    assert incident.database
    assert load_material(out).rows["tables"]


async def test_a_database_is_captured_by_the_secret_that_tells_of_it(stage: Stage, tmp_path: Path) -> None:
    out = tmp_path / "told-0107"
    async with open_recording(
        content.recordings()["auth-0308"], user=User("root", ("system:masters",))
    ) as served:
        cluster = await Cluster.connect(served.kubeconfig)
        secret = {"metadata": {"name": "reader"}, "stringData": {"dsn": stage.watcher()}}
        await cluster.create("Secret", secret, "authentication")
        await cluster.close()
        words = ["--kubeconfig", str(served.kubeconfig), "--dsn", "secret:authentication/reader/dsn"]
        done = await asyncio.to_thread(run, tmp_path, "recording", "capture", *words, "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert load_incident(out).cluster is None
    assert load_material(out).rows["tables"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing to record: give --namespace NAME, --dsn DSN or --probe PROBE"),
        (("--dsn", "bla bla"), "--dsn is no connection string of PostgreSQL"),
        (("--dsn", "host=127.0.0.1 port=1 dbname=x user=y"), "Connection refused; check host and port"),
        (("--dsn", "service=nowhere"), 'definition of service "nowhere" not found'),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = run(tmp_path, "recording", "capture", *words, "--out", str(tmp_path / "out"))
    assert done.returncode != 0
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
