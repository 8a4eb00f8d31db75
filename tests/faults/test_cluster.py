"""Every way a cluster can fail, against the real program: a stated outcome in a bounded time, no traceback,
and no diagnosis of what was not seen.

What cannot be reached at all is the operator's to mend (exit code 2). What fails later costs a part of the
diagnosis: the screen says which, and where too little is left the question ends inconclusive (3).
"""

import copy
import json
import os
import resource
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.cli.test_conversation import QUESTION
from tests.faults import cluster as c
from tests.worlds.kube.test_trouble import certificate

SECONDS = 60.0
"""What a whole run may take; a server that never answers costs ten seconds for each call."""
FORBIDDEN = 'pods is forbidden: User "ada" cannot list resource "pods" in API group ""'
EXPIRED = lambda: c.status(401, "Unauthorized", "Unauthorized")  # noqa: E731
DENIED = lambda: c.status(403, "Forbidden", FORBIDDEN)  # noqa: E731
OVERLOADED = lambda: c.status(429, "TooManyRequests", "too many requests", **{"Retry-After": "1"})  # noqa: E731
STORE = lambda: c.status(500, "InternalError", "etcdserver: leader changed")  # noqa: E731
AWAY = lambda: c.status(503, "ServiceUnavailable", "the server is currently unable")  # noqa: E731
PROXY = lambda: web.Response(text="<html>log in</html>", content_type="text/html")  # noqa: E731
HALF = lambda: web.Response(text='{"items": [', content_type="application/json")  # noqa: E731
LIST = lambda: web.json_response([1, 2])  # noqa: E731
NOTHING = lambda: web.json_response({})  # noqa: E731


def begun(request: web.Request) -> bool:
    """Everything after the first contact."""
    return request.path != "/version"


