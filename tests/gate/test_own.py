"""What an organisation adds to the redactor holds, and what is wrong with its file is one line."""

from pathlib import Path

import pytest

from opssquad.errors import UsageError
from opssquad.gate.own import Own, load_own
from opssquad.gate.redact import HIDDEN, Redactor

FILE = r"""
names:
  secret: kennwort losung
  harmless: CACHE_KEY BUILD_TOKEN
patterns:
  - name: badge
    pattern: '\bEMP-(?P<s>\d{6})\b'
    example: badge EMP-123456
mask:
  addresses: true
  words: [Initech]
"""


def redactor(folder: Path, text: str = FILE) -> Redactor:
    file = folder / "redaction.yaml"
    file.write_text(text, encoding="utf-8")
    return Redactor.open(folder, load_own(file))


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("DB_KENNWORT=geheim7", "geheim7"),
        ("adminLosung: sesam", "sesam"),
        ("badge EMP-123456 rejected", "123456"),
        ("DB_PASSWORD=stays-ours", "stays-ours"),
    ],
)
def test_own_names_and_patterns_hide_beside_ours(tmp_path: Path, text: str, gone: str) -> None:
    assert gone not in redactor(tmp_path).clean(text)
    assert "EMP-" in redactor(tmp_path).clean("badge EMP-123456 rejected")


def test_a_name_that_the_organisation_calls_harmless_keeps_its_value(tmp_path: Path) -> None:
    assert redactor(tmp_path).clean("BUILD_TOKEN=release-7") == "BUILD_TOKEN=release-7"


def test_without_a_file_there_is_nothing_of_ones_own() -> None:
    assert load_own(None) == Own()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("patterns: [{name: a, pattern: '(', example: x}]", "is no regular expression"),
        ("patterns: [{name: a, pattern: 'x*', example: x}]", "meets the empty text"),
        ("patterns: [{name: a, pattern: abc, example: abd}]", "does not meet its own example"),
        ("patterns: [{name: a, pattern: abc}]", "example: is missing"),
        ("names: {secret: ab}", "at least three"),
        ("names: {secret: key1}", "no word of a name"),
        ("nmaes: {}", "did you mean 'names'"),
    ],
)
def test_what_is_wrong_with_the_file_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=r"redaction.yaml, line 1: ") as raised:
        redactor(tmp_path, text)
    assert said in str(raised.value)


def test_two_mentions_of_one_secret_read_as_one_and_two_secrets_as_two(tmp_path: Path) -> None:
    redact = redactor(tmp_path)
    first = redact.clean("DB_PASSWORD=hunter2-x9")
    placeholder = first.removeprefix("DB_PASSWORD=")
    assert placeholder in redact.clean('{"name": "PGPASSWORD", "value": "hunter2-x9"}')
    assert placeholder in redact.clean("postgres://app:hunter2-x9@db/web")
    assert placeholder in redact.clean("ALTER ROLE a WITH PASSWORD 'hunter2-x9'")
    secret = {"kind": "Secret", "data": {"a": "aHVudGVyMi14OQ=="}}
    assert redact.value(secret)[0]["data"] == {"a": placeholder}
    assert placeholder not in redact.clean("DB_PASSWORD=hunter2-x8")


def test_the_tag_is_of_this_installation_and_stays_over_processes(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    once, again = redactor(tmp_path).clean("token=abc-123"), redactor(tmp_path).clean("token=abc-123")
    assert once == again
    assert once != redactor(tmp_path / "other").clean("token=abc-123")
    assert (tmp_path / "redact.key").stat().st_mode & 0o077 == 0


def test_what_was_redacted_stays_as_it_is_whoever_reads_it_again(tmp_path: Path) -> None:
    once = redactor(tmp_path).clean("token=abc-123 password: x y z")
    assert redactor(tmp_path)(once) == (once, 0)
    assert Redactor()(once) == (once, 0)
    assert HIDDEN[:-1] in once
    kept = {"kind": "Secret", "data": {"a": HIDDEN}}
    assert redactor(tmp_path).value(kept) == (kept, 0)


@pytest.mark.parametrize(
    ("mask", "host", "hidden"),
    [
        ("{names: true, inside: [LLM.Corp]}", "llm.corp", False),
        ("{names: true, inside: [llm.corp]}", "LLM.Corp", False),
        ("{names: true, inside: [llm.corp]}", "corp", True),
        ("{addresses: true}", "llm.corp", True),
        ("{words: [initech]}", "llm.corp", True),
        ("{inside: [llm.corp]}", "api.example.com", False),
    ],
)
def test_a_model_inside_the_house_gets_everything_however_its_host_is_written(
    tmp_path: Path, mask: str, host: str, hidden: bool
) -> None:
    (tmp_path / "own.yaml").write_text(f"mask: {mask}")
    assert load_own(tmp_path / "own.yaml").mask.hides_from(host) is hidden
