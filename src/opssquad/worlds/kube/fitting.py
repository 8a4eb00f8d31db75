"""Makes an object that a server sent fit its type before anything reads it, as a typed client does.

Null is absent, fields that are always written are there, and a value of another type is an error that names
the field. Fields that the types do not know (a newer server's) and the body of custom kinds stay as they are.
"""

import re
from collections.abc import Callable
from datetime import MAXYEAR, MINYEAR
from functools import cache, cached_property
from typing import Any

from opssquad.errors import ToolError
from opssquad.times import parse_time
from opssquad.types import Json
from opssquad.worlds.kube.apiserver.typed.schema import Field, schema
from opssquad.worlds.kube.kinds import Resource

Check = Callable[[Any], None]
FIRST, LAST = MINYEAR + 1, MAXYEAR - 1
"""Years that a time may have: at the very ends of the calendar it could not be moved to another zone."""
QUANTITY = re.compile(
    r"[+-]?(?:[0-9]{1,30}[.]?[0-9]{0,30}|[.][0-9]{1,30})(?:[eE][+-]?[0-9]{1,2}|[KMGTPE]i|[numkMGTPE])?"
)
"""`512Mi`, `250m`, `1e3`; an exponent of more digits is no amount of anything."""


def fitted(resource: Resource, obj: Any, namespace: str = "", name: str = "") -> Json:
    """The object, made to fit in place; `namespace` and `name` are those that were asked for, if any.

    Raises ToolError that names object and field.
    """
    made = shaped(resource, obj)
    known = {"name": name, **({"namespace": namespace} if resource.namespaced else {})}
    for field, asked in known.items():
        if not made["metadata"].get(field):
            if not asked:
                raise _unfit(resource, obj, f"metadata.{field} is missing")
            made["metadata"][field] = asked
    # What was asked for is what it is, even where it says that it is of another kind.
    said = {"apiVersion": resource.api_version, "kind": resource.kind}
    made.update({field: value for field, value in said.items() if field in made})
    return made


def shaped(resource: Resource, obj: Any) -> Json:
    """The same for an object that was just written: its names are known. Raises ToolError."""
    if wrong := fit(resource.api_version, resource.kind, obj):
        raise _unfit(resource, obj, wrong)
    made: Json = obj
    return made


def fit(api_version: str, kind: str, obj: Any) -> str:
    """Make an object of that kind fit in place; what is wrong with it, empty where nothing is."""
    known = schema().kind(api_version, kind)
    try:
        _struct(known.name if known else _ANY)(obj)
    except _Misfit as misfit:
        return f"{'.'.join(reversed(misfit.path)) or 'it'} {misfit}"
    return ""


def metadata_of(resource: Resource, obj: Any) -> Json:
    """The metadata of an object of which nothing else was asked for; empty where there is none."""
    found = obj.get("metadata") if isinstance(obj, dict) else None
    if not found:
        return {}
    return dict(shaped(resource, {"metadata": found})["metadata"])


