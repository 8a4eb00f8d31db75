"""Whatever is generated, no line that changes, redirects, substitutes, or runs something else is a read.

How kubectl finds its command in a line is modelled here a second time, after the library that it uses: the
parser is not held against itself.
"""

import re
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from opssquad.gate.kubectl import classify
from opssquad.gate.kubectl.grammar import Command, Flag, grammar
from opssquad.gate.kubectl.reads import reads
from opssquad.types import KubectlRead
from tests.gate.kubectl.test_corpora import plain_reads
from tests.gate.kubectl.test_grammar import paths

PATHS = paths(grammar())
READ = [tuple(verb.split()) for verb in reads().reads]
OTHERS = [path for path in PATHS if path not in READ and not any(each[: len(path)] == path for each in READ)]
CHANGING = [*OTHERS, *[("rollout",), ("auth",), ("apply",), ("config",), ("top",), ("certificate",)]]
UNQUOTED = [line for line in plain_reads() if not re.search(r"""['"]""", line)]
POISON = (
    *(
        ">",
        ">x",
        ">>x",
        "2>x",
        "&>x",
        "<x",
        "<<E",
        "<<<x",
        "|x",
        "| x",
        "|&",
        ";x",
        "; x",
        "&",
        "&& x",
        "|| x",
    ),
    *(
        "$(x)",
        "$x",
        "${x}",
        "`x`",
        "$((1))",
        "<(x)",
        ">(x)",
        "$'x'",
        "\n",
        "\nx",
        "\r",
        "\0",
        "\\",
        "(x)",
        "\t",
    ),
)
WORDS = [word for path in PATHS for word in path]
VALUES = (
    "pods",
    "x",
    "deploy/x",
    "secret/x",
    "secrets",
    "-",
    "-1",
    "status",
    "a=b",
    "wide",
    "yaml",
    "3",
    "/x",
)
FLAGS = sorted({f"--{name}" for path in PATHS for name in (*grammar().at(path).flags, *grammar().flags)})
LETTERS = [f"-{letter}" for letter in "AnoflLkRwpcsviteu"]
SECRET = ("secret", "secrets", "Secret", "SECRETS", "secrets.v1", "secret.v1.", "pods,secrets", "secret/db")
OUTPUTS = (
    "yaml",
    "json",
    "wide",
    "name",
    "jsonpath={.data}",
    "go-template={{.data}}",
    "custom-columns=A:.data",
)

quoted = st.sampled_from(["'a b'", '"a b"', "'{.items[*]}'", "''", '""', "'>'", '"a;b"'])
flag = st.one_of(
    st.sampled_from([*FLAGS, *LETTERS]),
    st.builds(lambda name, value: f"{name}={value}", st.sampled_from(FLAGS), st.sampled_from(VALUES)),
    st.builds(lambda letter, value: letter + value, st.sampled_from(LETTERS), st.sampled_from(VALUES)),
)
token = st.one_of(
    st.sampled_from(WORDS), st.sampled_from(VALUES), flag, quoted, st.sampled_from(POISON), st.just("--")
)


@st.composite
def soups(draw: st.DrawFn) -> str:
    """A line that is nearly a read: its command torn apart by flags, its own flags among others."""
    path = draw(st.sampled_from(READ))
    own = st.sampled_from([f"--{name}" for name in ("namespace", *reads().reads[" ".join(path)].flags)])
    usual = st.one_of(
        st.sampled_from(VALUES), st.builds("{}={}".format, own, st.sampled_from(("true", *VALUES))), own
    )
    words = draw(st.lists(st.one_of(usual, usual, usual, token), max_size=5))
    for word in reversed(path):
        between = draw(st.lists(st.one_of(usual, token), max_size=1)) if draw(st.booleans()) else []
        words = [*between, word, *words]
    return " ".join(["kubectl", *words])


soup = soups()


def without_flags(words: Sequence[str], command: Command) -> list[str]:
    """The words that the library takes for commands and operands, before it knows the command."""
    found, rest = [], list(words)
    flags: dict[str, Flag] = {**grammar().flags, **command.flags}
    letters = {each.short: each for each in flags.values() if each.short}
    while rest:
        word = rest.pop(0)
        if word == "--":
            break
        known = flags.get(word[2:]) if word.startswith("--") else letters.get(word[1:2])
        alone = word.startswith("-") and "=" not in word and (word.startswith("--") or len(word) == 2)
        if alone and (known is None or known.takes == "value"):
            rest[:1] = []
        elif word and not word.startswith("-"):
            found.append(word)
    return found


