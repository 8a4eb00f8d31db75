"""With masking on, a model outside the house gets no real name or address in any request, and the engineer
sees nothing else: the golden conversation through an endpoint that knows only what it was shown.
"""

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.planted_world import RECORDING
from tests.cli.terminal import Terminal, run
from tests.cli.test_conversation import QUESTION
from tests.cli.test_no_secret_leaves import told
from tests.stub_model import Json, Reply, call, calls, served, text

OWN = """
mask:
  addresses: true
  names: true
  words: [platform]
"""


def own(folder: Path, content: str = OWN) -> str:
    file = folder / "redaction.yaml"
    file.write_text(content, encoding="utf-8")
    return str(file)


def shown(asked: Json) -> str:
    """Everything that the model has been shown so far."""
    return told([asked])


def there(asked: Json) -> tuple[str, str]:
    """The masked namespace and name of the Deployment that `find` found."""
    found = re.search(r"^ +(\S+) +Deployment (\S+) ", shown(asked), re.MULTILINE)
    assert found, shown(asked)
    return found[1], found[2]


def find(asked: Json) -> Json:
    said = [m["content"] for m in asked["messages"] if m["role"] == "user"]
    return call("find", what=said[0])


def on(tool: str, key: str = "") -> Reply:
    def reply(asked: Json) -> Json:
        namespace, name = there(asked)
        return call(tool, namespace=namespace, **({key: name} if key else {}))

    return reply


def first_pod(asked: Json) -> Json:
    told_last = next(m["content"] for m in reversed(asked["messages"]) if m["role"] == "tool")
    pod = re.search(r"(\S+) +\d/\d +CrashLoopBackOff", told_last)
    assert pod, told_last
    return call("logs", namespace=there(asked)[0], pod=pod[1], tail=50)


def names_it(asked: Json) -> Json:
    namespace, name = there(asked)
    return text(f"Workload {name} in {namespace} crashes. Shall I read the logs?")


CONVERSATION: list[Reply] = [
    find,
    on("health"),
    names_it,
    first_pod,
    text("The database does not answer in time."),
    on("changes"),
    text("The release came right before."),
    on("rollback_check", "deployment"),
    text("Nothing speaks against going back."),
    on("rollback", "deployment"),
    text("It is back."),
]


def real() -> list[str]:
    """Names, hosts and addresses that stand in the recording."""
    with gzip.open(RECORDING / "cluster" / "objects.jsonl.gz", "rt", encoding="utf-8") as lines:
        objects = [json.loads(line) for line in lines]
    kinds = {"Namespace", "Node", "Deployment", "StatefulSet", "DaemonSet", "Service", "ReplicaSet", "Pod"}
    kinds |= {"ConfigMap", "Secret", "CronJob", "Ingress"}
    public = {"default", "kubernetes", "kube-system", "kube-public", "kube-node-lease", "kube-root-ca.crt"}
    names = {o["metadata"]["name"] for o in objects if o["kind"] in kinds} - public
    text_ = json.dumps(objects)
    addresses = set(re.findall(r'"(?:ip|podIP|hostIP|clusterIP)": ?"([^"]+)"', text_)) - {"None"}
    return sorted(names | addresses | {"db.internal", "registry.example.com"})


def leaked(asked: list[Json]) -> list[str]:
    sent = told(asked)
    found = [each for each in real() if re.search(rf"(?<![A-Za-z0-9]){re.escape(each)}(?![A-Za-z0-9])", sent)]
    return [f"{each}: {sent[max(0, sent.index(each) - 60) : sent.index(each) + 60]!r}" for each in found]


def test_the_golden_conversation_is_held_behind_a_mask(tmp_path: Path) -> None:
    with served(CONVERSATION) as stub:
        chat = Terminal(
            tmp_path / "state",
            *("chat", "--recording", "auth-0308", "--model", "stub"),
            OPENAI_BASE_URL=stub.url,
            OPSSQUAD_REDACTION=own(tmp_path),
        )
        chat.wait("gets other names for: addresses, names, 1 word")
        chat.wait("you>")
        chat.say(QUESTION, "Workload auth-service in authentication crashes. Shall I read the logs?")
        chat.wait("0 of 3 pods ready")
        chat.say("Yes, get the last 50 lines of logs from the first pod.", "does not answer in time")
        chat.wait("Database connection timeout after 5000ms")
        chat.wait("db.internal")
        chat.say("Check recent deployments first.", "came right before")
        chat.say("Yes, verify we can roll back safely.", "Nothing speaks against going back")
        chat.say("Yes, please roll back.", "approve?")
        chat.wait("deployment/auth-service")
        chat.say("yes", "It is back.", seconds=90)
        chat.wait("3 of 3 now")
        assert chat.leave() == 0
        seen = chat.seen
    assert len(stub.asked) == len(CONVERSATION)
    assert not leaked(stub.asked)
    assert not re.search(r"\b(?:name|host|addr|word)-\d+\b", seen)


