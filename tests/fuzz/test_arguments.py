"""Command lines of any words: an exit code that is documented, and never a traceback."""

from pathlib import Path

import pytest
from hypothesis import strategies as st

from opssquad.cli.app import COMMANDS, run
from tests.fuzz.amounts import each_amount, fuzzed
from tests.fuzz.odd import TEXTS

CODES = {0, 1, 2, 3, 4, 130}
HARMLESS = (
    *(("approvals", "list"), ("approvals", "show"), ("approvals", "approve"), ("approvals", "refuse")),
    *(("incident", "list"), ("incident", "show"), ("audit", "show"), ("audit", "verify")),
    *(("squad", "list"), ("squad", "show"), ("tool", "list"), ("recording", "lint")),
    *(("ask", "--resume"), ("ask", "why", "--recording"), ("ask", "why", "--kubeconfig"), ("version",)),
    *((), ("nonsense",), ("--state",)),
)
"""Commands that neither wait for a terminal nor talk to a cluster of this machine."""
words = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(
        ("--json", "--help", "-h", "--last", "--thread", "--no-color", "--", "-", "-x", *COMMANDS)
    ),
    # A command line is bytes: what is no UTF-8 comes as halves of characters.
    st.binary(min_size=1, max_size=8).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
    st.text(max_size=12),
    st.just("a" * 100_000),
).filter(lambda word: "\x00" not in word)


@each_amount
def test_any_command_line_ends_with_a_documented_code_and_no_traceback(
    many: bool, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSSQUAD_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def check(example: tuple[tuple[str, ...], list[str]]) -> None:
        command, more = example
        arguments = [*command, *more]
        # These would go on: a server, a conversation, a demonstration.
        if any(word in ("chat", "demo", "serve", "doctor") for word in arguments[:3]):
            return
        code = run(arguments)
        out, err = capfd.readouterr()
        assert code in CODES, arguments
        assert "Traceback" not in out + err, arguments
        assert "internal error" not in out + err, (arguments, err)
        assert code != 2 or err.count("\n") <= 1, (arguments, err)

    fuzzed("command lines", many, st.tuples(st.sampled_from(HARMLESS), st.lists(words, max_size=3)), check)
