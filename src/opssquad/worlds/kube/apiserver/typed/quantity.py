"""Resource quantities (`100m`, `1Gi`) as exact numbers and in the form the API prints."""

import re
from fractions import Fraction

PATTERN = re.compile(r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$")
MISMATCH = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
DECIMAL = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
    "P": Fraction(10**15),
    "E": Fraction(10**18),
}


def parse(text: str | float) -> Fraction:
    """The exact value in base units. Raises ValueError with the server's words."""
    return _split(str(text))[0]


def canonical(text: str | float) -> str:
    """The form the server prints: `0.5` is `500m`, `1024Mi` is `1Gi`, `1000m` is `1`. Raises ValueError."""
    value, form = _split(str(text))
    if form == "binary" and (value.denominator != 1 or -1024 < value < 1024):
        form = "decimal"
    if value == 0:
        return "0"
    if form == "binary":
        return _scaled(value, [*((size, unit) for unit, size in reversed(BINARY.items())), (1, "")])
    if form == "exponent":
        return _scaled(
            value, [(Fraction(10) ** power, f"e{power}" if power else "") for power in range(18, -12, -3)]
        )
    return _scaled(value, [(size, unit) for unit, size in reversed(DECIMAL.items())])


def _scaled(value: Fraction, units: list[tuple[Fraction | int, str]]) -> str:
    for size, unit in units:
        scaled = value / size
        if scaled.denominator == 1:
            return f"{scaled.numerator}{unit}"
    nano = -((-abs(value) * 10**9).__floor__())
    return f"{'-' if value < 0 else ''}{nano}n"


def _split(text: str) -> tuple[Fraction, str]:
    match = PATTERN.match(text.strip())
    if not match or match[1].count(".") > 1 or not re.search(r"\d", match[1]):
        raise ValueError(MISMATCH)
    number, suffix = Fraction(match[1] if match[1][-1] != "." else match[1] + "0"), match[2]
    if suffix in BINARY:
        return number * BINARY[suffix], "binary"
    if suffix in DECIMAL:
        return number * DECIMAL[suffix], "decimal"
    if re.fullmatch(r"[eE][-+]?\d+", suffix):
        return number * Fraction(10) ** int(suffix[1:]), "exponent"
    raise ValueError("unable to parse quantity's suffix")