class _Misfit(Exception):
    """A value that is not of its field's type; `path` from the innermost field outwards."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.path: list[str] = []


def _unfit(resource: Resource, obj: Any, what: str) -> ToolError:
    meta = obj.get("metadata") if isinstance(obj, dict) else None
    name = meta.get("name") if isinstance(meta, dict) else None
    which = f"{resource.kind} {name}" if isinstance(name, str) and name else f"a {resource.kind}"
    return ToolError(f"the server sent {which} that cannot be read: {what}; is it an API server?", blind=True)


_ANY = ""
"""Stands for the type of a custom kind: of that only the metadata is known."""


class _Struct:
    """The check of one type: of its fields by name."""

    def __init__(self, name: str) -> None:
        self._name = name

    @cached_property
    def _fields(self) -> dict[str, Field]:
        if self._name != _ANY:
            return dict(schema().type(self._name).fields)
        return {"metadata": schema().type("core.v1.Pod").fields["metadata"]}

    @cached_property
    def _checks(self) -> dict[str, Check]:
        return {name: _check(field) for name, field in self._fields.items()}

    @cached_property
    def _always(self) -> tuple[tuple[str, Callable[[], Any]], ...]:
        made = ((name, _zero(field)) for name, field in self._fields.items() if field.always)
        return tuple((name, make) for name, make in made if make)

    def __call__(self, value: Any) -> None:
        if type(value) is not dict:
            raise _Misfit(f"is {_kind(value)}, not an object")
        checks, gone, name = self._checks, [], ""
        try:
            for name, inner in value.items():
                if inner is None:
                    gone.append(name)
                elif check := checks.get(name):
                    check(inner)
        except _Misfit as misfit:
            misfit.path.append(name)
            raise
        for name in gone:
            del value[name]
        for name, make in self._always:
            if name not in value:
                value[name] = make()


@cache
def _struct(name: str) -> _Struct:
    return _Struct(name)


def _check(field: Field) -> Check:
    one = _SCALARS[field.leaf] if field.scalar else _struct(field.leaf)
    match field.container:
        case "list":
            return _list(one)
        case "map":
            return _map(one)
        case "listmap":
            return _map(_list(one))
        case _:
            return one


def _list(one: Check) -> Check:
    def check(value: Any) -> None:
        if type(value) is not list:
            raise _Misfit(f"is {_kind(value)}, not a list")
        if None in value:
            value[:] = [each for each in value if each is not None]
        for each in value:
            one(each)

    return check


def _map(one: Check) -> Check:
    def check(value: Any) -> None:
        if type(value) is not dict:
            raise _Misfit(f"is {_kind(value)}, not an object")
        for name in [name for name, each in value.items() if each is None]:
            del value[name]
        for each in value.values():
            one(each)

    return check


def _zero(field: Field) -> Callable[[], Any] | None:
    """How a field that is always written is made where it is not; None where absence says more."""
    if field.container:
        return list if field.container == "list" else dict
    if field.pointer:
        return None
    if field.scalar:
        return _ZEROS.get(field.leaf)

    def make() -> Json:
        value: Json = {}
        _struct(field.leaf)(value)
        return value

    return make


_ZEROS: dict[str, Callable[[], Any]] = {
    "string": str,
    "int32": int,
    "int64": int,
    "double": int,
    "bool": bool,
}


def _text(value: Any) -> None:
    if type(value) is not str:
        raise _Misfit(f"is {_kind(value)}, not text")


def _whole(bits: int) -> Check:
    most = 2 ** (bits - 1)

    def check(value: Any) -> None:
        if type(value) is not int:
            raise _Misfit(f"is {_kind(value)}, not a whole number")
        if not -most <= value < most:
            raise _Misfit(f"is a number of more than {bits} bits")

    return check


def _number(value: Any) -> None:
    if type(value) not in (int, float):
        raise _Misfit(f"is {_kind(value)}, not a number")


def _truth(value: Any) -> None:
    if type(value) is not bool:
        raise _Misfit(f"is {_kind(value)}, neither true nor false")


def _time(value: Any) -> None:
    _text(value)
    try:
        year = parse_time(value).year
    except ValueError as error:
        raise _Misfit(f"is {value[:40]!r}, not a time") from error
    if not FIRST <= year <= LAST:
        raise _Misfit(f"is {value[:40]!r}, out of the calendar")


def _quantity(value: Any) -> None:
    if type(value) not in (str, int, float):
        raise _Misfit(f"is {_kind(value)}, not a quantity")
    if not QUANTITY.fullmatch(str(value)):
        raise _Misfit(f"is {str(value)[:40]!r}, not a quantity")


def _either(value: Any) -> None:
    if type(value) not in (int, str):
        raise _Misfit(f"is {_kind(value)}, neither a whole number nor text")


def _anything(value: Any) -> None:
    """No type to fit."""


_SCALARS: dict[str, Check] = {
    "string": _text,
    "bytes": _text,
    "int32": _whole(32),
    "int64": _whole(64),
    "double": _number,
    "bool": _truth,
    "time": _time,
    "microtime": _time,
    "quantity": _quantity,
    "intorstring": _either,
    "any": _anything,
}


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "an object"
