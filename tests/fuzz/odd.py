"""What nobody expects: values that fit no type, documents and logs with some of them in place of others."""

import copy
import json
from typing import Any

from aiohttp import web
from hypothesis import strategies as st

from opssquad.errors import ToolError
from tests.tools.recorded import log

Json = dict[str, Any]
TEXTS = (
    *("", " ", "x", "None", "null", "0", "-1", "1e999", "NaN", "Zorp", "/", "..", "a/b/c", "%2e"),
    *("\x00", "\x1b[31m", "\u202e", "é", "\U0001f600", "\ufeff", "\r\n", "'", '"', "`", "{", "{0}", ":"),
    *("2026-03-08T14:37:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-13-45T99:99:99Z"),
    *("2026-03-08T14:37:00+99:99", "100m", "1Gi", "1e9999999", "-5", "10.0.0.1:443", "x" * 5000),
)
NUMBERS = (0, -1, 1, 137, 65536, 2**31 - 1, 2**31, 2**63 - 1, 2**63, -(2**63), 10**30, 0.5, 1e308)
PLAIN = (None, True, False, *NUMBERS, *TEXTS)
NESTED = ([], {}, [None], [[]], [{}], {"": None}, {"a": {"b": {"c": []}}}, [1, "x", None, {}], {"name": None})
odd = st.one_of(st.sampled_from(PLAIN), st.sampled_from(NESTED).map(copy.deepcopy), st.text(max_size=20))
anything = st.recursive(
    st.one_of(st.sampled_from(PLAIN), st.floats(allow_nan=False), st.integers(), st.text(max_size=30)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.text(max_size=12), inner, max_size=5)
    ),
    max_leaves=12,
)


def alike(value: Any) -> st.SearchStrategy[Any]:
    """Something odd of the same type: only what it says is unexpected."""
    match value:
        case bool():
            return st.booleans()
        case int():
            return st.sampled_from([each for each in NUMBERS if isinstance(each, int)])
        case str():
            return st.one_of(st.sampled_from(TEXTS), st.text(max_size=12))
        case list():
            return st.sampled_from([[], value * 2, value[:1], value[::-1]]).map(copy.deepcopy)
        case dict():
            return st.builds(dict)
        case _:
            return odd


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a document: what holds it, and its key or index there."""
    found: list[tuple[Any, Any]] = []
    todo = [value]
    while todo:
        holder = todo.pop()
        many = range(len(holder)) if isinstance(holder, list) else ()
        for key in list(holder) if isinstance(holder, dict) else many:
            found.append((holder, key))
            todo.append(holder[key])
    return found


@st.composite
def mutated(draw: st.DrawFn, values: st.SearchStrategy[Any], most: int = 4) -> Any:
    """A document with a few places dropped, or with something odd in them."""
    return mutation(draw, draw(values), most)


def mutation(draw: st.DrawFn, document: Any, most: int = 4) -> Any:
    """The same within another strategy."""
    value = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, most))):
        there = places(value)
        if not there:
            return copy.deepcopy(draw(odd))
        holder, key = there[draw(st.integers(0, len(there) - 1))]
        match draw(st.sampled_from(("drop", "drop", "null", "alike", "alike", "odd", "copy"))):
            case "drop" if isinstance(holder, dict):
                del holder[key]
            case "drop":
                holder.pop(key)
            case "null":
                holder[key] = None
            case "alike":
                holder[key] = draw(alike(holder[key]))
            case "copy":
                other, name = there[draw(st.integers(0, len(there) - 1))]
                if name in other if isinstance(other, dict) else name < len(other):
                    holder[key] = copy.deepcopy(other[name])
            case _:
                holder[key] = copy.deepcopy(draw(odd))
    return value


@st.composite
def garbled(draw: st.DrawFn, texts: st.SearchStrategy[str], most: int = 4) -> str:
    """A text with a few pieces cut out, doubled, or something odd put in."""
    text = draw(texts)
    for _ in range(draw(st.integers(1, most))):
        at = draw(st.integers(0, len(text)))
        to = min(len(text), at + draw(st.integers(0, 40)))
        new = st.one_of(st.sampled_from(TEXTS), st.text(max_size=9))
        put = draw(st.one_of(st.just(""), st.just(text[at:to] * 2), new))
        text = text[:at] + put + text[to:]
    return text


def told(error: ToolError) -> None:
    """An error that a tool means to raise is one line."""
    assert "\n" not in str(error)


def answered(value: Any) -> web.Response:
    return web.Response(text=json.dumps(value), content_type="application/json")


LOG = log("auth-0308", "logs/authentication/auth-service-cff498559-nqd7q/auth-service.log")
logs_text = st.one_of(
    garbled(st.just(LOG[:4000]), 8),
    st.text(max_size=300),
    st.lists(st.builds("2026-03-08T14:36:00Z {}".format, st.one_of(anything.map(json.dumps), st.text()))).map(
        "\n".join
    ),
)
