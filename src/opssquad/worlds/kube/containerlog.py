"""A container's log, bounded: its last bytes, and no line without end. What the lines say is for tools."""

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