def asked(
    kubeconfig: Path, state: Path, *more: str, question: str = QUESTION, timeout: float = 150
) -> tuple[subprocess.CompletedProcess[str], float]:
    """Ask the real program; what it said and the seconds it took."""
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "PYTHONPATH", "HOME"}}
    words = ["ask", question, "--kubeconfig", str(kubeconfig), "--context", c.CONTEXT, *more]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "opssquad", *words],
        env={**kept, "OPSSQUAD_STATE": str(state), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    return done, time.monotonic() - began


def told(done: subprocess.CompletedProcess[str], state: Path) -> str:
    """All it said, which holds no traceback; nor was one written to a file."""
    said = " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in said
    assert "internal error" not in said
    assert not (state / "logs").exists()
    return said


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
CAUSE = "image v2.4.0 -> v2.4.1"
BLIND: tuple[str, ...] = ("Inconclusive",)
FAULTS: dict[str, Case] = {
    "nothing is wrong": (c.passes, 0, (CAUSE, "(confirmed)"), ("missing:",)),
    "the token expires on the way": (
        c.answers(EXPIRED, after=6),
        3,
        (*BLIND, "missing: health: cluster 'behind' refuses the credentials"),
        (),
    ),
    "403 on all but the version": (
        c.answers(DENIED, begun),
        3,
        (*BLIND, f"missing: health: the server says: {FORBIDDEN}"),
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
    "every connection breaks": (c.breaks(begun), 3, (*BLIND, "missing: find: the connection to cluster"), ()),
    "half of the calls are to wait": (c.alternates(OVERLOADED), 0, ("exit at start with code 1",), ()),
    "all are to wait": (c.answers(OVERLOADED, begun), 3, (*BLIND, "missing: health: the server says"), ()),
    "pods are never told": (
        c.hangs(c.on("/pods")),
        3,
        (*BLIND, "missing: health: cluster 'behind'", "did not answer within 10 s"),
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
    "no spec": (each_object(lambda o: {**o, "spec": None}), 3, ("Inconclusive",), ()),
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
    "no Date": (c.headed(lambda h: h.popall("Date", None)), 0, (CAUSE,), ()),
    "a Date of the year 9999": (
        c.headed(lambda h: h.update({"Date": "Fri, 31 Dec 9999 23:59:59 GMT"})),
        0,
        (CAUSE,),
        (),
    ),
    "a Date of the year 1": (
        c.headed(lambda h: h.update({"Date": "Mon, 01 Jan 0001 00:00:00 GMT"})),
        0,
        (CAUSE,),
        (),
    ),
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


def peak(kubeconfig: Path, state: Path) -> tuple[subprocess.CompletedProcess[str], float, float]:
    """Ask, and the most memory that a child of this process has held, in MB."""
    done, seconds = asked(kubeconfig, state)
    return done, seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def line(number: int) -> bytes:
    said = {"level": "info", "msg": f"handled request {number}", "path": "/login"}
    return f"2026-03-08T14:36:{number % 60:02}.{number:09}Z {json.dumps(said)}".encode()


LOGS: dict[str, tuple[Any, str]] = {
    "50 MB": (lambda: b"\n".join(map(line, range(550_000))), "That is not all of it"),
    "one line of 20 MB": (lambda: b"2026-03-08T14:36:00Z " + b"x" * (20 * 2**20), "That is not all of it"),
    "no text": (lambda: bytes(range(256)) * 4000, "Log of pod"),
}


@pytest.mark.parametrize("name", LOGS)
def test_a_log_past_all_bounds_is_read_from_its_end_in_bounded_time_and_memory(
    name: str, tmp_path: Path
) -> None:
    made, says = LOGS[name]
    body = made()
    # The server minds neither how many lines are asked for nor how many bytes.
    log = c.answers(lambda: web.Response(body=body, content_type="text/plain"), c.on("/log"))
    with c.behind(log, tmp_path) as front:
        done, seconds, memory = peak(front.kubeconfig, tmp_path / "state")
        told(done, tmp_path / "state")
        shown = asked_logs(front.kubeconfig, tmp_path / "more")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "auth-service" in done.stdout
    assert says in shown
    assert seconds < SECONDS
    assert memory < 400


def asked_logs(kubeconfig: Path, state: Path) -> str:
    """What the conversation shows of the log itself."""
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "PYTHONPATH", "HOME"}}
    words = ["chat", "--kubeconfig", str(kubeconfig), "--context", c.CONTEXT, "--namespace", "authentication"]
    done = subprocess.run(
        [sys.executable, "-m", "opssquad", *words],
        env={**kept, "OPSSQUAD_STATE": str(state), "COLUMNS": "400"},
        input="Show me the logs of auth-service\n/exit\n",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return " ".join(done.stdout.split())


@pytest.mark.parametrize("count", [5_000, 10_000])
def test_thousands_of_events_are_read_in_bounded_time_and_memory(count: int, tmp_path: Path) -> None:
    def more(request: web.Request, document: c.Json) -> c.Json | None:
        if not document.get("items"):
            return None
        model = document["items"][0]
        for number in range(count):
            made = copy.deepcopy(model)
            made["metadata"].update(name=f"e{number}", uid=f"u{number}")
            made["message"] = f"Back-off restarting failed container {number}"
            document["items"].append(made)
        return document

    with c.behind(c.changes(more, c.on("/events")), tmp_path) as front:
        done, seconds, memory = peak(front.kubeconfig, tmp_path / "state")
    assert CAUSE in told(done, tmp_path / "state")
    assert done.returncode == 0
    assert seconds < SECONDS
    assert memory < 400


# A change. name: fault, what the result says, whether it is checked, whether the cluster was changed
ROLLBACK = "Please roll back auth-service in namespace authentication to the previous version."
WRITES: dict[str, tuple[c.Fault, str, str, bool]] = {
    "the answer is lost, the change is made": (
        c.breaks(c.write, done=True),
        "may or may not have been made",
        "unknown",
        True,
    ),
    "the connection breaks before": (c.breaks(c.write), "may or may not have been made", "unknown", False),
    "no answer, the change is made": (
        c.hangs(c.write, done=True),
        "no answer within 10 s",
        "unknown",
        True,
    ),
    "a gateway's time is up": (
        c.answers(lambda: c.status(504, "Timeout", "gateway"), c.write),
        "may or may not have been made",
        "unknown",
        False,
    ),
    "a conflict": (
        c.answers(lambda: c.status(409, "Conflict", "the object has been modified"), c.write),
        "the object has been modified",
        "error",
        False,
    ),
    "no right to write": (
        c.answers(lambda: c.status(403, "Forbidden", 'cannot patch resource "deployments"'), c.write),
        'cannot patch resource "deployments"',
        "error",
        False,
    ),
    "a webhook says no": (
        c.answers(
            lambda: c.status(400, "BadRequest", 'admission webhook "freeze.example" denied the request'),
            c.write,
        ),
        'admission webhook "freeze.example" denied the request',
        "error",
        False,
    ),
    "an overloaded server": (c.answers(OVERLOADED, c.write), "too many requests", "error", False),
    "an answer that is a page": (
        c.answers(PROXY, c.write),
        "may or may not have been made",
        "unknown",
        False,
    ),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_change_that_fails_is_sent_once_and_told_as_what_it_is(name: str, tmp_path: Path) -> None:
    fault, says, status, made = WRITES[name]
    state = tmp_path / "state"
    with c.behind(fault, tmp_path, speed=20) as front:
        done, _ = asked(front.kubeconfig, state, "--json", question=ROLLBACK)
        assert done.returncode == 4, done.stdout + done.stderr
        thread = json.loads(done.stdout)["thread"]
        card = json.loads(done.stdout)["actions"][0]
        assert card["tool"] == "rollback"
        ran(state, "approvals", "approve", approval(state))
        front.asked.clear()
        end = ran(state, "ask", "--resume", thread)
        sent = [a for a in front.asked if a.startswith("PATCH") and "dryRun" not in a]
        audit = ran(state, "audit", "verify")
    said = told(end, state)
    assert len(sent) == 1, front.asked
    assert says in said
    assert ("better" in said) == made, said
    assert ("It is not known whether" in said or "may or may not" in said) == (status == "unknown"), said
    assert audit.returncode == 0, audit.stdout + audit.stderr


def ran(state: Path, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "PYTHONPATH", "HOME"}}
    return subprocess.run(
        [sys.executable, "-m", "opssquad", *words],
        env={**kept, "OPSSQUAD_STATE": str(state), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        timeout=150,
    )


def approval(state: Path) -> str:
    """The id of the card that waits."""
    listed = ran(state, "approvals", "list").stdout
    return next(word for word in listed.split() if word.startswith("a-"))
