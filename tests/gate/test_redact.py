"""Secrets go, their shape and everything else stays: over a corpus, and whatever hypothesis comes up with."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from opssquad.gate.edits import Edit, Span
from opssquad.gate.names import secrets
from opssquad.gate.redact import HIDDEN, Redactor

CORPUS = yaml.safe_load((Path(__file__).with_name("corpus.yaml")).read_text(encoding="utf-8"))
redact = Redactor()


def planted() -> list[tuple[str, str]]:
    return [(text.replace("@@", ""), str(gone)) for text, gone in CORPUS["secrets"]]


@pytest.mark.parametrize(("text", "gone"), planted())
def test_a_planted_secret_is_gone(text: str, gone: str) -> None:
    assert gone in text
    clean, count = redact(text)
    assert gone not in clean
    assert HIDDEN in clean
    assert count > 0


@pytest.mark.parametrize("text", CORPUS["harmless"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == (text, 0)


def test_values_of_other_entries_stay_however_long_the_object() -> None:
    entry = '{"name":"DB_HOST","value":"db.web"},{"name":"DB_PASSWORD","valueFrom":{"key":"password"}}'
    for text in (entry, entry.replace('"', '\\"')):
        assert redact(text) == (text, 0)


TEXTS = [text for text, _ in planted()] + CORPUS["harmless"]
pieces = (
    st.sampled_from(TEXTS)
    | st.text(max_size=12)
    | st.sampled_from(
        [
            "password",
            "token",
            "=",
            ": ",
            '"',
            "'",
            "\\",
            "\n",
            " -> ",
            "«redacted»",
            "«",
            "://",
            "@",
            "-----BEGIN",
            "{",
            "}",
        ]
    )
)
texts = st.lists(pieces, max_size=6).map("".join)


@given(texts)
def test_redacting_twice_is_redacting_once(text: str) -> None:
    for each in (redact, Redactor(b"key")):
        once, _ = each(text)
        assert each(once)[0] == once


@given(texts)
def test_text_grows_by_no_more_than_its_placeholders(text: str) -> None:
    clean, count = redact(text)
    assert len(clean) <= len(text) + count * len(HIDDEN)
    assert clean.count(HIDDEN) <= text.count(HIDDEN) + count


@given(texts, st.data())
def test_every_passage_is_found_again_in_what_is_left(text: str, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(text)))
    last = data.draw(st.integers(first, len(text)))
    read = redact.read(text)
    assert read.fragment(text[first:last]) in read.text


@given(st.sampled_from(planted()), st.data())
def test_no_passage_shows_the_secret(sample: tuple[str, str], data: st.DataObject) -> None:
    text, gone = sample
    first = data.draw(st.integers(0, len(text)))
    last = data.draw(st.integers(first, len(text)))
    assert gone not in redact.read(text).fragment(text[first:last])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(pieces, inner, max_size=3),
    max_leaves=5,
)


@given(json_values)
def test_a_value_redacted_twice_is_redacted_once(value: Any) -> None:
    once, _ = redact.value(value)
    assert redact.value(once) == (once, 0)


@pytest.mark.parametrize(
    ("value", "clean", "count"),
    [
        ({"password": "x"}, {"password": HIDDEN}, 1),
        ({"password": 12345}, {"password": HIDDEN}, 1),
        ({"password": True, "token": None, "n": 1.5}, {"password": True, "token": None, "n": 1.5}, 0),
        ({"name": "DB_PASSWORD", "value": "x"}, {"name": "DB_PASSWORD", "value": HIDDEN}, 1),
        (
            {"field": "env.DB_PASSWORD", "from": "a", "to": "b"},
            {"field": "env.DB_PASSWORD", "from": HIDDEN, "to": HIDDEN},
            2,
        ),
        (["--password", "x", "--port", "80"], ["--password", HIDDEN, "--port", "80"], 1),
        (("a", "DB_PASSWORD=x"), ["a", "DB_PASSWORD=«redacted»"], 1),
        (
            {"kind": "Secret", "data": {"tls.crt": "abc"}, "type": "Opaque"},
            {"kind": "Secret", "data": {"tls.crt": HIDDEN}, "type": "Opaque"},
            1,
        ),
        ({"kind": "Secret", "data": None}, {"kind": "Secret", "data": None}, 0),
    ],
)
def test_in_json_the_names_decide(value: Any, clean: Any, count: int) -> None:
    assert redact.value(value) == (clean, count)


def test_terminal_control_is_taken_out_and_stray_signs_are_shown() -> None:
    assert redact("\x1b[2J\x1b]0;title\x07a\r\nb\u202ec\x00\x1bd\ud800")[0] == "a\nbc\ufffd\ufffdd\ufffd"


def test_every_shape_has_a_name_and_is_met_by_the_corpus() -> None:
    assert len({shape.name for shape in secrets().shapes}) == len(secrets().shapes)


def test_an_edit_finds_places_around_and_inside_spans() -> None:
    edit = Edit("0123456789", [Span(6, 8, ""), Span(2, 4, "abc"), Span(3, 5, "x")])
    assert edit.text == "01abc589"
    assert [edit.begin(n) for n in (0, 2, 3, 5, 6, 7, 8)] == [0, 2, 2, 5, 6, 6, 6]
    assert [edit.end(n) for n in (2, 3, 5, 6, 7, 8, 10)] == [2, 5, 5, 6, 6, 6, 8]


def test_lines_of_a_secret_over_several_lines_are_as_many_as_before() -> None:
    key = ["-----BEGIN PRIVATE KEY-----", "MIIEvQ" + "Ab1" * 19, "-----END PRIVATE KEY-----"]
    read = redact.read("\n".join(["begin", *key, "password=hunter22x", "end"]))
    assert read.text == f"begin\n{key[0]}{HIDDEN}{key[2]}\npassword={HIDDEN}\nend"
    assert read.lines() == ["begin", key[0], HIDDEN, key[2], f"password={HIDDEN}", "end"]


def test_lines_of_a_text_whose_secrets_stay_in_their_lines_are_those_of_the_text() -> None:
    read = redact.read("a\npassword=hunter22x\n\nb")
    assert read.lines() == ["a", f"password={HIDDEN}", "", "b"]
