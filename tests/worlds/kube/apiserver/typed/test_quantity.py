"""Quantities keep their value and get the form that the API prints."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad.worlds.kube.apiserver.typed.quantity import BINARY, DECIMAL, canonical, parse

NUMBERS = st.decimals(min_value=0, max_value=10**9, places=3, allow_nan=False).map(lambda d: f"{d:f}")
SUFFIXES = st.sampled_from([*BINARY, *(unit for unit in DECIMAL if unit not in ("n", "u"))])


@given(NUMBERS, SUFFIXES)
def test_the_printed_form_has_the_same_value_and_settles(number: str, suffix: str) -> None:
    printed = canonical(number + suffix)
    assert parse(printed) == parse(number + suffix)
    # 15.625Ki prints as 16000, which, read again, is no longer binary and prints as 16k.
    assert canonical(canonical(printed)) == canonical(printed)


@pytest.mark.parametrize(
    ("given_", "printed"),
    [
        ("0.5", "500m"),
        ("1000m", "1"),
        ("1024Mi", "1Gi"),
        ("1500Mi", "1500Mi"),
        ("0", "0"),
        ("0.5Gi", "512Mi"),
        ("1e3", "1e3"),
        ("100Ki", "100Ki"),
        ("15.625Ki", "16000"),
        ("61957893.125Ki", "63444882560"),
        (2, "2"),
    ],
)
def test_the_printed_form_is_the_shortest_whole_one(given_: str, printed: str) -> None:
    assert canonical(given_) == printed


@pytest.mark.parametrize("text", ["lots", "", "1.2.3", "Mi", "--1"])
def test_what_is_no_quantity_is_refused_in_the_servers_words(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match the regular expression"):
        parse(text)


def test_an_unknown_suffix_is_refused() -> None:
    with pytest.raises(ValueError, match="unable to parse quantity's suffix"):
        parse("1kk")
