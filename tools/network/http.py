"""The tool `http`: a request without a body, how long each part took, and what came back."""

import asyncio
import shlex
from typing import Annotated, Literal
from urllib.parse import urlsplit

from opssquad import Cluster, Network, Ref, Result, answers, asks, probe_source, tool

from ._origins import from_one, places
from ._placed import placed
from ._subject import subject
from ._told import barred, told
from .signals.http import fetched
from .signals.tcp import unanswered

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
    origin: Annotated[str, "node/NAME or here; empty for here, and for what is of the cluster a node"] = "",
) -> Result:
    """Make an HTTP request: status, redirects, timing of each part, headers, certificates, first text."""
    name, port = _at(url, host)
    about = await subject(cluster, name)

    async def one(place: str) -> Result:
        ask = asks.Fetch(url=url, host=host, method=method, origin=place, follow=FOLLOW, seconds=SECONDS)
        return await _fetched(network, cluster, about, ask, (name, port))

    return await from_one(places(network, about, name, origin), name, one)


async def _fetched(
    network: Network, cluster: Cluster | None, about: Ref, ask: asks.Fetch, at: tuple[str, int]
) -> Result:
    answer = await network.fetch(ask)
    others = await _others(network, answer, at)
    signals = await placed(cluster, answer, fetched(answer, about, *at))
    for each in others:
        signals += await placed(cluster, each, unanswered(each, about, at[0]))
    found: list[answers.Answer] = [answer, *others]
    return Result(
        text=told(found, signals),
        sources=tuple(map(probe_source, found)),
        data={
            "end": answer.end,
            "status": answer.steps[-1].status if answer.steps else 0,
            **barred([answer]),
        },
        signals=signals,
        commands=(_line(ask.url, ask.host, ask.method),),
    )


async def _others(network: Network, answer: answers.Fetched, at: tuple[str, int]) -> list[answers.Connected]:
    """What addresses of the host say that were tried in vain before another one answered: those who have
    only them are not served."""
    first = answer.steps[0] if answer.steps else None
    passed = [each for each in first.tried if each != first.address] if first else []
    port = urlsplit(first.url).port or at[1] if first else at[1]
    tried = [asks.Connect(host=each, port=port, origin=answer.ask.origin) for each in passed]
    return list(await asyncio.gather(*map(network.connect, tried)))


def _at(url: str, host: str) -> tuple[str, int]:
    """Host and port; of what is no URL the probe itself says what is wrong with it."""
    try:
        parts = urlsplit(url.strip())
        return host or parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return host, 0


def _line(url: str, host: str, method: str) -> str:
    named = ["-H", f"Host: {host}"] if host else []
    how = {"GET": [], "HEAD": ["-I"], "OPTIONS": ["-X", "OPTIONS"]}[method]
    return shlex.join(["curl", "-skvL", "--max-time", f"{SECONDS:.0f}", *how, *named, url])
