"""Asking the real program about a cluster that misbehaves, and the answers that such a cluster gives."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from tests.cli.test_conversation import QUESTION
from tests.faults import cluster as c

SECONDS = 60.0
"""What a whole run may take; a server that never answers costs ten seconds for each call."""
FORBIDDEN = 'pods is forbidden: User "ada" cannot list resource "pods" in API group ""'
CAUSE = "image v2.4.0 -> v2.4.1"
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
    kubeconfig: Path,
    state: Path,
    *more: str,
    question: str = QUESTION,
    timeout: float = 150,
    start: Sequence[str] = ("-m", "opssquad"),
) -> tuple[subprocess.CompletedProcess[str], float]:
    """Ask the real program; what it said and the seconds it took."""
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "PYTHONPATH", "HOME"}}
    words = ["ask", question, "--kubeconfig", str(kubeconfig), "--context", c.CONTEXT, *more]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, *start, *words],
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
