"""The tool `http`: a request without a body, how long each part took, and what came back."""

import shlex
from typing import Annotated, Literal
from urllib.parse import urlsplit

from opssquad import Cluster, Network, Result, asks, probe_source, tool

from ._placed import placed
from ._subject import subject
from ._told import told
from .signals.http import fetched

FOLLOW = 10
"""Redirects that are followed: where browsers and Go give up as well, more is a circle."""
SECONDS = 10.0


@tool(effect="read")
async def http(
    network: Network,
    cluster: Cluster | None,
    url: Annotated[str, "http or https, without user and password"],
    host: Annotated[str, "Host header and TLS name, where they differ from the URL's"] = "",
    method: Literal["GET", "HEAD", "OPTIONS"] = "GET",
    origin: Annotated[str, "from where: empty for here, or node/NAME"] = "",
) -> Result:
    """Make an HTTP request: status, redirects, timing of each part, headers, certificates, first text."""
    ask = asks.Fetch(url=url, host=host, method=method, origin=origin, follow=FOLLOW, seconds=SECONDS)
    answer = await network.fetch(ask)
    # Read by the probe before, which refuses what is no URL.
    parts = urlsplit(url.strip())
    name = host or parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    seen = fetched(answer, await subject(cluster, name), name, port)
    signals = await placed(cluster, answer, seen)
    return Result(
        text=told([answer], signals),
        sources=(probe_source(answer),),
        data={"end": answer.end, "status": answer.steps[-1].status if answer.steps else 0},
        signals=signals,
        commands=(_line(url, host, method),),
    )


def _line(url: str, host: str, method: str) -> str:
    named = ["-H", f"Host: {host}"] if host else []
    how = {"GET": [], "HEAD": ["-I"], "OPTIONS": ["-X", "OPTIONS"]}[method]
    return shlex.join(["curl", "-skvL", "--max-time", f"{SECONDS:.0f}", *how, *named, url])
