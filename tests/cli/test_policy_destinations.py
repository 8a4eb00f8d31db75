"""`opssquad policy explain --destination`, and that a live network is held to the policy and the bounds."""

import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opssquad import asks
from opssquad.cli.app import run
from opssquad.investigation.options import Options
from opssquad.investigation.systems import connect

OWN = """
destinations:
  - {name: no ssh, ports: 22, verdict: refuse, reason: ask the network team}
"""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `opssquad policy` with the organisation's policy above in force."""
    (tmp_path / "own.yaml").write_text(OWN)
    monkeypatch.setenv("OPSSQUAD_POLICY", str(tmp_path / "own.yaml"))
    monkeypatch.setenv("COLUMNS", "200")

    def said(*words: str) -> tuple[int, str, str]:
        code = run(["policy", *words])
        out = capsys.readouterr()
        return code, out.out, out.err

    return said


@pytest.mark.parametrize(
    ("destination", "said", "rule"),
    [
        ("cart:80", "allow", "everything else"),
        ("cart:22", "refuse", "no ssh"),
        ("[::ffff:169.254.169.254]:80", "refuse", "metadata of clouds"),
        ("169.254.169.254", "refuse", "metadata of clouds"),
        ("::1", "allow", "everything else"),
    ],
)
def test_the_verdict_on_a_destination_comes_first(
    policy: Run, destination: str, said: str, rule: str
) -> None:
    code, out, _ = policy("explain", "--destination", destination)
    assert code == 0
    assert out.startswith(f"{said}  {rule}\n")


def test_of_a_name_it_is_told_which_rules_depend_on_its_address(policy: Run) -> None:
    _, out, _ = policy("explain", "--destination", "cart:80", "--json")
    found = json.loads(out)
    assert (found["verdict"]["outcome"], found["address"]) == ("allow", "")
    unsure = [each["rule"] for each in found["rules"] if not each["sure"]]
    assert "metadata of clouds" in unsure
    assert found["notes"] == ["each address of the name is judged when it is known"]


@pytest.mark.parametrize("bad", ["cart:http", "cart:99999", "cart:", "a b:80", "https://cart:80"])
def test_what_is_no_destination_is_told_in_one_line(policy: Run, bad: str) -> None:
    code, out, err = policy("explain", "--destination", bad)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1


def test_it_is_either_a_line_or_a_destination(policy: Run) -> None:
    assert policy("explain")[0] == 2
    assert policy("explain", "kubectl get pods", "--destination", "cart:80")[0] == 2


def test_check_and_lint_know_destinations(policy: Run, tmp_path: Path) -> None:
    assert policy("check", str(tmp_path / "own.yaml"))[1].endswith("ok, 0 rules, 1 about destinations\n")
    (tmp_path / "odd.yaml").write_text("destinations: [{name: a, networks: 169.254.0.0/20, verdict: allow}]")
    code, out, _ = policy("lint", str(tmp_path / "odd.yaml"))
    assert code == 1
    assert "destination 'a' is void" in out


async def test_probes_of_a_run_are_held_to_the_policy_as_its_file_says_now(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(OWN)
    options = Options(squad="network", state=tmp_path, by="ada", policy=own)
    async with AsyncExitStack() as stack:
        systems = await connect(options, "t", datetime.now(UTC), stack)
        assert systems.network is not None
        answers = [
            await systems.network.connect(asks.Connect(host=host, port=port, seconds=1))
            for host, port in (("169.254.169.254", 80), ("127.0.0.1", 22), ("127.0.0.1", 1))
        ]
        own.write_text(OWN.replace("22", "1"))
        later = await systems.network.connect(asks.Connect(host="127.0.0.1", port=1, seconds=1))
    assert [each.end == "denied" for each in (*answers, later)] == [True, True, False, True]
    assert answers[1].why == "policy: ask the network team (rule 'no ssh')"
