"""Whatever does more than read, or may, is refused, and in one line."""

import pytest

from opssquad.gate.sql import SqlRefusal, prove
from tests.gate.sql.samples import families, statements

HOSTILE = [(family, text) for family, texts in families("hostile.yaml").items() for text in texts]


@pytest.mark.parametrize(("family", "text"), HOSTILE, ids=[f"{f}-{i}" for i, (f, _) in enumerate(HOSTILE)])
def test_what_does_more_than_read_is_refused(family: str, text: str) -> None:
    proved = prove(text)
    assert isinstance(proved, SqlRefusal), f"{family}: {text}"
    assert len(proved.reason.splitlines()) == 1
    assert 10 < len(proved.reason) < 400


def test_the_corpus_is_large_and_repeats_nothing() -> None:
    texts = statements("hostile.yaml")
    assert len(texts) >= 170
    assert len(set(texts)) == len(texts)
