"""`opssquad tool new` and `tool test`: what is begun works at once, and nothing is written over."""

import runpy
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from opssquad.cli.app import run
from opssquad.cli.failures import INTERNAL, OK, USAGE
from opssquad.evals.linting import lint
from opssquad.evals.scenarios import make
from opssquad.extensions.library import library
from opssquad.extensions.starting import ARGS, HERE
from tests.extensions.conftest import own

__all__ = ["own"]
Ran = tuple[int, str, str]
Said = Callable[..., Ran]
ROOT = Path(__file__).resolve().parents[2]
KINDS = [(kind, effect) for kind, effect in ARGS]


@pytest.fixture
def said(own: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Said:
    """Runs `opssquad` with a folder of one's own that is empty."""
    for name in ("OPSSQUAD_POLICY", "OPSSQUAD_MODEL", "OPSSQUAD_READ_ONLY"):
        monkeypatch.delenv(name, raising=False)

    def ran(*words: str) -> Ran:
        code = run(words)
        out = capfd.readouterr()
        return code, out.out, out.err

    return ran


@pytest.mark.parametrize(("kind", "effect"), KINDS)
def test_what_is_begun_loads_passes_its_test_and_has_a_sound_recording(
    said: Said, own: Path, kind: str, effect: str
) -> None:
    code, out, err = said("tool", "new", "begun", "--kind", kind, "--effect", effect)
    assert (code, err) == (OK, "")
    assert library().broken == ()
    tool = library().tools["begun"]
    assert (tool.effect, tool.squads) == (effect, ("k8s",))
    assert lint(own / "tests" / "recordings" / "begun", None).problems == []
    # As pytest does, without its start.
    tests = runpy.run_path(str(own / "tests" / "test_begun.py"))
    assert [test() for name, test in tests.items() if name.startswith("test_")]
    next_ = [line.strip() for line in out.splitlines() if line.startswith("  opssquad ")]
    assert [line.split()[:3] for line in next_] == [["opssquad", "tool", w] for w in ("test", "run", "show")]


def test_the_commands_that_it_prints_do_what_they_say(said: Said) -> None:
    _, out, _ = said("tool", "new", "images")
    test, ran, shown = (shlex.split(line)[1:] for line in out.splitlines() if line.startswith("  opssquad "))
    code, out, err = said(*test)
    assert (code, "3 passed" in out) == (OK, True), out + err
    code, out, _ = said(*ran)
    assert (code, "registry.example.com/shop/web:1.5.0" in out) == (OK, True)
    assert said(*shown)[0] == OK


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("Deploys",), "'Deploys' is no name of a tool: small letters, digits and _"),
        (("class",), "'class' is no name of a tool"),
        (("../up",), "'../up' is no name of a tool"),
        (("health",), "'health' is the name of one of ours; take another"),
        (("fine", "--squad", "k9s"), "no squad 'k9s'; there is: k8s"),
        (("fine", "--squad", "database"), "what Python begins with works on a cluster, and squad database"),
    ],
)
def test_a_name_that_cannot_be_is_one_line_and_nothing_is_written(
    said: Said, own: Path, words: tuple[str, ...], why: str
) -> None:
    code, out, err = said("tool", "new", *words)
    assert (code, out) == (USAGE, "")
    assert err.startswith(f"opssquad: {why}")
    assert err.count("\n") == 1
    assert not list((own / "tools").iterdir())


@pytest.mark.parametrize("there", ["tools/mine.py", "tests/test_mine.py", "tests/recordings/mine"])
def test_nothing_is_ever_written_over(said: Said, own: Path, there: str) -> None:
    assert said("tool", "new", "mine")[0] == OK
    for path in ("tools/mine.py", "tests/test_mine.py", "tests/recordings/mine"):
        kept = own / path
        if path == there:
            continue
        shutil.rmtree(kept) if kept.is_dir() else kept.unlink()
    code, _, err = said("tool", "new", "mine")
    assert (code, err.count("\n")) == (USAGE, 1)
    taken = "is a tool of yours already" if there.startswith("tools") else "is there already"
    assert taken in err


@pytest.mark.parametrize("name", ["tool", "result", "cluster", "namespace", "test", "call", "a"])
def test_a_name_that_means_something_in_the_template_works_all_the_same(said: Said, name: str) -> None:
    assert said("tool", "new", name, "--effect", "mutate")[0] == OK
    assert [str(each) for each in library().broken] == []
    assert name in library().tools


def test_a_project_has_its_own_folder_which_is_trusted_with_it(
    said: Said, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said("tool", "new", "ours", "--project")[0] == OK
    assert (Path("opssquad") / "tools" / "ours.py").is_file()
    assert library().tools["ours"].source == "project"
    # Somebody else who has the project has not trusted it yet.
    monkeypatch.setenv("OPSSQUAD_STATE", str(own / "other"))
    code, _, err = said("tool", "test")
    assert (code, "is not trusted; to run its code: opssquad tool trust" in err) == (USAGE, True)


def test_a_test_that_fails_and_one_that_is_not_there_are_told_by_the_exit_code(said: Said, own: Path) -> None:
    (own / "tests").mkdir()
    code, _, err = said("tool", "test")
    assert (code, "begin one: opssquad tool new NAME" in err) == (USAGE, True)
    (own / "tests" / "test_wrong.py").write_text("def test_wrong() -> None:\n    assert not 1\n")
    code, out, _ = said("tool", "test", "wrong")
    assert (code, "1 failed" in out) == (INTERNAL, True)
    assert said("tool", "test", "other")[0] == USAGE


def test_without_pytest_it_says_how_to_get_it(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    # What find_spec asks first.
    monkeypatch.setitem(sys.modules, "pytest", None)
    code, _, err = said("tool", "test")
    assert (code, "-m pip install pytest" in err) == (USAGE, True)


def test_the_recording_is_what_its_scenario_makes(tmp_path: Path) -> None:
    make(ROOT / "tests" / "testing" / "stub" / "stub.yaml", tmp_path)
    made = {p.relative_to(tmp_path / "stub"): p for p in (tmp_path / "stub").rglob("*") if p.is_file()}
    kept = {p.relative_to(HERE / "recording"): p for p in (HERE / "recording").rglob("*") if p.is_file()}
    # A world to begin with needs no verdict.
    assert {str(path) for path in made.keys() - kept.keys()} == {"truth.yaml"}
    assert all(made[path].read_bytes() == kept[path].read_bytes() for path in kept)
