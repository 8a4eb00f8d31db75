"""A refusal says what is wrong, where, and what to do instead."""

import pytest

from opssquad.gate.sql import SqlRefusal, prove

SAID = [
    ("select pg_sleep(1)", ["pg_sleep", "character 8", "never"]),
    ("select 'größe', pg_read_file('x')", ["pg_read_file", "character 17", "files"]),
    ("select lowr('x')", ["lowr", "not on the list", "lower"]),
    ("select public.f(1)", ["public.f", "character 8", "pg_catalog"]),
    ("select 1; select 2", ["second statement", "character 11", "two calls"]),
    ("delete from t", ["DELETE writes", "character 1", "EXPLAIN"]),
    ("with x as (delete from t) select 1", ["DELETE writes", "character 24"]),
    ("explain analyze delete from t", ["ANALYZE", "runs", "leave"]),
    ("explain (wal) select 1", ["WAL", "GENERIC_PLAN"]),
    ("select * from t for share", ["FOR SHARE", "lock", "leave"]),
    ("select * into x from t", ["INTO", "table", "leave"]),
    ("select * from t where id = $1", ["parameter", "character 28", "value itself"]),
    ("\\dt+", ["\\dt+", "psql", "pg_catalog"]),
    ("select 1 \\watch", ["\\watch", "psql", "character 10"]),
    ("selec 1", ["selec", "syntax error", "character 1"]),
    ("select (", ["end of input", "character 9"]),
    ("select 'a\nb\nc", ["unterminated", "character 8"]),
    ("", ["no statement", "SELECT"]),
    ("select 1\u202e", ["U+202E", "character 9"]),
    ("select '\ud800'", ["U+D800", "character 9"]),
    ("select 1\0", ["U+0000", "character 9"]),
    ("select 'x'::mood", ["mood", "character 13", "::text"]),
    ("select 1 operator(public.+) 2", ["public.+", "plain operator"]),
    ("select 'a' collate public.x", ["public.x", "leave it out"]),
    ("select * from t tablesample other(1)", ["other", "BERNOULLI"]),
    ("select (x).evil from t", ["evil", "FROM"]),
    ("select f.evil from lower('x') f", ["f.evil", "f(evil)"]),
    ("select t.pg_sleep from t", ["t.pg_sleep", "never|connection"]),
    ("select * from current_date", ["alias"]),
    ("select 'a\\'' '", ["backslash", "character 8", "E'"]),
    ("copy t to program 'id'", ["COPY", "programs", "SELECT"]),
    ("do 'x'", ["DO", "program"]),
    ("set a = 1", ["SET", "SHOW"]),
    ("alter role x", ["AlterRoleStmt", "not on the list"]),
]


@pytest.mark.parametrize(
    ("text", "words"), SAID, ids=[text.encode("unicode_escape").decode() for text, _ in SAID]
)
def test_the_reason_says_what_where_and_what_instead(text: str, words: list[str]) -> None:
    refused = prove(text)
    assert isinstance(refused, SqlRefusal)
    for word in words:
        assert any(each in refused.reason for each in word.split("|")), refused.reason


@pytest.mark.parametrize(
    "text", ["x" * 5000, "select " + "y" * 5000 + "(1)", "select '" + "z\n" * 900, "\\" + "d" * 999]
)
def test_reasons_are_short_whatever_was_written(text: str) -> None:
    refused = prove(text)
    assert isinstance(refused, SqlRefusal)
    assert len(refused.reason) < 300
    assert "\n" not in refused.reason
