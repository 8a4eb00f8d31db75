"""`recording serve` and `doctor` as a user runs them: processes, a real client, a real signal."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
import yaml

OPSSQUAD = [sys.executable, "-m", "opssquad"]
Serving = subprocess.Popen[str]


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "PYTHONPATH", "LANG"}}
    return {**kept, "HOME": str(tmp_path), "OPSSQUAD_STATE": str(tmp_path / "state"), **more}


def run(tmp_path: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = environment(tmp_path, **more)
    return subprocess.run([*OPSSQUAD, *arguments], env=env, capture_output=True, text=True, timeout=60)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Serving, Path]]:
    """A recording that is being served, and its kubeconfig."""
    line = [*OPSSQUAD, "recording", "serve", "auth-0308"]
    with subprocess.Popen(line, env=environment(tmp_path), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline().strip()
        match = re.fullmatch(r"KUBECONFIG=(.+/kubeconfig)", said)
        assert match, said
        yield process, Path(match[1])
        process.kill()


def test_a_served_recording_answers_and_leaves_nothing_behind_when_stopped(
    served: tuple[Serving, Path],
) -> None:
    process, kubeconfig = served
    document = yaml.safe_load(kubeconfig.read_text())
    server, token = document["clusters"][0]["cluster"]["server"], document["users"][0]["user"]["token"]
    request = Request(f"{server}/version", headers={"Authorization": f"Bearer {token}"})
    with urlopen(request, timeout=10) as reply:
        assert b"v1.36" in reply.read()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    assert not kubeconfig.exists()


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kubectl_works_against_a_served_recording(served: tuple[Serving, Path], tmp_path: Path) -> None:
    done = subprocess.run(
        ["kubectl", "--cache-dir", str(tmp_path), "-n", "authentication", "get", "deployments"],
        env={"PATH": os.environ["PATH"], "KUBECONFIG": str(served[1]), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "auth-service" in done.stdout, done.stderr


def test_doctor_reaches_a_served_cluster(served: tuple[Serving, Path], tmp_path: Path) -> None:
    done = run(tmp_path, "doctor", KUBECONFIG=str(served[1]))
    assert done.returncode == 0
    assert re.search(r"ok +cluster +production at http://127\.0\.0\.1:\d+, Kubernetes v1\.36", done.stdout)


def test_doctor_says_what_to_do_where_something_is_missing(tmp_path: Path) -> None:
    done = run(tmp_path, "doctor", OPSSQUAD_MODEL="big-one", OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    words = " ".join(done.stdout.split())
    assert done.returncode == 0
    assert "warn kubeconfig no kubeconfig found" in words
    assert "warn model big-one at 127.0.0.1:9 cannot be reached" in words


def test_doctor_does_not_show_a_login_that_stands_in_the_address_of_a_model(tmp_path: Path) -> None:
    url = "http://kim:hunter2@127.0.0.1:9/v1"
    done = run(tmp_path, "doctor", OPSSQUAD_MODEL="big-one", OPENAI_BASE_URL=url)
    assert "warn model big-one at 127.0.0.1:9 cannot be reached" in " ".join(done.stdout.split())
    assert "hunter2" not in done.stdout + done.stderr


def test_doctor_fails_where_nothing_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run(tmp_path, "doctor", OPSSQUAD_STATE=str(tmp_path / "file" / "state"))
    assert done.returncode == 1
    assert "fail  state" in done.stdout
    assert "something must be mended" in done.stdout


def test_a_recording_that_does_not_exist_is_told_in_one_line(tmp_path: Path) -> None:
    done = run(tmp_path, "recording", "serve", "auth-0309")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "no recording 'auth-0309'; there is: auth-0308" in done.stderr


def test_lint_names_the_file_of_a_bad_recording(tmp_path: Path) -> None:
    folder = tmp_path / "empty-0101"
    folder.mkdir()
    done = run(tmp_path, "recording", "lint", str(folder))
    assert done.returncode == 1
    # However the line is parted to fit the screen.
    assert "incident.yaml:thisfileismissing" in "".join(done.stdout.split())
