"""Every way a cluster can fail, against the real program: a stated outcome in a bounded time, no traceback,
and no diagnosis of what was not seen.

What cannot be reached at all is the operator's to mend (exit code 2). What fails later costs a part of the
diagnosis: the screen says which, and where too little is left the question ends inconclusive (3).
"""

import shlex
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.faults import cluster as c
from tests.faults.asking import (
    AWAY,
    CAUSE,
    DENIED,
    EXPIRED,
    FORBIDDEN,
    HALF,
    LIST,
    NOTHING,
    OVERLOADED,
    PROXY,
    SECONDS,
    STORE,
    asked,
    begun,
    told,
)
from tests.worlds.kube.test_trouble import certificate

# Before anything is asked. name: what stands there, what the one line says
UNREACHABLE: dict[str, tuple[Any, str]] = {
    "nobody listens": (c.nobody, "cannot be reached"),
    "takes connections and never answers": (c.black_hole, "did not answer within 10 s"),
    "never answers, with TLS": (lambda folder: c.black_hole(folder, "https"), "did not answer within 10 s"),
    "a certificate that nobody vouches for": (
        lambda folder: c.behind(c.passes, folder, tls=certificate(folder)),
        "is not trusted",
    ),
    "plain HTTP is spoken to as TLS": (
        lambda folder: c.behind(c.passes, folder, scheme="https"),
        "TLS with cluster",
    ),
    "401 on all": (lambda folder: c.behind(c.answers(EXPIRED), folder), "expired or revoked? Log in again"),
    "403 on all": (lambda folder: c.behind(c.answers(DENIED), folder), FORBIDDEN),
    "429 on all": (lambda folder: c.behind(c.answers(OVERLOADED), folder), "too many requests"),
    "503 on all": (lambda folder: c.behind(c.answers(AWAY), folder), "currently unable"),
    "a proxy's page": (lambda folder: c.behind(c.answers(PROXY), folder), "did not answer in JSON"),
    "half a document": (lambda folder: c.behind(c.answers(HALF), folder), "did not answer in JSON"),
    "a login plug-in that fails": (
        lambda folder: c.behind(c.passes, folder, user=plugin("echo no login >&2; exit 3")),
        "failed with exit code 3: no login",
    ),
    "a login plug-in that prints garbage": (
        lambda folder: c.behind(c.passes, folder, user=plugin("echo hello")),
        "printed no JSON",
    ),
    "a login plug-in that is not there": (
        lambda folder: c.behind(
            c.passes, folder, user={"exec": {**plugin("")["exec"], "command": "no-such"}}
        ),
        "cannot be run",
    ),
}


def plugin(script: str) -> Any:
    """A user whose token comes from a shell script."""
    version = "client.authentication.k8s.io/v1"
    return {"exec": {"apiVersion": version, "command": "sh", "args": ["-c", script]}}


@pytest.mark.parametrize("name", UNREACHABLE)
def test_a_cluster_that_cannot_be_talked_to_is_one_line_for_the_operator(name: str, tmp_path: Path) -> None:
    stands, says = UNREACHABLE[name]
    with stands(tmp_path) as front:
        done, seconds = asked(front.kubeconfig, tmp_path / "state")
    said = told(done, tmp_path / "state")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stdout + done.stderr
    assert says in said
    assert seconds < 45


