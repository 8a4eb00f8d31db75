"""Values that do not parse, in the words of several languages."""

import pytest
from tools.signals.parsing import unparsed


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        (
            'Failed to convert for property A_MS\nCaused by: NumberFormatException: For input string: "6s"',
            "A_MS",
            "6s",
        ),
        ("ValueError: invalid literal for int() with base 10: '4k'", "", "4k"),
        ("ValueError: could not convert string to float: 'n/a'", "", "n/a"),
        ('load POOL_SIZE: strconv.Atoi: parsing "ten": invalid syntax', "POOL_SIZE", "ten"),
        ('{"error":"strconv.ParseInt: parsing \\"ten\\": invalid syntax"}', "", "ten"),
        ('HTTP_TIMEOUT: time: missing unit in duration "30"', "HTTP_TIMEOUT", "30"),
        ("yaml: line 3: cannot unmarshal !!str `abc` into int", "", "abc"),
        ('failed to parse log level "loud"', "", "loud"),
        ('invalid value "x" for flag', "", "x"),
    ],
)
def test_a_value_that_does_not_parse_is_told_with_its_setting(text: str, key: str, value: str) -> None:
    found = unparsed(text)
    assert found is not None
    assert (found.key, found.value) == (key, value)
    assert found.words in text


@pytest.mark.parametrize("text", ["invalid credentials for user 7", "parsed 17 lines", "timeout of 3000ms"])
def test_other_errors_are_no_parse_errors(text: str) -> None:
    assert unparsed(text) is None