def command_of(words: Sequence[str]) -> tuple[str, ...]:
    """The command that kubectl would carry out."""
    path: tuple[str, ...] = ()
    rest = list(words)
    while True:
        operands = without_flags(rest, grammar().at(path))
        below = grammar().at(path).below(operands[0]) if operands else None
        if below is None:
            return path
        rest.remove(operands[0])
        path = (*path, below)


def holds(line: str) -> None:
    """What must be true of a line that is taken for a read."""
    found = classify(line)
    if not isinstance(found, KubectlRead):
        assert found.reason
        return
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", "Q", line)
    assert not re.search(r"[;&|<>$`\\()\n\r\t\0]", bare), line
    assert bare.split()[0] in ("kubectl", "k")
    command = command_of(bare.split()[1:])
    assert command in READ, line
    assert found.words[: len(command)] == command
    behind = found.words[len(command) :]
    flags = {word.partition("=")[0].removeprefix("--") for word in behind if word.startswith("-")}
    assert flags <= {*reads().reads[" ".join(command)].flags, "watch"}, line
    assert not any(word.startswith("-") and not re.match(r"--[a-z-]+=", word) for word in behind)


@given(soup)
@settings(max_examples=500)
@example("kubectl rollout -n status restart deploy/x")
@example("kubectl rollout --selector history undo deploy/x")
def test_a_line_of_any_words_is_a_read_only_if_kubectl_would_read(line: str) -> None:
    holds(line)


@pytest.mark.long
@given(soup)
@settings(max_examples=5_000)
def test_five_thousand_lines_of_any_words_are_reads_only_if_kubectl_would_read(line: str) -> None:
    holds(line)


@given(st.sampled_from(CHANGING), st.lists(st.one_of(flag, st.sampled_from(VALUES)), max_size=5), st.data())
@settings(max_examples=500)
def test_no_line_with_a_changing_verb_is_a_read(
    path: tuple[str, ...], words: list[str], data: st.DataObject
) -> None:
    before = data.draw(st.sampled_from(["", "-n get", "--namespace describe", "-nget", "--namespace=logs"]))
    line = " ".join(["kubectl", before, *path, *words])
    found = classify(line)
    if isinstance(found, KubectlRead):
        # Of a group without a command of its own, such as `rollout`, a read may have been drawn with it.
        assert any(found.words[: len(each)] == each and each[: len(path)] == path for each in READ), line
        assert path not in OTHERS, line


@given(st.sampled_from(UNQUOTED), st.sampled_from(POISON), st.data())
@settings(max_examples=1000)
def test_no_read_stays_one_with_a_redirection_a_substitution_or_a_second_command_in_it(
    line: str, poison: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(line)))
    space = data.draw(st.sampled_from(["", " "]))
    assert classify(f"{line[:at]}{space}{poison}{space}{line[at:]}").kind == "refuse"


@given(st.sampled_from(plain_reads()), st.text(min_size=1, max_size=12))
@settings(max_examples=500)
@example("kubectl get pods", "sudo")
@example("kubectl get pods", "./kubectl")
@example("kubectl get pods", "X=1")
def test_no_other_program_is_ever_a_read(line: str, program: str) -> None:
    if program.strip() not in ("", "kubectl", "k", "''", '""'):
        assert classify(f"{program} {line}").kind != "read"
        if program.split()[0] not in ("kubectl", "k"):
            assert classify(f"{program} {line.partition(' ')[2]}").kind != "read"


@given(st.sampled_from(READ), st.sampled_from(SECRET), st.lists(flag, max_size=3), st.sampled_from(OUTPUTS))
@settings(max_examples=500)
def test_of_secrets_only_a_table_or_names_are_a_read(
    path: tuple[str, ...], secret: str, flags: list[str], output: str
) -> None:
    line = " ".join(["kubectl", *path, secret, *flags, f"--output={output}"])
    if classify(line).kind == "read" and reads().reads[" ".join(path)].operands == "objects":
        assert path == ("get",), line
        assert output in ("wide", "name"), line


@given(st.one_of(st.text(), st.text().map(lambda text: f"kubectl {text}")))
@settings(max_examples=500)
def test_any_text_is_classified_with_a_reason_in_one_line(text: str) -> None:
    found = classify(text)
    assert found.reason
    assert "\n" not in found.reason
