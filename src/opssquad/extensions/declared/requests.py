"""URLs with holes: checked when they are read, filled for the place where each hole stands. Pure."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from opssquad.errors import ToolError
from opssquad.extensions.declared.document import HttpStep, Parameter, Secret
from opssquad.extensions.declared.template import absent, fill, holes
from opssquad.extensions.declared.unsound import Place, Unsound
from opssquad.gate.redact import Redactor
from opssquad.worlds.http.client import OURS

if TYPE_CHECKING:
    from opssquad.worlds.net import names

_URL = re.compile(
    r"(?P<scheme>[^:/?#]*)://(?P<host>[^/?#]*)(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?P<rest>#.*)?"
)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SECRET = re.compile(r"[A-Za-z]\w*")
KEEP = "a secret stands in it; put it into `tools.yaml`, and write"


def unsound(place: Place, step: HttpStep, parameters: Mapping[str, Parameter]) -> None:
    """Raises Unsound for a request that may not be declared."""
    _url((*place, "url"), step, parameters)
    for name, value in step.headers.items():
        here = (*place, "headers", name)
        if not _HEADER.fullmatch(name) or name.lower() in OURS:
            raise Unsound(here, "is no header to set: it is no name of one, or the client's own")
        if isinstance(value, Secret):
            if not _SECRET.fullmatch(value.secret):
                raise Unsound(here, f"{value.secret!r} is no name of a secret: letters, digits, _")
        elif Redactor().value({name: value})[1]:
            raise Unsound(
                here, f"{KEEP} `{name}: {{secret: NAME}}` (with `prefix: 'Bearer '` where one belongs)"
            )
    if Redactor().value(dict(step.query))[1] or Redactor().value(step.body)[1]:
        raise Unsound(place, f"{KEEP} `headers: {{Authorization: {{secret: NAME}}}}`")


def _url(place: Place, step: HttpStep, parameters: Mapping[str, Parameter]) -> None:
    found = _URL.fullmatch(step.url)
    if not found:
        raise Unsound(place, "is no URL; write it as https://HOST/PATH")
    if holes(found["scheme"]) or holes(found["host"]):
        raise Unsound(
            place, "a hole stands in its scheme, host or port; they are fixed: holes are for the rest"
        )
    if found["rest"]:
        raise Unsound(place, "what follows # is never sent; leave it out")
    if "@" in found["host"] or Redactor()(step.url)[1]:
        raise Unsound(place, f"{KEEP} `headers: {{Authorization: {{secret: NAME}}}}`")
    # Late: it brings Unicode's tables.
    from opssquad.worlds.net import names

    try:
        meant = names.url(fill(step.url, dict.fromkeys(holes(step.url), "x")))
    except ToolError as error:
        raise Unsound(place, str(error)) from None
    for each in holes(step.url):
        if each in parameters and parameters[each].optional and parameters[each].default is None:
            raise Unsound(place, f"{{{each}}} may be left out, and a URL has no hole to spare; use `query`")
    _destinations((*place[:-1], "destinations"), step, meant)


def _destinations(place: Place, step: HttpStep, meant: "names.Url") -> None:
    from opssquad.worlds.net import names

    shown = f"[{meant.host}]" if ":" in meant.host else meant.host
    usual = meant.port == names.PORTS[meant.scheme]
    wanted = shown if usual else f"{shown}:{meant.port}"
    if not step.destinations:
        raise Unsound(place[:-1], f"destinations is missing; write `destinations: [{wanted}]`")
    allowed = {each.lower() for each in step.destinations}
    if not allowed & {wanted.lower(), f"{shown}:{meant.port}".lower()}:
        raise Unsound(place, f"{wanted} of the url is not among them; write `destinations: [{wanted}]`")


def filled(step: HttpStep, values: Mapping[str, Any]) -> str:
    """The URL of a call: each argument stays within its segment of the path, or its value of the query.
    Raises ToolError for one that would mean another place."""
    head, mark, query = step.url.partition("?")
    for each in holes(head):
        if not str(values[each]).strip():
            raise ToolError(f"{each} is empty, and stands in the path of {step.url}; give it")
    path = fill(head, values, lambda text: quote(text, safe=""))
    if any(unquote(each) in (".", "..") for each in path.split("/")):
        raise ToolError(f"an argument makes a step up of the path of {step.url}; give a name")
    return f"{path}{mark}{fill(query, values, lambda text: quote(text, safe=''))}"


def query(step: HttpStep, values: Mapping[str, Any]) -> dict[str, str]:
    """What is added to the URL, without what was left out."""
    return {name: fill(text, values) for name, text in step.query.items() if not absent(text, values)}
