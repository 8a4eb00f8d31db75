"""HTTP APIs of a recording: what each request was answered, told again.

`http/exchanges.yaml` is a list of `{method, url, json, status, headers, body}`; a `body` that is no text is
the JSON that was answered. One with `after`, as `POST https://host/path`, is told once that was sent: what
shows a change differs after it.
"""

import asyncio
import difflib
import json as jsonlib
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, RootModel

from opssquad.documents import BadFile, parse_placed, read_text
from opssquad.errors import ToolError
from opssquad.types import Value
from opssquad.worlds.http.client import MOST, Reply, Request
from opssquad.worlds.net import names

FILE = "http/exchanges.yaml"
Key = tuple[str, str, tuple[tuple[str, str], ...], str]


class Exchange(Value):
    """One request and its answer; `json` is the body that was sent, where there was one."""

    method: Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: str
    sent: Any = Field(default=None, alias="json")
    status: int = Field(default=200, ge=100, le=599)
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = ""
    ms: float = Field(default=0, ge=0)
    after: str = ""

    @property
    def text(self) -> str:
        """The body as it was answered."""
        return self.body if isinstance(self.body, str) else jsonlib.dumps(self.body, ensure_ascii=False)


class Exchanges(RootModel[tuple[Exchange, ...]]):
    """The content of `exchanges.yaml`."""


def has_exchanges(folder: Path) -> bool:
    """Whether a recording has requests."""
    return (folder / FILE).exists()


class RecordedHttp:
    """The requests of a recording; one without such a part answers none. Raises BadFile."""

    def __init__(self, folder: Path) -> None:
        self._told: dict[Key, list[Exchange]] = {}
        if has_exchanges(folder):
            found = parse_placed(read_text(folder / FILE), Exchanges, folder / FILE)
            for number, each in enumerate(found.value.root):
                try:
                    key = _key(each.method, str(names.url(each.url)), each.sent)
                except ToolError as error:
                    raise BadFile(folder / FILE, str(error), found.line(number, "url")) from None
                known = self._told.setdefault(key, [])
                if any(one.after == each.after for one in known):
                    said = f"{each.method} {each.url} stands twice; say after what it is told so with `after`"
                    raise BadFile(folder / FILE, said, found.line(number))
                known.append(each)
        self._sent: set[str] = {""}

    async def send(self, request: Request) -> Reply:
        """What was recorded of exactly this request, whatever the order of its query and whatever its
        headers. Raises ToolError with the nearest that was."""
        sent = None if request.body is None else jsonlib.loads(request.body)
        key = _key(request.method, request.url, sent)
        known = [each for each in self._told.get(key, ()) if each.after in self._sent]
        if not known:
            raise ToolError(self._unknown(request))
        told = known[-1]
        self._sent.add(f"{told.method} {told.url}")
        await asyncio.sleep(0)
        body = told.text.encode()
        return Reply(
            status=told.status,
            reason=_phrase(told.status),
            headers={name.lower(): value for name, value in told.headers.items()},
            text=body[: min(request.cap, MOST)].decode(errors="replace"),
            url=request.url,
            ms=told.ms,
            cut=len(body) > request.cap,
        )

    def _unknown(self, request: Request) -> str:
        all_told = [each for group in self._told.values() for each in group]
        if not all_told:
            return f"not recorded: {request.place}; this recording has no requests ({FILE})"
        alike = [each for each in all_told if each.method == request.method] or all_told
        told = {each.url: each for each in alike}
        near = told[difflib.get_close_matches(request.url, told, n=1, cutoff=0.0)[0]]
        same = _key(near.method, str(names.url(near.url)), None) == _key(request.method, request.url, None)
        body = " with another body" if same else ""
        return f"not recorded: {request.place}; the nearest that is: {near.method} {near.url}{body}"


def _key(method: str, url: str, sent: Any) -> Key:
    parts = urlsplit(url)
    query = tuple(sorted(parse_qsl(parts.query, keep_blank_values=True)))
    return method, f"{parts.scheme}://{parts.netloc}{parts.path}", query, jsonlib.dumps(sent, sort_keys=True)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
