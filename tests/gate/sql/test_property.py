"""Texts that nobody wrote: none raises, and whatever is allowed changes nothing where it could."""

import re

import psycopg
from hypothesis import given, settings
from hypothesis import strategies as st

from opssquad.gate.sql import SqlRead, SqlRefusal, prove
from tests.gate.sql.samples import statements

HARMLESS = statements("harmless.yaml")
SAMPLES = [*HARMLESS, *statements("hostile.yaml")]
EFFECTS = (
    "; delete from orders", "; commit", " returning *", " for update", " into t", "nextval('s')",
    "set_config('work_mem', '1MB', false)", "txid_current()", "(delete from orders returning id)",
    "with d as (delete from orders returning *)",
    "analyze ", "('s'::regclass).nextval", ".nextval", " f", "--",
    "/*", "*/", "'", "\\'", "$$", "\n", "lateral ", "(select 1)", "public.", "E",
)  # fmt: skip
BETWEEN = (" ", "; ", " union ", "\n--", "/*", ", ")
WORDS = re.compile(r"\w+|\s+|.", re.DOTALL)
WRITING = ("select nextval('s')", "delete from orders", "select txid_current()", "select pg_advisory_lock(1)")
STATE = """select pg_current_xact_id_if_assigned(), (select last_value::text || is_called from s),
    (select md5(string_agg(o::text, ',' order by id)) from orders o), current_setting('work_mem'),
    (select count(*) from pg_class), (select count(*) from pg_locks where locktype = 'advisory')"""


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """One or two statements, with some words replaced by others, left out or followed by an effect."""
    text = draw(st.sampled_from(HARMLESS))
    if draw(st.integers(0, 3)) == 0:
        text += draw(st.sampled_from(BETWEEN)) + draw(st.sampled_from(SAMPLES))
    words = WORDS.findall(text)
    others = WORDS.findall(draw(st.sampled_from(SAMPLES + HARMLESS * 3))) or [""]
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, max(len(words) - 1, 0)))
        new = draw(st.sampled_from(EFFECTS) | st.sampled_from(others) | st.just(""))
        words[at : at + draw(st.integers(0, 1))] = [new]
    return "".join(words)


@given(st.text(max_size=200) | st.text("select()*;'\"$-/\\.,:{}[]%&#@!?~^|<>=+ \n01aE", max_size=60))
@settings(max_examples=300)
def test_no_text_raises(text: str) -> None:
    assert isinstance(prove(text), SqlRead | SqlRefusal)


@given(text=mutated())
@settings(max_examples=400)
def test_what_is_allowed_changes_nothing_even_where_it_could(text: str, mighty: psycopg.Connection) -> None:
    proved = prove(text)
    if isinstance(proved, SqlRefusal):
        assert len(proved.reason.splitlines()) == 1
        return
    mighty.rollback()
    before = mighty.execute(STATE).fetchone()
    mighty.execute("savepoint a")
    try:
        mighty.execute(proved.text)
    except psycopg.Error:
        mighty.execute("rollback to a")
    assert mighty.execute(STATE).fetchone() == before
    assert before is not None
    assert before[0] is None


def test_the_check_of_the_state_sees_a_change(mighty: psycopg.Connection) -> None:
    for text in WRITING:
        mighty.rollback()
        before = mighty.execute(STATE).fetchone()
        mighty.execute(text)
        assert mighty.execute(STATE).fetchone() != before
    mighty.execute("select pg_advisory_unlock_all()")
    mighty.rollback()
