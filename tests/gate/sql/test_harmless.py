"""What one types on call is proved to read, and a real server runs it where nothing may be written."""

import psycopg
import pytest

from opssquad.gate.sql import SqlRead, prove
from tests.gate.sql.samples import families, statements

HARMLESS = [(family, text) for family, texts in families("harmless.yaml").items() for text in texts]


@pytest.mark.parametrize(("family", "text"), HARMLESS, ids=[f"{f}-{i}" for i, (f, _) in enumerate(HARMLESS)])
def test_what_only_reads_is_allowed_and_runs(
    family: str, text: str, reader: psycopg.Connection, planner: psycopg.Connection
) -> None:
    proved = prove(text)
    assert isinstance(proved, SqlRead), f"{text}: {proved}"
    assert proved.text == text
    try:
        (planner if family == "explained" else reader).execute(proved.text).fetchall()
    except psycopg.errors.FeatureNotSupported:
        # Not every server is built with XML.
        assert family == "xml"


def test_the_corpus_is_large_and_repeats_nothing() -> None:
    texts = statements("harmless.yaml")
    assert len(texts) >= 80
    assert len(set(texts)) == len(texts)
