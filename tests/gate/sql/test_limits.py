"""Texts that are too much: refused at once, and never the end of the process."""

import subprocess
import sys
import time

import pytest

from opssquad.gate.sql import SqlRead, SqlRefusal, prove
from opssquad.gate.sql.parse import LONGEST, MOST

SHAPES = {
    "brackets": ("(", ")", "select {}1{}"),
    "minus": ("- ", "", "select {}1{}"),
    "not": ("not ", "", "select {}true{}"),
    "calls": ("abs(", ")", "select {}1{}"),
    "arrays": ("[", "]", "select array{}1{}"),
    "selects": ("(select ", ")", "select {}1{}"),
    "rows": ("row(", ")", "select {}1{}"),
    "subscripts": ("a[", "]", "select {}1{}"),
    "cases": ("case when true then ", " end", "select {}1{}"),
    "from": ("(select * from ", ") a", "select * from {}b{}"),
    "casts": ("", "::int", "select {}1{}"),
    "plus": ("", "+1", "select {}1{}"),
    "or": ("", " or true", "select {}true{}"),
    "isnull": ("", " isnull", "select {}1{}"),
    "unions": ("", " union select 1", "{}select 1{}"),
    "joins": ("", " join a on true", "select * from {}a{}"),
}
IN_A_SMALL_STACK = """
import sys, threading
from opssquad.gate.sql import prove
threading.stack_size(512 * 1024)
texts = sys.stdin.read().split("\\0")
thread = threading.Thread(target=lambda: print([type(prove(text)).__name__ for text in texts]))
thread.start()
thread.join()
"""


def nested(shape: str, times: int) -> str:
    opened, closed, around = SHAPES[shape]
    return around.format(opened * times, closed * times)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("times", [200, 450, 900, 10_000])
def test_nesting_is_refused_or_flat(shape: str, times: int) -> None:
    proved = prove(nested(shape, times))
    if isinstance(proved, SqlRead):
        assert shape in ("brackets", "minus", "or")
    else:
        assert "nested" in proved.reason or "more than" in proved.reason or "characters" in proved.reason


def test_what_is_looked_at_fits_into_a_small_stack() -> None:
    texts = [nested(shape, times) for shape in SHAPES for times in (MOST // 3, MOST // 2 - 5, MOST - 5)]
    done = subprocess.run(
        [sys.executable, "-c", IN_A_SMALL_STACK],
        input="\0".join(texts),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0
    assert done.stdout.count("Sql") == len(texts)


def test_a_long_list_of_values_and_a_long_condition_are_fine() -> None:
    numbers = ", ".join(str(each) for each in range(3000))
    assert isinstance(prove(f"select * from t where id in ({numbers})"), SqlRead)
    either = " or ".join(f"id = {each}" for each in range(400))
    assert isinstance(prove(f"select * from t where {either}"), SqlRead)


def test_text_of_megabytes_is_refused_without_being_read() -> None:
    started = time.monotonic()
    for text in ("select 1 " * 1_200_000, "(" * 10_000_000, "\0" * 10_000_000):
        refused = prove(text)
        assert isinstance(refused, SqlRefusal)
        assert str(LONGEST) in refused.reason
    assert time.monotonic() - started < 1


def test_the_longest_text_is_taken() -> None:
    text = "select 1" + " " * (LONGEST - 8)
    assert isinstance(prove(text), SqlRead)
    assert isinstance(prove(text + " "), SqlRefusal)


def test_the_parser_is_loaded_only_for_a_proof() -> None:
    code = (
        "import sys, opssquad.cli, opssquad.gate.sql as sql;"
        "sql.prove('\\0'); assert 'postgast' not in sys.modules;"
        "sql.prove('select 1'); assert 'postgast' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
