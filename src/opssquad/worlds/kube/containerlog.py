"""A container's log, bounded: its last bytes, and no line without end. What the lines say is for tools."""

from datetime import datetime

from opssquad.times import rfc3339
from opssquad.worlds.kube.bodies import Tail
from opssquad.worlds.kube.http import KubeHTTP, Query

MOST = 4 * 2**20
"""Bytes of a log that are kept: its last ones, for the end tells why a container ended."""
ASKED = 16 * MOST
"""Bytes that the server is asked for at most. It counts them from the beginning, so it gets more room."""
LINE = 16 * 1024
"""Characters of one line that are kept; container runtimes part lines at this size themselves."""


class Log(str):
    """The text of a log. `cut` says that earlier lines, or the ends of long ones, were left out."""

    cut: bool = False


def query(container: str, previous: bool, tail: int, since: datetime | None) -> Query:
    """What is asked of the server: whose log, which instance, how many lines from the end, since when."""
    asked = [("container", container)] if container else []
    asked += [("previous", "true")] if previous else []
    asked += [("tailLines", str(tail))] if tail else []
    return asked + ([("sinceTime", rfc3339(since))] if since else [])


async def read_log(http: KubeHTTP, path: str, query: Query, most: int) -> Log:
    """The last `most` bytes of a log. Raises ToolError."""
    asked = [("timestamps", "true"), ("limitBytes", str(ASKED)), *query]
    body = await http.fetch(path, asked, "*/*", keep=most)
    text = body.decode(errors="replace")
    whole = not isinstance(body, Tail)
    if max(map(len, text.split("\n"))) > LINE:
        text, whole = "\n".join(map(_shortened, text.split("\n"))), False
    log = Log(text)
    log.cut = not whole
    return log


def _shortened(line: str) -> str:
    left = len(line) - LINE
    return line if left <= 0 else f"{line[:LINE]} … {left} characters of this line left out"
