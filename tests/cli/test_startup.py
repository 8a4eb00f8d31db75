"""What is imported before it is needed, in a process of its own; and what a wrong line is answered."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"langgraph", "langchain_core", "openai", "kubernetes", "aiohttp", "prompt_toolkit"}
DRAWING = {"pydantic", "rich", "yaml", "sqlite3", "asyncio"}
PROBE = """
import json, sys
from opssquad.cli.app import run
code = run(sys.argv[1:])
sys.stdout.flush()
print("\\n" + json.dumps([code, sorted(sys.modules)]))
"""


def started(state: Path, *arguments: str) -> tuple[int, set[str], str]:
    """Exit code, imported modules and output of a command line."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, "--state", str(state), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    *out, last = done.stdout.splitlines()
    code, modules = json.loads(last)
    return code, set(modules), "\n".join([*out, done.stderr])


@pytest.mark.parametrize(
    "line",
    [
        ["--help"],
        ["--version"],
        ["version"],
        ["approvals", "--help"],
        ["squad"],
        ["fault"],
        ["fault", "explain", "--help"],
        ["runbook"],
        ["runbook", "run", "--help"],
        ["store"],
        ["audit", "show", "--help"],
    ],
)
def test_help_imports_nothing_but_click(tmp_path: Path, line: list[str]) -> None:
    _, modules, _ = started(tmp_path, *line)
    assert not modules & (HEAVY | DRAWING)


@pytest.mark.parametrize(
    "line",
    [
        ["approvals", "list"],
        ["approvals", "show", "a-1"],
        ["audit", "show"],
        ["audit", "verify"],
        ["audit", "export", "--format", "csv"],
        ["audit", "anchor"],
        ["store", "check"],
        ["store", "backup"],
        ["incident", "list"],
        ["incident", "show", "t-1"],
        ["squad", "list"],
        ["fault", "list"],
        ["fault", "show", "K12"],
        ["fault", "explain", "t-1"],
        ["fault", "lint"],
        ["policy", "explain", "kubectl get pods -n web"],
        ["policy", "check"],
        ["policy", "lint"],
    ],
)
def test_looking_imports_neither_graph_nor_client_nor_prompt(tmp_path: Path, line: list[str]) -> None:
    _, modules, _ = started(tmp_path, *line)
    assert not modules & HEAVY


@pytest.mark.parametrize(
    ("line", "loaded"),
    [
        (["squad", "show", "k8s"], False),
        (["fault", "list", "--squad", "k8s"], False),
        (["squad", "show", "database"], True),
    ],
)
def test_tools_that_one_squad_alone_has_are_loaded_for_it_alone(
    tmp_path: Path, line: list[str], loaded: bool
) -> None:
    code, modules, _ = started(tmp_path, *line)
    assert code == 0
    assert ("opssquad_tools.database" in modules) is loaded


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["recordings"], "opssquad: no command 'recordings'; nearest: recording. See `opssquad --help`."),
        (["version", "--foo"], "opssquad: No such option '--foo'. See `opssquad version --help`."),
        (
            ["approvals", "show"],
            "opssquad: Missing argument 'APPROVAL'. See `opssquad approvals show --help`.",
        ),
        (["approvals", "show", "a-1"], "opssquad: no approval 'a-1'; there are none yet"),
        (["squad", "show", "k9s"], "opssquad: no squad 'k9s'; there is: k8s"),
        (["fault", "list", "--squad", "k9s"], "opssquad: no squad 'k9s'; there is: k8s"),
        (["fault", "explain", "t-1"], "opssquad: no thread 't-1'; there are none yet"),
    ],
)
def test_a_wrong_line_is_answered_in_one_line(tmp_path: Path, line: list[str], said: str) -> None:
    code, _, output = started(tmp_path, *line)
    assert (code, output.strip()) == (2, said)


def test_a_state_folder_that_cannot_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, output = started(tmp_path / "file" / "state", "approvals", "list")
    assert code == 1
    assert len(output.strip().splitlines()) == 1
    assert "Traceback" not in output
