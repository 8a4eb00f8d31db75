"""The grammar against the kubectl that it was generated from, where one is installed."""

import shutil
from pathlib import Path

import pytest

from opssquad.gate.kubectl.grammar import Command, grammar
from tests.gate.kubectl.grammar import Help, children, command

KUBECTL = shutil.which("kubectl")


def paths(found: Command, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command below one."""
    own = [(*above, name) for name in found.commands]
    return own + [path for each in own for path in paths(found.commands[each[-1]], each)]


def test_the_grammar_says_which_kubectl_it_is_of_and_knows_every_command_that_matters() -> None:
    assert grammar().kubectl.startswith("v1.")
    known = {" ".join(path) for path in paths(grammar())}
    assert {"get", "rollout undo", "auth reconcile", "config use-context", "create service nodeport"} <= known
    assert len(known) > 80


@pytest.mark.parametrize(
    ("path", "letter", "name", "takes"),
    [
        (("get",), "f", "filename", "value"),
        (("logs",), "f", "follow", "switch"),
        (("get",), "n", "namespace", "value"),
        (("delete",), "A", "all-namespaces", "switch"),
        (("set", "env"), "c", "containers", "value"),
    ],
)
def test_a_letter_means_what_it_means_to_that_command(
    path: tuple[str, ...], letter: str, name: str, takes: str
) -> None:
    assert grammar().short(path, letter) == name
    flag = grammar().flag(path, name)
    assert flag is not None
    assert flag.takes == takes


def test_a_flag_whose_value_only_stands_behind_an_equals_sign_takes_no_next_word() -> None:
    flag = grammar().flag(("delete",), "dry-run")
    assert flag is not None
    assert flag.takes == "optional"


@pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed on this machine")
@pytest.mark.parametrize("path", [("get",), ("rollout", "undo"), ("top", "pod")], ids=" ".join)
def test_the_grammar_is_what_this_kubectl_says_of_itself(path: tuple[str, ...], tmp_path: Path) -> None:
    helper = Help(str(KUBECTL), str(tmp_path))
    if helper.version() != grammar().kubectl:
        pytest.skip(f"this kubectl is {helper.version()}, the grammar of {grammar().kubectl}")
    assert Command.model_validate(command(helper, path)) == grammar().at(path)
    assert set(children(helper.ask("--help"))) == set(grammar().commands)
