"""The tool `path`: every hop from a client to what it calls, as the API shows it; nothing is sent."""

from collections import Counter
from typing import Annotated

from pydantic import Field

from opssquad import Cluster, Json, Result, ToolError, rfc3339, tool

from .._focus import thin
from .._kube import kubectl
from .._rights import as_data, not_read
from .._text import many, some
from ._aims import client_of, goal_of, valid_port, words
from ._entering import ways_in
from ._every import every
from ._hops import Hop, Path
from ._surveying import Survey, survey
from ._walk import signals_of, walk, way_in

ALONE = "from API data alone; nothing was sent"
MOST = 8
WAYS_IN = 3
"""Hosts of Ingresses that are named to be probed."""


@tool(effect="read", deadline=60)
async def path(
    cluster: Cluster,
    client: Annotated[
        str, Field(description='who calls: web, web.ns, Deployment/ns/web, a pod, an address, or "internet"')
    ] = "",
    to: Annotated[
        str, Field(description="what is called: a DNS name, Service, workload, address or URL, or with :port")
    ] = "",
    namespace: Annotated[str, Field(description="where short names are; alone: every call in it")] = "",
    port: Annotated[int, Field(description="0 = the one that is named, or the only one")] = 0,
) -> Result:
    """The path through Kubernetes, hop by hop: DNS, Service, endpoints, policies, Ingress; first broken hop.

    Without `to`: every call that configuration names."""
    valid_port(port)
    from_words, to_words = words(client), words(to)
    read = await survey(cluster, from_words, to_words, namespace)
    caller = client_of(from_words, read.homes[0] or namespace, read.scene)
    if not to:
        if caller.outside:
            raise ToolError("say what is called from outside: a host, a URL or a Service")
        paths = list(every(read.scene, read.spaces, caller.who))
        return _result(cluster, read, paths, [*_all(paths), *_others(read)], namespace)
    goal = goal_of(to_words, port, read.homes[1] or namespace, caller, read.scene)
    if caller.who is None and (goal.scheme or not (goal.service or goal.pods or goal.addresses)):
        caller = client_of(words("internet"), "", read.scene)
    goal = way_in(caller, goal, read.scene)
    one = _with_others(walk(caller, goal, read.scene), read)
    return _result(cluster, read, [one], _one(one), namespace)


def _with_others(walked: Path, read: Survey) -> Path:
    if not read.others:
        return walked
    hop = Hop("other policies", "not checked", f"{read.others}: there, and not evaluated")
    return Path(walked.client, walked.goal, (*walked.hops, hop))


def _others(read: Survey) -> list[str]:
    return [f"Policies of other kinds are there and not evaluated: {read.others}."] if read.others else []


def _one(walked: Path) -> list[str]:
    return [verdict(walked), f"From {walked.client.words()} to {walked.goal.words}:", *lines(walked)]


def verdict(walked: Path) -> str:
    """The first line: where it is broken, or that nothing is known to be."""
    if walked.first:
        number, hop = walked.first
        return f"broken at hop {number}: {hop.what}: {hop.fact}"
    unknown = sum(each.verdict == "unknown" for each in walked.hops)
    if unknown:
        return f"no hop is known to be broken, {many(unknown, 'hop')} cannot be told ({ALONE})"
    return f"every hop that the API shows is ok ({ALONE})"


def lines(walked: Path) -> list[str]:
    """A line for each hop."""
    return [f"{n}. {each.what}: {each.verdict}: {each.fact}" for n, each in enumerate(walked.hops, 1)]


def _all(paths: list[Path]) -> list[str]:
    broken = [each for each in paths if each.first]
    said = f"{many(len(paths), 'call')} looked at, {len(broken)} broken"
    told = [f"{said} ({ALONE})" + (":" if broken else "")]
    for each in broken[:MOST]:
        told += [f"- {each.client.words()} to {each.goal.words}: {verdict(each)}"]
    if len(broken) > MOST:
        told.append(f"- and {len(broken) - MOST} more: {some([e.goal.words for e in broken[MOST:]], MOST)}")
    doubtful = [
        each for each in paths if not each.first and any(hop.verdict == "unknown" for hop in each.hops)
    ]
    unknown = Counter(
        f"{hop.what}: {hop.fact}" for each in doubtful for hop in each.hops if hop.verdict == "unknown"
    )
    told += [f"Not known of {many(count, 'call')}: {fact}" for fact, count in unknown.most_common(3)]
    told.append(f"{len(paths) - len(broken) - len(doubtful)} ok.")
    return told


def _result(cluster: Cluster, read: Survey, paths: list[Path], text: list[str], namespace: str) -> Result:
    signals = thin(signals_of(paths))
    scope = f"Cluster {cluster.name}, at {read.scene.now:%H:%M:%S} UTC"
    missing = [not_read(read.unread)] if read.unread else []
    first = next((each for each in paths if each.first), None)
    space = namespace or (sorted(read.spaces)[0] if read.spaces else "")
    return Result(
        text="\n".join([*text, scope, *missing]),
        signals=tuple(signals),
        sources=read.scene.sources(signals),
        data={
            "first_broken": _broken_at(first),
            "broken": [_broken_at(each) for each in paths if each.first],
            "callee": _callee(paths),
            "ways_in": ways_in(read.scene, read.spaces)[:WAYS_IN],
            "looked_at": len(paths),
            "hops": [_hop(n, each) for n, each in enumerate(paths[0].hops, 1)] if len(paths) == 1 else [],
            "unread": as_data(read.unread),
            "scope": {"cluster": cluster.name, "namespace": space, "at": rfc3339(read.scene.now)},
        },
        commands=(kubectl("get", "svc,endpointslices,netpol,ingress", namespace=space),),
    )


def _callee(paths: list[Path]) -> Json:
    """Host and port of the first that is called in vain, else of the first that is called."""
    wanted = [*(each for each in paths if each.first), *paths]
    known = ((p.goal, service) for p in wanted if (service := p.goal.service))
    told = (
        {"host": f"{ref.name}.{ref.namespace}.svc", "port": goal.port} for goal, ref in known if goal.port
    )
    return next(told, {})


def _broken_at(walked: Path | None) -> Json:
    if walked is None or walked.first is None:
        return {}
    number, hop = walked.first
    return {
        "hop": number,
        "what": hop.what,
        "object": str(hop.object or ""),
        "reason": hop.fact,
        "client": str(walked.client.who or ""),
        "to": walked.goal.words,
    }


def _hop(number: int, hop: Hop) -> Json:
    return {
        "hop": number,
        "what": hop.what,
        "verdict": hop.verdict,
        "fact": hop.fact,
        "object": str(hop.object or ""),
    }
