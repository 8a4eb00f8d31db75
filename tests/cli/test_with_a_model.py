"""The golden conversation with a language model: the real program, an endpoint over HTTP, a stub's words."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.cli.terminal import Terminal
from tests.cli.test_conversation import QUESTION
from tests.stub_model import Json, Reply, call, calls, served, text

HERE = {"namespace": "authentication"}
AUTH = {**HERE, "deployment": "auth-service"}


def first_pod(asked: Json) -> Json:
    """Read the logs of the pod that `health` showed first, as a model would read it off."""
    shown = next(m["content"] for m in reversed(asked["messages"]) if m["role"] == "tool")
    pod = re.search(r"(\S+) +\d/\d +CrashLoopBackOff", shown)
    return call("logs", **HERE, pod=pod[1] if pod else "none was shown", tail=50)


def conclude(asked: Json) -> Json:
    """Conclude with what the ledger offers for it."""
    ledger = asked["messages"][-1]["content"]
    cause = {
        "component": "Deployment/authentication/auth-service",
        "root_cause": "v2.4.1 halved the pool of connections",
        "evidence": re.findall(r"\be\d+\b", ledger)[:3],
    }
    return call("conclude", summary="The release of 13:45 broke it.", causes=[cause])


CONVERSATION: list[Reply] = [
    call("find", what="authentication service"),
    calls(("health", HERE), said="Let me look at the pods."),
    text("Three pods crash. Shall I read the logs?"),
    first_pod,
    text("The database does not answer in time."),
    call("changes", **HERE),
    text("The release of 13:45 came right before."),
    call("rollback_check", **AUTH),
    text("Nothing speaks against going back."),
    call("rollback", **AUTH),
    text("It is back on v2.4.0."),
]


def test_the_golden_conversation_is_held_through_an_endpoint(tmp_path: Path) -> None:
    with served(CONVERSATION) as stub:
        chat = Terminal(
            tmp_path, "chat", "--recording", "auth-0308", "--model", "stub", OPENAI_BASE_URL=stub.url
        )
        chat.wait("you>")
        chat.say(QUESTION, "Shall I read the logs?")
        chat.wait("0 of 3 pods ready")
        chat.wait("namespace authentication · squad k8s · model stub")
        chat.say("Yes, get the last 50 lines of logs from the first pod.", "does not answer in time")
        chat.wait("Database connection timeout after 5000ms")
        chat.say("Check recent deployments first.", "came right before")
        chat.wait("DB_POOL_SIZE 50 -> 20, DB_TIMEOUT 10000 -> 5000")
        chat.say("Yes, verify we can roll back safely.", "Nothing speaks against going back")
        chat.say("Yes, please roll back.", "approve?")
        chat.wait("through squad k8s, model stub")
        chat.say("yes", "It is back on v2.4.0.", seconds=60)
        chat.wait("3 of 3 now")
        assert chat.leave() == 0
    assert len(stub.asked) == len(CONVERSATION)
    told = [m["content"] for m in stub.asked[-1]["messages"] if m["role"] == "tool"]
    assert "Verified: better." in told[-1]
    assert "\nauth-service is settled" in told[-1]


def test_a_question_is_concluded_through_an_endpoint_with_evidence_that_stands(tmp_path: Path) -> None:
    looks = calls(("health", HERE), ("changes", HERE))
    with served([looks, conclude]) as stub:
        kept = {k: v for k, v in os.environ.items() if k in {"PATH", "PYTHONPATH", "HOME"}}
        done = subprocess.run(
            [sys.executable, "-m", "opssquad", "ask", QUESTION]
            + ["--recording", "auth-0308", "--model", "stub", "--json"],
            env={**kept, "OPSSQUAD_STATE": str(tmp_path), "OPENAI_BASE_URL": stub.url},
            capture_output=True,
            text=True,
            timeout=90,
        )
    told = json.loads(done.stdout)
    assert (done.returncode, told["status"], told["model"]) == (0, "concluded", "stub"), done.stderr
    cause = told["conclusion"]["causes"][0]
    assert cause["component"] == {"kind": "Deployment", **HERE, "name": "auth-service"}
    assert all(e["text"] for finding in cause["findings"] for e in finding["evidence"])
    assert told["tokens"] == {"prompt": 200, "completion": 20}