def ask(folder: Path, url: str, content: str = OWN) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "PYTHONPATH", "HOME"}}
    more = {"OPENAI_BASE_URL": url, "OPSSQUAD_REDACTION": own(folder, content)}
    return subprocess.run(
        [sys.executable, "-m", "opssquad", "ask", QUESTION]
        + ["--recording", "auth-0308", "--model", "stub", "--json"],
        env={**kept, **more, "OPSSQUAD_STATE": str(folder / "state")},
        capture_output=True,
        text=True,
        timeout=120,
    )


def wrong(asked: Json) -> Json:
    return call("workload", namespace=there(asked)[0], name="name-4711")


def conclude(asked: Json) -> Json:
    """Conclude, once by the numbers of the evidence and once by its words as they were shown."""
    namespace, name = there(asked)
    ledger = asked["messages"][-1]["content"]
    logs = next(m for m in asked["messages"] if m["role"] == "tool" and "timeout after" in m["content"])
    line = next(line for line in logs["content"].splitlines() if "Connecting to database at" in line)
    quote = line[line.index("Connecting to database at") :].strip()
    cause = {
        "component": f"Deployment/{namespace}/{name}",
        "root_cause": f"{name} cannot reach {quote.split()[-1]}",
        "evidence": [f"{logs['tool_call_id']}: {quote}", *re.findall(r"\be\d+\b", ledger)[:2]],
    }
    return call("conclude", summary=f"{name} is down.", causes=[cause])


def test_a_conclusion_that_quotes_masked_words_stands_and_shows_the_real_ones(tmp_path: Path) -> None:
    def logs(asked: Json) -> Json:
        namespace, name = there(asked)
        return calls(("logs", {"namespace": namespace, "pod": name}), ("health", {"namespace": namespace}))

    with served([find, logs, wrong, conclude]) as stub:
        done = ask(tmp_path, stub.url)
    told_ = json.loads(done.stdout)
    assert (done.returncode, told_["status"]) == (0, "concluded"), done.stdout + done.stderr
    cause = told_["conclusion"]["causes"][0]
    assert cause["component"]["name"] == "auth-service"
    assert "auth-service cannot reach db.internal:5432" in cause["root_cause"]
    quoted = [e["text"] for finding in cause["findings"] for e in finding["evidence"]]
    assert "Connecting to database at db.internal:5432" in quoted
    assert not leaked(stub.asked)
    assert "nothing of that name was shown to you" in shown(stub.asked[-1])


def test_a_model_inside_the_house_gets_everything_as_it_is(tmp_path: Path) -> None:
    with served([call("health", namespace="authentication"), text("Well.")]) as stub:
        ask(tmp_path, stub.url, OWN + "  inside: [127.0.0.1]\n")
    assert "authentication" in shown(stub.asked[0])
    assert "auth-service" in shown(stub.asked[1])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("patterns: [{name: a, pattern: '(', example: x}]", "is no regular expression"),
        ("masks: {}", "did you mean 'mask'"),
        ("mask: {names: maybe}", "names"),
    ],
)
def test_a_bad_file_of_rules_is_one_line_and_a_usage_error(tmp_path: Path, content: str, said: str) -> None:
    done = ask(tmp_path, "http://127.0.0.1:9/v1", content)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "redaction.yaml, line 1: " in line
    assert said in line


def test_a_pattern_of_ones_own_hides_through_the_whole_program(tmp_path: Path) -> None:
    rules = "patterns: [{name: pool, pattern: 'DB_POOL_SIZE=(?P<s>\\d+)', example: DB_POOL_SIZE=20}]"
    looks = call("logs", namespace="authentication", pod="auth-service", tail=50)
    with served([looks, text("Well.")]) as stub:
        done = ask(tmp_path, stub.url, rules)
    for said in (shown(stub.asked[1]), done.stdout):
        assert "DB_POOL_SIZE=20" not in said
    assert re.search(r"DB_POOL_SIZE=«redacted \w{5}»", shown(stub.asked[1]))


MASKED = "masked outside the house: addresses, names, 1 word"


@pytest.mark.parametrize(
    ("more", "model", "url", "said"),
    [
        ("", "offline", "", MASKED),
        ("", "stub", "", f"{MASKED} (as api.openai.com is)"),
        ("", "stub", "http://LLM.localhost:9/v1", f"{MASKED} (as llm.localhost is)"),
        ("  inside: [llm.localhost]", "stub", "http://LLM.localhost:9/v1", MASKED),
        ("  inside: [LLM.Localhost]", "stub", "http://llm.localhost:9/v1", MASKED),
    ],
)
def test_doctor_says_what_is_masked(tmp_path: Path, more: str, model: str, url: str, said: str) -> None:
    given = {"OPSSQUAD_REDACTION": own(tmp_path, OWN + more), "OPSSQUAD_MODEL": model, "OPENAI_BASE_URL": url}
    words = " ".join(run(tmp_path / "state", "doctor", **given).stdout.split())
    assert re.search(rf"{re.escape(said)} \w", words), words


def test_doctor_says_that_without_a_file_there_are_our_own_rules_alone(tmp_path: Path) -> None:
    assert "our own rules" in " ".join(run(tmp_path, "doctor").stdout.split())
