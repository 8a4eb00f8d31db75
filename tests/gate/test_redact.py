"""Secrets go, their shape and everything else stays."""

import pytest

from opssquad.gate.redact import Redactor

redact = Redactor()


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("DB_PASSWORD=hunter2", "DB_PASSWORD=«redacted»"),
        ('{"password": "correct horse"}', '{"password": "«redacted»"}'),
        ("Authorization: Bearer abc123def456", "Authorization: Bearer «redacted»"),
        ("postgres://app:p@ss/w@db:5432/x", "postgres://app:«redacted»@db:5432/x"),
        ("DB_PASSWORD: old -> new", "DB_PASSWORD: «redacted» -> «redacted»"),
    ],
)
def test_a_secret_is_replaced_where_it_stands(text: str, clean: str) -> None:
    assert redact(text)[0] == clean


@pytest.mark.parametrize(
    "text", ["DB_TIMEOUT=5000", "tokens: 15", "token: expired", "uid: 550e8400-e29b-41d4"]
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == (text, 0)
