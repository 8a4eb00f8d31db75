"""Kubernetes quantities: `512Mi`, `250m`, `1e3` to numbers in base units, and back in words."""

import math
import re

FORM = re.compile(r"^([+-]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+))(?:([eE][+-]?[0-9]+)|([numkMGTPE]|[KMGTPE]i)?)$")
BINARY = {f"{letter}i": 1024 ** (power + 1) for power, letter in enumerate("KMGTPE")}
DECIMAL = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
BYTES = ("memory", "storage", "ephemeral")


def parse(text: str | float) -> float:
    """The number in base units (bytes, cores, pieces). Raises ValueError that names the text."""
    match = FORM.match(str(text).strip())
    if not match:
        raise ValueError(f"{text!r} is not a quantity such as 512Mi, 250m or 2")
    number, exponent, suffix = match.groups()
    if exponent:
        return float(number + exponent)
    return float(number) * (BINARY.get(suffix) or DECIMAL.get(suffix) or 1.0)


def show(value: float, resource: str) -> str:
    """A number in base units as people read it: bytes in binary units, cores with `m` below one."""
    if any(word in resource for word in BYTES):
        for suffix, size in reversed(BINARY.items()):
            if value >= size:
                return f"{_plain(value / size)}{suffix}"
        return _plain(value)
    if "cpu" in resource and value < 10 and value != int(value):
        return f"{_plain(value * 1000)}m"
    return _plain(value)


def exact(value: float, resource: str) -> str:
    """A number in base units as a quantity that loses nothing: bytes in the largest unit that divides it."""
    if any(word in resource for word in BYTES):
        whole = math.ceil(value)
        units = ((suffix, size) for suffix, size in reversed(BINARY.items()) if whole and whole % size == 0)
        suffix, size = next(units, ("", 1))
        return f"{whole // size}{suffix}"
    return str(int(value)) if value == int(value) else f"{math.ceil(value * 1000)}m"


def _plain(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.1f}"
