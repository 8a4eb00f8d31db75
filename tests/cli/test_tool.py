"""`opssquad tool`: one's own tools listed, shown, linted and run, through policy, card and record."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from opssquad import content
from opssquad.cli.app import run
from opssquad.cli.failures import INTERNAL, OK, PENDING, USAGE
from opssquad.investigation.options import Options
from opssquad.investigation.run import Investigation
from tests.extensions.conftest import Write, own, write

__all__ = ["own", "write"]
Ran = tuple[int, str, str]
Said = Callable[..., Ran]
WORLD = ("--recording", "haul-0914")
TOOLS = '''
from opssquad import Clock, Cluster

@tool(effect="read", squads=["k8s"])
async def deploys(cluster: Cluster, clock: Clock, service: str, count: int = 2) -> list[dict[str, str]]:
    """Deploys of a service by our pipeline. More words."""
    await cluster.get("Namespace", "haul")
    return [{"service": service, "number": str(each), "at": f"{clock.now():%H:%M}"} for each in range(count)]

DONE: list[str] = []

@tool(effect="mutate", squads=["k8s"])
def freeze(service: str) -> str:
    """Let nobody deploy a service."""
    DONE.append(service)
    return f"{service} is frozen"

@freeze.preview
def _(service: str) -> str:
    return f"nobody can deploy {service}"

@freeze.undo
def _(service: str) -> str:
    return f"our-deploy thaw {service}"

@freeze.verify
def _(service: str) -> bool:
    return service in DONE
'''


@pytest.fixture
def said(
    own: Path, write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Said:
    """Runs `opssquad` at 80 columns with two tools of one's own."""
    write("pipeline.py", TOOLS)
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("OPSSQUAD_POLICY", "OPSSQUAD_MODEL", "OPSSQUAD_READ_ONLY"):
        monkeypatch.delenv(name, raising=False)

    def ran(*words: str) -> Ran:
        code = run(words)
        out = capsys.readouterr()
        return code, out.out, out.err

    return ran


def test_the_list_tells_effect_squads_source_and_cost(said: Said) -> None:
    code, out, err = said("tool", "list", "--own")
    assert (code, err) == (OK, "")
    assert max(map(len, out.splitlines())) <= 80
    rows = json.loads(said("tool", "list", "--own", "--json")[1])["tools"]
    assert [(row["name"], row["effect"], row["squads"], row["source"]) for row in rows] == [
        ("deploys", "read", ["k8s"], "user"),
        ("freeze", "mutate", ["k8s"], "user"),
    ]
    assert f"user; k8s; {rows[0]['tokens']} tokens" in out
    every = json.loads(said("tool", "list", "--json")[1])["tools"]
    assert {row["source"] for row in every} == {"bundled", "user"}
    assert {"k8s", "network"} <= set(next(row["squads"] for row in every if row["name"] == "health"))


def test_what_it_costs_is_what_a_model_is_sent(said: Said) -> None:
    shown = json.loads(said("tool", "show", "deploys", "--json")[1])
    sent = {"name": "deploys", "description": shown["row"]["description"], "parameters": shown["parameters"]}
    assert shown["row"]["tokens"] == len(json.dumps(sent, separators=(",", ":"))) // 4


def test_one_is_shown_as_a_model_sees_it(said: Said, own: Path) -> None:
    _, out, _ = said("tool", "show", "deploys")
    for words in ("reads", "count: integer (else 2)", "service: string", "Clock, Cluster", "pipeline.py:"):
        assert words in out
    assert said("tool", "show", "deploy")[2] == "opssquad: no tool 'deploy'; there is: deploys\n"


