"""Values of settings, as the server compares them: units, spellings, bounds. Pure."""

import re
from collections.abc import Mapping

from opssquad import Json, ToolError

_MEMORY = {"b": 1.0, "kb": 1024.0, "mb": 1024.0**2, "gb": 1024.0**3, "tb": 1024.0**4}
_TIME = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_FAMILIES: tuple[Mapping[str, float], ...] = (_MEMORY, _TIME)
_NUMBER = re.compile(r"\s*([-+]?[0-9]+(?:\.[0-9]*)?(?:e[-+]?[0-9]+)?)\s*([a-z]*)\s*", re.IGNORECASE)
_UNIT = re.compile(r"([0-9]*)([a-z]+)", re.IGNORECASE)
_TRUE, _FALSE = ("on", "true", "yes", "1", "t", "y"), ("off", "false", "no", "0", "f", "n")


def compared(row: Json, value: str) -> str:
    """The value in one spelling: numbers in the setting's own unit. `row` is that of the look `settings`.
    Raises ToolError for a value that the setting cannot have."""
    match row.get("vartype"):
        case "bool":
            return _switch(row, value)
        case "integer" | "real":
            return _number(row, value)
        case "enum":
            low, choices = value.lower(), _choices(row)
            if low not in (*choices, *_TRUE, *_FALSE):
                raise ToolError(f"{row['name']} is one of {', '.join(choices)}, not {value!r}")
            return low
    # Names in a list are written with and without quotes.
    return ", ".join(part.strip().strip('"') for part in value.split(","))


def _choices(row: Json) -> list[str]:
    """What an enum may be: a list, or as the server writes one."""
    found = row.get("enumvals") or ()
    listed = found.strip("{}").split(",") if isinstance(found, str) else found
    return [str(each).strip('"').lower() for each in listed]


def _switch(row: Json, value: str) -> str:
    low = value.lower()
    if low in _TRUE or low in _FALSE:
        return "on" if low in _TRUE else "off"
    raise ToolError(f"{row['name']} is on or off, not {value!r}")


def _number(row: Json, value: str) -> str:
    found, own = _NUMBER.fullmatch(value), str(row.get("unit") or "")
    factor = _factor(found[2], own) if found else None
    if found is None or factor is None:
        unit = f" with a unit, as {_like(own)}" if own else " without a unit"
        raise ToolError(f"{row['name']} is a number{unit}, not {value!r}")
    number = float(found[1]) * factor
    least, most = row.get("min_val"), row.get("max_val")
    if least is not None and most is not None and not float(least) <= round(number, 6) <= float(most):
        raise ToolError(f"{row['name']} is from {least} to {most}{f' ({own})' if own else ''}, not {value}")
    return f"{round(number)}" if row["vartype"] == "integer" else f"{number:.6g}"


def _factor(unit: str, own: str) -> float | None:
    """What a number in `unit` is multiplied by to be in the setting's own; None where they do not match."""
    if not unit:
        return 1.0
    mine = _UNIT.fullmatch(own)
    for family in _FAMILIES:
        if mine and unit.lower() in family and mine[2].lower() in family:
            return family[unit.lower()] / (family[mine[2].lower()] * float(mine[1] or 1))
    return None


def _like(own: str) -> str:
    mine = _UNIT.fullmatch(own)
    return "64MB" if mine and mine[2].lower() in _MEMORY else "30s"


def shown_with(row: Json, value: str | None) -> str:
    """A value with the unit that it has when none is given."""
    if value is None:
        return "not set"
    unit = str(row.get("unit") or "")
    if not unit or not value.lstrip("-").isdigit():
        return value or "(empty)"
    mine = _UNIT.fullmatch(unit)
    if mine and mine[1] and int(value) > 0:
        return f"{int(value) * int(mine[1])}{mine[2]}"
    return f"{value}{unit}" if int(value) > 0 else value