@pytest.mark.long
def test_a_login_plugin_that_hangs_is_ended_at_its_deadline(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    user = plugin(f"echo $$ > {shlex.quote(str(marker))}; exec sleep 300")
    with c.behind(c.passes, tmp_path, user=user) as front:
        done, seconds = asked(front.kubeconfig, tmp_path / "state")
    assert done.returncode == 2
    assert "did not finish within 30 s" in told(done, tmp_path / "state")
    assert seconds < SECONDS
    assert not Path(f"/proc/{marker.read_text().strip()}").exists()


def each_object(change: Any) -> c.Fault:
    """Every object that is read is another: alone, and in lists."""

    def changed(request: web.Request, document: c.Json) -> c.Json | None:
        if document.get("items"):
            return {**document, "items": [change(item) for item in document["items"]]}
        return change(document) if "/namespaces/" in request.path else None

    return c.changes(changed)


def deeply(change: Any) -> Any:
    """The change for every field of an object, at any depth: (name, value) -> value, or ... to drop it."""

    def walk(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            made = {key: change(key, walk(inner, key)) for key, inner in value.items()}
            return {key: inner for key, inner in made.items() if inner is not ...}
        return [walk(item, name) for item in value] if isinstance(value, list) else value

    return walk


KEPT = ("name", "namespace", "kind", "apiVersion", "metadata")


def expires(request: web.Request, document: c.Json) -> c.Json | None:
    """A list that goes on, and whose second page has expired."""
    if "items" not in document or "limit" not in request.query:
        return None
    return {**document, "metadata": {**(document.get("metadata") or {}), "continue": "more"}}


async def forgets(request: web.Request, forward: c.Forward) -> web.StreamResponse:
    """Every list has a second page, which the server has forgotten."""
    if "continue" in request.query:
        return c.status(410, "Expired", "The provided continue parameter is too old")
    return await c.changes(expires)(request, forward)


# name: fault, exit code, what the screen must say, what it must not
Case = tuple[c.Fault, int, tuple[str, ...], tuple[str, ...]]
BLIND: tuple[str, ...] = ("Inconclusive",)
NO_CLOCK = ("auth-service", "could not read the clock: the server tells no time")
DATES = ("Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT")
ALL = "missing: find, health, changes, errors:"
FAULTS: dict[str, Case] = {
    "nothing is wrong": (c.passes, 0, (CAUSE, "(confirmed)"), ("missing:",)),
    "the token expires on the way": (
        c.answers(EXPIRED, after=6),
        3,
        (*BLIND, "missing: health, changes, logs, errors: cluster 'behind' refuses"),
        (),
    ),
    "403 on all but the version": (
        c.answers(DENIED, begun),
        3,
        (*BLIND, f"{ALL} the server says: {FORBIDDEN}"),
        (),
    ),
    "403 on pods": (c.answers(DENIED, c.on("/pods")), 3, (*BLIND, "missing: health"), ()),
    "403 on logs": (
        c.answers(DENIED, c.on("/log")),
        0,
        (CAUSE, "(likely)", "missing: logs: The log of pod", FORBIDDEN),
        ("(confirmed)",),
    ),
    "403 on what tells of changes": (
        c.answers(DENIED, c.on("/replicasets", "/events", "/configmaps")),
        0,
        ("missing: health could not read ConfigMap, Event, ReplicaSet", "missing: changes could not read"),
        ("(confirmed)",),
    ),
    "half of the calls fail with 500": (c.alternates(STORE), 0, (CAUSE,), ()),
    "half of the calls fail with 503": (c.alternates(AWAY), 0, (CAUSE,), ()),
    "half of the connections break": (c.breaks(every_other=True), 0, (CAUSE,), ()),
    "every connection breaks": (
        c.breaks(begun),
        3,
        (*BLIND, f"{ALL} the connection to"),
        (),
    ),
    "half of the calls are to wait": (c.alternates(OVERLOADED), 0, ("exit at start with code 1",), ()),
    "all are to wait": (
        c.answers(OVERLOADED, begun),
        3,
        (*BLIND, f"{ALL} the server says"),
        (),
    ),
    "pods are never told": (
        c.hangs(c.on("/pods")),
        3,
        (*BLIND, "missing: health, logs, errors: cluster 'behind'", "did not answer within 10 s"),
        (),
    ),
    "logs are never told": (
        c.hangs(c.on("/log")),
        0,
        (CAUSE, "missing: logs", "did not answer within 10 s"),
        ("(confirmed)",),
    ),
    "nothing is told after the version": (c.hangs(begun), 3, (*BLIND, "did not answer within 10 s"), ()),
    "bodies drip": (c.drips(begun, 4000, 0.02), 0, (CAUSE,), ()),
    "bodies drip too slowly": (c.drips(begun, 20, 1.0), 3, (*BLIND, "did not answer within 10 s"), ()),
    "bodies are cut off": (c.cuts(begun), 3, (*BLIND, "broke off in the middle of an answer"), ()),
    "a proxy's page after a while": (c.answers(PROXY, begun), 3, (*BLIND, "did not answer in JSON"), ()),
    "half documents": (c.answers(HALF, begun), 3, (*BLIND, "did not answer in JSON"), ()),
    "documents that are lists": (c.answers(LIST, begun), 3, (*BLIND, "JSON that is no object"), ()),
    "empty documents": (c.answers(NOTHING, begun), 3, (*BLIND, "answered without a list of"), ()),
    "no spec": (each_object(lambda o: {**o, "spec": None}), 0, ("exit at start with code 1",), ()),
    "no status": (each_object(lambda o: {**o, "status": None}), 3, ("Inconclusive",), ()),
    "no metadata": (
        each_object(lambda o: {**o, "metadata": None}),
        3,
        (*BLIND, "metadata.name is missing"),
        (),
    ),
    "nothing but names": (
        each_object(lambda o: {k: v if k in KEPT else None for k, v in o.items()}),
        3,
        ("Inconclusive",),
        (),
    ),
    "every list is null": (
        each_object(deeply(lambda k, v: None if isinstance(v, list) else v)),
        3,
        ("Inconclusive",),
        (),
    ),
    "every map but those is null": (
        each_object(deeply(lambda k, v: None if isinstance(v, dict) and k not in (*KEPT, "spec") else v)),
        3,
        ("Inconclusive",),
        (),
    ),
    "numbers as text": (
        each_object(deeply(lambda k, v: str(v) if type(v) is int else v)),
        3,
        (*BLIND, "is text, not a whole number; is it an API server?"),
        (),
    ),
    "no times": (
        each_object(deeply(lambda k, v: ... if k.endswith(("Time", "Timestamp", "At")) else v)),
        0,
        ("exit at start with code 1",),
        (),
    ),
    "words that nobody knows": (
        each_object(deeply(lambda k, v: "Zorp" if k in ("phase", "reason", "type", "restartPolicy") else v)),
        0,
        ("auth-service",),
        (),
    ),
    "items that are no objects": (
        c.changes(lambda r, d: {**d, "items": ["x"]} if "items" in d else None),
        3,
        (*BLIND, "it is text, not an object"),
        (),
    ),
    "lists that are null": (
        c.changes(lambda r, d: {**d, "items": None} if "items" in d else None),
        3,
        ("Inconclusive",),
        (),
    ),
    "every list expires between its pages": (
        forgets,
        3,
        (*BLIND, "The provided continue parameter is too old"),
        (),
    ),
    "a Date that is none": (c.headed(lambda h: h.update({"Date": "soon"})), 0, NO_CLOCK, ()),
    "a Date of the year 9999": (c.headed(lambda h: h.update({"Date": DATES[0]})), 0, NO_CLOCK, ()),
    "a Date of the year 1": (c.headed(lambda h: h.update({"Date": DATES[1]})), 0, NO_CLOCK, ()),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_cluster_that_fails_on_the_way_costs_what_the_screen_says(name: str, tmp_path: Path) -> None:
    fault, code, says, never = FAULTS[name]
    with c.behind(fault, tmp_path) as front:
        done, seconds = asked(front.kubeconfig, tmp_path / "state")
    said = told(done, tmp_path / "state")
    assert (done.returncode, done.stderr) == (code, ""), done.stdout + done.stderr
    assert [each for each in says if each not in said] == [], done.stdout
    assert [each for each in never if each in said] == [], done.stdout
    assert "No fault" not in said
    assert seconds < SECONDS