def test_lint_tells_what_is_left_out_and_so_does_a_run(said: Said, write: Write) -> None:
    assert said("tool", "lint") == (OK, "2 tools of your own, nothing is wrong\n", "")
    file = write("wrong.py", "import no_such")
    code, out, _ = said("tool", "lint")
    assert (code, out.splitlines()) == (INTERNAL, [f"{file}:2: it needs the package 'no_such', which is not"
                                        " installed where opssquad is; install it there"])  # fmt: skip
    _, out, _ = said("tool", "run", "deploys", "--arg", "service=cart", *WORLD)
    assert " ".join(out.split()).count("left out: ") == 1
    assert "no_such" in out


def test_a_read_is_run_in_a_recording(said: Said) -> None:
    code, out, err = said("tool", "run", "deploys", "--arg", "service=7", "--arg", "count=1", *WORLD)
    assert (code, err) == (OK, "")
    assert "7        0       06:5" in out
    code, out, _ = said("tool", "run", "deploys", "--arg", "service=cart", *WORLD, "--json")
    assert [row["number"] for row in json.loads(out)["data"]["rows"]] == ["0", "1"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("deploys", "--arg", "service"), "--arg 'service': give NAME=VALUE"),
        (("deploys", "--arg", "srv=a"), "--arg srv: deploys takes service, count"),
        (
            ("deploys", "--arg", "service=a", "--arg", "service=b"),
            "--arg service is given twice",
        ),
        (("deploys", "--squad", "database"), "squad database does not have the tool 'deploys'"),
        (("nothing",), "no tool 'nothing'"),
    ],
)
def test_a_line_that_cannot_be_meant_is_said(said: Said, words: tuple[str, ...], why: str) -> None:
    code, _, err = said("tool", "run", *words, *WORLD)
    assert code == USAGE
    assert why in err
    assert len(err.splitlines()) == 1


def test_what_the_tool_cannot_take_is_one_line_and_fails(said: Said) -> None:
    code, out, _ = said("tool", "run", "deploys", "--arg", "service=a", "--arg", "count=x", *WORLD)
    assert code == INTERNAL
    assert "count" in out
    assert "Traceback" not in out


def test_a_change_waits_for_a_yes_and_is_checked(said: Said) -> None:
    code, out, _ = said("tool", "run", "freeze", "--arg", "service=cart", *WORLD)
    assert code == PENDING
    flat = " ".join(out.split())
    assert "nobody can deploy cart" in flat
    assert "is pending" in flat
    code, out, _ = said("tool", "run", "freeze", "--arg", "service=cart", *WORLD, "--approve", "all")
    assert code == OK
    assert "cart is frozen" in out
    assert "it is as it should be" in " ".join(out.split())
    assert said("tool", "run", "freeze", "--arg", "service=cart", *WORLD, "--approve", "never")[0] == INTERNAL


def test_policy_judges_a_tool_of_ones_own(said: Said, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = own / "policy.yaml"
    policy.write_text("rules:\n- name: no freezes\n  tool: freeze\n  verdict: refuse\n  reason: not now\n")
    monkeypatch.setenv("OPSSQUAD_POLICY", str(policy))
    code, out, _ = said("tool", "run", "freeze", "--arg", "service=cart", *WORLD, "--approve", "all")
    assert code == INTERNAL
    assert "not now" in out


async def test_a_running_conversation_reads_tools_anew(said: Said, write: Write, tmp_path: Path) -> None:
    options = Options(
        state=tmp_path / "state", by="kim", recording=content.recording("haul-0914"), mode="chat"
    )
    async with await Investigation.open(options) as run_:
        assert await run_.reload() == ()
        write("pipeline.py", TOOLS.replace("More words.", "Other words."))
        write(
            "more.py",
            '@tool(effect="read", squads=["k8s"])\ndef more() -> str:\n    """More."""\n    return "42!"',
        )
        file = write("wrong.py", "import no_such")
        changes = await run_.reload()
        assert changes[:2] == ("new: more (read)", "changed: deploys")
        assert changes[2].startswith(f"left out: {file}:2: ")
        events = [event async for event in run_.call("more", {})]
        assert any("42!" in event.model_dump_json() for event in events)
